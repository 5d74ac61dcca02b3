"""What GPP strings mean in the words of the law's vocabulary, and back.

What each field and number says: Sections/ of github.com/InteractiveAdvertisingBureau/Global-Privacy-Platform.
"""

from __future__ import annotations

import pytest

from comity.consent.records.gpp import BadString, layouts, read, section_of, write
from comity.consent.records.gpp_meaning import Meant, Stands, data_facts, meaning_of, section_for
from comity.law.vocabulary import Vocabulary
from comity.staff.facts import vocabulary as shared

US = sorted(name for name, layout in layouts().items() if layout.place.startswith("US"))


def meant(text: str) -> dict[str, Meant]:
    return {each.about: each for each in meaning_of(read(text))}


@pytest.mark.parametrize(
    ("text", "noes"),
    [
        ("DBABT~1YYN", {"sale"}),
        ("DBABT~1YNN", set()),
        ("DBABT~1---", set()),
        ("DBABBg~BUUAAACA.Q", {"sale", "sharing"}),
        ("DBABBg~BUoAAACA.Q", set()),
        ("DBABBg~BAAAAACA.Y", {"signal"}),
        ("DBABRg~BFUAACA", {"sale", "targeted-advertising"}),
    ],
)
def test_who_opted_out_of_what(text: str, noes: set[str]) -> None:
    assert {each.about for each in meaning_of(read(text)) if each.is_no} == noes


def test_each_no_is_about_a_use_of_the_vocabulary_at_the_place_of_its_section() -> None:
    said = meant("DBABBg~BUUAAACA.Y")
    assert said["sale"] == Meant(
        place="US-CA", about="sale", use={"use.operation": "sell"}, facts={"consent.opted_out": True}
    )
    assert said["sharing"].use == {"use.operation": "share", "use.purpose": "targeted-advertising"}
    assert said["signal"].facts == {"person.opt_out_signal": True}


def test_sensitive_data_is_refused_agreed_to_or_opted_out_of_as_the_place_has_it() -> None:
    national = meaning_of(read("DBABL~BVVVkkkkkpFY.YA"))
    belief, biometric = (next(each for each in national if each.about == kind) for kind in ("belief", "biometric"))
    assert belief.facts == {"consent.given": False}
    assert belief.is_no
    assert biometric.use == {"data.special": True, "data.biometric": True}
    assert biometric.facts == {"consent.given": True}
    (section,) = read(write([section_for("usca", Stands(opted_out=False, signal=False, told=True))]))
    californian = {**section.values, "SensitiveDataProcessing": (0, 1, 2, 0, 0, 0, 0, 0, 0)}
    facts = {each.about: each.facts for each in meaning_of([section_of("usca", californian)])}
    assert facts["financial-account"] == {"consent.opted_out": True}
    assert facts["location"] == {"consent.opted_out": False}


def test_a_known_child_is_of_the_age_the_section_says_and_a_parent_speaks_for_the_youngest() -> None:
    children = [each.facts for each in meaning_of(read("DBABL~BVVVkkkkkpFY.YA")) if each.about == "child"]
    assert children == [
        {"person.known_age": {"min": 13, "max": 16}, "consent.given": True},
        {"person.known_age": {"min": 0, "max": 12}, "consent.given": False, "consent.parental": False},
    ]


def test_no_gpc_and_nothing_asked_mean_nothing() -> None:
    assert meaning_of(read("DBABBg~BAAAAACA.Q")) == []


def test_what_cannot_be_read_means_nothing() -> None:
    assert meaning_of(read("DBABBg~DUUAAACA.Y")) == []


def test_a_sections_positions_are_as_many_as_its_bits_and_every_kind_has_its_facts(vocabulary: Vocabulary) -> None:
    for layout in layouts().values():
        for version, fields in layout.cores.items():
            many = {each.name: max(each.many, 1) for each in fields}
            if "SensitiveDataProcessing" in many:
                assert len(layout.kinds[version]) == many["SensitiveDataProcessing"], layout.name
                assert len(layout.children[version]) == many["KnownChildSensitiveDataConsents"], layout.name
                assert set(layout.kinds[version]) <= data_facts().keys()
    known = {fact for facts in data_facts().values() for fact in facts}
    assert known <= vocabulary.facts.keys()


def test_what_is_meant_can_be_asked_of_the_law(vocabulary: Vocabulary) -> None:
    for each in meaning_of(read("DBABL~BVVVkkkkkpFY.YA")):
        vocabulary.read({**each.use, **each.facts})


@pytest.fixture
def vocabulary() -> Vocabulary:
    return shared()


# ---------------------------------------------------------------- the other way


@pytest.mark.parametrize("name", US)
def test_whoever_opted_out_is_said_to_have_in_every_section_that_can_say_so(name: str) -> None:
    section = section_for(name, Stands(opted_out=True, signal=True, told=True))
    (again,) = read(write([section]))
    said = meaning_of([again])
    assert {each.about for each in said if each.is_no} >= {"sale"}
    assert all(each.is_no for each in said)
    assert ("Gpc" in again.values) == layouts()[name].signals


@pytest.mark.parametrize("name", US)
def test_nobody_who_was_not_told_of_the_choice_is_said_not_to_have_opted_out(name: str) -> None:
    assert meaning_of([section_for(name, Stands(opted_out=False, signal=False, told=False))]) == []
    said = meaning_of([section_for(name, Stands(opted_out=False, signal=False, told=True))])
    assert {each.facts["consent.opted_out"] for each in said} == {False}


@pytest.mark.parametrize("name", US)
def test_the_signal_by_itself_is_a_no(name: str) -> None:
    said = meaning_of([section_for(name, Stands(opted_out=False, signal=True, told=True))])
    assert any(each.is_no and each.about == "sale" for each in said)


def test_a_section_that_says_nothing_of_opting_out_is_refused() -> None:
    with pytest.raises(BadString, match="tcfeuv2"):
        section_for("tcfeuv2", Stands(opted_out=True, signal=False, told=True))
