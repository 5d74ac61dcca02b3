"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "comity.web"
    label = "web"
