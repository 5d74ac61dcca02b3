"""The engine answers what docs/packs.md says, as a second and plainer reading of that page has it."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from comity.law import Decision, Lawbook, decide, fold, may
from tests.law.people import DAY, HOMES, USES, circumstances, person, willing
from tests.law.plain_reading import Reading, plain, read_plainly
from tests.law.random_law import random_book, random_facts, shown

CIRCUMSTANCES = 60
"""How many variations of each use, each asked about five people."""

BOOKS = 600
"""How many random lawbooks, each asked about five random cases."""


def in_plain_words(decision: Decision) -> Reading:
    finding = decision.finding
    return Reading(
        verdict=finding.verdict.value,
        because=finding.because,
        laws={answer.law: (answer.verdict.value, answer.certain) for answer in finding.laws},
        obligations={
            (item.kind, plain(item.parameters), tuple(sorted(item.rules)), item.certain) for item in finding.obligations
        },
    )


def some_person(book: Lawbook, dice: random.Random) -> dict[str, object]:
    """Return a person who mostly said yes, or anybody; hardly ever one without any home (that is slow)."""
    found = willing(book, dice) if dice.random() < 0.6 else person(book, dice, dice.choice([0.0, 0.1, 0.3]))
    if "person.home" not in found and dice.random() < 0.95:
        found["person.home"] = frozenset(dice.sample(HOMES, 2))
    return dict(found)


@pytest.mark.parametrize("use", USES)
def test_the_shipped_law_is_read_alike_by_both(book: Lawbook, use: str) -> None:
    verdicts: Counter[str] = Counter()
    for number in range(CIRCUMSTANCES):
        dice = random.Random(f"{use} {number}")
        about = circumstances(book, dice, use)
        day = DAY if dice.random() < 0.7 else DAY - timedelta(days=dice.randrange(-1_000, 9_000))
        plan = fold(book, book.vocabulary.read(about), day)
        for _ in range(5):
            facts = book.vocabulary.read({**about, **some_person(book, dice)})
            expected = read_plainly(book, facts, day)
            assert in_plain_words(decide(plan, facts)) == expected, f"{day}: {shown(facts)}"
            verdicts[expected.verdict] += 1
    assert verdicts["ask"]
    assert verdicts["deny"]


@pytest.mark.parametrize("use", USES)
def test_what_the_law_said_of_some_people_is_never_said_of_others(book: Lawbook, use: str) -> None:
    """A plan remembers what each law said, also for people elsewhere to whom the law is the same."""
    dice = random.Random(use)
    about = book.vocabulary.read(circumstances(book, dice, use))
    remembering = fold(book, about, DAY)
    for number in range(60):
        facts = book.vocabulary.read({**about, **some_person(book, dice)})
        found = decide(remembering, facts)
        if number % 3 == 0:
            assert found.as_json() == decide(fold(book, about, DAY), facts).as_json()


def test_asking_at_once_is_the_same_as_folding_first(book: Lawbook) -> None:
    dice = random.Random(7)
    for use in USES:
        facts = book.vocabulary.read({**circumstances(book, dice, use), **some_person(book, dice)})
        assert in_plain_words(may(book, facts, day=DAY)) == in_plain_words(decide(fold(book, facts, DAY), facts))


@pytest.mark.parametrize("part", range(4))
def test_random_laws_are_read_alike_by_both(book: Lawbook, part: int) -> None:
    verdicts: Counter[str] = Counter()
    for number in range(part, BOOKS, 4):
        dice = random.Random(number)
        laws = random_book(book, dice)
        for _ in range(5):
            facts = random_facts(dice)
            expected = read_plainly(laws, facts, DAY)
            decision = may(laws, facts, day=DAY)
            assert in_plain_words(decision) == expected, f"book {number}: {shown(facts)}"
            verdicts[expected.verdict] += 1
            verdicts["clash"] += any(reason.kind == "obligations-clash" for reason in decision.reasons)
    assert min(verdicts[word] for word in ("permit", "ask", "deny", "clash")) > BOOKS // 50, verdicts


@pytest.mark.parametrize(
    ("start", "day", "months"),
    [
        (date(2025, 11, 21), date(2026, 11, 20), 11),
        (date(2025, 11, 21), date(2026, 11, 21), 12),
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 1, 31), date(2026, 2, 28), 1),  # the last day of a month that has no 31st
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2024, 2, 29), date(2028, 2, 28), 47),
        (date(2026, 2, 28), date(2026, 3, 27), 0),
        (date(2026, 2, 28), date(2026, 3, 28), 1),
        (date(2026, 11, 22), date(2026, 11, 21), -1),  # a day that is still to come is not even none ago
    ],
)
def test_whole_months_are_counted_as_a_calendar_has_them(book: Lawbook, start: date, day: date, months: int) -> None:
    for wanted in (months, months + 1):
        if wanted >= 0:
            assert at_least_months_ago(book, start, day, wanted) == (wanted <= months)


def at_least_months_ago(book: Lawbook, start: date, day: date, months: int) -> bool:
    """Ask a one-rule law whether so many whole months have passed."""
    from dataclasses import replace

    from comity.law.conditions import parse
    from comity.law.folding import World

    law = replace(book.laws[0], definitions=(), parameters=())
    condition = parse(f"months_since(consent.given_on) >= {months}", book.vocabulary)
    return World(book, {"consent.given_on": start}, day).truth(law, condition) == 2
