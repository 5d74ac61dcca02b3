"""Bringing people in from a file: understood, looked over, done, and undone."""
