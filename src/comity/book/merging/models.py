"""The tables of merging."""

from __future__ import annotations
