"""Run the ledger's sequencer until it is asked to stop."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand

from comity.ledger.sequencer import run


class Command(BaseCommand):
    """Number what is recorded, and sign the tree."""

    requires_system_checks = ()  # what is wrong is said by `check`, before anything is started
    help = "Run the ledger's sequencer until it is asked to stop."

    def handle(self, *_arguments: object, **_options: object) -> None:
        """Run."""
        run(folder=settings.FOLDER)
