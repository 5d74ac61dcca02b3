"""A folder as a way out: each message becomes a file in it, for whoever prints, calls, or tries Comity without a relay.

The files hold addresses and words in the clear, in a folder that only we may read. Rows of lists wait there until the
list is closed (`lists`), which also says how long anything stays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.post.gateways import Answer, Kind, Outcome
from comity.refs import new_ref

if TYPE_CHECKING:
    from comity.post.letters import Letter
    from comity.post.models import Gateway

SUFFIX: Final = {"email": "eml"}


class Folder:
    """The way into one folder below the one of this installation."""

    def __init__(self, gateway: Gateway) -> None:
        self.path = folder_of(gateway)
        self.suffix = SUFFIX.get(gateway.channel, "txt")

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Write the letter down; a file is there whole or not at all."""
        del until
        try:
            make_private(self.path)
            write_whole(self.path / f"{new_ref()}.{self.suffix}", letter.data)
        except OSError:
            return Answer(outcome=Outcome.AGAIN, why="broken-off")
        return Answer(outcome=Outcome.SENT)

    def close(self) -> None:
        """There is nothing to let go of."""


def make_private(folder: Path) -> None:
    """Make a folder, and those of ours above it, that only we may look into."""
    for each in (*reversed([up for up in folder.parents if up.is_relative_to(settings.FOLDER)]), folder):
        each.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that only we may read, all of it or nothing. Raises OSError, also where it is there already."""
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


class Rows:
    """The way into a list that is still open: a row for each message, which whoever closes it asks about once more."""

    def __init__(self, gateway: Gateway) -> None:
        self.path = folder_of(gateway) / "rows"

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        """Write the row down; it is there whole or not at all."""
        del until
        if letter.ref is None:
            return Answer(outcome=Outcome.FAILED, why="policy")
        try:
            make_private(self.path)
            write_whole(self.path / f"{letter.ref}.json", letter.data)
        except OSError:
            return Answer(outcome=Outcome.AGAIN, why="broken-off")
        return Answer(outcome=Outcome.SENT)

    def close(self) -> None:
        """There is nothing to let go of."""


def folder_of(gateway: Gateway) -> Path:
    """Return where the files of a gateway lie."""
    return Path(settings.FOLDER) / "outbox" / str(gateway.ref)


KIND: Final = Kind(channels=frozenset({"email"}), check=check, open=Folder, says=gettext_lazy("A folder of files"))
CALLS: Final = Kind(
    channels=frozenset({"call"}), check=check, open=Rows, lists=True, says=gettext_lazy("Call lists in a folder")
)
LETTERS: Final = Kind(
    channels=frozenset({"post"}), check=check, open=Rows, lists=True, says=gettext_lazy("Letters to print, in a folder")
)
