"""Stories that say what the law must answer, and whether it does."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from comity.law.asking import decide
from comity.law.decisions import Decision
from comity.law.entries import headers
from comity.law.folding import FIXED_NAMESPACES, Plan, fold
from comity.law.lawbook import Lawbook, PackError, Verdict
from comity.law.vocabulary import FactError, Facts, nearest

ANSWERS = ("deny", "ask", "permit", "silent")
CASE_KEYS = frozenset("name row official law day facts expect overall fires carries lacks says".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One story: facts, a day, and what must come out of one law and, where it says so, of all."""

    name: str
    file: str
    line: int
    row: str
    law: str
    day: date
    facts: Facts
    expect: str
    overall: str
    fires: tuple[str, ...] | None
    carries: tuple[str, ...]
    lacks: tuple[str, ...]
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came out of a case; `problems` is empty where it is what the story says."""

    case: Case
    decision: Decision
    answer: str
    fired: tuple[str, ...]
    problems: tuple[str, ...]


def read_cases(book: Lawbook, root: Path) -> list[Case]:
    """Read every story of every pack under `root`. Raises PackError with file, line and story."""
    return [case for path in sorted(root.glob("*/cases/*.toml")) for case in _file_cases(book, path, root)]


def try_case(book: Lawbook, case: Case, plans: dict[object, Plan] | None = None) -> Outcome:
    """Decide one story and compare. `plans` remembers folded plans between stories."""
    fixed = {name: value for name, value in case.facts.items() if name.partition(".")[0] in FIXED_NAMESPACES}
    key = (case.day, frozenset(fixed.items()))
    memory = {} if plans is None else plans
    if key not in memory:
        memory[key] = fold(book, fixed, case.day)
    decision = decide(memory[key], case.facts)
    answers = {answer.law: answer.verdict.value for answer in decision.finding.laws}
    answer = answers.get(case.law, "silent")
    weight = Verdict(answer) if answer != "silent" else None
    fired = {reason.rule for reason in decision.reasons if reason.law == case.law and reason.weight is weight}
    return Outcome(
        case=case,
        decision=decision,
        answer=answer,
        fired=tuple(sorted(fired)),
        problems=tuple(_problems(case, decision, answer, fired)),
    )


def _problems(case: Case, decision: Decision, answer: str, fired: set[str]) -> Iterator[str]:
    if answer != case.expect:
        because = ", ".join(sorted(fired)) or "no rule"
        yield f"{case.law} says {answer} ({because}), the story says {case.expect}"
    if case.overall and decision.verdict.value != case.overall:
        yield f"all laws say {decision.verdict.value} ({', '.join(decision.because)}), the story says {case.overall}"
    if case.fires is not None and fired != set(case.fires):
        yield f"decided by {', '.join(sorted(fired)) or 'nothing'}; the story says {', '.join(case.fires) or 'nothing'}"
    carried = {item.kind for item in decision.finding.obligations if _of_law(item.rules, case.law)}
    for kind in set(case.lacks) & carried:
        yield f"the obligation {kind} is among those of {case.law}; the story says it is not wanted here"
    for kind in case.carries:
        if kind not in carried:
            yield f"the obligation {kind} is not among those of {case.law}: {', '.join(sorted(carried)) or 'none'}"


def _of_law(rules: tuple[str, ...], law: str) -> bool:
    return any(rule.startswith(law + "/") for rule in rules)


def _file_cases(book: Lawbook, path: Path, root: Path) -> Iterator[Case]:
    name = path.relative_to(root).as_posix()
    text = path.read_text("utf-8")
    try:
        tables = tomllib.loads(text).get("case", [])
    except tomllib.TOMLDecodeError as error:
        raise PackError(f"it is not TOML: {error}", file=name) from None
    lines = headers(text, "case")
    if len(lines) != len(tables):
        raise PackError("each case stands under a header of its own: [[case]]", file=name)
    laws = {law.id for law in book.laws}
    for table, line in zip(tables, lines, strict=True):
        yield _case(book, table, name, line, laws)


def _case(book: Lawbook, table: Mapping[str, Any], file: str, line: int, laws: set[str]) -> Case:
    def wrong(what: str) -> PackError:
        return PackError(what, file=file, line=line, rule=str(table.get("name", "case")))

    _check_keys(table, wrong)
    if table["expect"] not in ANSWERS or table.get("overall", "ask") not in ANSWERS:
        raise wrong(f"expect and overall are one of {', '.join(ANSWERS)}")
    if not isinstance(table["day"], date) or isinstance(table["day"], datetime):
        raise wrong("'day' must be a day, such as 2026-11-21 (without quotes)")
    if not isinstance(table["facts"], dict):
        raise wrong("""'facts' must be a table: facts = { "person.home" = "DE" }""")
    for kind in (*table.get("carries", ()), *table.get("lacks", ())):
        if kind not in book.obligations:
            raise wrong(f"no obligation is called {kind!r}{nearest(kind, book.obligations)}")
    if table["law"] not in laws:
        raise wrong(f"no law is called {table['law']!r}{nearest(table['law'], laws)}")
    try:
        facts = book.vocabulary.read(table["facts"])
    except FactError as error:
        raise wrong(str(error)) from None
    fires = table.get("fires")
    return Case(
        name=table["name"], file=file, line=line, row=table.get("row", "") or table.get("official", ""),
        law=table["law"], day=table["day"], facts=facts, expect=table["expect"], overall=table.get("overall", ""),
        fires=None if fires is None else tuple(fires), carries=tuple(table.get("carries", ())),
        lacks=tuple(table.get("lacks", ())), says=table["says"],
    )  # fmt: skip


def _check_keys(table: Mapping[str, Any], wrong: Callable[[str], PackError]) -> None:
    for key in table:
        if key not in CASE_KEYS:
            raise wrong(f"unknown key {key!r}{nearest(key, CASE_KEYS)}")
    for key in ("name", "law", "day", "facts", "expect", "says"):
        if key not in table:
            raise wrong(f"it has no {key!r}")
