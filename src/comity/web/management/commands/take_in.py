"""Take in one message, as a mail server gives it to a program: python -m comity.web take_in INBOX < message."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from comity.post.inbound.actions import take_in
from comity.post.inbound.mime import LARGEST
from comity.post.inbound.queries import folder_called
from comity.post.inbound.understanding import understand

TRY_AGAIN: Final = 75
"""What a mail server reads as "keep it and try again" (EX_TEMPFAIL of sysexits)."""


class Command(BaseCommand):
    """Takes in one message from its standard input."""

    help = "Take in one message from standard input, for the folder of this ref."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the folder's ref."""
        parser.add_argument("inbox", type=UUID)

    def handle(self, *_args: object, **options: UUID) -> None:
        """Read, act, and say so; a message that cannot be taken now is left to the mail server."""
        raw = sys.stdin.buffer.read(LARGEST)
        inbox = folder_called(options["inbox"])
        if inbox is None:
            raise CommandError("There is no such folder of messages, or it is ended.", returncode=TRY_AGAIN)
        try:
            take_in(inbox=inbox, heard=understand(raw), raw=raw)
        except Exception as error:
            raise CommandError(f"It could not be taken now: {error}", returncode=TRY_AGAIN) from error
