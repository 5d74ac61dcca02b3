"""A folder as a way out: each message becomes a file in it, for whoever prints, calls, or tries Comity without a relay.

The files hold addresses and words in the clear, in a folder that only we may read; whoever works them off deletes them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from comity.post.gateways import Answer, Kind, Outcome
from comity.refs import new_ref

if TYPE_CHECKING:
    from comity.post.letters import Letter
    from comity.post.models import Gateway

SUFFIX: Final = {"email": "eml"}


class Folder:
    """The way into one folder below the one of this installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.path = Path(settings.FOLDER) / "outbox" / str(gateway.ref)
        self.suffix = SUFFIX.get(gateway.channel, "txt")

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Write the letter down; a file is there whole or not at all."""
        del until
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_whole(self.path / f"{new_ref()}.{self.suffix}", letter.data)
        except OSError:
            return Answer(outcome=Outcome.AGAIN, why="broken-off")
        return Answer(outcome=Outcome.SENT)

    def close(self) -> None:
        """There is nothing to let go of."""


def _write_whole(path: Path, data: bytes) -> None:
    aside = path.with_suffix(".part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


def check(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings: there are none. Raises ValidationError for any."""
    if given:
        raise ValidationError(_("A folder has no settings: its place follows from the gateway's own number."))
    return {}


KIND: Final = Kind(channels=frozenset({"email"}), check=check, open=Folder)
