"""What stores have in common: how they say that something did not work."""

from __future__ import annotations


class StoreError(ValueError):
    """A system is away, refuses, or is not as it was described. The message says which and why, and quotes no row."""
