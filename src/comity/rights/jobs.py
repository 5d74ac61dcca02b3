"""The jobs of every part of this room, each in a module of its own."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

for part in ("requests", "portal", "packages", "connectors"):
    if find_spec(name := f"comity.rights.{part}.jobs"):
        import_module(name)
