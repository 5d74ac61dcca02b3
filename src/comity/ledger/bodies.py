"""What an entry may say, and the bytes it is hashed as.

INVARIANT: the ledger is never erased, so nothing that names a person may enter it. A text is let in by its form alone:
a ref, a day or instant, a commitment, a place code, the id of a rule, or a word that a room declared when it started.
A name, an address or a sentence is none of these.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import TypeAlias
from uuid import UUID

from comity.refs import spelled

JSON: TypeAlias = "bool | int | str | UUID | date | Sequence[JSON] | Mapping[str, JSON] | None"
"""What a body may be made of. A datetime is a date to Python, and is let in as an instant."""

LARGEST = 10**9
"""Numbers are smaller: a telephone number with its area is not, and so stays out."""
LONGEST = 65_535
"""Bytes of an entry: their number goes into two bytes where a ledger is exported."""
DEEPEST = 6

KIND = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]+(-[a-z]+)*)+")
FIELD = re.compile(r"[a-z][a-z_]{0,39}")
WORD = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*")
FORMS = {
    "a ref": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "a day or instant in UTC": r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{6})?Z)?",
    "a commitment": r"[a-z0-9-]{1,20}:[0-9a-f]{64}",
    "a place code": r"[A-Z]{2}(-[A-Z0-9]{1,3})?",
    "the id of a rule": r"[a-z][a-z0-9]*(-[a-z0-9]+)*(/[a-z0-9]+([-.][a-z0-9]+)*)+",
}
ALLOWED = re.compile("|".join(f"(?:{form})" for form in FORMS.values()))
LONGEST_TEXT, LONGEST_KIND = 120, 60

_SPELLER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
_words = {"permit", "deny", "ask"}


class NotForTheLedger(ValueError):
    """A value may not enter the ledger: it could name somebody. Says which value; it is not shown if it is long."""


def declare_words(*words: str) -> None:
    """Let words of our own into entries; a room calls it when it starts, and never with what people wrote."""
    for word in words:
        if not WORD.fullmatch(word) or len(word) > LONGEST_TEXT:
            raise NotForTheLedger(
                f"{word!r} is no word for the ledger: lower-case letters and digits, joined by - _ or ."
            )
    _words.update(words)


def canonical(value: JSON) -> bytes:
    """Return the one spelling of a value: JSON in ASCII, keys sorted, no spaces; the same as RFC 8785 gives it."""
    return _SPELLER.encode(value).encode()


def entry_bytes(
    *,
    ref: UUID,
    recorded_at: datetime,
    kind: str,
    body: Mapping[str, JSON],
    staff: UUID | None,
    persons: Sequence[UUID],
) -> bytes:
    """Return what of an entry is hashed: all of it. Raises NotForTheLedger, saying which value may not enter."""
    if not KIND.fullmatch(kind) or len(kind) > LONGEST_KIND:
        raise NotForTheLedger(
            f"{kind[:80]!r} is no kind of entry: <room>.<verb>, in lower-case words joined by - and ."
        )
    content = canonical({
        "body": checked(body, at=kind),
        "kind": kind,
        "persons": _refs(persons, f"{kind}: persons"),
        "recorded_at": instant(recorded_at),
        "ref": _refs([ref], f"{kind}: ref")[0],
        "staff": None if staff is None else _refs([staff], f"{kind}: staff")[0],
    })  # fmt: skip
    if len(content) > LONGEST:
        raise NotForTheLedger(
            f"the entry {kind} has {len(content):,} bytes, and {LONGEST:,} are the most: write several"
        )
    return content


def instant(moment: datetime) -> str:
    """Return a moment as entries spell it: 2026-11-22T06:48:00.000000Z."""
    if moment.tzinfo is None:
        raise NotForTheLedger(f"{moment} has no time zone: give an instant with its zone")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def checked(value: JSON, *, at: str, depth: int = 0) -> JSON:
    """Return a value as JSON has it, or refuse it. `at` says where it stands, for the message."""
    if depth > DEEPEST:
        raise NotForTheLedger(f"{at}: nested more than {DEEPEST} deep")
    match value:
        case None | bool():
            return value
        case int():
            return _number(value, at)
        case UUID():
            return str(value)
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case str():
            return _text(value, at)
        case Mapping():
            return {_field(key, at): checked(each, at=f"{at}: {key}", depth=depth + 1) for key, each in value.items()}
        case list() | tuple():
            return [checked(each, at=f"{at}: {number}", depth=depth + 1) for number, each in enumerate(value)]
    raise NotForTheLedger(f"{at}: a {type(value).__name__} may not enter the ledger")


def _number(value: int, at: str) -> int:
    if abs(value) >= LARGEST:
        raise NotForTheLedger(f"{at}: a number of {LARGEST:,} or more may not enter the ledger: it could call somebody")
    return value


def _text(text: str, at: str) -> str:
    if len(text) <= LONGEST_TEXT and (text in _words or ALLOWED.fullmatch(text)):
        return text
    shown = repr(text) if WORD.fullmatch(text[:LONGEST_TEXT]) else f"a text of {len(text)} letters"
    forms = ", ".join(chain(FORMS, ["or a word that its room has declared (comity.ledger.bodies.declare_words)"]))
    raise NotForTheLedger(f"{at}: {shown} may not enter the ledger: it must be {forms}")


def _field(name: object, at: str) -> str:
    if not isinstance(name, str) or not FIELD.fullmatch(name):
        raise NotForTheLedger(f"{at}: it has a field whose name is no name: lower-case letters and _, at most 40")
    return name


def _refs(values: Sequence[object], at: str) -> list[str]:
    refs = [value for value in values if isinstance(value, UUID)]
    if len(refs) < len(values):
        other = next(value for value in values if not isinstance(value, UUID))
        raise NotForTheLedger(f"{at}: a {type(other).__name__} is no ref")
    return spelled(refs)
