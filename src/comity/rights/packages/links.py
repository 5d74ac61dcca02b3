"""Links by which a package is opened: sealed as the links of the preference centre are, and of no use as one of those.

A link names a package and the day on which it ends, and nobody. It is sealed by AES-SIV (RFC 5297) under the key of
links, bound to this use; who changes a letter has no link at all. As good as the mailbox it was sent to: so it opens
nothing after the package's own day, and a package that was deleted is gone for every link.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from comity.consent.preferences.links import SINCE, BadLink
from comity.consent.suppression.keys import link_key, link_key_of

USE: Final = b"comity rights 1: a package"
HEAD: Final = struct.Struct(">BH")  # version, number of the key
BODY: Final = struct.Struct(">H16s16s")  # ends on, package, entity
VERSION: Final = 1
LONGEST: Final = 120


def make_link(*, package: UUID, entity: UUID, ends_on: date) -> str:
    """Return the link, without the address of the site: letters, digits, - and _. Raises KeyTrouble."""
    key = link_key()
    head = HEAD.pack(VERSION, key.number)
    body = BODY.pack((ends_on - SINCE.date()).days, package.bytes, entity.bytes)
    return base64.urlsafe_b64encode(head + key.sealing.encrypt(body, [USE, head])).decode("ascii").rstrip("=")


def read_link(text: str) -> tuple[UUID, UUID, date]:
    """Return the package, whose it is among our entities, and the link's last day. Raises BadLink, KeyTrouble."""
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
        days, package, entity = BODY.unpack(key.sealing.decrypt(raw[HEAD.size :], [USE, raw[: HEAD.size]]))
    except (binascii.Error, InvalidTag, ValueError, struct.error) as error:
        raise BadLink("it is no link of ours, or was changed on its way") from error
    return UUID(bytes=package), UUID(bytes=entity), SINCE.date() + timedelta(days=days)


def ends_on(expires_at: datetime) -> date:
    """Return the last day of a link to a package that is there until then."""
    return expires_at.astimezone(UTC).date()
