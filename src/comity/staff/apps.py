"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "comity.staff"
    label = "staff"

    def ready(self) -> None:
        """Read roles.toml, so that a mistake in it stops the start; say what of it may stand in the ledger."""
        from django.db.backends.signals import connection_created

        from comity.ledger.bodies import declare_words
        from comity.staff.actions import KINDS_OF_OURS
        from comity.staff.approvals import add_kind
        from comity.staff.once import plan_once
        from comity.staff.roles import roles

        connection_created.connect(plan_once)
        told = roles()
        declare_words(*told.roles, *told.purposes)
        for name, kind in KINDS_OF_OURS.items():
            add_kind(name, kind)
