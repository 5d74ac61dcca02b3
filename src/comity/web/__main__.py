"""Django's own commands, and the programs of the book: python -m comity.web check, migrate, work, sequence."""

from __future__ import annotations

import os
import sys


def main(words: list[str]) -> None:
    """Run what is asked for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.web.settings")
    if words == ["sequence"]:
        sequence()
        return
    if words[:1] == ["work"]:
        os.nice(KINDNESS)  # before anything is imported, so that at the start too the web server goes first
    from django.core.management import execute_from_command_line

    execute_from_command_line(["python -m comity.web", *words])


KINDNESS = 5
"""How much the worker steps back for those who wait for a page."""


def sequence() -> None:
    """Be the ledger's sequencer. It needs the settings and none of the rooms, so it is there at once."""
    from logging.config import dictConfig

    from django.conf import settings

    from comity.ledger.sequencer import run

    dictConfig(settings.LOGGING)
    run(folder=settings.FOLDER)


if __name__ == "__main__":
    main(sys.argv[1:])
