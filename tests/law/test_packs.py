"""The shipped packs do what their stories say, and their stories would notice if a rule were wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, Plan
from comity.law.cases import Case, read_cases, try_case
from comity.law.conditions import Constant
from comity.law.lawbook import Law
from comity.law.lint import _law_mutants, _Scene, family, lint, mutate, mutations

LEAST_SCORE = 95.0


@pytest.fixture(scope="module")
def cases(book: Lawbook) -> list[Case]:
    return read_cases(book, SHIPPED)


def test_every_story_comes_out_as_it_says(book: Lawbook, cases: list[Case]) -> None:
    plans: dict[object, Plan] = {}
    outcomes = [try_case(book, case, plans) for case in cases]
    wrong = [
        f"{one.case.file}:{one.case.line}: {one.case.name}: {'; '.join(one.problems)}"
        for one in outcomes
        if one.problems
    ]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(cases)}", *wrong[:30]])


def test_lint_finds_no_problem(book: Lawbook, cases: list[Case]) -> None:
    assert [str(problem) for problem in lint(book, cases)] == []


def test_a_story_comes_out_alike_from_the_few_laws_that_bear_on_it(book: Lawbook, cases: list[Case]) -> None:
    """Mutation asks only these laws, so what a story fails at there is the change and nothing else."""
    for law in book.laws:
        small = family(book, law)
        plans: dict[object, Plan] = {}
        for case in (case for case in cases if case.law == law.id):
            assert try_case(small, replace(case, overall=""), plans).problems == (), f"{case.file}:{case.line}"


def test_the_stories_notice_when_a_condition_is_changed(
    book: Lawbook, cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    mutants = list(mutate(book, cases))
    caught = sum(bool(mutant.caught_by) for mutant in mutants)
    score = 100 * caught / len(mutants)
    missed = [f"{mutant.rule}: {mutant.change}" for mutant in mutants if not mutant.caught_by]
    with capsys.disabled():
        print(f"\nmutation score {score:.1f} % ({caught} of {len(mutants)})")  # noqa: T201  (the score is to be seen)
    assert score >= LEAST_SCORE, "\n".join(missed)


@pytest.mark.parametrize("name", ["us-canspam", "us-glba", "at-tkg"])
def test_the_shorter_way_to_the_score_skips_nothing(book: Lawbook, cases: list[Case], name: str) -> None:
    """`mutate` decides only stories in which the rule's truth changes, by few laws; here all are, by all laws."""
    law = book.law(name)
    lent = {target.partition("/")[0] for rule in law.rules for target in rule.exception_to}
    near = [case for case in cases if case.law in {name, *lent}]
    short = replace(law, rules=law.rules[:8])
    laws = replace(book, laws=tuple(short if item.id == name else item for item in book.laws))
    small = family(laws, short)
    scenes = [_Scene(small, case) for case in near]
    found = {(mutant.rule, mutant.change, bool(mutant.caught_by)) for mutant in _law_mutants(short, small, scenes)}
    assert found == the_long_way(laws, near, short)
    assert {caught for *_, caught in found} >= {True}


def the_long_way(book: Lawbook, cases: list[Case], law: Law) -> set[tuple[str, str, bool]]:
    found = set()
    for position, rule in enumerate(law.rules):
        for change, condition in (
            () if isinstance(rule.when, Constant) or rule.effect == "duty" else mutations(rule.when)
        ):
            rules = (*law.rules[:position], replace(rule, when=condition), *law.rules[position + 1 :])
            other = replace(
                book, laws=tuple(replace(law, rules=rules) if item.id == law.id else item for item in book.laws)
            )
            plans: dict[object, Plan] = {}
            failing = (case for case in cases if try_case(other, replace(case, overall=""), plans).problems)
            found.add((rule.id, change, next(failing, None) is not None))
    return found


def test_a_rule_past_its_review_warns_wherever_it_is_shown(tmp_path: Path) -> None:
    from comity.law import may, read_packs
    from tests.law.tiny_packs import rule, write_pack

    book = read_packs(write_pack(tmp_path, rule(review_by="2026-06-30")))
    facts = {"person.home": "DE", "use.operation": "contact"}
    shown = {day: may(book, facts, day=date(2026, *day)).reasons[0].cite for day in ((6, 30), (7, 1))}
    assert shown == {
        (6, 30): "Nowhere Act 2",
        (7, 1): "Nowhere Act 2 [to be reviewed by 2026-06-30: check that it still stands]",
    }
