"""A change of law is found, and shown by somebody for whom it matters."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, may, read_packs
from comity.law.cases import read_cases
from comity.law.clocks import read_almanac
from comity.law.difference import Change, Comparison, Side
from comity.law.duty_cases import read_duty_cases
from comity.law.text_cases import read_text_cases
from comity.law.text_difference import TextSide, text_changes
from comity.law.texts import read_texts
from tests.law.tiny_packs import LAW, PACK, rule, table, write_pack


def compared(book: Lawbook, root: Path, first: str, last: str, *names: str) -> list[Change]:
    old, new = (Side(book, date.fromisoformat(day)) for day in (first, last))
    cases, duties = read_cases(book, root), read_duty_cases(book, root)
    return list(Comparison(old, new, cases, duties, read_almanac(root), names).changes())


def tiny(tmp_path: Path, rules: str, law: str = LAW) -> list[tuple[str, str, str]]:
    root = write_pack(tmp_path, rules, pack=PACK + law)
    found = compared(read_packs(root), root, "2026-08-31", "2026-09-01")
    return [(one.id, one.how, f"{one.witness.before} -> {one.witness.after}" if one.witness else "") for one in found]


def test_nothing_changes_where_nothing_does(tmp_path: Path) -> None:
    assert tiny(tmp_path, rule()) == []


@pytest.mark.parametrize(
    ("rules", "how", "witness"),
    [
        (rule(from_="2026-09-01"), "begins", "permit -> deny"),
        (rule(until="2026-09-01"), "ends", "deny -> permit"),
        (
            rule(until="2026-09-01") + rule(from_="2026-09-01", when='"not consent.express and not consent.given"'),
            "changes",
            "deny -> permit",
        ),
        (
            rule(until="2026-09-01") + rule(from_="2026-09-01", cite='"Nowhere Act 3"'),
            "is cited anew",
            "deny, citing the old article -> deny, citing the new",
        ),
    ],
    ids=["begins", "ends", "changes", "cited anew"],
)  # fmt: skip
def test_a_rule_that_changes_has_a_witness(rules: str, how: str, witness: str, tmp_path: Path) -> None:
    assert tiny(tmp_path, rules) == [("xx-law/no", how, witness)]


def test_a_number_that_changes_is_shown_at_its_edge(tmp_path: Path) -> None:
    values = (
        '[{ from = 2020-01-01, until = 2026-09-01, value = 16, cite = "a" }, '
        '{ from = 2026-09-01, value = 18, cite = "b" }]'
    )
    ages = table("parameter", id='"xx-law/age"', says='"The age."', unit='"years"', values=values)
    root = write_pack(tmp_path, rule(when='"person.age < param.age"') + ages)
    [change] = compared(read_packs(root), root, "2026-08-31", "2026-09-01")
    assert (change.kind, change.before, change.after) == ("parameter", "16", "18")
    assert change.witness is not None
    assert change.witness.facts["person.age"] == (17, 17)
    assert (change.witness.before, change.witness.after) == ("permit", "deny")


@pytest.mark.parametrize(
    ("first", "last", "names", "rules"),
    [
        (
            "2024-03-21", "2024-03-22", ["cn-transfers"],
            {"cn-transfers/paper-for-everybody", "cn-transfers/hundred-thousand-people"},
        ),
        ("2025-12-31", "2026-01-01", ["us-ca-ccpa"], {"us-ca-ccpa/risk-assessment", "us-ca-ccpa/opt-out-shown"}),
        ("2026-08-10", "2026-08-11", ["fr"], {"fr-prospection/call-needs-consent"}),
    ],
)  # fmt: skip
def test_known_changes_of_law_have_witnesses_that_the_law_confirms(
    book: Lawbook, first: str, last: str, names: list[str], rules: set[str]
) -> None:
    found = compared(book, SHIPPED, first, last, *names)
    shown = {change.id: change.witness for change in found if change.witness is not None}
    assert rules <= {change.id for change in found} & shown.keys()
    for change in found:
        if change.kind != "rule" or change.witness is None or "event.kind" in change.witness.facts:
            continue
        verdicts = []
        for day in (first, last):
            answers = may(book, change.witness.facts, day=date.fromisoformat(day)).finding.laws
            verdicts.append(next((answer.verdict.value for answer in answers if answer.law == change.law), "silent"))
        said = [change.witness.before.partition(",")[0], change.witness.after.partition(",")[0]]
        assert verdicts == said, change.id


def test_texts_are_judged_by_the_law_of_their_day(book: Lawbook) -> None:
    texts = read_texts(book)
    cases = read_text_cases(texts)
    old, new = (TextSide(texts, date.fromisoformat(day)) for day in ("2025-10-14", "2025-10-15"))
    found = {change.id: change for change in text_changes(old, new, cases)}
    reviews = found["cn-competition/no-fake-reviews"]
    assert reviews.how == "is cited anew"
    assert reviews.witness is not None
    assert "Art. 8" in reviews.witness.before
    assert "Art. 9" in reviews.witness.after
    assert all(change.witness is not None for change in found.values())
    assert list(text_changes(old, new, cases, ["us-ftc"])) == []


def test_the_cybersecurity_law_is_cited_anew_in_2026(book: Lawbook) -> None:
    found = {change.id: change for change in compared(book, SHIPPED, "2025-12-31", "2026-01-01", "cn-csl")}
    logs = next(change for name, change in found.items() if "log" in name)
    assert ("Art. 21" in logs.before, "Art. 23" in logs.after) == (True, True)
    assert logs.witness is not None
    assert ("Art. 21" in logs.witness.before, "Art. 23" in logs.witness.after) == (True, True)
