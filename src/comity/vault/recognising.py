"""Whether somebody who comes is here already: by blind tokens alone, so that nobody has to be opened to know it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from comity.vault import keyring
from comity.vault.models import Sealed
from comity.vault.sealing import FieldClass, Fields, Label, open_blob
from comity.vault.spelling import is_han, typed
from comity.vault.tokens import LONGEST_WORD, Manner, email, names, phone, pieces

HOLDING = """
    SELECT person, tokens FROM vault_sealed WHERE tokens && %s::bigint[] AND field_class = 'contact'
"""
NAMED = "SELECT person, tokens FROM vault_sealed WHERE person = ANY(%s) AND field_class = 'name' AND tokens IS NOT NULL"
ELSEWHERE = """
    SELECT DISTINCT place FROM jsonb_to_recordset(%s::jsonb) AS wanted (place integer, tokens bigint[])
    WHERE EXISTS (
        SELECT FROM vault_sealed AS held
        WHERE held.field_class = 'name' AND held.tokens @> wanted.tokens AND held.person <> %s
    )
"""
CALLED = "SELECT person, tokens FROM vault_sealed WHERE field_class = 'name' AND tokens @> %s::bigint[] LIMIT 50"


@dataclass
class Marks:
    """The tokens of somebody who comes: one set for each live epoch."""

    emails: set[int] = field(default_factory=set)
    phones: set[int] = field(default_factory=set)


class Recogniser:
    """Compares people who come with those whom the vault holds. Raises KeyTrouble where keys are missing."""

    def __init__(self) -> None:
        """Take the keys of all live epochs: people are sealed in any of them."""
        self.making = [keyring.tokens_of(epoch.number, epoch.check_value) for epoch in keyring.live_epochs()]

    def marks(self, emails: Iterable[str], phones: Iterable[str]) -> Marks:
        """Return the tokens of these addresses and numbers."""
        terms = [f"email:{email(text)}" for text in emails]
        digits = (phone(text) for text in phones)
        numbers = [f"phone:{each[-8:]}" for each in digits if each]
        return Marks(
            emails={making.number(term) for making in self.making for term in terms},
            phones={making.number(term) for making in self.making for term in numbers},
        )

    def holders(self, tokens: Collection[int]) -> dict[int, set[UUID]]:
        """Return who has a contact point with each of these tokens."""
        wanted, found = set(tokens), defaultdict(set)
        if wanted:
            for person, held in _rows(HOLDING, [list(wanted)]):
                for token in wanted.intersection(held):
                    found[token].add(person)
        return dict(found)

    def named(self, persons: Collection[UUID]) -> dict[UUID, set[int]]:
        """Return the tokens of the names of these persons."""
        return {person: set(tokens) for person, tokens in _rows(NAMED, [list(persons)])} if persons else {}

    def likeness(self, name: Fields, tokens: set[int]) -> float:
        """Return how much of a name is in these tokens, from 0 to 1: shared over all, in the epoch that fits best."""
        made = (set(making.numbers(FieldClass.NAME, name)) for making in self.making)
        return max((len(own & tokens) / len(own | tokens) for own in made if own and tokens), default=0.0)

    def namesakes(self, name: Fields) -> dict[UUID, set[int]]:
        """Return people whose names have the same words as this one, with the tokens of their names."""
        words = {word for whole in names(name) for manner, word in pieces(whole) if manner is Manner.WORD}
        if len(words) < 2:  # noqa: PLR2004 - a first name alone is the name of thousands
            return {}
        found: dict[UUID, set[int]] = {}
        for making in self.making:
            wanted = [making.number(f"w:{word[:LONGEST_WORD]}") for word in words]
            found |= {person: set(tokens) for person, tokens in _rows(CALLED, [wanted])}
        return found

    def somebody_elses(self, names_: Sequence[str], *, but: UUID) -> set[str]:
        """Return which of these names, of two words at least or Chinese, are those of people other than one.

        A word is found with one letter too few, too: rather one name too many is found than one too few.
        """
        wanted = [(place, made) for place, name in enumerate(names_) for made in self._by_words(name)]
        if not wanted:
            return set()
        told = json.dumps([{"place": place, "tokens": made} for place, made in wanted])
        return {names_[place] for (place,) in _rows(ELSEWHERE, [told, but])}

    def _by_words(self, name: str) -> Iterator[list[int]]:
        ways = [[name]] if is_han(name[:1]) else [words for words in typed(name) if len(words) > 1]
        for making in self.making:
            for words in ways:
                yield [making.number(f"w:{word[:LONGEST_WORD]}") for word in words]


def holders_of(label: Label) -> set[UUID]:
    """Return everybody under whose name the e-mail address or number is sealed that is sealed under this label.

    It is opened to be compared, here, and shown to nobody. Raises KeyTrouble, NoKey, BrokenSeal.
    """
    from comity.vault.actions import key_for_sealing

    row = Sealed.objects.filter(pk=(label.person, label.field_class, label.record)).first()
    if row is None:
        return set()
    key, _ = key_for_sealing(label.person)
    fields = open_blob(key, label._replace(kind=row.kind), row.schema, bytes(row.ciphertext))
    recogniser = Recogniser()
    marks = recogniser.marks(
        *([str(fields[name])] if fields.get(name) else [] for name in ("email", "phone"))
    )  # fmt: skip
    held = recogniser.holders({*marks.emails, *marks.phones})
    return {person for some in held.values() for person in some} - {label.person}


def _rows(statement: str, parameters: list[Any]) -> list[Any]:
    """Read by index: the planner cannot know how rare a token is, and would read the whole table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true)")
        cursor.execute(statement, parameters)
        rows: list[Any] = cursor.fetchall()
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")
    return rows
