"""Services that answer for themselves: three questions over HTTP, signed, as docs/connectors.md describes them.

A service finds and erases in its own way; what it says is checked for form and size, and is not taken on trust: after
it says that somebody is erased, it is asked once more whether it finds them.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from comity.post.reaching import NotReached, Post, ask, signature
from comity.refs import new_ref
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.walking import Known

VERSION: Final = 1
LONGEST: Final = 30.0
MOST_ROWS: Final = 10_000
STATES: Final = ("done", "working", "refused")
LONGEST_TEXT: Final = 200
WELL: Final = 200
SHORTEST_SECRET: Final = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """Somebody's remote: how it is called here, where it is, and the secret with which we sign."""

    system: str
    address: str
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What a service holds of somebody, by collection, and the mark by which it knows them again."""

    rows: Mapping[str, Sequence[Mapping[str, object]]]
    mark: str = ""

    @property
    def many(self) -> int:
        return sum(len(each) for each in self.rows.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class Went:
    """How far a service is with erasing somebody."""

    state: str
    erased: Mapping[str, int]
    left: Mapping[str, str]  # what it keeps, by collection, and why in its own words


def find(remote: Remote, known: Known, categories: Several[str]) -> Held:
    """Ask a service what it holds of somebody. Raises StoreError."""
    told = _asked(remote, "find", {"known": _listed(known), "categories": list(categories)})
    found = _table(remote, told, "found")
    rows = {name: _rows(remote, each) for name, each in found.items()}
    if sum(len(each) for each in rows.values()) > MOST_ROWS:
        raise StoreError(f"{remote.system}: it found more than {MOST_ROWS:,} rows of one person")
    return Held(rows=rows, mark=_text(remote, told.get("mark", "")))


def erase(remote: Remote, known: Known, categories: Several[str], *, run: UUID, mark: str) -> Went:
    """Ask a service to erase somebody. Asked twice for one run, it does it once. Raises StoreError."""
    wanted = {"run": str(run), "mark": mark, "known": _listed(known), "categories": list(categories)}
    return _went(remote, _asked(remote, "erase", wanted))


def how_far(remote: Remote, *, run: UUID) -> Went:
    """Ask a service how far it is. Raises StoreError."""
    return _went(remote, _asked(remote, "status", {"run": str(run)}))


def is_secret(text: str) -> bool:
    """Say whether a text is a secret as Standard Webhooks writes it: of 24 bytes at least."""
    try:
        return text.startswith("whsec_") and len(base64.b64decode(text[6:], validate=True)) >= SHORTEST_SECRET
    except ValueError:
        return False


def _asked(remote: Remote, what: str, body: Mapping[str, object]) -> Mapping[str, Any]:
    said = json.dumps({"version": VERSION, **body}, separators=(",", ":")).encode()
    ref, at = new_ref(), int(time.time())
    if not is_secret(remote.secret):
        raise StoreError(f"{remote.system}: its secret is none; it begins with whsec_ and goes on in base64")
    signed = signature(remote.secret, ref=ref, at=at, body=said)
    headers = {
        "Content-Type": "application/json", "Accept": "application/json", "User-Agent": "Comity-Connectors/1",
        "webhook-id": str(ref), "webhook-timestamp": str(at), "webhook-signature": signed,
    }  # fmt: skip
    try:
        code, answer = ask(
            Post(address=f"{remote.address.rstrip('/')}/{what}", headers=headers, body=said), longest=LONGEST
        )
    except NotReached as error:
        raise StoreError(f"{remote.system}: {error}") from None
    if code != WELL:
        raise StoreError(f"{remote.system}: it answered {code} to {what}")
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        raise StoreError(f"{remote.system}: its answer to {what} is no JSON") from None
    if not isinstance(told, dict):
        raise _odd(remote, what)
    return told


def _went(remote: Remote, told: Mapping[str, Any]) -> Went:
    if told.get("state") not in STATES:
        raise _odd(remote, "state")
    erased, left = _table(remote, told, "erased"), _table(remote, told, "left")
    if not all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in erased.values()):
        raise _odd(remote, "erased")
    return Went(state=told["state"], erased=erased, left={name: _text(remote, each) for name, each in left.items()})


def _table(remote: Remote, told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name, {})
    if not isinstance(found, dict) or any(len(each) > LONGEST_TEXT for each in found):
        raise _odd(remote, name)
    return found


def _rows(remote: Remote, rows: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise _odd(remote, "found")
    return rows


def _text(remote: Remote, said: object) -> str:
    if not isinstance(said, str) or len(said) > LONGEST_TEXT or not (said.isprintable() or not said):
        raise _odd(remote, "a text of it")
    return said


def _odd(remote: Remote, what: str) -> StoreError:
    return StoreError(f"{remote.system}: {what} is not as docs/connectors.md describes it")


def _listed(known: Known) -> dict[str, list[str]]:
    return {name: sorted(str(each) for each in values) for name, values in known.items() if values}
