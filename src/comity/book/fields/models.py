"""The tables of fields."""

from __future__ import annotations
