"""What Django needs to know of this room."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    name = "comity.retention"
    label = "retention"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("erasing", "holds", "schedule"):
            import_module(f"comity.retention.{part}.models")

    def ready(self) -> None:
        """Let the schedule be checked, holds follow a merge and a second person approve; say what the journal means."""
        from django.core.checks import register

        from comity.book.merging.actions import register as register_mover
        from comity.ledger.bodies import declare_words
        from comity.retention.holds.merging import Mover
        from comity.retention.schedule.categories import WrongSchedule, schedule
        from comity.retention.schedule.checks import everything_is_scheduled
        from comity.retention.schedule.cleaning import word_of
        from comity.retention.schedule.keys import KIND, KIND_OF_OURS
        from comity.staff.approvals import add_kind

        register(everything_is_scheduled, "schedule")
        register_mover("retention", Mover())
        add_kind(KIND, KIND_OF_OURS)
        with suppress(WrongSchedule):  # the check says what is wrong with it
            declare_words(*(word_of(table) for category in schedule().categories for table in category.tables))
        import_module("comity.retention.erasing.beginning").begin()
