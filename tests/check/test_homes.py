"""Where a person may live: what countries, states, phones and domains mean, and what they mean together."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from comity.check.homes import (
    NOTHING,
    PHONE_SHORTENINGS,
    Address,
    Home,
    combine,
    find,
    from_country,
    from_domain,
    from_phone,
    from_state,
    same_place,
    settle,
)

SHARED = Path(__file__).parents[3] / "shared" / "data"


def places(*codes: str) -> frozenset[str]:
    return frozenset(codes)


US, DE, FR = places("US"), places("DE"), places("FR")

# ---------------------------------------------------------------- country

SPELLINGS = {
    "DE": [
        "Germany", "GERMANY", " germany ", "Germany.", "ＧＥＲＭＡＮＹ", "Deutschland", "BRD", "Allemagne",
        "Alemania",
        "Germania", "Niemcy", "Tyskland", "德国", "德國", "ドイツ", "독일", "Германия", "DE", "de", "DEU",
        "276", "🇩🇪", "GER", "ประเทศเยอรมนี",
        "Germany (DE)", "DE - Germany", "Germany DE", "DE Germany", "Federal Republic of Germany", "Berlin, Germany",
    ],
    "US": [
        "USA", "U.S.", "U. S. A.", "US", "usa", "United States", "the United States", "United States of America",
        "United States of America (USA)", "US - United States", "America", "Estados Unidos", "EE. UU.", "美国", "США",
        "Mỹ", "840", "🇺🇸", "États-Unis",
    ],
    "GB": [
        "UK", "U.K.", "Great Britain", "England", "Scotland", "Wales", "Northern Ireland", "United Kingdom", "GB",
        "Vereinigtes Königreich", "Royaume-Uni", "英国",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    ],
    "CN": ["China", "中国", "中华人民共和国", "PRC", "P.R. China", "Mainland China", "大陆", "中国大陆", "VR China"],
    "HK": ["Hong Kong", "Hong Kong SAR", "Hong Kong, China", "香港", "中国香港"],
    "TW": ["Taiwan", "Taiwan, Province of China", "台灣", "臺灣"],
    "KR": ["South Korea", "Korea (South)", "Korea, Republic of", "Republic of Korea", "한국", "韩国"],
    "TH": ["Thailand", "ไทย", "ประเทศไทย"],
    "NL": ["NED", "Holland", "the Netherlands", "Nederland", "Pays-Bas"],
    "CZ": ["Czech Republic", "Czechia", "Česko"],
    "CI": ["Ivory Coast", "Cote d'Ivoire", "Côte d’Ivoire", "Cote dIvoire"],
    "CD": ["DR Congo", "Congo, Democratic Republic of the", "Congo (Kinshasa)", "Zaire"],
    "AT": ["Österreich", "Oesterreich", "osterreich", "Áo"],
    "CA": ["CA", "Canada", "加拿大"],
    "NO": ["NO", "Norge"],
    "PR": ["Puerto Rico", "Puerto Rico, USA"],
    "US-CA": ["US-CA", "California"],
    "MM": ["Burma", "Myanmar (Burma)"],
    "SZ": ["Swaziland", "Eswatini"],
    "MK": ["Macedonia", "FYROM"],
}  # fmt: skip


@pytest.mark.parametrize(("place", "text"), [(place, text) for place, texts in SPELLINGS.items() for text in texts])
def test_a_country_is_read_in_many_spellings(place: str, text: str) -> None:
    assert from_country(text) == places(place)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Georgia", places("GE", "US-GA")),
        ("Korea", places("KP", "KR")),
        ("Congo", places("CD", "CG")),
        ("Atlanta, GA", places("GA", "US-GA")),  # Gabon's code and Georgia's
        ("Springfield, IL", places("IL", "US-IL")),
        ("DE-BE", places("BE", "DE")),  # Berlin, or two countries
        ("Germany / France", places("DE", "FR")),
        ("352", places("IS", "LU")),  # Iceland's number, Luxembourg's calling code
        ("Netherlands Antilles", places("BQ", "CW", "SX")),
        ("DACH", places("AT", "CH", "DE")),
        ("Georgia, USA", places("US-GA")),
    ],
)
def test_what_can_mean_several_places_means_all_of_them(text: str, meant: frozenset[str]) -> None:
    assert from_country(text) == meant


@pytest.mark.parametrize("text", ["", " ", "n/a", "N/A", "-", "unknown", "Unbekannt", "未知", "null", "(not set)"])
def test_words_that_fill_a_cell_and_say_nothing_are_no_evidence(text: str) -> None:
    assert from_country(text) == NOTHING


@pytest.mark.parametrize("text", ["Zubrowka", "Unied Saes", "NA", "Other", "Germany / Zubrowka", "Miss", "1", "false"])
def test_what_nobody_understands_is_not_guessed(text: str) -> None:
    assert from_country(text) is None


def test_every_country_of_the_sample_is_understood() -> None:
    """Five of 243 names can mean two places or three; none is unreadable."""
    sample = SHARED / "datablist-customers-10000.csv"
    if not sample.exists():
        pytest.skip("the shared sample data is not here")
    with sample.open(encoding="utf-8") as file:
        read = {row["Country"]: from_country(row["Country"]) for row in csv.DictReader(file)}
    ambiguous = {name for name, found in read.items() if found and len(found) > 1}
    assert [name for name, found in read.items() if not found] == []
    assert ambiguous == places("Congo", "Georgia", "Korea", "Netherlands Antilles", "Saint Martin")


# ---------------------------------------------------------------- state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("California", "US-CA"), ("CA", "US-CA"), ("ca", "US-CA"), ("Calif.", "US-CA"), ("加利福尼亚州", "US-CA"),
        ("N.Y.", "US-NY"), ("Texas (TX)", "US-TX"), ("TX - Texas", "US-TX"), ("State of Texas", "US-TX"),
        ("US-TX", "US-TX"), ("Washington, D.C.", "US-DC"), ("Washington", "US-WA"), ("Mass.", "US-MA"),
        ("Puerto Rico", "PR"), ("PR", "PR"), ("Guam", "GU"), ("DE", "US-DE"),
    ],
)  # fmt: skip
def test_a_state_of_the_united_states_is_read_beside_its_country(text: str, state: str) -> None:
    assert from_state(text, US) == places(state)


@pytest.mark.parametrize("text", ["CA", "DE", "WA", "on"])
def test_a_bare_code_means_nothing_without_a_country(text: str) -> None:
    assert from_state(text, NOTHING) is None
    assert from_state(text, None) is None


def test_the_same_letters_are_no_american_state_in_another_country() -> None:
    assert from_state("CA", places("CA")) is None
    assert combine(places("CA"), from_state("CA", places("CA")), NOTHING, NOTHING).text == "CA"


@pytest.mark.parametrize(
    ("text", "country"),
    [("Bavaria", "DE"), ("Bayern", "DE"), ("广东", "CN"), ("湖南省", "CN"), ("Hunan Province", "CN"),
    ("Ontario", "CA"),
     ("Île-de-France", "FR"), ("England", "GB"), ("Montana", "US-MT"), ("Georgia", "US-GA")],
)  # fmt: skip
def test_the_name_of_a_region_tells_its_country(text: str, country: str) -> None:
    assert from_state(text, NOTHING) == places(country)


def test_a_region_that_several_countries_have_is_that_of_the_country_named() -> None:
    assert from_state("Punjab", NOTHING) == places("IN", "PK")
    assert from_state("Punjab", places("IN")) == places("IN")
    assert from_state("Montana", places("BG")) == places("BG")
    assert from_state("GA", places("GE", "US-GA")) == places("US-GA")


# ---------------------------------------------------------------- phone

PHONES = {
    "+49 30 123456": "DE", "0049 (0)30 123456": "DE", "011 49 30 12345678": "DE", "＋４９ 30 123456": "DE",
    "'+4930123456": "DE", "tel:+49-30-123456": "DE", "+49 30 1234567 ext. 12": "DE", "+1 212 555 0199": "US",
    "001-315-224-3556": "US", "+1 (212) 555-0199x12": "US", "+1-416-555-0199": "CA", "+1 787 555 0199": "PR",
    "+1 876 555 0199": "JM", "+44 20 7946 0018": "GB", "+44 1534 123456": "JE", "+44 7911 123456": "GG",
    "+44 7700 900123": "GB", "+7 701 1234567": "KZ", "+7 495 1234567": "RU", "+86 138 0000 0000": "CN",
    "+852 2123 4567": "HK", "+599 9 461 1111": "CW", "+49301234567, +33123456789": "DE|FR",
    "+49 170 1234567 or +43 660 1234567": "AT|DE",
}  # fmt: skip
NO_PHONES = [
    "(212) 555-0199", "030 123456", "011 4345678", "0113 496 0000", "043-797-5229", "915.112.1727",
    "001-184-153-9683x1497", "+1-232-090-7002x568", "+1 800 555 0199", "4.91702E+11", "", "call me", "+49",
    "0011 49 30 1",
    "1-800-FLOWERS", "8352752061", "+1 212 155 0199", "+1 212 555 01", "+999 1234567",
]  # fmt: skip


@pytest.mark.parametrize(("text", "home"), PHONES.items())
def test_a_number_with_a_calling_code_tells_its_country(text: str, home: str) -> None:
    assert from_phone(text) == places(*home.split("|"))


@pytest.mark.parametrize("text", NO_PHONES)
def test_a_number_without_a_valid_calling_code_tells_nothing(text: str) -> None:
    assert from_phone(text) is None


@pytest.mark.parametrize("text", [*PHONES, *NO_PHONES])
def test_shortening_a_number_for_a_database_changes_nothing_it_tells(text: str) -> None:
    short = text
    for pattern, replacement in PHONE_SHORTENINGS:
        short = re.sub(pattern, replacement, short)
    assert from_phone(short) == from_phone(text)


# ---------------------------------------------------------------- domain


@pytest.mark.parametrize(
    ("text", "home"),
    [("anna@firma.de", "DE"), ("a@b.co.uk", "GB"), ("a@b.рф", "RU"), ("a@b.xn--p1ai", "RU"), ("<a@b.fr>", "FR"),
     ("a@b.de; c@d.fr", "DE|FR"), ("b.de", "DE"), ("a@agency.gov", "US")],
)  # fmt: skip
def test_the_end_of_a_domain_suggests_a_country(text: str, home: str) -> None:
    assert from_domain(text) == places(*home.split("|"))


@pytest.mark.parametrize(
    "text", ["a@b.com", "a@b.io", "a@b.ai", "a@b.co", "a@b.tv", "a@b.me", "a@b.eu", "anna", "", "a@"]
)
def test_a_domain_sold_to_everybody_suggests_nothing(text: str) -> None:
    assert from_domain(text) is None


# ---------------------------------------------------------------- the home


def test_evidence_that_agrees_is_one_home() -> None:
    assert combine(DE, NOTHING, DE, DE) == Home(places=DE)
    assert combine(US, places("US-CA"), US, None).text == "US-CA"


def test_a_phone_alone_establishes_a_home_and_a_domain_alone_does_not() -> None:
    assert combine(NOTHING, NOTHING, DE, None) == Home(places=DE)
    assert combine(NOTHING, NOTHING, None, DE) == Home(hint="DE")


def test_conflicting_evidence_keeps_every_place() -> None:
    assert combine(DE, NOTHING, FR, None) == Home(places=DE | FR, conflict=True)
    assert combine(DE, NOTHING, None, FR) == Home(places=DE | FR, conflict=True)
    assert combine(places("CA"), places("US-CA"), None, None).text == "CA|US-CA"


def test_after_a_conflict_nothing_narrows_the_home_again() -> None:
    assert combine(DE, NOTHING, FR, DE) == Home(places=DE | FR, conflict=True)
    assert combine(DE, FR, DE, None) == Home(places=DE | FR, conflict=True)


def test_a_domain_never_narrows_a_home() -> None:
    assert combine(places("CD", "CG"), NOTHING, None, places("CD")).text == "CD|CG"


def test_a_country_that_nobody_understands_leaves_the_home_unknown() -> None:
    """Unknown is never yes: the phone cannot make certain what the country may contradict."""
    assert combine(None, NOTHING, DE, DE) == Home()
    assert combine(NOTHING, None, DE, None) == Home()
    assert combine(DE, None, NOTHING, None).text == "DE"


def test_a_phone_or_a_state_tells_the_two_georgias_apart() -> None:
    georgia = places("GE", "US-GA")
    assert combine(georgia, NOTHING, None, None) == Home(places=georgia)
    assert combine(georgia, NOTHING, US, None).text == "US-GA"
    assert combine(georgia, NOTHING, places("GE"), None).text == "GE"
    assert combine(georgia, places("US-GA"), None, None).text == "US-GA"


def test_a_territory_as_a_state_is_that_territory_and_as_a_phone_is_a_conflict() -> None:
    assert combine(US, places("PR"), None, None) == Home(places=places("PR"))
    assert combine(US, NOTHING, places("PR"), None) == Home(places=places("PR", "US"), conflict=True)


def test_a_code_beside_a_name_explains_it_and_another_address_does_not() -> None:
    assert same_place([None, US]) == US
    assert find([Address(countries=["Unied Saes", "US"], states=["CA"])]).text == "US-CA"
    assert find([Address(countries=["Zubrowka"]), Address(countries=["US"])]) == Home()


def test_two_addresses_in_two_countries_are_a_conflict() -> None:
    assert find([Address(countries=["Germany"]), Address(countries=["France"])]) == Home(places=DE | FR, conflict=True)


def test_a_resident_of_the_union_in_germany_lives_in_germany_and_in_america_lives_anywhere_of_both() -> None:
    union = from_country("European Union")
    assert union is not None
    assert settle([DE, union], [], [], []) == Home(places=DE)
    assert settle([US, union], [], [], []) == Home(places=US | union, conflict=True)


def test_the_cells_of_one_person_find_the_home() -> None:
    assert find([Address(countries=[""], states=["CA"])], ["+1 212 555 0199"], ["a@b.com"]).text == "US-CA"
    assert find([], [], ["anna@firma.de"]) == Home(hint="DE")
    assert find([], ["030 123456"], []) == Home()
    assert find([Address(countries=["Germany"])], ["+33 1 23 45 67 89"], ["a@b.de"]).text == "DE|FR"
    assert find([Address(countries=["Germany"])], weak=["France"]).conflict
