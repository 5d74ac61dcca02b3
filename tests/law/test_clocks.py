"""Days are counted as the law that set the period counts them; where no calendar is published, nothing is guessed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, PackError
from comity.law.clocks import Almanac, ClockError, joined, read_almanac, read_period


@pytest.fixture(scope="module")
def almanac() -> Almanac:
    return read_almanac(SHIPPED)


@pytest.mark.parametrize(
    ("start", "period", "last"),
    [
        # every day counts, the day of the event does not
        ("2026-11-21", "30 days", "2026-12-21"),
        ("2026-11-21", "1 day", "2026-11-22"),
        ("2026-12-31", "1 day", "2027-01-01"),
        ("2026-11-21", "2 weeks", "2026-12-05"),
        ("2028-02-28", "1 day", "2028-02-29"),
        # hours from an unknown hour are counted from the day's first: the earlier day is the safe one
        ("2026-11-21", "72 hours", "2026-11-23"),
        ("2026-11-21", "24 hours", "2026-11-21"),
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
def test_the_last_day_of_a_period(almanac: Almanac, start: str, period: str, last: str) -> None:
    assert almanac.due(date.fromisoformat(start), read_period(period), "us").day == date.fromisoformat(last)


def test_the_steps_tell_how_it_was_counted(almanac: Almanac) -> None:
    found = almanac.due(date(2026, 11, 25), read_period("1 working day (us-federal)"), "us")
    assert found.steps == (
        "2026-11-25 (Wednesday) is the start; it is not counted",
        "1 working day on, by 5 U.S.C. 6103: 2026-11-27 (Friday)",
    )


@pytest.mark.parametrize(
    ("start", "period", "year"),
    [
        ("2028-12-31", "1 working day (us-federal)", 2029),
        ("2017-12-30", "1 working day (us-federal)", 2017),
        ("2026-12-31", "1 working day (cn)", 2027),
        ("2026-11-21", "45 working days (cn)", 2027),
    ],
)
def test_a_year_that_is_not_published_is_an_error_never_a_guess(
    almanac: Almanac, start: str, period: str, year: int
) -> None:
    with pytest.raises(ClockError, match=f"is not published for {year} .*add it to calendars.toml"):
        almanac.due(date.fromisoformat(start), read_period(period), "us")


def test_an_unknown_calendar_is_named_with_the_nearest(almanac: Almanac) -> None:
    with pytest.raises(ClockError, match="no calendar is called 'us-federl'; did you mean 'us-federal'"):
        almanac.due(date(2026, 11, 21), read_period("3 working days (us-federl)"), "us")


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
def test_a_period_that_leaves_the_calendar_is_an_error(almanac: Almanac, period: str) -> None:
    with pytest.raises(ClockError, match="ends after the last day that can be counted"):
        almanac.due(date(9900, 1, 1), read_period(period), "us")


def test_a_longer_period_never_ends_earlier(almanac: Almanac) -> None:
    for start in (date(2026, 1, 1) + timedelta(days=step) for step in range(300)):
        for unit in ("days", "hours", "weeks", "months", "years", "working days (us-federal)"):
            last = [almanac.due(start, read_period(f"{number} {unit}"), "us").day for number in range(1, 14)]
            assert last == sorted(last)
            assert last[0] >= start - timedelta(days=unit == "hours")


def test_working_days_are_never_holidays_nor_plain_weekends(almanac: Almanac) -> None:
    for calendar in almanac.calendars.values():
        for year, holidays in calendar.holidays.items():
            assert all(not calendar.works(day) for day in holidays)
            assert all(day.year == year for day in holidays)
            assert not holidays & calendar.made_up
        assert all(day.weekday() in calendar.weekend and calendar.works(day) for day in calendar.made_up)


def test_a_calendar_names_its_source(tmp_path: Path) -> None:
    (tmp_path / "calendars.toml").write_text('[xx]\nweekend = ["sun"]\nholidays.2026 = []\n')
    with pytest.raises(PackError, match=r"calendars.toml: the calendar 'xx' has no 'cite'"):
        read_almanac(tmp_path)


def test_every_shipped_duty_can_be_counted(book: Lawbook, almanac: Almanac) -> None:
    for law in book.laws:
        almanac.reckoning(law.counts or "us")
        for duty in (rule.duty for rule in law.rules if rule.duty):
            almanac.reckoning(duty.counts or law.counts or "us")
            for text in (duty.within, duty.before, duty.opens, *(one.by for one in duty.extensions)):
                period = read_period(text) if text else None
                if period and period.calendar not in {"", "eu", "uk"}:
                    almanac.calendar(period.calendar)


# ---------------------------------------------------------------- published and computed examples, to the day


@pytest.mark.parametrize(
    ("start", "last", "place"),
    [
        # the regulators' own
        ("2026-09-03", "2026-10-05", "IE"),  # 3 September to 3 October, which is a Saturday
        ("2025-09-03", "2025-10-03", "GB"),
        ("2025-01-31", "2025-02-28", "GB"),
        ("2024-01-31", "2024-02-29", "GB"),
        ("2025-01-30", "2025-02-28", "GB"),
        ("2025-04-01", "2025-05-01", "GB"),
        ("2025-03-05", "2025-04-07", "IE"),  # 5 April 2025 is a Saturday
        ("2024-03-05", "2024-04-05", "IE"),
        ("2026-08-31", "2026-09-30", "IE"),
        ("2026-06-15", "2026-07-15", "GB"),
        ("2026-01-05", "2026-02-05", "GB"),
        # computed from the rule in the fact sheet
        ("2024-01-31", "2024-02-29", "IE"),
        ("2026-01-30", "2026-03-02", "IE"),
        ("2026-01-31", "2026-03-02", "IE"),
        ("2028-01-29", "2028-02-29", "IE"),
        ("2028-01-30", "2028-02-29", "IE"),
        ("2028-01-31", "2028-02-29", "IE"),
        ("2028-02-29", "2028-03-29", "IE"),
        ("2026-02-28", "2026-03-30", "IE"),
        ("2026-03-06", "2026-04-07", "DE"),
        ("2026-03-31", "2026-04-30", "IE"),
        ("2026-04-01", "2026-05-01", "GB"),
        ("2026-04-01", "2026-05-04", "DE"),
        ("2026-05-31", "2026-06-30", "IE"),
        ("2026-12-01", "2027-01-04", "GB"),
        ("2025-12-02", "2026-01-02", "GB"),
        ("2025-12-02", "2026-01-05", "GB-SCT"),  # the 2nd of January is a holiday in Scotland alone
        ("2026-02-17", "2026-03-18", "GB-NIR"),  # Saint Patrick's Day
        ("2026-02-17", "2026-03-17", "GB"),
    ],
)
def test_a_month_in_europe(almanac: Almanac, start: str, last: str, place: str) -> None:
    reckoning = "uk" if place.startswith("GB") else "eu"
    found = almanac.due(date.fromisoformat(start), read_period("1 month"), reckoning, places=[place])
    assert (found.day, found.later) == (date.fromisoformat(last), None)


@pytest.mark.parametrize(
    ("start", "period", "last", "later"),
    [
        ("2026-09-21", "10 working days (cn)", "2026-10-12", "2026-10-13"),
        ("2026-02-12", "10 working days (cn)", "2026-03-04", "2026-03-06"),
        ("2026-01-05", "30 working days (cn)", "2026-02-14", "2026-02-24"),
        ("2025-07-18", "30 working days (cn)", "2025-08-29", None),
        ("2026-09-01", "1 month", "2026-10-08", None),  # ends in the National Day holiday
    ],
)
def test_working_days_in_china(almanac: Almanac, start: str, period: str, last: str, later: str | None) -> None:
    found = almanac.due(date.fromisoformat(start), read_period(period), "cn")
    assert (found.day.isoformat(), found.later and found.later.isoformat()) == (last, later)


def test_the_window_before_an_assessment_runs_out(almanac: Almanac) -> None:
    found = almanac.before(date(2026, 6, 29), read_period("60 working days (cn)"))
    assert found.day == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("reckoning", "start", "period", "last", "later"),
    [
        ("us-ccpa", "2026-09-03", "45 days", "2026-10-17", "2026-10-18"),
        ("uk-receipt", "2026-06-19", "30 days", "2026-07-18", "2026-07-20"),
        ("us", "2026-09-03", "10 working days (us-ca)", "2026-09-16", "2026-09-18"),  # Saturdays count strictly
        ("us", "2025-12-31", "60 days", "2026-03-01", None),
        ("us", "2026-12-31", "60 days", "2027-03-01", None),
        ("us", "2027-12-31", "60 days", "2028-02-29", None),
    ],
)
def test_where_readings_differ_the_earlier_day_is_due(
    almanac: Almanac, reckoning: str, start: str, period: str, last: str, later: str | None
) -> None:
    found = almanac.due(date.fromisoformat(start), read_period(period), reckoning, places=["GB"])
    assert (found.day.isoformat(), found.later and found.later.isoformat()) == (last, later)


def test_seventy_two_hours_run_over_a_weekend_and_the_other_reading_is_shown(almanac: Almanac) -> None:
    friday = datetime.fromisoformat("2026-11-20T18:00+01:00")
    found = almanac.due(friday, read_period("72 hours"), "eu", places=["DE"])
    assert found.at == datetime.fromisoformat("2026-11-23T18:00+01:00")
    assert (found.day, found.later) == (date(2026, 11, 23), date(2026, 11, 24))
    monday = datetime.fromisoformat("2026-11-16T09:00+01:00")
    assert almanac.due(monday, read_period("72 hours"), "eu", places=["DE"]).later is None


def test_days_that_do_not_count_are_put_on_at_the_end(almanac: Almanac) -> None:
    found = almanac.due(date(2026, 10, 1), read_period("1 month"), "uk", places=["GB"], added=11)
    assert (found.day, found.later) == (date(2026, 11, 11), date(2026, 11, 12))


def test_of_several_places_the_first_day_counts_and_the_last_is_shown(almanac: Almanac) -> None:
    found = almanac.due(date(2026, 3, 6), read_period("1 month"), "eu", places=["DE", "IE"])
    assert (found.day, found.later) == (date(2026, 4, 7), None)
    found = almanac.due(date(2026, 4, 1), read_period("1 month"), "eu", places=["DE", "IE", "DK"])
    assert (found.day, found.later) == (date(2026, 5, 1), date(2026, 5, 4))


def test_periods_join_where_their_units_add_up() -> None:
    def of(first: str, second: str) -> str:
        return str(joined(read_period(first), read_period(second)))

    assert (of("1 month", "2 months"), of("45 days", "45 days")) == ("3 months", "90 days")
    assert (of("1 year", "6 months"), of("1 month", "10 days")) == ("18 months", "None")


def test_a_clock_that_goes_by_holidays_asks_whose(almanac: Almanac) -> None:
    with pytest.raises(ClockError, match="goes by the holidays of a place; say which"):
        almanac.due(date(2026, 9, 3), read_period("1 month"), "eu")
