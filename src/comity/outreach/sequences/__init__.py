"""Sequences: when something happens, then one thing after another, unless something else does."""
