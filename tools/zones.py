# ruff: noqa: INP001 - a script, not a package
"""Write packs/zones.toml and packs/rest.toml: by which clocks the people of a place live, and its days of rest.

The zones of countries are those of zone.tab in the tz database of IANA, read from the package `tzdata`; those of the
states of the United States, which it has not by state, stand here, after the comments in its file `northamerica`. Days
of rest come from the library `holidays`, which is needed here alone.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from importlib import resources
from pathlib import Path

import holidays
import tzdata

PACKS = Path(__file__).resolve().parent.parent / "src" / "comity" / "packs"
YEARS = range(2026, 2031)
STATES = {
    "AL": "Chicago", "AK": "Anchorage Juneau Sitka Metlakatla Yakutat Nome Adak", "AZ": "Phoenix Denver",
    "AR": "Chicago", "CA": "Los_Angeles", "CO": "Denver", "CT": "New_York", "DE": "New_York", "DC": "New_York",
    "FL": "New_York Chicago", "GA": "New_York", "ID": "Boise Los_Angeles", "IL": "Chicago",
    "IN": "Indiana/Indianapolis Indiana/Vincennes Indiana/Winamac Indiana/Marengo Indiana/Petersburg Indiana/Vevay "
    "Indiana/Tell_City Indiana/Knox Chicago",
    "IA": "Chicago", "KS": "Chicago Denver",
    "KY": "New_York Kentucky/Louisville Kentucky/Monticello Chicago", "LA": "Chicago", "ME": "New_York",
    "MD": "New_York", "MA": "New_York", "MI": "Detroit Menominee", "MN": "Chicago", "MS": "Chicago", "MO": "Chicago",
    "MT": "Denver", "NE": "Chicago Denver", "NV": "Los_Angeles Denver", "NH": "New_York", "NJ": "New_York",
    "NM": "Denver", "NY": "New_York", "NC": "New_York",
    "ND": "Chicago North_Dakota/Center North_Dakota/New_Salem North_Dakota/Beulah Denver", "OH": "New_York",
    "OK": "Chicago", "OR": "Los_Angeles Boise", "PA": "New_York", "RI": "New_York", "SC": "New_York",
    "SD": "Chicago Denver", "TN": "New_York Chicago", "TX": "Chicago Denver", "UT": "Denver", "VT": "New_York",
    "VA": "New_York", "WA": "Los_Angeles", "WV": "New_York", "WI": "Chicago", "WY": "Denver",
}  # fmt: skip
"""In America/. Nevada has mountain time at West Wendover, Arizona keeps summer time on the land of the Navajo."""
ELSEWHERE = {"US-HI": ["Pacific/Honolulu"], "XK": ["Europe/Belgrade"]}
"""Outside America/, or without a code of its own in zone.tab."""
EEA = "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO".split()
OVERSEAS = "AX GF GP MF MQ RE YT".split()
ELSEWHERE_TOO = set("971 972 973 974 976 BL GF GP MF MQ NC PF PM RE TF WF YT 01".split())
"""Parts of France and Finland that are places of their own."""


def main() -> None:
    """Write the files."""
    lines = [f"{place} = [{', '.join(map(_quoted, zones))}]" for place, zones in sorted(_zones().items())]
    (PACKS / "zones.toml").write_text("\n".join([ZONES, *lines, ""]), encoding="utf-8")
    rest = [f"{place} = [{_days(place)}]" for place in sorted([*EEA, "GB", *_at_home(), *_states()])]
    (PACKS / "rest.toml").write_text("\n".join([REST, *rest, ""]), encoding="utf-8")
    sys.stdout.write(f"{len(lines)} places with their zones, {len(rest)} with their days of rest\n")


ZONES = """# By which clocks people live in a place: zones of the tz database of IANA, written by tools/zones.py:
# change that, not this. Where a place has several, nobody there is reached but at an hour that suits all of them.
"""
REST = f"""# Every public holiday that is kept anywhere in a place, weekends too: the day itself, and the day on
# which it is kept instead. Written by tools/zones.py: change that, not this. A year that is not here is not known,
# and whoever must not be reached on holidays is not reached then.
years = [{YEARS.start}, {YEARS.stop - 1}]
"""


def _zones() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (resources.files(tzdata) / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            country, _where, zone, *_said = line.split("\t")
            found.setdefault(country, []).append(zone)
    del found["US"]  # it is split into its states
    states = {f"US-{state}": [f"America/{zone}" for zone in zones.split()] for state, zones in STATES.items()}
    known = tomllib.loads((PACKS / "places.toml").read_text("utf-8"))["countries"]
    return {place: zones for place, zones in {**found, **states, **ELSEWHERE}.items() if place[:2] in known}


def _states() -> list[str]:
    return [f"US-{state}" for state in tomllib.loads((PACKS / "places.toml").read_text("utf-8"))["subdivisions"]["US"]]


def _at_home() -> list[str]:
    """Places of France and Finland beyond the sea, for which the library has days of their own."""
    return [place for place in OVERSEAS if place in holidays.list_supported_countries()]


def _days(place: str) -> str:
    country, _, part = place.partition("-")
    supported = holidays.list_supported_countries()[country]
    own = ELSEWHERE_TOO if country in {"FR", "FI"} else set()
    parts = [part] if part else [None, *(each for each in supported if each not in own)]
    days: set[date] = set()
    for each in parts:
        for observed in (False, True):
            days |= set(holidays.country_holidays(country, subdiv=each, years=YEARS, observed=observed))
    return ", ".join(day.isoformat() for day in sorted(days) if day.year in YEARS)


def _quoted(name: str) -> str:
    return f'"{name}"'


if __name__ == "__main__":
    main()
