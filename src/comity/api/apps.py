"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "comity.api"
    label = "api"

    def ready(self) -> None:
        """Let the kinds of which webhooks are told into the ledger."""
        from comity.api.events import KINDS
        from comity.ledger.bodies import declare_words

        declare_words(*KINDS)
