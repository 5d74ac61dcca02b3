"""GPP strings, read and written as IAB's specification and its own library write them.

Examples of the specification: github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform, Core/Consent String
Specification.md (version 1.0 with the clarifications of November 2023), at commit fc26568. Examples of the library:
modules/cmpapi/test of IABTechLab/iabgpp-es; gpp_strings.json is what @iabgpp/cmpapi 3.2.0 made of chosen values.
"""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from comity.consent.records.bits import Bits, fibonacci, letters, offsets, spans, spans_of
from comity.consent.records.gpp import BadString, Section, Value, layouts, read, read_section, section_of, write

WRITTEN_BY_IAB = json.loads(Path(__file__).with_name("gpp_strings.json").read_text("utf-8"))
TCF = "CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"
EVERY_SECTION = (
    "DBACOdM~CPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~BPSG_8APSG_8AAAAAAENAACAAAAAAAAAAAAAAAAAAA"
    ".YAAAAAAAAAA~1---~BAAAAAAAAABA.QA~BAAAAABA.QA~BAAAABA~BAAAAEA.QA~BAAAAAQA~BAAAAAEA.QA~BAAAAABA~BAAAAABA.QA"
    "~BAAAAAABAA.QA~BAAAAAQA.QA~BAAAAAABAA.QA~BAAAAAQA.QA~BAAAAAQA.QA~BAAAAABA.QA~BAAAAAAAQA.QA~BAAAAAQA.QA"
)
"""The defaults of the library at 3.1, with US national in the layout of version 2 under the number of version 1."""


def plain(value: Value) -> object:
    """Return a value as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


# ---------------------------------------------------------------- the specification's examples


@pytest.mark.parametrize(
    ("number", "code"),
    [(1, "11"), (2, "011"), (3, "0011"), (4, "1011"), (5, "00011"), (6, "10011"), (7, "01011")],
)
def test_numbers_in_fibonacci_coding_are_those_of_the_specifications_table(number: int, code: str) -> None:
    assert fibonacci(number) == code
    assert Bits(letters(code), "here").fibonacci() == number


@pytest.mark.parametrize(
    ("ids", "header", "text"),
    [
        ([2], "DBABM", f"DBABM~{TCF}"),
        ([2, 6], "DBACNY", f"DBACNY~{TCF}~1YNN"),
        ([5, 6], "DBABjw", f"DBABjw~{TCF}~1YNN"),
    ],
)
def test_headers_and_strings_are_those_of_the_specification(ids: list[int], header: str, text: str) -> None:
    sections = read(text)
    assert [each.id for each in sections] == ids
    assert write(sections) == text
    assert text.startswith(f"{header}~")


def test_ranges_are_those_of_the_specifications_table() -> None:
    assert offsets([3, 5, 6, 7, 8]) == "000000000010" + "0" + "0011" + "1" + "011" + "0011"
    written = "000000000010" + "0" + "0000000000000011" + "1" + "0000000000000101" + "0000000000001000"
    assert spans(spans_of([3, 5, 6, 7, 8])) == written
    assert Bits(letters(written), "here").spans() == ((3, 3), (5, 8))


# ---------------------------------------------------------------- the library's strings


@pytest.mark.parametrize("example", WRITTEN_BY_IAB, ids=lambda example: str(example["section"]))
def test_what_iabs_library_wrote_says_here_what_it_said_there(example: dict[str, Any]) -> None:
    (section,) = read(example["string"])
    assert section.name == example["section"]
    assert {name: plain(value) for name, value in section.values.items()} == example["says"]
    again = section_of(section.name, section.values, version=section.version)
    assert again.values == section.values
    padded = zip(again.text.split("."), section.text.split("."), strict=True)
    assert all(theirs.rstrip("A") == ours.rstrip("A") for ours, theirs in padded)


def test_every_section_that_can_be_read_is_among_the_librarys_strings() -> None:
    assert {example["section"] for example in WRITTEN_BY_IAB} == set(layouts())


def test_a_string_with_every_section_is_read_and_written_letter_by_letter() -> None:
    sections = read(EVERY_SECTION)
    assert [each.id for each in sections] == [2, *range(5, 23)]
    assert [each.id for each in sections if each.unread] == [5]
    assert write(sections) == EVERY_SECTION


def test_us_national_of_older_libraries_is_told_from_version_1_by_its_bits() -> None:
    (wide,) = read("DBABL~BVVVkkkkkpFY.YA")
    assert wide.values["SensitiveDataProcessing"] == (2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2, 1, 0, 2)
    assert wide.values["KnownChildSensitiveDataConsents"] == (2, 1, 0)
    assert (wide.values["MspaServiceProviderMode"], wide.values["Gpc"]) == (2, True)
    (narrow,) = read("DBABL~BVQqAAAACg")
    assert narrow.values["SensitiveDataProcessing"] == (0,) * 12
    assert narrow.values["MspaCoveredTransaction"] == 2


def test_tcf_vendors_are_read_from_bits_and_from_ranges() -> None:
    text = (
        "CPcqBNJPcqBNJNwAAAENAwCAAAAAAAAAAAAAAAAAAAAA.YAAAAAAAAAA.QGLtV_T9fb2vj-_Z99_tkeYwf95y3p-wzhheMs-8NyZeH_B4Wv2MyvBX"
        "4JiQKGRgksjLBAQdtHGlcTQgBwIlViTLMYk2MjzNKJrJEilsbO2dYGD9Pn8HT3ZCY70-vv__7v3ff_3g.IGLtV_T9fb2vj-_Z99_tkeYwf95y3p-wz"
        "hheMs-8NyZeH_B4Wv2MyvBX4JiQKGRgksjLBAQdtHGlcTQgBwIlViTLMYk2MjzNKJrJEilsbO2dYGD9Pn8HT3ZCY70-vv__7v3ff_3g"
    )
    values = read_section(2, text).values
    assert (values["CmpId"], values["VendorListVersion"], values["ConsentLanguage"]) == (880, 48, "EN")
    for name in ("VendorsAllowed", "VendorsDisclosed"):
        ids = values[name]
        assert isinstance(ids, tuple)
        assert (len(ids), ids[:5], ids[-3:]) == (434, (1, 2, 4, 6, 8), (789, 790, 791))


# ---------------------------------------------------------------- what is wrong, or not known


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the string is empty"),
        ("invalid gpp string", "header, letter 8: ' '"),
        ("z", "header, letter 1: it is of type 51"),
        (TCF, "a TCF string by itself"),
        ("DCAA", "header, letter 2: version 2 of GPP"),
        ("DB", "header, letter 3: it ends here"),
        ("DBAB", "was it cut off?"),
        ("DBABA", "a number in Fibonacci coding should stand here"),
        ("DBABM", "names 1 sections (2), and 0 follow"),
        (f"DBABM~{TCF}~1YNN", "names 1 sections (2), and 2 follow"),
        ("DBABM~", "section 2 (tcfeuv2): it is empty"),
        ("DBABT~1YN", "has 3 letters; it has four"),
        ("DBABT~1YnN", "section 6 (uspv1), letter 3: 'n' is none of Y, N and -"),
        ("DBABBg~BUUAAACA.$", "section 8 (usca), sub-section 2, letter 1: '$'"),
        ("DBABBg~BUUAAA", "section 8 (usca), core, letter 7: it ends here"),
        ("DBABBg~BUUAAAAA", "MspaCoveredTransaction is 0, and must be 1 or 2"),
        ("DBABBg~BwUAAACA", "SaleOptOutNotice is 3, and must be 0 or 1 or 2"),
        ("DBABBg~BUUAAACAB", "version 1 of usca ends here, and bits are set after it"),
        ("DBABBg~BUUAAACA.Y.Q", "there is a sub-section of type 1 already"),
        ("DBABM~" + "A" * 70_000, "and 65,536 are the most"),
    ],
)
def test_a_bad_string_is_refused_with_where_and_why(text: str, why: str) -> None:
    with pytest.raises(BadString) as refused:
        read(text)
    assert why in str(refused.value)


def outcome(text: str) -> str:
    """Return what becomes of a string; anything but BadString is a fault."""
    try:
        read(text)
    except BadString:
        return "refused"
    return "read"


def test_whatever_comes_it_is_read_or_refused_and_nothing_else_happens() -> None:
    chance = random.Random(20261122)
    known = [example["string"] for example in WRITTEN_BY_IAB] + [EVERY_SECTION]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~ 1Y\0é"
    outcomes = set()
    for _ in range(3000):
        text = list(chance.choice(known))
        for _ in range(chance.randint(1, 4)):
            text[chance.randrange(len(text))] = chance.choice(alphabet)
        outcomes.add(outcome("".join(text)[: chance.randint(1, len(text))]))
    assert outcomes == {"read", "refused"}


def test_a_range_that_would_name_more_vendors_than_there_are_is_refused_before_it_is_spelt_out() -> None:
    (example,) = [each for each in WRITTEN_BY_IAB if each["section"] == "tcfeuv2"]
    (section,) = read(example["string"])
    every = ((1, 65_535), (1, 65_535))
    with pytest.raises(BadString, match="none stands twice"):
        section_of("tcfeuv2", {**section.values, "PublisherRestrictions": ((1, 0, every),)})


def test_an_unknown_section_or_version_is_kept_as_it_is() -> None:
    text = write([Section(id=30, text="Zzz.9"), read_section(8, "DUUAAACA.Y"), read_section(6, "2ABCDE"[:4])])
    sections = read(text)
    assert [(each.id, bool(each.unread)) for each in sections] == [(6, True), (8, True), (30, True)]
    assert sections[1].unread == "version 3 of usca is not known here"
    assert write(sections) == text


def test_an_unknown_sub_section_is_kept_and_the_core_is_read() -> None:
    (section,) = read("DBABBg~BUUAAACA.gAAA.Y")
    assert section.beyond == ("gAAA",)
    assert (section.values["SaleOptOut"], section.values["Gpc"]) == (1, True)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("usxx", {}, "there is no section 'usxx'"),
        ("uspv1", {"Notice": "Y"}, "OptOutSale is missing"),
        ("uspv1", {"Notice": "Y", "OptOutSale": "N", "LspaCovered": "N", "Gpc": True}, "it has no field Gpc"),
        ("usca", {"SaleOptOut": 1}, "SaleOptOutNotice is missing"),
    ],
)
def test_a_section_is_made_of_all_its_fields_and_no_other(name: str, values: dict[str, Value], why: str) -> None:
    with pytest.raises(BadString) as refused:
        section_of(name, values)
    assert why in str(refused.value)


def test_a_field_out_of_its_range_is_not_written() -> None:
    values = dict(read("DBABBg~BUUAAACA.Y")[0].values)
    wrongs: list[tuple[str, Value]] = [
        ("SaleOptOut", 3), ("MspaCoveredTransaction", 0), ("SensitiveDataProcessing", (0, 0)),
    ]  # fmt: skip
    for name, wrong in wrongs:
        with pytest.raises(BadString, match=name):
            section_of("usca", {**values, name: wrong})


def test_a_string_holds_each_section_once() -> None:
    with pytest.raises(BadString, match="each section once"):
        write([read_section(6, "1YNN"), read_section(6, "1YYN")])
