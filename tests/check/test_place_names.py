from __future__ import annotations

from comity.check.as_json import place_name
from comity.law import read_packs


def test_every_country_that_the_law_knows_has_a_name() -> None:
    countries = read_packs().vocabulary.places.countries
    assert [code for code in sorted(countries) if place_name(code) == code] == []


def test_a_state_is_named_after_its_country_and_an_unknown_code_by_itself() -> None:
    assert [place_name(code) for code in ("DE", "US-CA", "QQ")] == ["Germany", "United States, CA", "QQ"]
