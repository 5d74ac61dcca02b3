"""Run jobs until asked to stop."""

from __future__ import annotations

import argparse

from django.core.management.base import BaseCommand

from comity.server.worker import AT_ONCE, GRACE, PULSE, work


class Command(BaseCommand):
    """Run jobs, as many workers as one likes, on as many machines."""

    requires_system_checks = ()  # what is wrong is said by `check`, before anything is started
    help = "Run jobs until asked to stop."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Name what may be set."""
        parser.add_argument("--at-once", type=int, default=AT_ONCE, help="jobs that run at the same time")
        parser.add_argument("--pulse", type=float, default=PULSE, help="seconds between two signs of life")
        parser.add_argument("--grace", type=float, default=GRACE, help="seconds that jobs have to end when asked to")

    def handle(self, *_arguments: object, at_once: int, pulse: float, grace: float, **_options: object) -> None:
        """Work."""
        work(at_once=at_once, pulse=pulse, grace=grace)
