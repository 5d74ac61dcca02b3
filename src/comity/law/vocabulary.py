"""Every fact the law may ask for: its name, its type, and what it means that nobody recorded it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

from comity.law.places import Places, UnknownPlace

Age = tuple[int, int]
"""Completed years, from and to, both possible. The upper bound is OPEN_AGE where none is known."""

Counts = tuple[tuple[str, int], ...]
"""Numbers by place."""

Value = bool | str | int | float | date | datetime | Age | frozenset[str] | Counts | None
"""A fact's value; None says that it is unknown."""

Facts = dict[str, Value]
"""Facts by name. A name left out was never recorded: what that means is in the vocabulary."""

Kind = Literal["bool", "choice", "number", "date", "instant", "age", "place", "counts"]

TERM_PREFIXES: Mapping[str, str] = {
    "dpv": "https://w3id.org/dpv#",
    "pd": "https://w3id.org/dpv/pd#",
    "loc": "https://w3id.org/dpv/loc#",
    "sector-health": "https://w3id.org/dpv/sector/health#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#",
    "legal-gb": "https://w3id.org/dpv/legal/gb#",
    "legal-de": "https://w3id.org/dpv/legal/de#",
    "legal-us": "https://w3id.org/dpv/legal/us#",
    "fides": "",
}
"""Vocabularies whose terms a fact may name, with their namespaces; the keys of fideslang are no addresses."""

NOT_TESTED = frozenset({"instant", "counts"})
"""Kinds that a condition cannot ask for."""

OPEN_AGE = 150
SHORTEST_PART = 3  # letters of a name that are worth looking for in others
LONGEST_SHOWN = 60  # characters of a wrong value, in the message about it


class FactError(ValueError):
    """A fact has a name or a value that the vocabulary does not have; the message says which, and the nearest one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """One entry of the vocabulary."""

    name: str
    kind: Kind
    means: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    absent: Value = None
    why_absent: str = ""
    assume: Value = None
    term: str = ""
    by_knowledge: bool = False
    terms: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)  # by choice; "true" of a bool

    @property
    def namespace(self) -> str:
        """The part before the dot: person, consent, relation, use, data, org, actor or event."""
        return self.name.partition(".")[0]


def nearest(word: str, words: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for what begins with `word`, is most like it, or holds it; or nothing."""
    listed = sorted(words, key=lambda one: (len(one), one))
    long_enough = len(word) >= SHORTEST_PART
    found = (
        [one for one in listed if long_enough and one.startswith(word)]
        or difflib.get_close_matches(word, listed, n=1, cutoff=0.6)
        or [one for one in listed if long_enough and word in one]
    )
    return f"; did you mean {found[0]!r}?" if found else ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All facts by name, and the places their values may name."""

    facts: Mapping[str, Fact]
    places: Places
    _age_pattern: re.Pattern[str] = field(default=re.compile(r"(\d{1,3})\s*(?:-|\.\.|to)\s*(\d{1,3})"), repr=False)

    def fact(self, name: str) -> Fact:
        """Return the fact called `name`; raises FactError with the nearest known name."""
        try:
            return self.facts[name]
        except KeyError:
            raise FactError(f"no fact is called {name!r}{nearest(name, self.facts)}") from None

    def read(self, given: Mapping[str, object]) -> Facts:
        """Check and convert facts as people and files write them. Raises FactError.

        Values may be the types of TOML and JSON, or text: "yes", "2026-11-21", "DE|FR", "15-16", "unknown".
        A recorded person.age also fills person.known_age; ages that contradict each other are an error.
        """
        facts = {name: self.value(self.fact(name), raw) for name, raw in given.items()}
        if facts.get("person.age") is not None:
            facts.setdefault("person.known_age", facts["person.age"])
        return facts

    def value(self, fact: Fact, raw: object) -> Value:
        """Return `raw` as a value of `fact`; raises FactError saying what would be one."""
        if raw is None or (isinstance(raw, str) and raw.strip().lower() == "unknown"):
            return None
        try:
            return self._READERS[fact.kind](self, fact, raw)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            detail = f": {error}" if isinstance(error, (FactError, UnknownPlace)) and str(error) else ""
            raise FactError(f"{fact.name} cannot be {_shown(raw)}; {_EXPECTED[fact.kind](fact)}{detail}") from None

    def _bool(self, _fact: Fact, raw: object) -> bool:
        if isinstance(raw, bool):
            return raw
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[str(raw).strip().lower()]

    def _choice(self, fact: Fact, raw: object) -> str:
        word = raw.strip() if isinstance(raw, str) else ""
        if word not in fact.choices:
            raise FactError(nearest(word, fact.choices).removeprefix("; "))
        return word

    def _number(self, _fact: Fact, raw: object) -> int | float:
        if isinstance(raw, bool):
            raise TypeError
        number = raw if isinstance(raw, (int, float)) else float(str(raw).replace(",", "").replace("_", ""))
        if not 0 <= number < float("inf"):
            raise FactError("a number of things is not negative")
        return int(number) if float(number).is_integer() else number

    def _date(self, _fact: Fact, raw: object) -> date:
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        text = str(raw).strip()
        return datetime.fromisoformat(text).date() if len(text) > len("2026-11-21") else date.fromisoformat(text)

    def _age(self, _fact: Fact, raw: object) -> Age:
        if isinstance(raw, bool):
            raise TypeError
        if isinstance(raw, Mapping):
            if not raw.keys() <= {"min", "max"}:
                raise TypeError
            low, high = int(raw.get("min", 0)), int(raw.get("max", OPEN_AGE))
        elif isinstance(raw, (list, tuple)):
            low, high = (int(bound) for bound in raw)
        elif isinstance(raw, str) and (bounds := self._age_pattern.fullmatch(raw.strip())):
            low, high = int(bounds[1]), int(bounds[2])
        else:
            low = high = int(str(raw))
        if not 0 <= low <= high <= OPEN_AGE:
            raise FactError(f"an age lies between 0 and {OPEN_AGE}, the lower bound first")
        return low, high

    def _place(self, _fact: Fact, raw: object) -> frozenset[str]:
        if isinstance(raw, Mapping):
            raise TypeError
        words = raw.replace(",", "|").split("|") if isinstance(raw, str) else list(raw)  # type: ignore[call-overload]
        codes = frozenset(str(word).strip().upper() for word in words)
        for code in codes:
            self.places.check(code)
        return codes

    def _instant(self, _fact: Fact, raw: object) -> datetime:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
        if moment.tzinfo is None:
            raise FactError("the hour matters here, so it needs its zone")
        return moment

    def _counts(self, fact: Fact, raw: object) -> Counts:
        pairs = raw.items() if isinstance(raw, Mapping) else (word.split(":") for word in str(raw).split(","))
        read = [(str(place).strip().upper(), self._number(fact, number)) for place, number in pairs]
        for code, number in read:
            self.places.check(code)
            if not isinstance(number, int):
                raise FactError("people are counted whole")
        if len(dict(read)) < len(read):
            raise FactError("a place stands twice")
        return tuple(sorted((place, int(number)) for place, number in read))

    _READERS: ClassVar[Mapping[Kind, Callable[[Vocabulary, Fact, object], Value]]] = {
        "bool": _bool,
        "choice": _choice,
        "number": _number,
        "date": _date,
        "instant": _instant,
        "age": _age,
        "place": _place,
        "counts": _counts,
    }


def aged(facts: Facts, day: date) -> Facts:
    """Return facts with the age that a birth date gives on `day`. Raises FactError where the age given is another."""
    born, given = facts.get("person.born_on"), facts.get("person.age")
    if not isinstance(born, date):
        return facts
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if years < 0 or years > OPEN_AGE:
        raise FactError(f"person.born_on is {born}: nobody born then is asked about on {day}")
    if isinstance(given, tuple) and not given[0] <= years <= given[1]:  # type: ignore[operator]
        low, high = given
        said = low if low == high else f"{low} to {high}"
        raise FactError(f"person.age is {said} and person.born_on {born}, which makes {years} on {day}; correct one")
    return {**facts, "person.age": (years, years), "person.known_age": facts.get("person.known_age") or (years, years)}


_EXPECTED: dict[Kind, Callable[[Fact], str]] = {
    "bool": lambda _: "say true or false",
    "choice": lambda fact: "say one of " + ", ".join(fact.choices),
    "number": lambda fact: f"give a number ({fact.unit})",
    "date": lambda _: "give a day as 2026-11-21",
    "instant": lambda _: "give a moment with its zone as 2026-11-21T14:20+01:00",
    "age": lambda _: "give completed years as 15, 15-16 or { min = 15, max = 16 }",
    "place": lambda _: "give ISO 3166 codes as DE, US-CA or DE|FR",
    "counts": lambda _: "give numbers by place as IE:20,US-CA:600 or { IE = 20 }",
}


def _shown(raw: object) -> str:
    text = repr(raw)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
