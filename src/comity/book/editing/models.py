"""The tables of editing."""

from __future__ import annotations
