"""The tables of lists."""

from __future__ import annotations
