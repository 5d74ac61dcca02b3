"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class OutreachConfig(AppConfig):
    name = "comity.outreach"
    label = "outreach"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("campaigns", "forms", "sharing", "origins", "calls", "correspondence", "sequences"):
            import_module(f"comity.outreach.{part}.models")

    def ready(self) -> None:
        """Say who composes the messages of campaigns, what a second person may approve, who acts on what comes back."""
        for part in ("campaigns", "forms", "inbound", "sharing", "origins", "correspondence", "sequences"):
            import_module(f"comity.outreach.{part}.beginning").begin()
        import_module("comity.outreach.filters").begin()
