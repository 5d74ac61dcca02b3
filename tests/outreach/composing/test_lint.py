"""The content lint finds every official example, is silent on clean newsletters, and passes what we compose."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from comity.counsel.texts import look_through, text_book
from comity.law import SHIPPED, Lawbook, decide, fold, read_packs
from comity.law.obligations import Merged
from comity.law.text_cases import TextCase, read_text_cases, try_text_case
from comity.outreach.composing.content import Content, Form, Wording
from comity.outreach.composing.lint import Looked, Readers, look_over
from comity.outreach.composing.parties import Links
from comity.outreach.composing.passages import LANGUAGES
from tests.law.people import US
from tests.outreach.composing.parts import ACME, DAY, LINKS, wanted, written

NEWSLETTERS: Final = Path(__file__).with_name("newsletters")


def over(content: Content, *readers: Readers, **more: Any) -> Looked:  # noqa: ANN401 (what look_over takes)
    return look_over(content=content, readers=readers, **{"sender": ACME, "links": LINKS, "day": DAY, **more})


def of(*places: str, language: str = "en", obligations: tuple[Merged, ...] = ()) -> Readers:
    return Readers(places=frozenset(places), language=language, obligations=obligations, persons=1)


# ---------------------------------------------------------------- official examples


@cache
def official() -> frozenset[tuple[str, str]]:
    """Return the file and name of the cases that are official examples."""
    return frozenset(
        (path.relative_to(SHIPPED).as_posix(), case["name"])
        for path in SHIPPED.glob("*/texts/cases/*.toml")
        for case in tomllib.loads(path.read_text("utf-8"))["case"]
        if "official" in case
    )


def official_cases() -> list[TextCase]:
    return [case for case in read_text_cases(text_book()) if (case.file, case.name) in official()]


def test_every_official_example_of_the_packs_comes_out_as_its_source_says() -> None:
    cases = official_cases()
    assert len(cases) == len(official()) > 25
    assert [problem for case in cases for problem in try_text_case(text_book(), case)] == []


def test_every_official_example_of_what_is_wrong_is_found_by_the_door_of_the_application() -> None:
    """The same as above through counsel: all rules at once, those of other laws beside them."""
    wrong = [case for case in official_cases() if case.expect]
    assert len(wrong) > 12
    assert [case.name for case in wrong if not expected(case) <= found(case)] == []


def expected(case: TextCase) -> set[str]:
    return {f"{case.law}/{name}" for name in case.expect}


def found(case: TextCase) -> set[str]:
    return {one.rule.id for one in look_through(case.document, case.form, case.places, case.day).findings}


# ---------------------------------------------------------------- clean newsletters

READ_IN: Final = {
    "de-baeckerei.eml": "DE AT",
    "de-steuerbuero.txt": "DE AT",
    "en-accounting-software.html": "IE GB US NL SE FI",
    "en-garden-centre.eml": "GB IE",
    "en-museum.eml": "US",
    "es-hotel.eml": "ES",
    "fr-librairie.eml": "FR BE LU",
    "it-cantina.eml": "IT",
    "zh-logistics.eml": "CN",
    "zh-tea.eml": "CN",
}
"""Ten newsletters as firms send them, each with the places for whose law it was written."""


def test_there_are_ten_and_they_are_as_long_as_such_letters_are() -> None:
    assert sorted(path.name for path in NEWSLETTERS.iterdir()) == sorted(READ_IN)
    assert len(READ_IN) == 10
    lines = {name: len((NEWSLETTERS / name).read_text("utf-8").splitlines()) for name in READ_IN}
    assert {name: many for name, many in lines.items() if not 60 <= many <= 300} == {}


@pytest.mark.parametrize("name", READ_IN)
def test_a_clean_newsletter_is_looked_through_in_silence(name: str) -> None:
    looked = look_through((NEWSLETTERS / name).read_bytes(), "email", READ_IN[name].split(), DAY)
    assert looked.rules
    assert [(one.rule.id, one.line, one.words) for one in looked.findings] == []


@pytest.mark.parametrize("name", READ_IN)
def test_no_rule_of_any_place_finds_something_wrong_in_a_clean_newsletter(name: str) -> None:
    """What another law wants may be missing; what no law bans may not be found."""
    looked = look_through((NEWSLETTERS / name).read_bytes(), "email", ["EEA", "GB", "US", "CN"], DAY)
    assert [(one.rule.id, one.line, one.words) for one in looked.findings if not one.missing] == []


PIXEL: Final = '<img src="https://t.example/o" width="1" height="1"></body>'


@pytest.mark.parametrize(
    ("name", "from_", "to", "rule"),
    [
        ("en-museum.eml", "To unsubscribe,", "To unsubscribe, log in and", "us-canspam/opting-out-costs-nothing"),
        ("en-museum.eml", "1200 West Platte Avenue, Scottsbluff, NE 69361", "Platte", "us-canspam/postal-address"),
        ("en-garden-centre.eml", "No hurry:", "Hurry!", "us-ftc/no-false-haste"),
        ("fr-librairie.eml", "</body>", PIXEL, "fr-prospection/opening-not-tracked"),
        ("zh-tea.eml", "一、本期上新", "国家级好茶", "cn-advertising/absolute-words"),
        ("zh-tea.eml", "第一泡倒掉", "销量第一", "cn-advertising/words-like-best"),
        ("zh-logistics.eml", "Subject: AD ", "Subject: ", "cn-messages/mail-label"),
        ("de-steuerbuero.txt", "widersprechen", "entgegnen", "de-uwg/objection-told-each-time"),
        ("es-hotel.eml", "arse de baja", "ecir adiós", "es-lssi/refusal-in-each-message"),
        ("it-cantina.eml", "From: Cantina Tre Colli <info", "From: <info", "eu-eprivacy/sender-not-hidden"),
    ],
)
def test_a_newsletter_that_is_spoiled_is_found(name: str, from_: str, to: str, rule: str) -> None:
    whole = (NEWSLETTERS / name).read_text("utf-8")
    assert from_ in whole
    spoiled = (
        whole.replace(from_, to).replace("Per non ricevere", "Per").replace("P=\ner non ricevere pi=", "P=\ner pi=")
    )
    spoiled = spoiled.replace("P=\ner non ricevere pi&ugrave;", "Per")
    looked = look_through(spoiled.encode(), "email", [*READ_IN[name].split(), "US"], DAY)
    assert rule in {one.rule.id for one in looked.findings}


# ---------------------------------------------------------------- what we compose


WILLING: Final[dict[str, object]] = {
    "person.age": 40, "person.capacity": "consumer", "person.subscriber": "individual", "person.objected": False,
    "person.opt_out_signal": False, "person.on_register": False, "person.restricted": False, "person.deceased": False,
    "consent.given": True, "consent.given_on": date(2026, 10, 1), "consent.express": True, "consent.separate": True,
    "consent.written": True, "consent.wording_kept": True, "consent.source_kept": True, "consent.names_caller": True,
    "consent.withdrawn": False, "consent.opted_out": False, "relation.customer": True, "relation.source": "third-party",
}  # fmt: skip
HOMES: Final = "DE AT FR GB IT ES NL BE SE IE DK FI PT PL CN US-CA US-CO US-FL US-NY US-TX US-WA US-WY".split()


@pytest.fixture(scope="module")
def book() -> Lawbook:
    return read_packs()


def obligations(book: Lawbook, home: str, channel: str) -> tuple[Merged, ...]:
    """Return what must accompany advertising to somebody who agreed to it, and whom we have from somebody else."""
    use = {"use.operation": "contact", "use.purpose": "marketing", "use.channel": channel}
    plan = fold(book, book.vocabulary.read({**US, **use}), DAY)
    return decide(plan, book.vocabulary.read({**WILLING, "person.home": [home]})).finding.obligations


@pytest.mark.parametrize("form", ["email", "sms"])
@pytest.mark.parametrize("home", HOMES)
def test_a_plain_content_with_what_we_add_breaks_no_law_in_any_language(book: Lawbook, home: str, form: Form) -> None:
    accompany = obligations(book, home, form)
    assert len(accompany) > 3
    wordings = {code: Wording(subject="Tee 2026", body="Tee 2026.") for code in LANGUAGES}
    content = Content(language="en", form=form, wordings=wordings)
    readers = [of(home, language=code, obligations=accompany) for code in (*LANGUAGES, "cs")]
    looked = over(content, *readers)
    assert [(one.rule, one.words, one.languages) for one in looked.found] == []
    assert looked.not_made == ()
    assert looked.cleared(())


@pytest.mark.parametrize("form", ["call", "post"])
@pytest.mark.parametrize("home", HOMES)
def test_calls_and_letters_are_made_for_every_place(book: Lawbook, home: str, form: Form) -> None:
    looked = over(written(form=form), of(home, obligations=obligations(book, home, form)))
    assert [one.why for one in looked.not_made if "must begin with 400" not in one.why] == []
    assert not [one for one in looked.found if one.level == "error"]


# ---------------------------------------------------------------- what people see of it


def test_a_claim_that_a_law_bans_stops_the_campaign_and_says_where_and_by_which_article() -> None:
    content = written("国家级 tea", "Tea", zh=Wording(subject="茶", body="国家级好茶"))
    looked = over(
        content, of("CN", language="zh", obligations=(wanted("ad-label", subject_prefix=("广告",)),)), of("DE")
    )
    banned = [one for one in looked.found if one.rule == "cn-advertising/absolute-words"]
    assert banned[0].places == ("CN",)
    assert banned[0].cite.startswith("Advertising Law Art. 9(3)")
    assert banned[0].cure
    assert looked.blocked
    assert not looked.cleared([one.key for one in looked.found])


def test_what_wants_a_look_waits_for_a_tick_that_is_bound_to_its_words() -> None:
    reader = of("US-NY", obligations=tuple(map(wanted, ("unsubscribe", "postal-address", "ad-label"))))
    hurry = over(written("Hurry! Tea."), reader)
    (review,) = hurry.to_tick
    assert not hurry.blocked
    assert not hurry.cleared(())
    assert hurry.cleared([review.key])
    assert not over(written("Last chance! Tea."), reader).cleared([review.key])


def test_what_is_missing_is_told_once_for_all_readers_with_their_languages() -> None:
    looked = over(written(), of("DE", language="de"), of("FR", language="fr"), of("FR", language="de"))
    (missing,) = [one for one in looked.found if one.rule == "eu-eprivacy/way-to-refuse"]
    assert (missing.places, missing.languages, missing.missing) == (("DE", "FR"), ("de", "fr"), True)


def test_readers_for_whom_nothing_can_be_made_stop_the_campaign_and_it_is_said_why() -> None:
    looked = over(written(), of("DE", obligations=(wanted("unsubscribe"),)), links=Links())
    assert looked.blocked
    assert "no link to unsubscribe" in looked.not_made[0].why
    assert looked.not_made[0].persons == 1


def test_a_content_with_errors_is_not_looked_through() -> None:
    looked = over(written("{givn}"), of("DE"))
    assert looked.blocked
    assert looked.problems
    assert looked.found == ()


def test_places_without_text_rules_are_said() -> None:
    assert over(written(), of("BR"), of("DE")).bare == ("BR",)


def test_whoever_gets_the_same_message_is_looked_at_together_and_told_apart() -> None:
    accompany = (wanted("unsubscribe"), wanted("sender-identity"))
    content = written("Hurry! Tea.")
    readers = [of(place, language="en", obligations=accompany) for place in ("DE", "US-NY", "US-CA", "IE")]
    looked = over(content, *readers)
    hurry, objection = (
        [one for one in looked.found if one.rule == rule]
        for rule in ("us-ftc/no-false-haste", "eu-gdpr/right-to-object-shown")
    )
    assert [one.places for one in hurry] == [("US-CA", "US-NY")]
    assert [one.places for one in objection] == [("DE", "IE")]


def test_a_text_that_is_none_is_not_made() -> None:
    looked = over(written("%PDF-1.7 looks like a file", form="sms"), of("DE"), sender=replace(ACME, mark="", entity=""))
    assert looked.blocked
    assert looked.not_made
