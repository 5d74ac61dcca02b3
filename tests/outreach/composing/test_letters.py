"""One person's e-mail: what stands in it, what stands in its headers, and what never does."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from comity.outreach.composing.content import NothingKnown, Wording, problems
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Told, mail_address
from comity.outreach.composing.ways import Unmet
from tests.outreach.composing.parts import ACME, LINKS, MIRA, REF, page_of, sent, text_of, wanted, written

NAUGHTY = Path(__file__).resolve().parents[4] / "shared" / "data" / "naughty-strings.json"


# ---------------------------------------------------------------- headers


def test_a_message_has_the_headers_by_which_programs_refuse_for_their_people() -> None:
    message = sent(wanted("unsubscribe", live_days=30))
    assert (
        message["List-Unsubscribe"] == "<https://acme.example/u/2f9c>, <mailto:stop@acme.example?subject=stop%202f9c>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Precedence"] == "bulk"
    assert (message["From"], message["To"]) == ("Acme GmbH <news@acme.example>", "mira@example.org")
    assert message["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"


def test_a_long_link_to_unsubscribe_is_sent_as_it_is() -> None:
    link = "https://acme.example/u/" + "x" * 700
    wire = sent(links=replace(LINKS, unsubscribe=link)).as_bytes()
    assert f"List-Unsubscribe: <{link}>,\r\n <mailto:".encode() in wire
    assert b"=?utf-8?" not in wire


def test_the_message_id_is_of_our_domain_and_tells_nothing_of_the_person() -> None:
    message = sent(sender=replace(ACME, message_domain="mail.acme.example"))
    assert re.fullmatch(r"<[0-9a-z]{26}@mail\.acme\.example>", message["Message-ID"])
    assert "mira" not in message["Message-ID"]


def test_the_same_message_is_the_same_bytes() -> None:
    assert sent().as_bytes() == sent().as_bytes()
    assert REF.hex in str(sent().get_boundary())


def test_the_name_beside_the_address_stands_there_only_if_the_caller_says_so() -> None:
    assert sent()["To"] == "mira@example.org"
    assert (
        sent(recipient=replace(MIRA, called='Mira "Mi" Roth, née X'))["To"].addresses[0].display_name
        == 'Mira "Mi" Roth, née X'
    )


def test_what_a_program_sends_by_itself_says_so_and_what_somebody_wrote_says_nothing() -> None:
    automatic, personal = sent(sort="automatic"), sent(sort="personal", links=Links())
    assert automatic["Auto-Submitted"] == "auto-generated"
    assert [personal[name] for name in ("Auto-Submitted", "Precedence", "List-Unsubscribe")] == [None, None, None]


def test_an_answer_says_what_it_answers() -> None:
    message = sent(sort="personal", answers="<1@example.org>")
    assert message["In-Reply-To"] == message["References"] == "<1@example.org>"
    with pytest.raises(BadAddress):
        sent(answers="<1@example.org>\r\nBcc: x@example.org")


def test_the_hour_has_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sent(at=datetime(2026, 11, 22, 12))  # noqa: DTZ001 (that is the point)


def test_on_the_wire_a_message_is_ascii_in_short_lines_with_crlf() -> None:
    wire = sent(content=written("茶 " * 500, "秋天的茶"), recipient=replace(MIRA, language="zh")).as_bytes()
    assert wire.isascii()
    assert max(map(len, wire.split(b"\r\n"))) <= 78
    assert b"\n" not in wire.replace(b"\r\n", b"")
    read = message_from_bytes(wire, policy=policy.default)
    assert read["Subject"] == "秋天的茶"
    assert read.get_content_type() == "multipart/alternative"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "mira",
        "mira@",
        "@example.org",
        "mira@example.org\r\nBcc: x@example.org",
        "mira@example..org",
        "a b@example.org",
        "mira@exa mple.org",
        "mira@example.org,x@example.org",
        "<mira@example.org>",
        "mira@[127.0.0.1]",
        ".mira@example.org",
        "mi..ra@example.org",
        "müra@example.org",
        "mira@" + "x" * 300 + ".org",
        "mira@-x.org",
        "x" * 65 + "@example.org",
        "mira@example.org\0",
    ],
)
def test_what_is_no_address_gets_nothing(address: str) -> None:
    with pytest.raises(BadAddress) as refusal:
        sent(recipient=Recipient(address=address))
    assert "mira" not in str(refusal.value)


def test_a_domain_in_other_letters_is_written_in_those_that_every_relay_takes() -> None:
    assert mail_address("mira@bücher.example").addr_spec == "mira@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "link",
    [
        "http://acme.example/u",
        "javascript:x",
        "https://a.example/u>\r\nBcc: x",
        "https://a.example/a b",
        "https://a.example/,x",
    ],
)
def test_a_link_of_ours_is_a_plain_https_address(link: str) -> None:
    with pytest.raises(BadAddress):
        Links(unsubscribe=link)


# ---------------------------------------------------------------- naughty strings


class Seen(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _ in attrs)))


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the shared strings are not beside this checkout")
def test_naughty_names_change_no_header_and_no_element() -> None:
    strings = json.loads(NAUGHTY.read_text("utf-8"))
    assert len(strings) > 400
    content = written("Hello {given|there}, from {organisation|you}: [stop]({unsubscribe})", "For {given|you}")
    usual = sent(content=content, recipient=replace(MIRA, called="Mira"))
    for string in strings:
        values = {"given": string, "organisation": string}
        message = sent(content=content, recipient=replace(MIRA, values=values, called=string))
        read = message_from_bytes(message.as_bytes(), policy=policy.default)
        assert read.keys() == usual.keys(), string
        assert [one.addr_spec for one in read["To"].addresses] == ["mira@example.org"], string
        assert read["Subject"].startswith("For "), string
        assert Seen(page_of(message)).elements == Seen(page_of(usual)).elements, string


@pytest.mark.skipif(not NAUGHTY.exists(), reason="the shared strings are not beside this checkout")
def test_naughty_subjects_are_refused_or_sent_as_one_line() -> None:
    usual = sent().keys()
    for string in json.loads(NAUGHTY.read_text("utf-8")):
        content = written(subject=string)
        if any(one.level == "error" for one in problems(content)):
            continue
        read = message_from_bytes(sent(content=content).as_bytes(), policy=policy.default)
        assert read.keys() == usual, string
        assert len(str(read["Subject"]).splitlines()) == 1, string


# ---------------------------------------------------------------- what the law wants


def test_nothing_is_loaded_and_nothing_tells_that_it_was_opened() -> None:
    everything = [wanted(kind) for kind in ("unsubscribe", "ad-label", "origin-notice", "right-to-object-notice")]
    page = page_of(sent(*everything, content=written("x", "y")))
    assert not re.search(r"<(img|script|link|iframe|object|video|audio|svg|form|input)\b|src=|url\(|@import", page)


def test_the_way_out_is_in_plain_sight_in_both_forms() -> None:
    message = sent(wanted("unsubscribe"))
    for shown in (text_of(message), page_of(message)):
        assert "Unsubscribe" in shown
        assert LINKS.unsubscribe in shown
        assert "stop@acme.example" in shown


def test_a_link_that_ends_before_the_law_lets_it_is_no_way_out() -> None:
    assert sent(wanted("unsubscribe", live_days=30), links=replace(LINKS, works_for_days=30))
    with pytest.raises(Unmet, match="29 days"):
        sent(wanted("unsubscribe", live_days=30), links=replace(LINKS, works_for_days=29))


def test_who_we_are_and_where_is_said() -> None:
    shown = text_of(sent(wanted("sender-identity"), wanted("postal-address")))
    assert "Sent by Acme GmbH, Musterstraße 1, 10115 Berlin." in shown
    assert "hallo@acme.example, +49 30 1234567" in shown
    assert shown.count("Musterstraße") == 1


def test_the_right_to_object_stands_apart_under_a_heading_in_the_readers_language() -> None:
    message = sent(wanted("right-to-object-notice"), recipient=replace(MIRA, language="fr-CA"))
    assert "VOTRE DROIT D’OPPOSITION" in text_of(message)
    assert re.search(r"<section[^>]*border:[^>]*><strong>Votre droit d’opposition</strong>", page_of(message))
    assert LINKS.unsubscribe in text_of(message)


def test_from_whom_we_have_somebody_is_said_with_what_we_hold() -> None:
    shown = text_of(sent(wanted("origin-notice")))
    assert "Katalog AG" in shown
    assert "name, e-mail address" in shown
    assert LINKS.privacy in shown


@pytest.mark.parametrize(
    ("language", "subject", "shows"),
    [
        ("zh", "秋茶", "广告 秋茶"),
        ("zh-Hant", "秋茶", "广告 秋茶"),
        ("en", "Autumn", "AD: Autumn"),
        ("en", "Ad: Autumn", "Ad: Autumn"),
        ("zh", "AD秋茶", "AD秋茶"),
        ("en", "Adventures", "AD: Adventures"),
        ("en", "广告 Autumn", "广告 Autumn"),
    ],
)
def test_a_subject_begins_with_the_mark_that_the_law_names(language: str, subject: str, shows: str) -> None:
    message = sent(
        wanted("ad-label", subject_prefix=("广告", "AD")),
        content=written("x", subject),
        recipient=replace(MIRA, language=language),
    )
    assert message["Subject"] == shows


def test_advertising_says_at_its_head_that_it_is() -> None:
    assert text_of(sent(wanted("ad-label"))).startswith("Advertising by Acme GmbH\n")


def test_a_subject_that_pretends_to_answer_is_not_sent() -> None:
    content = written(subject="Re: your order")
    with pytest.raises(Unmet, match="answers nothing"):
        sent(wanted("truthful-subject"), content=content)
    assert sent(wanted("truthful-subject"), content=content, answers="<1@example.org>")


def test_the_rest_is_said_too() -> None:
    kinds = ("transfer-notice", "opt-out-link", "ai-disclosure", "withdrawal-told", "plain-option", "explain-logic")
    shown = text_of(sent(*map(wanted, kinds), wanted("fixed-sentence", sentences=("NOTICE: We may sell.",))))
    for words in (
        "Relay Inc.",
        LINKS.opt_out,
        "made by a machine",
        "withdraw your consent",
        "A program chose",
        "by what you bought",
        "NOTICE: We may sell.",
    ):
        assert words in shown


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("unsubscribe", {"links": Links()}),
        ("postal-address", {"sender": replace(ACME, postal_address=())}),
        ("origin-notice", {"told": Told()}),
        ("origin-notice", {"links": Links()}),
        ("transfer-notice", {"told": Told()}),
        ("opt-out-link", {"links": Links()}),
        ("withdrawal-told", {"links": Links()}),
        ("explain-logic", {"told": Told()}),
        ("plain-option", {"links": Links()}),
        ("fixed-sentence", {}),
        ("call-disclosure", {}),
    ],
)
def test_what_the_law_wants_and_we_cannot_say_is_not_sent(kind: str, more: dict[str, Any]) -> None:
    with pytest.raises(Unmet, match=f"{kind}, wanted by xx-law/{kind}"):
        sent(wanted(kind), **more)


def test_who_reads_a_language_that_we_have_no_sentences_in_gets_english_and_our_own() -> None:
    shown = text_of(sent(wanted("ad-label"), recipient=replace(MIRA, language="cs")))
    assert shown.startswith("Advertising by Acme GmbH / Werbung von Acme GmbH\n")


def test_names_of_ours_are_text_in_every_passage() -> None:
    sender = replace(ACME, entity="Acme {contacts} <b>")
    assert "Advertising by Acme {contacts} <b>" in text_of(sent(wanted("ad-label"), sender=sender))


def test_the_content_is_in_the_readers_language_and_so_are_the_passages() -> None:
    content = written(de=Wording(subject="Herbst", body="Hallo {given|}!"))
    message = sent(wanted("unsubscribe"), content=content, recipient=replace(MIRA, language="de-CH"))
    assert message["Subject"] == "Herbst"
    assert "Hallo Mira!" in text_of(message)
    assert "Abmelden" in text_of(message)


def test_a_name_never_becomes_an_address_however_long_it_is() -> None:
    name = '"a", <everybody@example.com>, ' + "x " * 60
    wire = sent(recipient=replace(MIRA, called=name)).as_bytes()
    read = message_from_bytes(wire, policy=policy.default)
    assert [one.addr_spec for one in read["To"].addresses] == ["mira@example.org"]
    assert b"everybody@" not in wire.partition(b"\r\n\r\n")[0]
    assert max(map(len, wire.split(b"\r\n"))) <= 78


def test_a_subject_of_nothing_but_what_is_not_known_is_not_sent() -> None:
    with pytest.raises(NothingKnown, match="subject is empty"):
        sent(content=written(subject="{organisation|}"))


def test_an_address_that_takes_refusals_is_written_as_links_have_it() -> None:
    header = str(sent(links=replace(LINKS, unsubscribe_mail="stop+a%b&c@acme.example"))["List-Unsubscribe"])
    assert "<mailto:stop+a%25b%26c@acme.example?subject=" in header
