"""Every table has its category in words, every clock its column, and every law stands in the packs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from comity.counsel.keeping import LAST_HEARD, last_heard_before, outcome, terms
from comity.retention.schedule import categories
from comity.retention.schedule.categories import FILE, WrongSchedule, read, schedule
from comity.retention.schedule.checks import everything_is_scheduled
from comity.staff.models import Entity
from comity.vault import data_map as maps
from comity.vault.data_map import Clock, data_map

TODAY = date(2026, 11, 23)
OURS = Entity(name="Comity Dublin Ltd", place="IE", facts={})
Changed = Callable[[str, str], list[str]]


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Changed:
    """Give a function that changes the schedule in one place and says what the check finds."""

    def found(before: str, after: str) -> list[str]:
        text = FILE.read_text("utf-8")
        assert before in text
        path = tmp_path / "schedule.toml"
        path.write_text(text.replace(before, after, 1), "utf-8")
        monkeypatch.setattr(categories, "FILE", path)
        said = [str(one.msg) for one in everything_is_scheduled(None)]
        schedule.cache_clear()
        return said

    return found


def test_every_table_of_every_room_stands_in_one_category() -> None:
    assert everything_is_scheduled(None) == []
    named = [table for one in schedule().categories for table in one.tables]
    assert sorted(named) == sorted(f"{app}.{model}" for app, model in data_map())


def test_a_table_that_nobody_named_is_refused(changed: Changed) -> None:
    (said,) = changed('"book.ContactPoint", ', "")
    assert "book.ContactPoint" in said
    assert "no category" in said


def test_a_table_that_is_not_there_is_refused(changed: Changed) -> None:
    (said,) = changed('"book.ContactPoint", ', '"book.ContactPoint", "book.Nothing", ')
    assert "names book.Nothing" in said


def test_a_category_without_words_is_refused(changed: Changed) -> None:
    (said,) = changed(
        'purpose = "To know who you are when you write to us, and which law protects you."', 'purpose = ""'
    )
    assert "[category.identity]: say purpose" in said


def test_a_table_in_two_categories_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "schedule.toml"
    path.write_text(
        FILE.read_text("utf-8").replace('"book.Relation", ', '"book.Relation", "book.Person", ', 1), "utf-8"
    )
    with pytest.raises(WrongSchedule, match=r"book\.Person stands in identity and in dealings"):
        read(path)


def test_a_law_that_no_pack_has_is_refused(changed: Changed) -> None:
    (said,) = changed('"eu-gdpr/origin-is-told"', '"eu-gdpr/origin-is-sung"')
    assert "rests on eu-gdpr/origin-is-sung, which no law pack has" in said


def test_a_clock_without_words_is_refused(changed: Changed) -> None:
    said = changed('lifted_at       = "it was lifted"\n', "")
    assert [one.partition(" runs ")[0] for one in said] == [
        "The clock of retention.Hold", "The clock of retention.Restriction",
    ]  # fmt: skip
    assert all("runs from lifted_at, for which" in one and "has no words" in one for one in said)


def test_a_clock_that_runs_from_a_column_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    activity = data_map()["book", "Activity"]
    wrong = {"clock": Clock(until="after", count=3, unit="years", column="happened_at")}
    told = {**data_map(), ("book", "Activity"): maps.Table(**{**vars(activity), **wrong})}
    monkeypatch.setattr("comity.retention.schedule.checks.data_map", lambda: told)
    (said,) = [str(one.msg) for one in everything_is_scheduled(None)]
    assert said == "The clock of book.Activity runs from happened_at, which is no column."


# ---------------------------------------------------------------- clocks of the law


def test_keep_at_least_beats_erase_after() -> None:
    found = terms(OURS, ["invoice"], on=TODAY, today=TODAY, facts={"person.home": ["CN"]})
    said = outcome(found)
    assert said.keep is not None
    assert (said.keep.rule, said.keep.day) == ("cn-accounting/keep-books", date(2056, 12, 31))
    assert said.delete is not None  # it is shown all the same
    assert said.stays_until == date(2056, 12, 31)


def test_what_is_only_possible_is_shown_and_decides_nothing() -> None:
    found = terms(OURS, ["consent-proof"], on=TODAY, today=TODAY, facts={"person.home": ["DE"]})
    assert [(one.rule, one.certain) for one in found if one.act == "keep"] == [
        ("de-uwg/proof-of-consent-to-calls", False)
    ]
    assert outcome(found).keep is None


@pytest.mark.parametrize(
    ("home", "today", "longest", "day", "rule"),
    [
        ("FR", TODAY, date(2021, 11, 23), date(2023, 11, 23), "fr-records/prospects"),
        ("FR", TODAY, date(2024, 11, 23), date(2024, 11, 23), ""),  # our own policy is the stricter
        ("FR", date(2028, 2, 29), date(2020, 2, 29), date(2025, 2, 28), "fr-records/prospects"),
        ("DE", TODAY, date(2021, 11, 23), date(2021, 11, 23), ""),
        ("", TODAY, date(2023, 11, 23), date(2023, 11, 23), ""),
        (
            "FR|BE",
            TODAY,
            date(2021, 11, 23),
            date(2021, 11, 23),
            "",
        ),  # where they may live elsewhere, it is not certain
    ],
)
def test_the_law_of_a_home_may_say_less_than_our_policy(
    home: str, today: date, longest: date, day: date, rule: str
) -> None:
    assert last_heard_before(OURS, home, longest=longest, today=today) == (day, rule)
    if rule:
        due = terms(OURS, ["prospect"], on=today, today=today, facts={"person.home": [home], LAST_HEARD: str(day)})
        (law,) = [one for one in due if one.rule == rule]
        assert law.day is not None
        assert law.day <= today
