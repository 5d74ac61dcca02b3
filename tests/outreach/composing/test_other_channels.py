"""Text messages, calls and letters by post: the same content and law, with what each of them has room for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from comity.law.obligations import Merged
from comity.outreach.composing.content import prepare
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, Told
from comity.outreach.composing.scripts import CallScript, PostalLetter, compose_call_script, compose_letter
from comity.outreach.composing.short_messages import ShortMessage, TooLong, compose_sms, measure
from comity.outreach.composing.ways import Unmet
from tests.outreach.composing.parts import ACME, LINKS, TOLD, wanted, written

MIRA = Recipient(address="+49 151 0000 0001", language="en", place="DE", values={"given": "Mira"})


def text(*obligations: Merged, body: str = "Tea is here.", recipient: Recipient = MIRA, **more: Any) -> ShortMessage:  # noqa: ANN401 (what compose_sms takes)
    what = {"sender": ACME, "links": LINKS, "told": TOLD, **more}
    return compose_sms(content=prepare(written(body, form="sms")), recipient=recipient, obligations=obligations, **what)


def call(*obligations: Merged, sender: Sender = ACME, recipient: Recipient = MIRA, **more: Any) -> CallScript:  # noqa: ANN401 (what compose_call_script takes)
    content = prepare(written("Offer the {given|} tea.", form="call"))
    return compose_call_script(
        content=content,
        recipient=recipient,
        sender=sender,
        obligations=obligations,
        links=LINKS,
        **{"told": TOLD, **more},
    )


# ---------------------------------------------------------------- text messages


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("€" * 153, "GSM-7", 306, 3),
        ("茶" * 70, "UCS-2", 70, 1),
        ("茶" * 71, "UCS-2", 71, 2),
        ("茶" * 134, "UCS-2", 134, 2),
        ("茶" * 135, "UCS-2", 135, 3),
        ("🍵" * 35, "UCS-2", 70, 1),
        ("🍵" * 36, "UCS-2", 72, 2),
        ("🍵" * 67, "UCS-2", 134, 3),
        ("aé{", "GSM-7", 4, 1),
        ("ç", "UCS-2", 1, 1),
    ],
)
def test_a_text_is_counted_as_networks_count_it(text: str, encoding: str, units: int, parts: int) -> None:
    assert measure(text) == (encoding, units, parts)


def test_a_text_names_its_sender_first_and_how_to_stop_it_last() -> None:
    message = text(wanted("ad-label"), wanted("sender-identity"), wanted("unsubscribe"))
    assert message.text == "Ad by Acme: Tea is here. +49 30 1234567 Reply STOP to opt out."
    assert (message.to, message.encoding, message.parts) == ("+4915100000001", "GSM-7", 1)


def test_in_china_a_text_has_the_signature_the_mark_and_the_networks_own_word() -> None:
    chinese = replace(MIRA, language="zh", place="CN")
    message = text(wanted("ad-label"), wanted("unsubscribe"), body="秋茶到货。", recipient=chinese)
    assert message.text == "【Acme】广告：秋茶到货。 拒收请回复R"
    english = text(wanted("unsubscribe"), recipient=replace(MIRA, place="CN"))
    assert english.text.startswith("【Acme】")
    assert "STOP" in english.text
    assert "拒收请回复R" in english.text


def test_where_a_number_takes_stop_the_text_says_which() -> None:
    french = replace(MIRA, language="fr", place="FR")
    assert (
        "STOP au 36111" in text(wanted("unsubscribe"), recipient=french, sender=replace(ACME, stop_number="36111")).text
    )


def test_marks_that_nobody_misses_do_not_double_the_price() -> None:
    assert text(body="It’s “new” – really…").encoding == "GSM-7"
    assert "“" in text(body="“新茶”").text


@pytest.mark.parametrize("number", ["", "12", "+49 abc", "+49151\nx", "1" * 16])
def test_what_is_no_number_gets_no_text(number: str) -> None:
    with pytest.raises(BadAddress):
        text(recipient=replace(MIRA, address=number))


def test_a_text_of_very_many_parts_is_not_sent() -> None:
    with pytest.raises(TooLong):
        text(body="茶" * 500)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("transfer-notice", {}),
        ("explain-logic", {}),
        ("origin-notice", {"told": Told()}),
        ("opt-out-link", {"links": Links()}),
        ("postal-address", {"sender": replace(ACME, postal_address=())}),
        ("sender-identity", {"sender": Sender(entity="")}),
        ("calling-hours", {}),
        ("guardian-notice", {}),
        ("smoke-signal", {}),
    ],
)
def test_what_a_text_cannot_say_is_not_sent_as_one(kind: str, more: dict[str, Any]) -> None:
    with pytest.raises(Unmet, match=kind):
        text(wanted(kind), **more)


# ---------------------------------------------------------------- calls


def test_a_sales_call_begins_with_who_calls_for_whom_and_that_it_sells() -> None:
    script = call(wanted("call-disclosure", seconds=30), sender=replace(ACME, caller="Ada"))
    assert script.opening == ("Good day. My name is Ada and I am calling for Acme GmbH. This is a sales call.",)
    assert (script.seconds, script.words, script.from_number) == (30, "Offer the Mira tea.", "+49 30 1234567")


def test_a_call_says_whence_the_number_is_and_how_to_refuse() -> None:
    script = call(wanted("origin-notice"), wanted("right-to-object-notice"), wanted("ai-disclosure"))
    assert "We have your number from: Katalog AG." in script.opening
    assert "You are listening to a machine." in script.opening
    assert any("we will not call again" in line for line in script.closing)


def test_a_call_is_made_from_a_number_that_the_law_allows() -> None:
    spanish = wanted("caller-id", no_mobile=True, number_range=("400",))
    assert call(spanish, sender=replace(ACME, phone="+34 400 123 456")).from_number
    assert call(spanish, sender=replace(ACME, phone="400 123 456")).from_number
    for sender in (ACME, replace(ACME, phone="+34 400 123 456", mobile=True), replace(ACME, phone="")):
        with pytest.raises(Unmet, match="caller-id"):
            call(spanish, sender=sender)


@pytest.mark.parametrize(
    "kind", ["transfer-notice", "postal-address", "explain-logic", "register-check", "financial-notice"]
)
def test_what_cannot_be_told_in_a_call_is_not_called_about(kind: str) -> None:
    with pytest.raises(Unmet, match=kind):
        call(wanted(kind))


# ---------------------------------------------------------------- post


def posted(*obligations: Merged, address: str = "Hauptstraße 5\n\n20095 Hamburg") -> PostalLetter:
    recipient = Recipient(address=address, language="de", called="Mira Roth", values={"given": "Mira"})
    return compose_letter(
        content=prepare(written("Hello {given|}", form="post")),
        recipient=recipient,
        sender=ACME,
        obligations=obligations,
        links=LINKS,
        told=TOLD,
    )


def test_a_letter_has_its_address_and_what_the_law_wants_told() -> None:
    letter = posted(wanted("right-to-object-notice"), wanted("origin-notice"))
    assert letter.to == ("Mira Roth", "Hauptstraße 5", "20095 Hamburg")
    assert "IHR WIDERSPRUCHSRECHT" in letter.text
    assert "Katalog AG" in letter.text


def test_nobody_is_written_to_without_an_address() -> None:
    with pytest.raises(BadAddress):
        compose_letter(
            content=prepare(written(form="post")),
            recipient=Recipient(address=" \n"),
            sender=ACME,
            obligations=(),
            links=LINKS,
        )
