"""Who we are, as a check is told: from org.toml, from `--we-are IE`, or not at all, and then what is assumed."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from comity.law import FactError
from comity.law.decisions import shown
from comity.law.folding import FIXED_NAMESPACES, OUR_PLACE, WHERE_THE_PERSON_LIVES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from comity.law import Lawbook
    from comity.law.vocabulary import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """The facts about us and our uses, what of them nobody stated, and the sentence for the head of the report.

    `stated` says that somebody told us who we are; a permit without that is only an assumed one.
    """

    facts: Facts
    row_defaults: Facts = field(default_factory=dict)
    assumed: Mapping[str, str] = field(default_factory=dict)
    headline: str = ""
    stated: bool = False


SAID_WITH_THE_CHECK = frozenset({"use.operation", "use.purpose", "use.channel"})


class OrgError(ValueError):
    """An org.toml cannot be read; the message says where and what to write."""


def read_org(path: Path, book: Lawbook) -> Entity:
    """Read an org.toml as `comity org` writes it. Raises OrgError.

    Tables are namespaces of the vocabulary: [org] who we are, [use], [data] and [actor] what holds for our uses.
    [[entity]] tables each name a legal entity and its place.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OrgError(f"{path} cannot be read: {error.strerror}. `comity org` makes one by asking") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OrgError(f"{path.name} is not TOML: {error}") from None
    given: dict[str, object] = {}
    for name, table in tables.items():
        if name in FIXED_NAMESPACES - {"event"} and isinstance(table, dict):
            given |= {f"{name}.{short}": value for short, value in table.items()}
        elif name not in {"entity", "name"}:
            raise OrgError(
                f"{path.name} has an unknown part {name!r}; "
                "it may have name, [[entity]], [org], [use], [data] and [actor]"
            )
    for name in SAID_WITH_THE_CHECK & given.keys():
        raise OrgError(f"{path.name} cannot say {name}, which is said with each check")
    places = _places(tables.get("entity", []), path)
    if places and OUR_PLACE in given:
        raise OrgError(f"{path.name} says twice where we are established; keep [[entity]] or org.place, not both")
    given.setdefault(OUR_PLACE, places)
    if not given[OUR_PLACE]:
        raise OrgError(
            f"{path.name} does not say where we are established; "
            'add [[entity]] tables with a place, or org.place = ["IE"]'
        )
    try:
        facts = book.vocabulary.read(given)
    except FactError as error:
        raise OrgError(f"{path.name}: {error}{codes_of(given[OUR_PLACE])}") from None
    where = ", ".join(sorted(facts[OUR_PLACE]))  # type: ignore[arg-type]
    rest = _assumed(book, frozenset(facts))
    return _entity(
        book, facts, rest, f"{tables.get('name') or 'As you describe yourselves'}, established in {where}", stated=True
    )


def _places(entities: object, path: Path) -> list[str]:
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise OrgError(f'{path.name}: an entity is a table of its own; write [[entity]] and below it place = "IE"')
    for entity in entities:
        if not entity.get("place") or not entity.keys() <= {"name", "place"}:
            raise OrgError(f'{path.name}: an [[entity]] has a place = "IE" and may have a name; this one has {entity}')
    return [str(entity["place"]) for entity in entities]


def established_in(places: str, book: Lawbook) -> Entity:
    """Return an ordinary business established in `places` ("IE" or "IE|US"): the short form. Raises FactError."""
    facts: Facts = {OUR_PLACE: places_named(places, book)}
    ordinary = {name: value for name, value in _assumable(book).items() if name.startswith("org.")}
    facts |= book.vocabulary.read(ordinary)
    rest = _assumed(book, frozenset(facts))
    where = ", ".join(sorted(facts[OUR_PLACE]))  # type: ignore[arg-type]
    return _entity(book, facts, rest, f"An ordinary business established in {where}", stated=True)


def places_named(text: str, book: Lawbook) -> frozenset[str]:
    """Return the places that "IE", "IE|US-CA" or "IE, US" name. Raises FactError, with the code of a country's name."""
    try:
        return cast("frozenset[str]", book.vocabulary.read({OUR_PLACE: text})[OUR_PLACE])
    except FactError as error:
        raise FactError(f"{error}{codes_of(text)}") from None


def codes_of(places: object) -> str:
    """Return "; Germany is DE" for names that were given where codes belong, or nothing."""
    from comity.check.homes import from_country

    words = re.split("[|,]", places) if isinstance(places, str) else places if isinstance(places, list) else []
    named = {str(word).strip(): from_country(str(word)) for word in words if len(str(word).strip()) > len("IE")}
    return "".join(f"; {word} is {'|'.join(sorted(found))}" for word, found in named.items() if found)


def unknown_entity(book: Lawbook) -> Entity:
    """Return what is taken of us when nobody said anything: established only where each person lives, and ordinary."""
    assumed = {OUR_PLACE: "We are established only where each person lives.", **_assumed(book, frozenset())}
    return _entity(
        book,
        {OUR_PLACE: WHERE_THE_PERSON_LIVES},
        assumed,
        "If you are established only where each person lives; --we-are or --org says better",
        stated=False,
    )


def _entity(book: Lawbook, facts: Facts, assumed: Mapping[str, str], headline: str, *, stated: bool) -> Entity:
    values = book.vocabulary.read({name: value for name, value in _assumable(book).items() if name in assumed})
    fixed = {name: value for name, value in values.items() if name.partition(".")[0] in FIXED_NAMESPACES}
    rows = {name: value for name, value in values.items() if name not in fixed}
    return Entity(facts=fixed | facts, row_defaults=rows, assumed=dict(assumed), headline=headline, stated=stated)


def _assumable(book: Lawbook) -> dict[str, object]:
    return {name: fact.assume for name, fact in book.vocabulary.facts.items() if fact.assume is not None}


def _assumed(book: Lawbook, known: frozenset[str]) -> dict[str, str]:
    facts = book.vocabulary.facts
    return {
        name: f"{facts[name].means} Taken as: {_word(value)}."
        for name, value in _assumable(book).items()
        if name not in known
    }


def _word(value: object) -> str:
    return {True: "yes", False: "no"}.get(value) if isinstance(value, bool) else str(shown(value))  # type: ignore[return-value]
