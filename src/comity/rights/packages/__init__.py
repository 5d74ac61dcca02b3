"""Packages: everything we hold about somebody, as they and their programs can read it."""
