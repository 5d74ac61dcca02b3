# ruff: noqa: INP001 - a script, not a package
"""Writes the spellings and names of places that `comity check` reads: src/comity/check/data/*.tsv.

Sources: names of countries from CLDR (through Babel), English names of the world's regions from CLDR
(the package cldr-subdivisions-full, unpacked), calling codes from libphonenumber's tables (through
phonenumbers), and two lists of our own beside this file.

    python -m venv venv && venv/bin/pip install babel phonenumbers
    npm pack cldr-subdivisions-full && tar xzf cldr-subdivisions-full-*.tgz
    PYTHONPATH=src venv/bin/python tools/home_data.py package
"""

import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
from babel import Locale
from babel.core import get_global

from comity.check.homes import spelling, without_accents

HERE = Path(__file__).parent
DATA = HERE.parent / "src/comity/check/data"
LANGUAGES = (
    "en de fr es it pt nl pl sv da fi nb cs hu ro el tr ru uk zh zh_Hant ja ko ar he hi id vi th bg hr sk sl et lt lv"
    " ca is"
).split()
SHARED = {  # calling codes of several places, where the number itself tells: libphonenumber's patterns, by hand
    "44": "GB", "441481": "GG", "447781": "GG", "447839": "GG", "4479111": "GG", "4479117": "GG", "441534": "JE",
    "447509": "JE", "447797": "JE", "447937": "JE", "4477003": "JE", "4477007": "JE", "4477008": "JE",
    "447829": "JE", "441624": "IM", "447524": "IM", "447624": "IM", "4474576": "IM", "7": "RU", "76": "KZ",
    "77": "KZ", "39": "IT", "3906698": "VA", "47": "NO", "4779": "SJ", "61": "AU", "6189162": "AU CC CX",
    "6189164": "AU CX", "212": "MA", "2125288": "EH MA", "2125289": "EH MA", "247": "SH", "262": "RE YT",
    "262262": "RE", "262263": "RE", "262269": "YT", "262639": "YT", "290": "SH", "358": "FI", "35818": "AX",
    "590": "BL GP MF", "599": "BQ", "5999": "CW",
}  # fmt: skip
HEAD = {
    "countries.tsv": "Spellings of countries: Unicode CLDR (licence in LICENSE.unicode) and tools/home_spellings.toml.",
    "states.tsv": "Spellings of regions: Unicode CLDR (licence in LICENSE.unicode) and tools/home_regions.toml.",
    "phones.tsv": "Beginnings of international phone numbers, from libphonenumber's tables (Apache License 2.0).",
    "place_names.tsv": "Names of countries in English: Unicode CLDR (licence in LICENSE.unicode).",
    "place_names_zh.tsv": "Names of countries in Chinese: Unicode CLDR (licence in LICENSE.unicode).",
}
_LINES_OF_PLACES = {0, 1, 2}  # fixed, mobile, either; not toll-free, not personal
Table = dict[str, set[str]]


def countries() -> Table:
    """Names in all languages, codes; a code beats a name that only became it by losing its accents."""
    names: Table = defaultdict(set)
    bare: Table = defaultdict(set)
    calling = phones()
    for place, text in _country_names():
        names[spelling(text)].add(place)
        bare[without_accents(spelling(text))].add(place)
    for place, code in _codes():
        bare[code] = {place} | calling.get(code, set())  # "352" is Iceland's number and Luxembourg's calling code
        if code in names:
            names[code].add(place)
    return {key: names.get(key) or bare[key] for key in names.keys() | bare.keys()}


def _country_names() -> Iterator[tuple[str, str]]:
    for language in LANGUAGES:
        yield from (
            (place, name) for place, name in Locale.parse(language).territories.items() if place in _iso_places()
        )
    german = Locale.parse("de").territories
    yield from ((place, _without_umlauts(german[place])) for place in _iso_places())
    for places, spellings in tomllib.loads((HERE / "home_spellings.toml").read_text(encoding="utf-8")).items():
        yield from ((place, text) for place in places.split() for text in spellings)


def _without_umlauts(name: str) -> str:
    """As a German types on a foreign keyboard: Oesterreich, Suedafrika."""
    return name.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}))


def _iso_places() -> set[str]:
    two = {code for code in Locale.parse("en").territories if re.fullmatch("[A-Z]{2}", code)}
    return two - {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}


def _codes() -> Iterator[tuple[str, str]]:
    for place in sorted(_iso_places()):
        yield place, place.casefold()
    for code, places in get_global("territory_aliases").items():
        if len(code) == 3 and len(places) == 1 and places[0] in _iso_places():  # noqa: PLR2004 - as in DEU
            yield places[0], code.casefold()
    yield from (("DE", "dd"), ("MM", "bu"), ("CD", "zr"), ("TL", "tp"), ("FR", "fx"), ("ES", "ic"), ("ES", "ea"))
    yield from (("GB", "uk"), ("GR", "el"))


def states(cldr: Path) -> Table:
    """Regions of the world; those of the United States with their code, all others with their country."""
    table: Table = defaultdict(set)
    english = json.loads((cldr / "subdivisions/en/en.json").read_text(encoding="utf-8"))
    for code, name in english["subdivisions"]["localeDisplayNames"]["subdivisions"].items():
        _add_region(table, code[:2].upper(), code[2:].upper(), name)
    hand = tomllib.loads((HERE / "home_regions.toml").read_text(encoding="utf-8"))
    for code, names in hand.pop("US").items():
        for name in names:
            _add_region(table, "US", code, name)
    for country, names in hand.items():
        for name in names:
            _add_region(table, country, "", name)
    return table


def _add_region(table: Table, country: str, region: str, name: str) -> None:
    territory = country == "US" and region in {"AS", "GU", "MP", "PR", "UM", "VI"}
    place = region if territory else f"US-{region}" if country == "US" else country
    for key in {spelling(name), without_accents(spelling(name))}:
        if len(key) > 2 or not key.isascii():  # noqa: PLR2004 - two letters are a code, read with its country
            table[key].add(place)


def phones() -> Table:
    table: Table = {}
    for calling, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions[0] != "001" and len(regions) == 1:
            table[str(calling)] = set(regions)
    for area in range(200, 1000):
        number = phonenumbers.parse(f"+1{area}2345678")
        somewhere = phonenumbers.number_type(number) in _LINES_OF_PLACES
        region = phonenumbers.region_code_for_number(number) if somewhere else _leads(area)
        if region:
            table[f"1{area}"] = {region}
    table |= {prefix: set(places.split()) for prefix, places in SHARED.items()}
    return table


def _leads(area: int) -> str | None:
    """Small islands whose one area code is named by their leading digits."""
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]:
        leading = phonenumbers.PhoneMetadata.metadata_for_region(region).leading_digits
        if leading and re.match(leading, f"{area}2345678"):
            return region
    return None


def write(name: str, table: Table) -> None:
    by_places: dict[str, list[str]] = defaultdict(list)
    for key, places in table.items():
        by_places[" ".join(sorted(places))].append(key)
    write_lines(name, [f"{places}\t{'|'.join(sorted(keys))}" for places, keys in sorted(by_places.items())])


def write_names() -> None:
    for language, name in (("en", "place_names.tsv"), ("zh_Hans", "place_names_zh.tsv")):
        said = Locale.parse(language).territories
        write_lines(name, [f"{place}\t{said[place]}" for place in sorted(_iso_places())])


def write_lines(name: str, lines: list[str]) -> None:
    head = f"# {HEAD[name]}\n# Written by tools/home_data.py; change that, not this.\n"
    (DATA / name).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    cldr = Path(sys.argv[1])
    named, regions = countries(), states(cldr)
    # A country cell may hold the full name of an American state: "Georgia" is both.
    for key, places in regions.items():
        american = {place for place in places if place.startswith("US-")}
        full = len(key) > 4 or not key.isascii()  # noqa: PLR2004 - a whole name, not "Miss." or "Ill."
        if full and american and (key not in named or key == "georgia"):
            named[key] = named.get(key, set()) | american
    write("countries.tsv", named)
    write("states.tsv", regions)
    write("phones.tsv", phones())
    write_names()
    (DATA / "LICENSE.unicode").write_text((cldr / "LICENSE").read_text(encoding="utf-8"), encoding="utf-8")
    for key, places in sorted(named.items()):
        if len(places) > 1:
            sys.stdout.write(f"{key} may be {', '.join(sorted(places))}\n")


if __name__ == "__main__":
    main()
