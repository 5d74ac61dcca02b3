"""Ten thousand strangers from everywhere, whose export says nothing of consent: "Done when" 2 of the first issue.

The file is a free sample of others and not ours to ship: the tests skip where it is not beside the checkout.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from comity.check.homes import from_country
from comity.cli import main

CUSTOMERS = Path(__file__).parents[2] / "shared" / "data" / "datablist-customers-10000.csv"
pytestmark = pytest.mark.skipif(not CUSTOMERS.exists(), reason="../shared/data is not beside this checkout")

USE = ("--purpose", "marketing", "--channel", "email")
OPT_IN: Final = frozenset("AT BE CN DE DK ES FI FR GB IE IT NL PL PT SE".split())
"""Places with a pack where marketing by e-mail to a stranger takes a consent."""


@pytest.fixture(scope="session", name="folder")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Check the file once as it is, and once as a firm of the United States that knows all opt-outs."""
    folder = tmp_path_factory.mktemp("datablist")
    for name, options in {"plain": (), "american": ("--complete-for", "opt-outs", "--we-are", "US")}.items():
        arguments = ["check", str(CUSTOMERS), *USE, *options, "--json", "--out", str(folder / name)]
        told = CliRunner().invoke(main, arguments)
        assert told.exit_code == 0, told.output
        (folder / f"{name}.json").write_text(told.stdout, "utf-8")
    return folder


def answer(folder: Path, name: str) -> Any:  # noqa: ANN401 (a JSON value)
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def rows(folder: Path, name: str, verdict: str) -> list[dict[str, str]]:
    with (folder / name / f"{verdict}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def countries() -> Counter[str]:
    with CUSTOMERS.open(encoding="utf-8-sig", newline="") as file:
        return Counter(row["Country"] for row in csv.DictReader(file))


def test_every_row_has_one_answer(folder: Path) -> None:
    for name in ("plain", "american"):
        found = {verdict: rows(folder, name, verdict) for verdict in ("permitted", "denied", "ask")}
        assert sorted(int(row["comity_row"]) for some in found.values() for row in some) == list(range(1, 10_001))
        counts = answer(folder, name)["counts"]
        assert [len(some) for some in found.values()] == [counts["permit"], counts["deny"], counts["ask"]]


def test_every_country_is_resolved_or_listed_as_not(folder: Path) -> None:
    listed = {item["text"]: item["rows"] for item in answer(folder, "plain")["unresolved_places"]}
    assert listed == {text: number for text, number in countries().items() if text and not from_country(text)}
    assert sum(listed.values()) < 100


@pytest.mark.parametrize("name", ["plain", "american"])
def test_nobody_is_permitted_whom_a_missing_consent_should_have_stopped(name: str, folder: Path) -> None:
    """The place is read off the row here, apart from the check: whoever may live in an opt-in place gets no yes."""
    permitted = rows(folder, name, "permitted")
    assert [
        row
        for row in permitted
        if not from_country(row["Country"]) or (from_country(row["Country"]) or frozenset()) & OPT_IN
    ] == []
    if name == "plain":
        assert permitted == []


def test_who_surely_lives_in_an_opt_in_country_is_denied(folder: Path) -> None:
    denied = {int(row["comity_row"]) for row in rows(folder, "plain", "denied")}
    asked = rows(folder, "plain", "ask")
    sure = {place: from_country(place) for place in countries() if len((from_country(place) or set()) & OPT_IN) == 1}
    assert {next(iter(places or ())) for places in sure.values()} == OPT_IN
    assert denied
    assert [row for row in asked if row["Country"] in sure and not points_elsewhere(row)] == []


def points_elsewhere(row: dict[str, str]) -> bool:
    """Tell whether a phone number or an address of the row may point to another place."""
    numbers = (row["Phone 1"], row["Phone 2"])
    return any(number.lstrip("(").startswith(("+", "00")) for number in numbers) or not row["Email"].endswith(
        (".com", ".net", ".org", ".biz", ".info")
    )


def test_people_of_opt_out_places_are_permitted_to_a_firm_that_knows_all_opt_outs(folder: Path) -> None:
    permitted = rows(folder, "american", "permitted")
    assert permitted
    assert all("US" in {place[:2] for place in from_country(row["Country"]) or ()} for row in permitted)
    asked = [row for verdict in ("ask", "denied") for row in rows(folder, "american", verdict)]
    of_america = [row for row in asked if row["Country"] == "United States of America"]
    assert [row for row in of_america if not points_elsewhere(row)] == []
