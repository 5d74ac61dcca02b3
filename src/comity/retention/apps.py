"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "comity.retention"
    label = "retention"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("erasing", "holds"):
            import_module(f"comity.retention.{part}.models")

    def ready(self) -> None:
        """Say what a second person may approve here, and what a line of the journal about an erasure means."""
        import_module("comity.retention.erasing.beginning").begin()
