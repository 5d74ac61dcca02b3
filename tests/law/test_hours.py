"""Nobody is reached outside the hours, by any clock that may be theirs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.law import SHIPPED, lawbook
from comity.law.clocks import WEEK
from comity.law.hours import HOLIDAY, MIDNIGHT, Clocks, Hours, NoHour, minutes, read_clocks

CLOCKS: Clocks = read_clocks(SHIPPED)
PLACES = sorted(CLOCKS.zones)
RESTING = {
    "fr-prospection": "FR", "se-mfl": "SE", "us-al-calls": "US-AL", "us-la-calls": "US-LA", "us-ms-calls": "US-MS",
    "us-pa-calls": "US-PA", "us-ri-calls": "US-RI", "us-ut-calls": "US-UT",
}  # fmt: skip
AT_NIGHT = Hours(opens=480, closes=1260)  # closed from 21:00 to 08:00
EVERY_DAY = frozenset({*WEEK, HOLIDAY})


def at(said: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def soonest(hours: Hours, places: list[str], moment: datetime) -> datetime:
    return CLOCKS.soonest(hours, places, moment)


def shown(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------- what must hold everywhere

FIRST, LAST = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2029-12-01")
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
windows = st.tuples(st.integers(0, 1430), st.integers(10, MIDNIGHT)).filter(lambda two: two[0] < two[1])
days = st.frozensets(st.sampled_from(WEEK), min_size=2).map(lambda some: some | {HOLIDAY})


@settings(max_examples=150, deadline=None)
@given(instants, windows, days, st.lists(st.sampled_from(PLACES), min_size=1, max_size=3))
def test_the_soonest_hour_suits_every_clock_and_is_the_first_that_does(
    moment: datetime, window: tuple[int, int], some: frozenset[str], places: list[str]
) -> None:
    hours = Hours(opens=window[0], closes=window[1], days=some)
    try:
        found = soonest(hours, places, moment)
    except NoHour:
        return
    assert found >= moment
    zones = [ZoneInfo(zone) for place in places for zone in CLOCKS.zones_of(place)]
    assert all(suits(hours, found, zone) for zone in zones)
    step, tried = timedelta(minutes=7), moment
    while tried < min(found, moment + timedelta(days=3)):  # nothing earlier would do, but where clocks turn
        assert not all(suits(hours, tried, zone) and not turns(zone, tried) for zone in zones)
        tried += step


def suits(hours: Hours, moment: datetime, zone: ZoneInfo) -> bool:
    """Tell by the face of the clock alone, without any of what is tested."""
    wall = moment.astimezone(zone)
    return WEEK[wall.weekday()] in hours.days and hours.opens <= wall.hour * 60 + wall.minute < hours.closes


def turns(zone: ZoneInfo, moment: datetime) -> bool:
    near = (moment.astimezone(zone) + timedelta(hours=each) for each in (-26, 26))
    return len({each.astimezone(UTC).astimezone(zone).utcoffset() for each in near}) > 1


@settings(max_examples=60, deadline=None)
@given(instants, st.sampled_from(PLACES))
def test_hours_that_are_never_shut_are_open_now(moment: datetime, place: str) -> None:
    assert soonest(Hours(), [place], moment) == moment


# ---------------------------------------------------------------- the clock is turned


@pytest.mark.parametrize(
    ("zone", "place", "opens", "now", "then"),
    [
        ("Europe/Berlin", "DK", "02:30", "2027-03-28 00:00", "2027-03-28 03:00"),  # 02:30 is not that night
        ("America/Havana", "CU", "00:30", "2027-03-13 23:00", "2027-03-14 01:00"),  # nor midnight
        ("America/New_York", "US-NY", "01:30", "2026-11-01 00:00", "2026-11-01 01:30"),  # twice: the second
    ],
)
def test_where_the_clock_is_turned_it_opens_once(zone: str, place: str, opens: str, now: str, then: str) -> None:
    found = soonest(Hours(opens=minutes(opens), closes=600), [place], at(now, zone))
    assert shown(found, zone) == then
    if then == "2026-11-01 01:30":
        assert found == at("2026-11-01 06:30")  # 05:30 was the first


def test_it_closes_when_the_clock_first_shows_the_hour_and_stays_closed_when_it_is_turned_back() -> None:
    hours = Hours(opens=0, closes=90)  # until 01:30
    assert soonest(hours, ["US-NY"], at("2026-11-01 05:29")) == at("2026-11-01 05:29")
    later = soonest(hours, ["US-NY"], at("2026-11-01 06:10"))  # 01:10 for the second time
    assert shown(later, "America/New_York") == "2026-11-02 00:00"


def test_a_window_in_an_hour_that_a_night_does_not_have_is_not_open_that_night() -> None:
    hours = Hours(opens=130, closes=170)  # from 02:10 until 02:50
    assert shown(soonest(hours, ["DE"], at("2027-03-28 00:30")), "Europe/Berlin") == "2027-03-29 02:10"


def test_midnight_is_the_first_moment_of_the_next_day() -> None:
    hours = Hours(days=EVERY_DAY - {"sun"})
    last = at("2026-11-21 23:59", "America/Chicago")  # a Saturday
    assert soonest(hours, ["US-LA"], last) == last
    monday = soonest(hours, ["US-LA"], last + timedelta(minutes=1))
    assert shown(monday, "America/Chicago") == "2026-11-23 00:00"


def test_what_lasts_beyond_the_closing_is_not_begun() -> None:
    late = at("2026-11-20 20:59", "Europe/Berlin")
    assert CLOCKS.soonest(AT_NIGHT, ["DE"], late, lasting=timedelta(seconds=59)) == late
    found = CLOCKS.soonest(AT_NIGHT, ["DE"], late, lasting=timedelta(seconds=60))
    assert shown(found, "Europe/Berlin") == "2026-11-21 08:00"


def test_two_days_that_touch_are_one() -> None:
    late = at("2026-11-20 23:59", "Europe/Berlin")
    assert CLOCKS.soonest(Hours(days=EVERY_DAY - {"wed"}), ["DE"], late, lasting=timedelta(hours=20)) == late


# ---------------------------------------------------------------- several clocks, and none


def test_where_the_state_is_not_known_an_hour_suits_all_of_them() -> None:
    states = sorted(lawbook().vocabulary.places.expand(["US"]))
    found = soonest(AT_NIGHT, states, at("2026-11-20 06:00"))
    assert shown(found, "America/New_York") == "2026-11-20 13:00"
    assert shown(found, "Pacific/Honolulu") == "2026-11-20 08:00"
    assert shown(soonest(AT_NIGHT, states, at("2026-11-21 02:00")), "America/New_York") == "2026-11-21 13:00"


def test_somebody_who_may_live_anywhere_is_reached_at_no_hour() -> None:
    with pytest.raises(NoHour, match="may live"):
        soonest(AT_NIGHT, PLACES, at("2026-11-20 06:00"))
    with pytest.raises(NoHour, match="not known where"):
        soonest(AT_NIGHT, [], at("2026-11-20 06:00"))


def test_a_place_without_a_clock_is_an_error_that_says_so() -> None:
    with pytest.raises(NoHour, match=r"'BV' is not known; add it to zones\.toml"):
        soonest(AT_NIGHT, ["BV"], at("2026-11-20 06:00"))


def test_every_place_of_the_law_has_its_clocks_but_two_islands_where_nobody_lives() -> None:
    places = lawbook().vocabulary.places
    assert set(places.every) - set(PLACES) == {"BV", "HM"}
    assert set(PLACES) <= set(places.every)
    for place in PLACES:
        assert [ZoneInfo(zone) for zone in CLOCKS.zones_of(place)]


# ---------------------------------------------------------------- days of rest


def test_a_holiday_is_shut_and_the_day_before_it_is_not() -> None:
    hours = Hours(opens=840, closes=1200, days=frozenset(WEEK[:5]))  # as a call to France
    assert shown(soonest(hours, ["FR"], at("2026-07-13 19:00")), "Europe/Paris") == "2026-07-15 14:00"
    assert soonest(hours, ["FR"], at("2026-07-13 12:30")) == at("2026-07-13 12:30")


def test_a_holiday_on_a_saturday_is_shut_where_saturdays_are_open() -> None:
    hours = Hours(opens=480, closes=1200, days=frozenset(WEEK[:6]))  # as a call to Alabama
    found = soonest(hours, ["US-AL"], at("2026-07-04 15:00"))  # Independence Day; Sunday is shut, too
    assert shown(found, "America/Chicago") == "2026-07-06 08:00"


@pytest.mark.parametrize(("place", "when"), [("JP", "2026-07-04"), ("FR", "2040-07-04")])
def test_where_days_of_rest_are_not_known_nothing_is_guessed(place: str, when: str) -> None:
    with pytest.raises(NoHour, match=r"days of rest of .* are not known"):
        soonest(Hours(days=frozenset(WEEK)), [place], at(when))


def test_each_place_whose_law_rests_on_holidays_has_them() -> None:
    wanted = [
        (rule.id.partition("/")[0], Hours.of(rule.obligation.parameters))
        for law in lawbook().laws
        for rule in law.rules
        if rule.obligation is not None and rule.obligation.kind == "calling-hours"
    ]
    assert {law for law, hours in wanted if HOLIDAY not in hours.days} == set(RESTING)
    assert all(CLOCKS.rests(place, date(2026, 12, 25)) for place in RESTING.values())


# ---------------------------------------------------------------- as obligations say them


def test_hours_are_read_as_obligations_have_them() -> None:
    read = Hours.of({"days": ("mon", "tue"), "from": "09:00", "until": "17:30"})
    assert read == Hours(opens=540, closes=1050, days=frozenset({"mon", "tue"}))
    assert Hours.of({}).always


@pytest.mark.parametrize("clock", ["9", "24:01", "08:60", "", None, "ab:cd"])
def test_an_hour_that_is_none_is_an_error(clock: object) -> None:
    with pytest.raises(NoHour, match="no time of day"):
        minutes(clock)


def test_hours_of_two_are_those_that_suit_both() -> None:
    both = Hours(opens=480, closes=1260).within(Hours(opens=600, closes=1320, days=frozenset({"mon"})))
    assert both == Hours(opens=600, closes=1260, days=frozenset({"mon"}))
    with pytest.raises(NoHour):
        soonest(Hours(opens=1200, closes=1260).within(Hours(opens=480, closes=1080)), ["DE"], at("2026-11-20 06:00"))
