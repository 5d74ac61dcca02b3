"""Days are counted as the law that set the period counts them; where no calendar is published, nothing is guessed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, PackError
from comity.law.clocks import Calendar, ClockError, due, read_calendars, read_period


@pytest.fixture(scope="module")
def calendars() -> dict[str, Calendar]:
    return read_calendars(SHIPPED / "calendars.toml")


@pytest.mark.parametrize(
    ("start", "period", "last"),
    [
        # every day counts, the day of the event does not
        ("2026-11-21", "30 days", "2026-12-21"),
        ("2026-11-21", "1 day", "2026-11-22"),
        ("2026-12-31", "1 day", "2027-01-01"),
        ("2026-11-21", "2 weeks", "2026-12-05"),
        ("2028-02-28", "1 day", "2028-02-29"),
        # hours are days here, rounded down
        ("2026-11-21", "72 hours", "2026-11-24"),
        ("2026-11-21", "24 hours", "2026-11-22"),
        ("2026-11-21", "36 hours", "2026-11-22"),
        ("2026-11-21", "12 hours", "2026-11-21"),
        # a month ends on the same-numbered day, or on the last of a month that has none
        ("2026-11-21", "1 month", "2026-12-21"),
        ("2026-01-31", "1 month", "2026-02-28"),
        ("2028-01-31", "1 month", "2028-02-29"),
        ("2026-10-31", "1 month", "2026-11-30"),
        ("2026-02-28", "1 month", "2026-03-28"),
        ("2026-11-30", "3 months", "2027-02-28"),
        ("2026-12-15", "1 month", "2027-01-15"),
        ("2026-11-21", "2 years", "2028-11-21"),
        ("2028-02-29", "1 year", "2029-02-28"),
        ("2028-02-29", "4 years", "2032-02-29"),
        # United States: the federal holidays and the weekend do not count
        ("2026-11-20", "1 working day (us-federal)", "2026-11-23"),
        ("2026-11-25", "1 working day (us-federal)", "2026-11-27"),  # Thanksgiving on the 26th
        ("2026-11-21", "10 working days (us-federal)", "2026-12-07"),
        ("2026-12-24", "1 working day (us-federal)", "2026-12-28"),  # Christmas is a Friday
        ("2026-12-31", "1 working day (us-federal)", "2027-01-04"),
        ("2026-07-02", "1 working day (us-federal)", "2026-07-03"),  # the 4th is a Saturday; Friday stays a working day
        ("2027-07-02", "1 working day (us-federal)", "2027-07-06"),  # the 4th is a Sunday, observed on Monday
        ("2026-06-18", "15 working days (us-federal)", "2026-07-10"),
        # mainland China: weekend days that make up for a holiday count
        ("2026-02-13", "1 working day (cn)", "2026-02-14"),  # a Saturday, made up
        ("2026-02-13", "2 working days (cn)", "2026-02-24"),  # after the Spring Festival
        ("2026-09-30", "1 working day (cn)", "2026-10-08"),
        ("2026-10-09", "1 working day (cn)", "2026-10-10"),  # a Saturday, made up
        ("2026-10-09", "2 working days (cn)", "2026-10-12"),
        ("2026-01-01", "1 working day (cn)", "2026-01-04"),  # a Sunday, made up
        ("2026-04-30", "5 working days (cn)", "2026-05-11"),  # the 9th is made up, the 10th is a Sunday
    ],
)
def test_the_last_day_of_a_period(calendars: dict[str, Calendar], start: str, period: str, last: str) -> None:
    assert due(date.fromisoformat(start), read_period(period), calendars).day == date.fromisoformat(last)


def test_the_steps_tell_how_it_was_counted(calendars: dict[str, Calendar]) -> None:
    found = due(date(2026, 11, 25), read_period("1 working day (us-federal)"), calendars)
    assert found.steps == (
        "2026-11-25 (Wednesday) is the day of the event; it is not counted",
        "1 working day (us-federal) by 5 U.S.C. 6103: 2026-11-27 (Friday)",
    )


@pytest.mark.parametrize(
    ("start", "period", "year"),
    [
        ("2027-12-31", "1 working day (us-federal)", 2028),
        ("2025-12-30", "1 working day (us-federal)", 2025),
        ("2026-12-31", "1 working day (cn)", 2027),
        ("2026-11-21", "45 working days (cn)", 2027),
    ],
)
def test_a_year_that_is_not_published_is_an_error_never_a_guess(
    calendars: dict[str, Calendar], start: str, period: str, year: int
) -> None:
    with pytest.raises(ClockError, match=f"is not published for {year} .*add it to calendars.toml"):
        due(date.fromisoformat(start), read_period(period), calendars)


def test_an_unknown_calendar_is_named_with_the_nearest(calendars: dict[str, Calendar]) -> None:
    with pytest.raises(ClockError, match="no calendar is called 'us-federl'; did you mean 'us-federal'"):
        due(date(2026, 11, 21), read_period("3 working days (us-federl)"), calendars)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "days", "1", "1 fortnight", "-1 days", "1.5 days", "one month", "1 month 3 days", "10000 days",
     "3 days (cn)", "1month", "3 working days", "3 working days ()", "3 working days (US)", "1 day\n2 days", "１ day"],
)  # fmt: skip
def test_a_bad_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ClockError, match=r"as in|for example"):
        read_period(text)


@pytest.mark.parametrize(
    "text", ["1 day", "30 days", "1 week", "72 hours", "3 months", "1 year", "10 working days (us-federal)"]
)
def test_a_period_reads_back_as_it_was_written(text: str) -> None:
    assert str(read_period(text)) == text
    assert read_period(f"  {text} ") == read_period(text)


@pytest.mark.parametrize("period", ["9999 years", "9999 months"])
def test_a_period_that_leaves_the_calendar_is_an_error(calendars: dict[str, Calendar], period: str) -> None:
    with pytest.raises(ClockError, match="ends after the last day that can be counted"):
        due(date(9900, 1, 1), read_period(period), calendars)


def test_a_longer_period_never_ends_earlier(calendars: dict[str, Calendar]) -> None:
    for start in (date(2026, 1, 1) + timedelta(days=step) for step in range(300)):
        for unit in ("days", "hours", "weeks", "months", "years", "working days (us-federal)"):
            last = [due(start, read_period(f"{number} {unit}"), calendars).day for number in range(1, 14)]
            assert last == sorted(last)
            assert last[0] >= start


def test_working_days_are_never_holidays_nor_plain_weekends(calendars: dict[str, Calendar]) -> None:
    for calendar in calendars.values():
        for year, holidays in calendar.holidays.items():
            assert all(not calendar.works(day) for day in holidays)
            assert all(day.year == year for day in holidays)
            assert not holidays & calendar.made_up
        assert all(day.weekday() in calendar.weekend and calendar.works(day) for day in calendar.made_up)


def test_a_calendar_names_its_source(tmp_path: Path) -> None:
    path = tmp_path / "calendars.toml"
    path.write_text('[xx]\nweekend = ["sun"]\nholidays.2026 = []\n')
    with pytest.raises(PackError, match=r"calendars.toml: the calendar 'xx' has no 'cite'"):
        read_calendars(path)


def test_every_shipped_period_can_be_counted(book: Lawbook, calendars: dict[str, Calendar]) -> None:
    for rule in book.rules():
        if rule.duty and rule.duty.within:
            assert due(date(2026, 3, 2), read_period(rule.duty.within), calendars).day > date(2026, 3, 2), rule.id
