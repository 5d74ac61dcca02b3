"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "comity.desk"
    label = "desk"

    def ready(self) -> None:
        """Say what duties can be about."""
        from comity.counsel.duties_reading import register_about
        from comity.desk.matters import matter

        register_about("desk", matter)
