"""Global Privacy Control as the W3C's specification has it, and what is done when it comes.

The specification: github.com/w3c/gpc, index.html at commit 062bf59 (the header's grammar and what a server must ignore;
the support resource and its example).
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.test import Client, RequestFactory

from comity.book.editing.history import as_of
from comity.book.models import Person, Relation
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.consent.history import stood
from comity.consent.models import Consent, Said, Standing
from comity.consent.records.gpc import CHANNEL, PURPOSE, SOURCE, STATED_ON, has_signal, honour_signal
from comity.consent.records.gpp import BadString
from comity.consent.records.gpp_heeding import honour_string
from comity.counsel.asking import ask
from comity.counsel.models import OwedDuty
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.models import Entity
from tests.book.people import Add, newcomer
from tests.consent.people import MONDAY

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("value", "heard"),
    [
        ("1", True),
        (" 1", True),  # servers may leave the space after the colon
        ("0", False),
        ("01", False),
        ("1.0", False),
        ("true", False),
        ("?1", False),
        ("1;q=1", False),
        ("", False),
        (None, False),
        ("0, 1", True),  # two headers, of which one is exactly 1
        ("0,0", False),
    ],
)
def test_only_exactly_1_is_the_signal_and_one_of_several_headers_suffices(value: str | None, heard: bool) -> None:
    headers = {} if value is None else {"Sec-GPC": value}
    assert has_signal(RequestFactory().get("/something/here", headers=headers)) is heard


def test_the_support_resource_is_a_json_object_as_the_specification_has_it() -> None:
    answer = Client().get("/.well-known/gpc.json")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    told = answer.json()
    assert told == {"gpc": True, "lastUpdate": STATED_ON.isoformat()}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", told["lastUpdate"])
    assert not answer.cookies


def test_the_support_resource_is_only_read() -> None:
    assert Client().post("/.well-known/gpc.json").status_code == 405


# ---------------------------------------------------------------- acting on it


@pytest.fixture
def carlos(add: Add) -> UUID:
    return add(newcomer("Carlos", "Rivera", "US-CA"))


def person(ref: UUID) -> Person:
    return Person.objects.get(ref=ref)


def about(ref: UUID, firm: Entity) -> About:
    return About(person=ref, entity=firm, purpose=PURPOSE, channel=CHANNEL)


def verdict(ref: UUID, firm: Entity) -> Verdict:
    question = Question(operation="sell", purpose=PURPOSE, channel=CHANNEL, entity=firm.ref, recipient="ad-platform")
    return ask(question=question, persons=[ref], day=date(2026, 11, 22))[ref].verdict


@pytest.mark.django_db
def test_the_signal_is_a_no_to_selling_and_sharing_and_is_on_record(carlos: UUID, firm: Entity) -> None:
    before = Person.objects.get(ref=carlos).changed_at
    assert verdict(carlos, firm) is not Verdict.DENY
    assert honour_signal(person=person(carlos), entity=firm, at=MONDAY)
    assert verdict(carlos, firm) is Verdict.DENY
    assert person(carlos).opt_out_signal_at == MONDAY
    assert as_of(Person, [carlos], before)[0].opt_out_signal_at is None
    consent = Consent.objects.get(person=carlos)
    assert (consent.said, consent.source, consent.heard_by) == (Said.REFUSED, SOURCE, None)
    assert Standing.objects.get(person=carlos).opted_out_on == MONDAY.date()
    assert Entry.objects.filter(kind="consent.signal-honoured", persons=[carlos]).count() == 1
    assert Entry.objects.filter(kind="consent.said", persons=[carlos]).count() == 1
    assert OwedDuty.objects.filter(event__about=carlos, event__kind="opt-out-received").exists()


@pytest.mark.django_db
def test_the_signal_comes_with_every_page_and_is_taken_down_once(carlos: UUID, firm: Entity) -> None:
    assert honour_signal(person=person(carlos), entity=firm, at=MONDAY)
    entries = Entry.objects.count()
    for hour in range(1, 4):
        assert not honour_signal(person=person(carlos), entity=firm, at=MONDAY + hour * HOUR)
    assert (Consent.objects.count(), Entry.objects.count()) == (1, entries)
    assert person(carlos).opt_out_signal_at == MONDAY


@pytest.mark.django_db
def test_the_signal_overrules_an_earlier_yes_and_not_a_later_one(carlos: UUID, firm: Entity) -> None:
    give_consent(about=about(carlos, firm), said_at=MONDAY, notice="Ads v1", source="form", heard_by=None)
    assert honour_signal(person=person(carlos), entity=firm, at=MONDAY + HOUR)
    standing = Standing.objects.get(person=carlos)
    assert (standing.given, standing.withdrawn) == (None, True)
    give_consent(about=about(carlos, firm), said_at=MONDAY + 3 * HOUR, notice="Ads v1", source="form", heard_by=None)
    assert not honour_signal(person=person(carlos), entity=firm, at=MONDAY + 2 * HOUR)
    assert Standing.objects.get(person=carlos).given is not None
    assert honour_signal(person=person(carlos), entity=firm, at=MONDAY + 4 * HOUR)
    assert Standing.objects.get(person=carlos).given is None


@pytest.mark.django_db
def test_who_refused_already_is_not_recorded_to_refuse_again(carlos: UUID, firm: Entity) -> None:
    withdraw_consent(about=about(carlos, firm), said_at=MONDAY, source="form", heard_by=None)
    assert honour_signal(person=person(carlos), entity=firm, at=MONDAY + HOUR)
    assert Consent.objects.filter(person=carlos).count() == 1
    assert person(carlos).opt_out_signal_at == MONDAY + HOUR


@pytest.mark.django_db
def test_where_somebody_stands_after_the_signal_follows_from_the_history(carlos: UUID, firm: Entity) -> None:
    give_consent(about=about(carlos, firm), said_at=MONDAY, notice="Ads v1", source="form", heard_by=None)
    honour_signal(person=person(carlos), entity=firm, at=MONDAY + HOUR)
    follows = stood(Consent.objects.filter(person=carlos).order_by("recorded_at", "ref"))
    standing = Standing.objects.get(person=carlos)
    assert (standing.given, standing.withdrawn, standing.opted_out_on) == (
        follows.given, follows.withdrawn, follows.opted_out_on,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_browser_has_not_spoken_of_other_opt_outs(carlos: UUID, firm: Entity) -> None:
    Relation.objects.filter(person=carlos).update(opt_outs_known=["email"])
    honour_signal(person=person(carlos), entity=firm, at=MONDAY)
    assert Relation.objects.get(person=carlos).opt_outs_known == ["email"]


# ---------------------------------------------------------------- the same, passed on in a GPP string


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "signal"), [("DBABT~1YYN", False), ("DBABBg~BUUAAACA.Q", False), ("DBABBg~BAAAAACA.Y", True)]
)
def test_a_no_in_a_string_is_a_no_to_us(text: str, signal: bool, carlos: UUID, firm: Entity) -> None:
    assert honour_string(person=person(carlos), entity=firm, text=text, at=MONDAY)
    assert Standing.objects.get(person=carlos).opted_out_on == MONDAY.date()
    assert (person(carlos).opt_out_signal_at is not None) is signal
    assert verdict(carlos, firm) is Verdict.DENY
    assert not honour_string(person=person(carlos), entity=firm, text=text, at=MONDAY + HOUR)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ["DBABT~1YNN", "DBABBg~BUoAAACA.Q", "DBABM~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA"]
)
def test_a_string_never_makes_a_yes_and_never_takes_back_a_no(text: str, carlos: UUID, firm: Entity) -> None:
    honour_signal(person=person(carlos), entity=firm, at=MONDAY)
    assert not honour_string(person=person(carlos), entity=firm, text=text, at=MONDAY + HOUR)
    assert Standing.objects.get(person=carlos).opted_out_on == MONDAY.date()


@pytest.mark.django_db
def test_a_bad_string_changes_nothing_and_says_why(carlos: UUID, firm: Entity) -> None:
    with pytest.raises(BadString, match="letter 3"):
        honour_string(person=person(carlos), entity=firm, text="DBABT~1YXN", at=MONDAY)
    assert not Consent.objects.exists()
