"""Other people in what was written about somebody: found as far as the book knows them, taken out, and counted.

Nobody is opened for that: blind tokens alone tell whether a name, an address or a number is somebody else's. What the
book does not know, only a human sees: BLIND SPOT, so the plan has a chore for it wherever there are texts or files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from comity.rights.packages.collecting import Collected, Row, Table
from comity.vault.recognising import Recogniser
from comity.vault.tokens import email, phone

WRITTEN: Final = frozenset({"text", "body", "subject", "answers"})
"""Fields of what was opened in which somebody wrote freely, and so may have named others."""
MOST: Final = 4_000
"""Names, addresses and numbers that are looked up; what is beyond is left to whoever reads the texts."""
ADDRESS: Final = re.compile(r"[^\s@<>,;\"()]+@[^\s@<>,;\"()]+\.[^\s@<>,;\".()]+")
NUMBER: Final = re.compile(r"(?<![\w+])\+?\d[\d ()/.\-]{5,18}\d(?!\w)")
WORD: Final = r"[^\W\d_][^\W\d_]*(?:['’\-][^\W\d_]+)*"
IN_LATIN: Final = re.compile(rf"{WORD}(?:[ \u00a0]{WORD})+")
HAN: Final = re.compile(r"[\u4e00-\u9fff]{2,40}")
HAN_NAMES: Final = (4, 3, 2)
"""Letters that a Chinese name has."""
MOST_WORDS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Others:
    """What in the texts is somebody else's: as it is written there. `beyond` says that not everything was looked up."""

    found: frozenset[str] = frozenset()
    beyond: bool = False

    def blackened(self, text: str) -> tuple[str, int]:
        """Return a text without them, and how many places that were."""
        if not self.found:
            return text, 0
        instead = _("another person")
        return self._pattern.subn(f"[{instead}]", text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(each) for each in sorted(self.found, key=len, reverse=True)))


@dataclass(frozen=True, kw_only=True)
class Redacted:
    """What was collected, without other people; in how many texts, and at how many places."""

    collected: Collected
    texts: int
    places: int
    others: Others = field(default_factory=Others)


def redact(collected: Collected, *, more: Collection[str] = (), keep: Collection[str] = ()) -> Redacted:
    """Take other people out. `more` are words a human wants out, `keep` what a human says is nobody else's."""
    others = others_in(collected)
    others = replace(others, found=frozenset((others.found | set(filter(None, more))) - set(keep)))
    counted = [0, 0]
    tables = [replace(table, rows=[_row(row, others, counted) for row in table.rows]) for table in collected.tables]
    return Redacted(
        collected=replace(collected, tables=tables), texts=counted[0], places=counted[1], others=others
    )  # fmt: skip


def _row(row: Row, others: Others, counted: list[int]) -> Row:
    if not others.found or not WRITTEN & row.opened.keys():
        return row
    opened = dict(row.opened)
    for name in WRITTEN & opened.keys():
        if isinstance(text := opened[name], str):
            opened[name], places = others.blackened(text)
            counted[0], counted[1] = counted[0] + bool(places), counted[1] + places
    return replace(row, opened=opened)


def others_in(collected: Collected) -> Others:
    """Return what in the texts is the name, address or number of somebody else whom the book knows."""
    texts = list(dict.fromkeys(texts_of(collected.tables)))
    mine = _own(collected.tables)
    names = _some(name for text in texts for name in _names(text, mine))
    reached = _some(each for text in texts for each in (*ADDRESS.findall(text), *NUMBER.findall(text)))
    recogniser = Recogniser()
    found = recogniser.somebody_elses(names[:MOST], but=collected.person)
    found |= _reaching(recogniser, reached[:MOST], collected.person)
    return Others(found=frozenset(found), beyond=len(names) > MOST or len(reached) > MOST)


def texts_of(tables: Iterable[Table]) -> Iterator[str]:
    """Give every text in which somebody wrote freely."""
    for table in tables:
        for row in table.rows:
            for name in WRITTEN & row.opened.keys():
                if isinstance(text := row.opened[name], str) and text:
                    yield text


def _some(each: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(each))


def _own(tables: Sequence[Table]) -> frozenset[str]:
    """Return the words of the person's own names, without case."""
    you: Mapping[str, Any] = next(
        (row.opened for table in tables if table.shelf.table == "book.Person" for row in table.rows), {}
    )
    return frozenset(word.casefold() for value in _strings(you.values()) for word in re.findall(WORD, value))


def _strings(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _strings(value)


def _names(text: str, own: frozenset[str]) -> Iterator[str]:
    """Give what may be a name: two or three words of which each begins large, or two to four Chinese letters."""
    for run in IN_LATIN.findall(text):
        words = re.split(r"[ \u00a0]", run)
        for start in range(len(words) - 1):
            for many in range(2, MOST_WORDS + 1):
                some = words[start : start + many]
                large = len(some) == many and all(word[0].isupper() for word in some)
                if large and not {word.casefold() for word in some} <= own:
                    yield " ".join(some)
    for run in HAN.findall(text):
        for many in HAN_NAMES:
            for start in range(len(run) - many + 1):
                if (name := run[start : start + many]) not in own:
                    yield name


def _reaching(recogniser: Recogniser, reached: Sequence[str], person: UUID) -> set[str]:
    """Return which of these addresses and numbers are somebody else's, and not the person's own."""
    tokens = {text: _tokens(recogniser, text) for text in reached}
    holders = recogniser.holders({token for some in tokens.values() for token in some})
    return {
        text for text, some in tokens.items()
        if (held := {one for token in some for one in holders.get(token, ())}) and person not in held
    }  # fmt: skip


def _tokens(recogniser: Recogniser, text: str) -> set[int]:
    marks = recogniser.marks([email(text)], []) if "@" in text else recogniser.marks([], [phone(text)])
    return {*marks.emails, *marks.phones}
