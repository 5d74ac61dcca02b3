# ruff: noqa: INP001 - a script, not a package
"""Write packs/holidays.toml: the public holidays of places whose law counts working days, year by year.

The days come from the libraries `holidays` and `chinesecalendar`, which are needed here alone. What a government
proclaims year by year is written only as far as it is published.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import holidays

TARGET = Path(__file__).resolve().parent.parent / "src" / "comity" / "packs" / "holidays.toml"
YEARS = range(2018, 2029)
CHINA = range(2018, 2027)
EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()
UK = {"GB": ("ENG", "England and Wales"), "GB-SCT": ("SCT", "Scotland"), "GB-NIR": ("NIR", "Northern Ireland")}
CALIFORNIA_LACKS = {"Columbus Day"}


def main() -> None:
    """Write the file."""
    TARGET.write_text("\n".join([HEAD, *(_table(*one) for one in _calendars())]), encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes\n")


HEAD = """# Public holidays, written by tools/calendars.py: change that, not this. Days of a weekend are left out, since
# they are not working days anyway. A year that is not listed was not published when the file was made, and counting
# into it is an error, never a guess.
"""


def _calendars() -> list[tuple[str, str, str, list[str], dict[int, list[date]], dict[int, list[date]], str]]:
    found = []
    for place in EEA:
        days = {year: sorted(holidays.country_holidays(place, years=year)) for year in YEARS}
        found.append(
            (place, f"Public holidays of the whole of {place}.", f"public holidays of {place}", WEEKEND, days, {}, "")
        )
    for name, (part, where) in UK.items():
        days = {year: sorted(holidays.country_holidays("GB", subdiv=part, years=year)) for year in YEARS}
        cite = f"Banking and Financial Dealings Act 1971, and proclamations: bank holidays in {where}"
        found.append(
            (name, f"Bank holidays in {where}, with Good Friday and Christmas Day.", cite, WEEKEND, days, {}, "")
        )
    federal = {year: _federal(year) for year in YEARS}
    found.append(("us-federal", FEDERAL, "5 U.S.C. 6103", WEEKEND, federal, {}, ""))
    california = {year: _federal(year, without=CALIFORNIA_LACKS) for year in YEARS}
    found.append(("us-ca", CALIFORNIA, "Cal. Civ. Code 7, 9", ["sun"], california, {}, "us-federal"))
    off = {year: _china(year, working=False) for year in CHINA}
    made_up = {year: _china(year, working=True) for year in CHINA}
    found.append(
        ("cn", NOTICE, "State Council holiday notices (国务院办公厅节假日安排通知)", WEEKEND, off, made_up, "cn-plain")
    )
    plain = "the same notices, days made up for a holiday not counted"
    found.append(
        ("cn-plain", "The same without the days that are worked to make up for a holiday.", plain, WEEKEND, off, {}, "")
    )
    return found


WEEKEND = ["sat", "sun"]
FEDERAL = (
    "Federal holidays. One on a Sunday is kept on Monday; one on a Saturday leaves Friday a working day here: it is "
    "kept by federal staff only, and counting it would make a deadline later."
)
CALIFORNIA = (
    "California, read strictly: Saturdays count as business days, and so do federal holidays that the state does not "
    "keep."
)
NOTICE = "Holidays of the State Council's yearly notices; days of a weekend that are worked instead are working days."


def _federal(year: int, without: set[str] = frozenset()) -> list[date]:  # type: ignore[assignment]
    days = holidays.country_holidays("US", years=year, observed=False)
    kept = [day + timedelta(days=day.weekday() == 6) for day, name in days.items() if name not in without]  # noqa: PLR2004
    return sorted(kept)


def _china(year: int, *, working: bool) -> list[date]:
    every = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    days = [day for day in every if day.year == year]
    weekend = {5, 6}
    if working:
        return [day for day in days if day.weekday() in weekend and chinese_calendar.is_workday(day)]
    return [day for day in days if day.weekday() not in weekend and chinese_calendar.is_holiday(day)]


def _table(  # noqa: PLR0917 (what stands in a calendar, in its order)
    name: str,
    says: str,
    cite: str,
    weekend: list[str],
    off: dict[int, list[date]],
    made_up: dict[int, list[date]],
    later: str,
) -> str:
    quoted = ", ".join(f'"{day}"' for day in weekend)
    lines = [f"[{name}]", f'says = "{says}"', f'cite = "{cite}"', f"weekend = [{quoted}]"]
    lines += [f'later = "{later}"'] if later else []
    rest = {5, 6} if len(weekend) > 1 else {6}
    lines += [
        f"holidays.{year} = [{_listed(day for day in days if day.weekday() not in rest)}]" for year, days in off.items()
    ]
    lines += [f"made_up.{year} = [{_listed(days)}]" for year, days in made_up.items()]
    return "\n".join([*lines, ""])


def _listed(days: object) -> str:
    return ", ".join(day.isoformat() for day in days)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
