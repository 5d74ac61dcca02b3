"""What a gateway tells by webhook: whether it is the gateway, and what it says. Pure; the view takes it in.

Signed as Standard Webhooks 1.0 has it: HMAC-SHA-256 over `id.timestamp.body` in the header `webhook-signature`. Each
event has an id of its own, which is kept for good: told again, in whatever request, it does nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from comity.post.inbound.answers import meaning_of
from comity.post.inbound.bounces import CODE, Sort, Told, sort_of
from comity.post.inbound.marking import find_marks
from comity.post.inbound.understanding import OF_MEANING, Came, Heard

LARGEST: Final = 1 << 20
"""Bytes of one request."""
MOST_EVENTS: Final = 500
TOLERANCE: Final = 300
"""Seconds that a request may be older or younger than our clock says."""
LONGEST_ID: Final = 200
LONGEST_TEXT: Final = 4_000


class Forged(ValueError):
    """Nobody who has the secret signed it, or not now."""


class Unreadable(ValueError):
    """It is signed, and is not what we take; the message says what is wrong."""


# ---------------------------------------------------------------- whether it is the gateway


def check_signature(heads: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> None:
    """Raise Forged unless whoever has the secret signed this body, for this id, within these minutes."""
    told, at, given = (heads.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not told or len(told) > LONGEST_ID or not at.isascii() or not at.isdigit() or len(at) > 12:  # noqa: PLR2004 - seconds until the year 33658
        raise Forged("webhook-id or webhook-timestamp is missing")
    if abs(now.timestamp() - int(at)) > TOLERANCE:
        raise Forged("webhook-timestamp is too far from our clock")
    wanted = signature(secret, ref=told, at=int(at), body=body).encode()
    if not any(hmac.compare_digest(one.encode("utf-8", "replace"), wanted) for one in given.split()[:10]):
        raise Forged("webhook-signature is not that of our secret")


def signature(secret: str, *, ref: str, at: int, body: bytes) -> str:
    """Return how whoever has the secret signs."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.digest(key, f"{ref}.{at}.".encode() + body, hashlib.sha256)).decode("ascii")


# ---------------------------------------------------------------- what it says


def read_events(body: bytes) -> list[Heard]:
    """Return the events of a request in the order in which they occurred. Raises Unreadable; then none is taken."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON") from None
    events = told.get("events") if isinstance(told, dict) else None
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise Unreadable(f'the body is {{"events": […]}} with at most {MOST_EVENTS} of them')
    read = [_event(number, one) for number, one in enumerate(events)]
    return sorted(read, key=lambda heard: heard.at or datetime.max.replace(tzinfo=UTC))


def _event(number: int, told: object) -> Heard:
    if not isinstance(told, dict):
        raise Unreadable(f"events[{number}] is no object")
    which, sort = _text(told, "id", LONGEST_ID), _text(told, "type", 20)
    if not which:
        raise Unreadable(f"events[{number}].id is missing: each event has one of its own")
    at = _instant(told.get("occurred_at"))
    if at is None:
        raise Unreadable(f"events[{number}].occurred_at is no instant: write it like 2026-11-22T20:00:00Z")
    about = _text(told, "message", LONGEST_ID)
    parts: dict[str, Any] = {
        "key": hashlib.sha256(b"event\0" + which.encode("utf-8", "replace")).digest(), "at": at,
        "marks": tuple(find_marks(about)), "message": _ref(about),
    }  # fmt: skip
    return _heard(sort, told, parts)


def _heard(sort: str, told: Mapping[str, object], parts: Mapping[str, Any]) -> Heard:
    outcome = {"delivered": Sort.DELIVERED, "delayed": Sort.DELAYED}.get(sort)
    if sort == "bounced":
        outcome = _bounced(told)
    if outcome is not None:
        code = CODE.search(_text(told, "code", 200))
        one = Told(address=_text(told, "to", 320), sort=outcome, code=code[0][:12] if code else "")
        return Heard(came=Came.BOUNCE, told=(one,), **parts)
    if sort == "complained":
        return Heard(came=Came.COMPLAINT, **parts)
    if sort == "unsubscribed":
        return Heard(came=Came.STOP, sender=_text(told, "from", 320) or _text(told, "to", 320), **parts)
    if sort == "inbound":
        text = _text(told, "text", LONGEST_TEXT)
        return Heard(came=OF_MEANING[meaning_of(text)], sender=_text(told, "from", 320), text=text, **parts)
    return Heard(came=Came.ACCEPTED if sort in {"accepted", "sent"} else Came.UNKNOWN, **parts)


def _bounced(told: Mapping[str, object]) -> Sort:
    """Return what a bounce means: as the gateway says it, else by its code and words. What it does not say passes."""
    lasting = told.get("lasting")
    words = f"{_text(told, 'code', 200)} {_text(told, 'reason', 1000)}"
    code = CODE.search(words)
    by_code = sort_of("failed", code[0] if code else "", words)
    if lasting is True and not code:
        return Sort.HARD
    return Sort.SOFT if lasting is False and by_code is Sort.HARD else by_code


def _text(told: Mapping[str, object], name: str, longest: int) -> str:
    value = told.get(name)
    return value[:longest].replace("\x00", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _instant(value: object) -> datetime | None:
    if isinstance(value, str) and len(value) <= 40:  # noqa: PLR2004 - no instant is longer
        with suppress(ValueError, OverflowError):
            found = datetime.fromisoformat(value)
            return found.astimezone(UTC) if found.tzinfo else None
    return None


def _ref(value: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(value)
    return None
