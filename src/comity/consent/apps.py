"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "comity.consent"
    label = "consent"

    def ready(self) -> None:
        """Tell counsel what this room knows about persons, and the ledger which words it uses."""
        from comity.consent.facts import facts_of
        from comity.consent.models import Said
        from comity.counsel.facts import register
        from comity.ledger.bodies import declare_words

        register("consent", facts_of)
        declare_words(*Said.values)
