"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig


class RightsConfig(AppConfig):
    name = "comity.rights"
    label = "rights"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("requests", "portal", "packages", "connectors"):
            import_module(f"comity.rights.{part}.models")

    def ready(self) -> None:
        """Say what the rooms below must know of each part of this one."""
        for part in ("requests", "portal", "packages", "connectors"):
            if find_spec(name := f"comity.rights.{part}.beginning"):
                import_module(name).begin()
