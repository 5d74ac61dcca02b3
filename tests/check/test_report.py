"""What the terminal and the JSON form say of one invented file, asked of a small law of our own (tests/check/packs)."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console

from comity.check.as_json import answer_json, days_in_words, obstacles
from comity.check.report import cells_of, print_answer, print_columns, print_decision, share
from comity.check.results import Answer, ColumnRead, Freed, Group, Reject
from comity.law import SHIPPED, Decision, Lawbook, Plan, Verdict, decide, fold, read_packs
from comity.law.folding import OUR_PLACE, WHERE_THE_PERSON_LIVES
from tests.cast import AIKO, BRUNO, CARLOS, GRETA, HANNAH, LUCA, MAIL_MARKETING, MEI, NADIA, PAUL, TODAY, TYLER, Facts

OURS = Path(__file__).parent / "packs"
NO_OPT_OUT: Facts = {
    "person.objected": False,
    "consent.opted_out": False,
    "consent.withdrawn": False,
    "person.opt_out_signal": False,
}

# Everybody in the file: how many, their facts, and a place that only weak evidence points to.
PEOPLE: list[tuple[int, Facts, str]] = [
    (3_120, PAUL, ""),
    (1_204, GRETA | NO_OPT_OUT, ""),
    (420, GRETA | NO_OPT_OUT | {"person.home": "IT"}, ""),
    (180, GRETA | NO_OPT_OUT | {"person.home": "NL"}, ""),
    (100, GRETA | NO_OPT_OUT | {"person.home": "FR"}, ""),
    (1_877, HANNAH | NO_OPT_OUT, ""),
    (640, CARLOS | {"consent.opted_out": True}, ""),
    (94, BRUNO, ""),
    (12, MEI | {"consent.withdrawn": True}, ""),
    (366, MEI | {"consent.given": False, "consent.separate": False, "consent.withdrawn": False}, ""),
    (90, MEI, ""),
    (42, NADIA | NO_OPT_OUT, ""),
    (120, TYLER | {"person.home": "US-WA"}, ""),
    (31, TYLER | {"person.home": "GB", "consent.given": True} | NO_OPT_OUT, ""),
    (402, NO_OPT_OUT | {"person.home": "IN"}, ""),
    (61, NO_OPT_OUT | {"person.home": "BR"}, ""),
    (37, LUCA | NO_OPT_OUT, ""),
    (580, AIKO, ""),
    (31, AIKO | {"consent.opted_out": False}, "DE"),
]
COLUMNS = (
    ColumnRead(
        header="Country/Region",
        role="home.country",
        says="the country, as evidence of home",
        unreadable=7,
        example="Atlantis",
    ),
    ColumnRead(
        header="Unsubscribed from all email", role="fact", says="an opt-out of e-mail", fact="consent.opted_out"
    ),
    ColumnRead(header="出生日期", role="fact", says="birth date", fact="person.age", unreadable=12, example="31/31/99"),
    ColumnRead(header="Record ID", role="id", says="the row's own name"),
    ColumnRead(header="Favourite colour", role="ignored", says="no fact of the vocabulary is called so"),
)
REJECTS = (
    Reject(row=812, why="broken quoting", text='"Secret, Sam'),
    Reject(row=4410, why="no readable text", text="Secret, Sue"),
    Reject(row=4411, why="no readable text", text=""),
)


@cache
def book() -> Lawbook:
    """Return our small law: the shipped vocabulary and house rules, and the packs beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for shared in SHIPPED.glob("*.toml"):
            shutil.copy(shared, root)
        for pack in (SHIPPED / "house", *OURS.iterdir()):
            shutil.copytree(pack, root / pack.name)
        return read_packs(root)


@cache
def plan() -> Plan:
    use = book().vocabulary.read(MAIL_MARKETING | {"use.similar_goods": True, "use.in_notice": True})
    assumed = {
        "org.place": "You are established only where each person lives.",
        "use.in_notice": "The notice people were shown names this use.",
    }
    return fold(book(), use | {OUR_PLACE: WHERE_THE_PERSON_LIVES}, TODAY, assumed=assumed)


def group(people: int, facts: Facts, hint: str, first_row: int) -> Group:
    read = book().vocabulary.read(facts)
    places = read.get("person.home")
    homes = sorted(places) if isinstance(places, frozenset) else []
    return Group(
        homes="|".join(homes), conflict=len(homes) > 1, hint=hint, decision=decide(plan(), read), people=people,
        first_row=first_row,
    )  # fmt: skip


def cured(one: Group, cure: str) -> bool:
    """Tell whether a cure makes a permit of a group's verdict."""
    sets = {name: TODAY if value == "today" else value for name, value in book().cures[cure].sets.items()}
    facts = one.decision.facts | book().vocabulary.read(sets)
    own = {name: value for name, value in facts.items() if name.partition(".")[0] in {"org", "use", "data"}}
    return decide(fold(book(), dict(plan().fixed) | own, TODAY), facts).verdict is Verdict.PERMIT


@cache
def answer() -> Answer:
    """Return the answer for the invented file."""
    groups, row = [], 1
    for people, facts, hint in PEOPLE:
        groups.append(group(people, facts, hint, row))
        row += people
    freed: Counter[str] = Counter()
    by_reason: Counter[tuple[str, str]] = Counter()
    for one in groups:
        for cure in one.finding.cures:
            if one.finding.verdict is not Verdict.PERMIT and book().cures[cure].sets and cured(one, cure):
                freed[cure] += one.people
                by_reason.update(
                    {(reason.rule, cure): one.people for reason in one.finding.reasons if cure in reason.cures}
                )
    return Answer(
        file="hubspot-export.csv",
        dialect="HubSpot contact export",
        columns=COLUMNS,
        plan=plan(),
        use="Marketing by e-mail",
        headline="If you are established only where each person lives; --we-are or --org says better",
        groups=tuple(groups),
        rejects=REJECTS,
        freed={cure: Freed(cure=cure, says=book().cures[cure].says, people=people) for cure, people in freed.items()},
        freed_by_reason=by_reason,
        notes=("Opt-outs count as complete: HubSpot marks everybody who unsubscribed.",),
        unresolved_places={"Atlantis": 5, "<b>Lemuria</b>": 2},
    )
