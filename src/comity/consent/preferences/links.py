"""Links that need no sign-in: sealed, so that they say nothing to whoever sees them, and cannot be made by others.

A link holds whose it is, of which entity, what it lets do, the address it was sent to (as the suppression list knows
it, never as it is written), the second it was made and the day it ends. All of it is sealed by AES-SIV (RFC 5297) under
a key outside the database; the number of that key stands in front, so that links of an earlier key go on working. Who
changes a letter has no link at all.

A link is as good as the mailbox it was sent to. So what it lets do is little: to say no, always; to see and choose what
is said about this one entity; to confirm one yes. A no by an old link harms nobody, so such links live for years.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from comity.book.models import Reach
from comity.consent.suppression.keys import link_key, link_key_of
from comity.consent.suppression.marks import DIGEST_BYTES, Mark


class May(IntEnum):
    """What a link lets do. The numbers stand in links that are out, and never change."""

    CHOOSE = 1  # see what is known of one's choices, and choose
    STOP = 2  # say no, and nothing else
    CONFIRM = 3  # confirm the one yes that it names: the second step of a double opt-in


LIVES: Final = {May.CHOOSE: 400, May.STOP: 3_650, May.CONFIRM: 7}
"""Days that a link lives, at least. Laws ask for 30 from the sending on, and a message may say more (`live_days`)."""

VERSION: Final = 1
SINCE: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""From which seconds and days are counted, in four bytes and two."""
HEAD: Final = struct.Struct(">BH")  # version, number of the key
BODY: Final = struct.Struct(">BIH16s16s")  # May, made at, ends on, person, entity
REACHES: Final = {Reach.EMAIL: 1, Reach.PHONE: 2, Reach.POST: 3, Reach.MESSENGER: 4}
"""How a link says by which way its address reaches somebody; 0 is no address. The numbers never change."""
LONGEST: Final = 400
"""Letters beyond which nothing is looked at: no link of ours has as many."""


class BadLink(Exception):
    """It is no link of ours: forged, cut off, or changed on its way."""


class OldLink(BadLink):
    """It was one of ours and is past its day; `link` is what it said."""

    def __init__(self, link: Link) -> None:
        super().__init__(f"the link ended on {link.ends_on}")
        self.link = link


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link says."""

    may: May
    person: UUID
    entity: UUID
    made_at: datetime
    ends_on: date
    purpose: str = ""  # the one it is about; without one, all
    channel: str = ""
    mark: Mark | None = None  # of the address that it was sent to
    notice: UUID | None = None  # the wording that is agreed to


def make_link(
    *, may: May, person: UUID, entity: UUID, at: datetime, purpose: str = "", channel: str = "",
    mark: Mark | None = None, notice: UUID | None = None, live_days: int = 0,
) -> str:  # fmt: skip
    """Return the link, without the address of the site: letters, digits, - and _.

    `live_days` is what the obligations of the message ask; it ends later than that, whatever they ask. Whoever stops by
    a link with a `mark` stops all that goes to that address, whoever it belongs to. Raises KeyTrouble.
    """
    at = at.astimezone(UTC)
    ends_on = at.date() + timedelta(days=max(LIVES[may], live_days + 1))
    key = link_key()
    head = HEAD.pack(VERSION, key.number)
    seconds, days = int((at - SINCE).total_seconds()), (ends_on - SINCE.date()).days
    body = BODY.pack(may, seconds, days, person.bytes, entity.bytes)
    sealed = key.sealing.encrypt(body + _more(purpose, channel, mark, notice), [head])
    return base64.urlsafe_b64encode(head + sealed).decode("ascii").rstrip("=")


def read_link(text: str, *, on: date, may: May) -> Link:
    """Return what a link says that lets do this on that day. Raises BadLink, OldLink, KeyTrouble.

    A link to choose by lets stop, too. No other lets do what it was not made for.
    """
    link = _opened(text)
    if link.may is not may and (link.may, may) != (May.CHOOSE, May.STOP):
        raise BadLink(f"the link does not let {may.name.lower()}")
    if on > link.ends_on and may is not May.STOP:
        raise OldLink(link)
    return link


def _opened(text: str) -> Link:
    if len(text) > LONGEST:
        raise BadLink("it is longer than our links are")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        if base64.urlsafe_b64encode(raw).decode().rstrip("=") != text:
            raise BadLink("it is not spelled as our links are")
        version, number = HEAD.unpack(raw[: HEAD.size])
        key = link_key_of(number) if version == VERSION else None
        if key is None:
            raise BadLink("no key of ours made it")
        return _read(key.sealing.decrypt(raw[HEAD.size :], [raw[: HEAD.size]]))
    except (binascii.Error, InvalidTag, UnicodeError, ValueError, struct.error) as error:
        raise BadLink("it is no link of ours, or was changed on its way") from error


def _read(told: bytes) -> Link:
    may, seconds, days, person, entity = BODY.unpack(told[: BODY.size])
    purpose, channel, mark, notice = _read_more(told[BODY.size :])
    return Link(
        may=May(may), person=UUID(bytes=person), entity=UUID(bytes=entity),
        made_at=SINCE + timedelta(seconds=seconds), ends_on=SINCE.date() + timedelta(days=days),
        purpose=purpose, channel=channel, mark=mark, notice=notice,
    )  # fmt: skip


NOTICED: Final = 0x80
"""Marks that a wording follows."""


def _more(purpose: str, channel: str, mark: Mark | None, notice: UUID | None) -> bytes:
    """Return what not every link says: the address, the wording, then purpose and channel, as they are written."""
    first = (REACHES[Reach(mark.reach)] if mark else 0) | (NOTICED if notice else 0)
    parts = [bytes([first]), mark.digest if mark else b"", notice.bytes if notice else b""]
    return b"".join(parts) + f"{purpose}/{channel}".encode("ascii")


def _read_more(told: bytes) -> tuple[str, str, Mark | None, UUID | None]:
    first, rest = told[0], told[1:]
    mark, notice = None, None
    if number := first & ~NOTICED:
        (by,) = [each.value for each, known in REACHES.items() if known == number]
        mark, rest = Mark(by, rest[:DIGEST_BYTES]), rest[DIGEST_BYTES:]
    if first & NOTICED:
        notice, rest = UUID(bytes=rest[:16]), rest[16:]
    purpose, _, channel = rest.decode("ascii").partition("/")
    return purpose, channel, mark, notice
