"""The shipped duties come out as their stories say, and the stories would notice if a duty were wrong."""

from __future__ import annotations

import pytest

from comity.law import SHIPPED, Lawbook
from comity.law.clocks import Almanac, read_almanac
from comity.law.duty_cases import DutyCase, read_duty_cases, try_duty_case
from comity.law.duty_lint import lint_duties, mutate_duties

LEAST_SCORE = 95.0


@pytest.fixture(scope="module")
def almanac() -> Almanac:
    return read_almanac(SHIPPED)


@pytest.fixture(scope="module")
def cases(book: Lawbook) -> list[DutyCase]:
    return read_duty_cases(book, SHIPPED)


def test_every_story_of_a_duty_comes_out_as_it_says(book: Lawbook, cases: list[DutyCase], almanac: Almanac) -> None:
    outcomes = [try_duty_case(book, case, almanac) for case in cases]
    wrong = [
        f"{one.case.file}:{one.case.line}: {one.case.name}: {'; '.join(one.problems)}"
        for one in outcomes
        if one.problems
    ]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(cases)}", *wrong[:30]])


def test_lint_finds_every_duty_in_stories(book: Lawbook, cases: list[DutyCase]) -> None:
    assert [str(problem) for problem in lint_duties(book, cases)] == []


def test_the_stories_notice_when_a_duty_is_changed(
    book: Lawbook, cases: list[DutyCase], almanac: Almanac, capsys: pytest.CaptureFixture[str]
) -> None:
    mutants = list(mutate_duties(book, cases, almanac))
    caught = sum(bool(mutant.caught_by) for mutant in mutants)
    score = 100 * caught / len(mutants)
    missed = [f"{mutant.rule}: {mutant.change}" for mutant in mutants if not mutant.caught_by]
    with capsys.disabled():
        print(f"\nmutation score of duties {score:.1f} % ({caught} of {len(mutants)})")  # noqa: T201  (to be seen)
    assert score >= LEAST_SCORE, "\n".join(missed)


def test_every_event_has_stories_in_each_part_of_the_world(cases: list[DutyCase]) -> None:
    """The table of the events that the packs answer: none of these may be without a story."""
    wanted = {
        "request-received": ("eu-gdpr", "uk-gdpr", "us-ca-ccpa", "us-tx-privacy", "us-hipaa", "cn-pipl"),
        "breach-discovered": ("eu-gdpr", "uk-gdpr", "us-hipaa", "us-hbnr", "us-safeguards", "us-ca-breach", "cn-pipl"),
        "transfer-planned": ("eu-gdpr", "uk-gdpr", "cn-transfers"),
        "consent-withdrawn": ("eu-gdpr", "us-or-privacy", "cn-pipl"),
        "opt-out-received": ("us-ca-ccpa", "us-canspam", "us-tcpa"),
        "purpose-ended": ("eu-gdpr", "fr-records", "de-records", "us-hipaa", "cn-ecommerce"),
        "processing-started": ("eu-gdpr", "us-ca-ccpa", "cn-pipl"),
        "period-turned": ("cn-pipl", "cn-minors", "us-ca-ccpa"),
        "complaint-received": ("uk-gdpr", "cn-ecommerce"),
    }
    told = {(case.facts["event.kind"], case.law) for case in cases}
    assert [(event, law) for event, laws in wanted.items() for law in laws if (event, law) not in told] == []


def test_every_state_answers_a_breach(cases: list[DutyCase], book: Lawbook) -> None:
    states = [law.id for law in book.laws if law.id.endswith("-breach")]
    assert len(states) == 51
    assert set(states) <= {case.law for case in cases}
