"""Comity, the customer book that keeps the law."""

__version__ = "0.1.0"
