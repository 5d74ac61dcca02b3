"""The export that comes with Comity: written by its script, invented throughout, as dirty as real ones, read whole."""

from __future__ import annotations

import csv
import json
import re
import runpy
import tomllib
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from comity.check import homes, values
from comity.check.dialects import recognise
from comity.check.sample import PATH
from comity.check.sources import open_source
from comity.cli import main

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "files"
WORLD: dict[str, Any] = tomllib.loads((ROOT / "tools" / "sample_world.toml").read_text("utf-8"))
DAY = date(2026, 11, 21)


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


@cache
def people() -> list[dict[str, str]]:
    """Return every row of the sample that is whole, by header."""
    header, *rows = table(PATH)
    return [dict(zip(header, row, strict=True)) for row in rows if len(row) == len(header)]


def filled(header: str) -> list[str]:
    return [person[header] for person in people() if person[header]]


def home(person: dict[str, str]) -> homes.Home:
    return homes.find(
        [homes.Address(countries=[person["Country/Region"]], states=[person["State/Region"]])],
        phones=[person["Phone Number"], person["Mobile Phone Number"]],
        emails=[person["Email"]],
        weak=[person["IP Country"]],
    )


# ---------------------------------------------------------------- the files


def test_the_script_writes_the_shipped_files_byte_for_byte() -> None:
    made: dict[Path, bytes] = runpy.run_path(str(ROOT / "tools" / "make_sample.py"))["made"]()
    assert {path.name for path in made} == {PATH.name, *(path.name for path in FILES.iterdir())}
    assert [path.name for path, content in made.items() if path.read_bytes() != content] == []


def test_it_has_5000_rows_of_which_three_have_too_many_cells_and_is_under_a_megabyte() -> None:
    header, *rows = table(PATH)
    odd = {number: len(row) - len(header) for number, row in enumerate(rows, 1) if len(row) != len(header)}
    assert (len(rows), odd) == (5000, dict.fromkeys(WORLD["broken_rows"], 2))
    assert PATH.stat().st_size < 1_000_000


def test_it_is_recognised_as_an_export_of_hubspot() -> None:
    header, *_ = table(PATH)
    assert recognise(header).id == "hubspot"


@pytest.mark.parametrize(
    ("name", "plain", "encoding"),
    [
        ("part-chinese-gb18030.csv", "part-chinese.csv", "GB18030"),
        ("part-mixed-utf16.txt", "part-mixed.csv", "UTF-16 (little-endian)"),
    ],
)
def test_other_encodings_are_read_to_the_same_rows(name: str, plain: str, encoding: str) -> None:
    header, *rows = table(FILES / plain)
    with duckdb.connect() as connection, open_source(FILES / name, connection) as source:
        read = connection.execute(f"SELECT * FROM {source.relation} ORDER BY row").fetchall()
        assert (source.columns, source.encoding, source.rejects) == (tuple(header), encoding, ())
    assert [[cell or "" for cell in cells] for _, *cells in read] == rows


# ---------------------------------------------------------------- nobody is in it


def test_every_address_is_at_a_name_that_nobody_can_have() -> None:
    reserved = re.compile(r"@(example\.(com|org|net)|[\w-]+\.example|\w+_\w+(\.co)?\.[a-z]{2})\s?$", re.IGNORECASE)
    assert [address for address in filled("Email") if not reserved.search(address)] == []


# Ranges that regulators keep free for films and books; outside them, three zeros where no number has them.
FICTION = {
    "1": r"\d{3}55501\d\d",
    "33": r"199|261 ?91|35301|46571|53649|63998",
    "44": r"2079460|1\d{2}4960|1[2-6]14960|2896496|7700900",
    "46": r"8465004|3139006|7017406",
    "49": r"3023125|4066969|6990009|8999998|2214710|17139200|176040690",
    "61": r"[23]5550|27010",
    "353": r"2091",
}


def test_every_phone_number_is_kept_for_fiction_or_cannot_be_given() -> None:
    for code, country in WORLD["country"].items():
        area = "212" if code == "US" else ""
        for template in (*country["land"], *country.get("mobile", [])):
            number = area + re.sub(r"[ -]", "", template).replace("#", "1")
            assert re.match(FICTION.get(country["calling"], ".{0,3}000"), number), (code, template)


# ---------------------------------------------------------------- the world and its dirt


@pytest.mark.parametrize("code", WORLD["country"])
def test_a_country_is_never_read_as_another(code: str) -> None:
    seen = {spelled: homes.from_country(spelled) for spelled in WORLD["country"][code]["spelled"]}
    assert {spelled: places for spelled, places in seen.items() if places and code not in places} == {}
    assert sum(places is None for places in seen.values()) <= len(seen) // 4


def test_what_is_meant_to_be_nonsense_is_understood_by_nobody() -> None:
    nonsense = WORLD["nonsense"]
    assert [text for text in nonsense["countries"] if homes.from_country(text) is not None] == []
    assert [text for text in nonsense["births"] if text != "99" and values.age_bounds(text, DAY)] == []


@pytest.mark.parametrize("language", WORLD["notes"])
def test_notes_that_say_no_are_heard_and_notes_that_only_look_so_are_not(language: str) -> None:
    notes = WORLD["notes"][language]
    assert [text for text in notes["opt_out"] if not values.opt_out_words(text)] == []
    assert [text for text in (*notes["look_alike"], *notes["plain"]) if values.opt_out_words(text)] == []


def test_people_live_in_more_than_forty_countries_and_in_every_state() -> None:
    places = {place for person in people() for place in home(person).places}
    assert {f"US-{state}" for state in WORLD["state"]} <= places
    assert len(set(WORLD["country"]) & places) > 40
    assert len(set(filled("Country/Region"))) > 150


def test_homes_are_missing_unclear_and_in_conflict() -> None:
    found = [home(person) for person in people()]
    assert 50 < sum(one.conflict for one in found) < 300
    assert 150 < sum(not one.places for one in found) < 500
    told_by_phone = [person for person in people() if not person["Country/Region"] and home(person).places]
    assert len(told_by_phone) > 50


def test_some_people_stand_in_it_twice_with_different_answers() -> None:
    answers: dict[str, set[tuple[str, str]]] = {}
    for person in people():
        answer = (person["Opted in to email: Newsletter"], person["Unsubscribed from all email"])
        answers.setdefault(person["Email"].strip().lower(), set()).add(answer)
    assert sum(len(different) > 1 for address, different in answers.items() if address) > 60


def test_opt_outs_stand_in_boxes_and_in_words() -> None:
    ticked = [person for person in people() if person["Unsubscribed from all email"] == "TRUE"]
    only_in_words = [
        person
        for person in people()
        if values.opt_out_words(person["Notes"])
        and not person["Unsubscribed from all email"] + person["Opted out of email: Newsletter"]
    ]
    assert len(ticked) > 300
    assert len(only_in_words) > 80


def test_consents_have_all_of_their_evidence_some_of_it_or_none() -> None:
    shapes = Counter(
        (bool(person["Consent date"]), bool(person["Consent source"]), bool(person["Consent wording"]))
        for person in people()
        if person["Opted in to email: Newsletter"]
    )
    complete, sourced, undated, bare = (True, True, True), (True, True, False), (False, True, False), (False,) * 3
    assert all(shapes[shape] > 50 for shape in (complete, sourced, undated, bare))


def test_customers_gave_their_address_with_an_order_or_nobody_knows_how() -> None:
    customers = [person for person in people() if person["Lifecycle Stage"] == "Customer"]
    from_order = Counter(person["Email from order"] for person in customers)
    assert min(from_order["Yes"], from_order[""]) > 300


def test_birth_dates_are_written_in_many_ways_and_some_people_are_minors() -> None:
    births = filled("Date of birth")
    forms = {re.sub(r"[^\W\d_]{3,}", "Month", re.sub(r"\d", "9", birth)) for birth in births}
    assert {"9999-99-99", "99.99.9999", "99/99/9999", "9999", "99后", "9999年9月9日", "99.99.99"} <= forms
    ages = [values.age_bounds(birth, DAY) for birth in births]
    assert sum(age is None for age in ages) > 15
    assert sum(age is not None and age[1] < 18 for age in ages) > 15


def test_cells_hold_what_careless_readers_trip_over() -> None:
    notes = filled("Notes")
    assert any(note.startswith("=") for note in notes)
    for sign in ("\n", "\r\n", "\t", ",", ";", '"', "🙂"):
        assert any(sign in note for note in notes), sign
    assert sum(cell != cell.rstrip() for person in people() for cell in person.values()) > 30
    assert sum(name.isupper() for name in filled("Last Name")) > 30


# ---------------------------------------------------------------- what the law says of it


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    told = CliRunner().invoke(main, ["check", "--sample", "--day", str(DAY), "--json"])
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = json.loads(told.output)
    return found


def test_a_third_may_be_written_to_and_the_rest_is_split(answer: dict[str, Any]) -> None:
    counts = answer["counts"]
    shares = {verdict: counts[verdict] / counts["rows"] for verdict in ("permit", "deny", "ask")}
    assert 0.25 < shares["permit"] < 0.45
    assert min(shares["deny"], shares["ask"]) > 0.15


def test_no_row_is_lost(answer: dict[str, Any]) -> None:
    counts = answer["counts"]
    assert counts["permit"] + counts["deny"] + counts["ask"] == counts["rows"] == 5000
    assert counts["rows"] - counts["decided"] == counts["not_read"] == len(WORLD["broken_rows"])
    assert [row["row"] for row in answer["not_read"]] == WORLD["broken_rows"]
