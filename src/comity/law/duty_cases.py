"""Stories that say what the law must make us owe, and whether it does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from comity.law.clocks import Almanac
from comity.law.duties import Owed, owed_by, settled
from comity.law.entries import headers
from comity.law.lawbook import Law, Lawbook, PackError
from comity.law.loading import ACTS, RECEIVERS
from comity.law.vocabulary import FactError, Facts, nearest

KEYS = frozenset("name row official law day facts owes none silent says".split())
WANTS = frozenset("act to rule due at later earliest extended_to opens has missing state kept_until".split())
STATES = ("owed", "possible", "stopped")


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyCase:
    """One story: an event, and what one law must make of it. `owes` and `none` are patterns of duties."""

    name: str
    file: str
    line: int
    row: str
    law: str
    day: date
    facts: Facts
    owes: tuple[Mapping[str, Any], ...]
    none: tuple[Mapping[str, Any], ...]
    silent: bool
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyOutcome:
    """What came out of a case; `problems` is empty where it is what the story says."""

    case: DutyCase
    owed: tuple[Owed, ...]
    problems: tuple[str, ...]


def read_duty_cases(book: Lawbook, root: Path) -> list[DutyCase]:
    """Read every story of duties of every pack under `root`. Raises PackError with file, line and story."""
    return [case for path in sorted(root.glob("*/cases/*.toml")) for case in _of_file(book, path, root)]


def try_duty_case(book: Lawbook, case: DutyCase, almanac: Almanac) -> DutyOutcome:
    """Ask one story and compare. Where it says how long another rule keeps the records, all laws are asked."""
    if any("kept_until" in wanted for wanted in case.owes):
        every = owed_by(book, book.laws, case.facts, case.day, almanac)
        owed = tuple(item for item in every if item.law == case.law)
    else:
        owed = owed_by(book, [book.law(case.law)], case.facts, case.day, almanac)
    return DutyOutcome(case=case, owed=owed, problems=tuple(_problems(case, owed)))


def problems_of(book: Lawbook, law: Law, case: DutyCase, almanac: Almanac) -> list[str]:
    """Return what a story finds wrong with a law in place of the book's own of the same name."""
    other = replace(book, laws=tuple(law if item.id == law.id else item for item in book.laws))
    return list(try_duty_case(other, case, almanac).problems)


def _problems(case: DutyCase, owed: Sequence[Owed]) -> Iterator[str]:
    standing = [item for item in owed if item.state != "stopped"]
    for wanted in case.owes:
        if not any(_matches(wanted, item) for item in owed):
            near = [item for item in owed if _matches(_coarse(wanted), item)] or standing
            yield f"nothing owed is {_shown(wanted)}; there is {'; '.join(map(_told, near)) or 'nothing'}"
    for unwanted in case.none:
        yield from (
            f"{_told(item)} is owed, which the story says is not" for item in standing if _matches(unwanted, item)
        )
    if case.silent and standing:
        yield f"the law owes {'; '.join(map(_told, standing))}; the story says nothing"


def _coarse(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in wanted.items() if key in {"act", "to", "rule"}}


def _shown(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in wanted.items())


def _told(item: Owed) -> str:
    day = item.due.day if item.due else "at once" if item.at_once else f"unknown (earliest {item.earliest})"
    later = f" (later {item.due.later})" if item.due and item.due.later else ""
    longer = "".join(f" (extended to {one.to})" for one in item.longer)
    kept = f" kept until {item.kept_until}" if item.kept_until else ""
    return f"{item.rule} [{item.state}] {item.act} to {item.to} {day}{later}{longer}{kept}"


def _matches(wanted: Mapping[str, Any], item: Owed) -> bool:
    if item.state != wanted.get("state", "owed"):
        return False
    return all(_TESTS[key](item, value) for key, value in wanted.items() if key != "state")


def _due(item: Owed, value: object) -> bool:
    if value == "at once":
        return item.at_once
    if value == "unknown":
        return item.due is None and not item.at_once
    return item.due is not None and item.due.day == value


def _has(item: Owed, words: object) -> bool:
    listed = [words] if isinstance(words, str) else list(words)  # type: ignore[call-overload]
    longer = " ".join(" ".join((one.says, *one.contents)) for one in item.longer)
    text = " ".join((item.says, item.what, item.body, item.cite, *item.contents, *item.notes, longer)).lower()
    return all(str(word).lower() in text for word in listed)


_TESTS: dict[str, Callable[[Owed, Any], bool]] = {
    "act": lambda item, value: item.act == value,
    "to": lambda item, value: item.to == value,
    "rule": lambda item, value: item.rule == value,
    "due": _due,
    "at": lambda item, value: item.due is not None and item.due.at == _moment(value),
    "later": lambda item, value: item.due is not None and item.due.later == value,
    "earliest": lambda item, value: item.earliest == value,
    "extended_to": lambda item, value: any(one.to == value for one in item.longer),
    "opens": lambda item, value: item.opens == value,
    "has": _has,
    "missing": lambda item, value: set([value] if isinstance(value, str) else value) <= set(item.missing),
    "kept_until": lambda item, value: item.kept_until == value,
}


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


# ---------------------------------------------------------------- reading


def _of_file(book: Lawbook, path: Path, root: Path) -> Iterator[DutyCase]:
    name = path.relative_to(root).as_posix()
    text = path.read_text("utf-8")
    try:
        tables = tomllib.loads(text).get("duty", [])
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"it is not TOML: {error}", file=name) from None
    lines = headers(text, "duty")
    if len(lines) != len(tables):
        raise PackError("each story of a duty stands under a header of its own: [[duty]]", file=name)
    for table, line in zip(tables, lines, strict=True):
        yield _case(book, table, name, line)


def _case(book: Lawbook, table: Mapping[str, Any], file: str, line: int) -> DutyCase:
    def wrong(what: str) -> PackError:
        return PackError(what, file=file, line=line, rule=str(table.get("name", "duty")))

    for key in table:
        if key not in KEYS:
            raise wrong(f"unknown key {key!r}{nearest(key, KEYS)}")
    for key in ("name", "law", "facts", "says"):
        if key not in table:
            raise wrong(f"it has no {key!r}")
    if not any(key in table for key in ("owes", "none", "silent")):
        raise wrong("it says nothing of what is owed: give owes, none or silent = true")
    laws = {law.id for law in book.laws}
    if table["law"] not in laws:
        raise wrong(f"no law is called {table['law']!r}{nearest(table['law'], laws)}")
    try:
        facts = settled(book.vocabulary.read(table["facts"]))
    except FactError as error:
        raise wrong(str(error)) from None
    day = table.get("day", facts["event.on"])
    if not isinstance(day, date) or isinstance(day, datetime):
        raise wrong("'day' must be a day, such as 2026-11-21 (without quotes)")
    return DutyCase(
        name=table["name"], file=file, line=line, row=table.get("row", "") or table.get("official", ""),
        law=table["law"], day=day, facts=facts, owes=_patterns(table, "owes", wrong),
        none=_patterns(table, "none", wrong), silent=table.get("silent") is True, says=table["says"],
    )  # fmt: skip


def _patterns(table: Mapping[str, Any], key: str, wrong: Callable[[str], PackError]) -> tuple[Mapping[str, Any], ...]:
    patterns = table.get(key, [])
    if not isinstance(patterns, list) or not all(isinstance(one, dict) for one in patterns):
        raise wrong(f'{key!r} is a list of tables: {key} = [{{ act = "answer", to = "person" }}]')
    for pattern in patterns:
        for word in pattern:
            if word not in WANTS:
                raise wrong(f"unknown key {word!r} in {key!r}{nearest(word, WANTS)}")
        for word, known in (("act", ACTS), ("to", RECEIVERS), ("state", STATES)):
            if word in pattern and pattern[word] not in known:
                raise wrong(f"{word} cannot be {pattern[word]!r}{nearest(str(pattern[word]), known)}")
        if "at" in pattern:
            try:
                _moment(pattern["at"])
            except ValueError:
                raise wrong(f"'at' is a moment with its zone, not {pattern['at']!r}") from None
    return tuple(patterns)
