"""Who has exactly a value: what was typed is sealed under a key of its own, and compared with what a decision opens.

No token of what was typed is kept. The tokens by which it is sought are made each time it is, in every epoch whose key
lives: so keys are turned over, and whoever is kept as a list is found by it afterwards as before. No typing error is
forgiven; case, accents, ways to write an umlaut, filling in numbers and a missing calling code make no other value.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from comity.vault.actions import destroy_person_key, new_person_key, record_opening, seal
from comity.vault.gate import Warrant, let_through
from comity.vault.opening import open_blobs
from comity.vault.queries import Among, held_by
from comity.vault.sealing import FieldClass, Label
from comity.vault.spelling import is_han, spellings, typed
from comity.vault.tokens import (
    BEGINNINGS,
    LONGEST_WORD,
    MOST_WORDS,
    TAIL,
    Ask,
    email,
    identifier,
    identifier_terms,
    phone,
)

if TYPE_CHECKING:
    from comity.vault.sealing import Fields


class Part(NamedTuple):
    """What is compared: a field of what is sealed in one class, for one kind of record."""

    field_class: FieldClass
    kind: str
    key: str


class Known(Enum):
    """The parts that everybody has."""

    EMAIL = Part(FieldClass.CONTACT, "point", "email")
    PHONE = Part(FieldClass.CONTACT, "point", "phone")
    FAMILY = Part(FieldClass.NAME, "person", "family")
    GIVEN = Part(FieldClass.NAME, "person", "given")


LONGEST: Final = 200
"""Characters of a value that may be sought."""


DECIMAL: Final = re.compile(r"-?\d+\.\d+")


# ---------------------------------------------------------------- what was typed


def seal_sought(*, ref: UUID, text: str) -> None:
    """Seal what somebody typed, under a key of its own that has this ref. Whoever calls writes the ledger entry."""
    new_person_key(person=ref)
    seal(label=_sought(ref), fields={"text": text})


def forget_sought(*, ref: UUID) -> bool:
    """Destroy the key of what was typed: from then on it finds nobody. Return whether there was one."""
    return destroy_person_key(person=ref, staff=None)


def _sought(ref: UUID) -> Label:
    """A message: its class has no tokens, so that nobody takes what was typed for somebody's address."""
    return Label(ref, FieldClass.MESSAGE, "sought", ref)


def _text(ref: UUID) -> str:
    """Open what was typed, to compare it here. It is shown to nobody."""
    (fields,) = open_blobs([_sought(ref)])
    return str(fields["text"]) if fields else ""


# ---------------------------------------------------------------- who has it


def could_be(part: Part, text: str) -> bool:
    """Say whether this can be sought as such a part at all."""
    return any(map(str.isalnum, text)) and bool(_asks(part, text))


def may_hold(*, ref: UUID, part: Part, among: Among, most: int) -> list[Label]:
    """Return blobs that may hold what was typed, so many at most; neither they nor their number may be shown.

    `matching` opens and compares them under a decision. Raises KeyTrouble.
    """
    found = held_by(_asks(part, _text(ref)), among=among, most=most)
    return [label for label in found if (label.field_class, label.kind) == part[:2]]


def matching(*, warrant: Warrant, ref: UUID, part: Part, labels: Collection[Label]) -> list[Label]:
    """Open those that the decision permits, and return whichever truly hold what was typed. All opened are on record.

    Raises as `open_fields` does, and needs the caller's transaction as it does.
    """
    text = _text(ref)
    through = let_through(warrant, labels, permitted_only=True)
    opened = [(label, each) for label, each in zip(through, open_blobs(through), strict=True) if each is not None]
    record_opening(warrant, [label for label, _ in opened])
    return [label for label, fields in opened if _same(part, text, fields)]


def _asks(part: Part, text: str) -> list[Ask]:
    if part.field_class is FieldClass.NAME:
        return [tuple(frozenset({_whole(word)}) for word in words[:MOST_WORDS]) for words in dict.fromkeys(typed(text))]
    if part == Known.EMAIL.value and "@" not in text:
        return []
    terms = identifier_terms(part.key, text)
    return [(frozenset(terms),)] if terms else []


def _whole(word: str) -> str:
    """Return the term of a whole word; of Chinese, which is sealed as one word, that of a piece of it."""
    if is_han(word):
        return f"p:{word[: next(length for length in BEGINNINGS if length <= len(word))]}"
    return f"w:{word[:LONGEST_WORD]}"


def _same(part: Part, text: str, fields: Fields) -> bool:
    held = fields.get(part.key)
    if not isinstance(held, str):
        return False
    if part.field_class is FieldClass.NAME:
        return not _spelled(text).isdisjoint(_spelled(held))
    if part == Known.PHONE.value:
        return _same_number(phone(text), phone(held))
    if part == Known.EMAIL.value:
        return email(text) == email(held)
    return _same_identifier(text, held)


def _spelled(text: str) -> set[str]:
    return {" ".join(one.split()) for one in spellings(text)}


def _same_identifier(one: str, other: str) -> bool:
    """Compare identifiers without what fills them; the point of a decimal fills nothing."""
    if DECIMAL.fullmatch(one) or DECIMAL.fullmatch(other):
        return one == other
    return identifier(one) == identifier(other)


def _same_number(one: str, other: str) -> bool:
    """Compare numbers, of which one may lack its calling code."""
    if min(len(one), len(other)) < TAIL:
        return one == other
    return one.endswith(other) or other.endswith(one)
