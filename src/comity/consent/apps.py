"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "comity.consent"
    label = "consent"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("notices", "suppression"):
            import_module(f"comity.consent.{part}.models")

    def ready(self) -> None:
        """Tell counsel and exports what this room knows about persons, and the ledger which words it uses."""
        from comity.book.exports.columns import register as register_columns
        from comity.book.imports.newcomers import register as register_writer
        from comity.book.merging.actions import register as register_mover
        from comity.consent.exporting import columns_of
        from comity.consent.facts import columns_of as facts_columns
        from comity.consent.facts import facts_of
        from comity.consent.filters import register_filters
        from comity.consent.history import facts_as_of
        from comity.consent.importing import Hand
        from comity.consent.merging import Mover
        from comity.consent.models import Said, Why
        from comity.consent.replaying import KINDS
        from comity.consent.standing_still import hold, keep_from
        from comity.consent.suppression import facts as registers
        from comity.counsel.facts import register
        from comity.counsel.past import register_past
        from comity.ledger.bodies import declare_words
        from comity.ledger.journal.replaying import register_kind
        from comity.post.letters import register_guard, register_lock

        register("consent", facts_of, facts_columns)
        register_past("consent", facts_as_of)
        register("registers", registers.facts_of, registers.columns_of)
        register_past("registers", registers.facts_as_of)
        register_columns("consent", columns_of)
        register_mover("consent", Mover())
        register_filters()
        register_lock("consent", hold)
        register_guard("consent", keep_from)
        register_writer("consent", Hand())
        declare_words(*Said.values, *Why.values)
        for kind, bring in KINDS.items():
            register_kind(kind, bring)
