"""The second step: only a mailbox makes a yes of what was ticked; whose it is, is looked up then, and not before."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.book.actions import Newcomer, NewPoint
from comity.book.models import ContactPoint, Person, Reach, Relation
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.consent.models import Consent, Said
from comity.consent.preferences.links import May, make_link
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Cause, Suppressed
from comity.ledger.models import Entry
from comity.outreach.forms.jobs import erase_some
from comity.outreach.forms.models import FormVersion, Submission
from comity.outreach.forms.writing import link_of
from comity.post.models import Message, Stage
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.models import PersonKey, Sealed
from tests.book.people import Add, newcomer
from tests.outreach.forms.building import ADVERTS, came, dispatch_to, link, link_in, send, the_form, wording
from tests.post.relays import relay
from tests.post.writing import send_all

pytestmark = pytest.mark.django_db
SENDS = pytest.mark.django_db(transaction=True)
"""Whoever sends has connections of their own."""


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.ADDRESS = urlsplit("http://localhost:8000")


def sealed_of(person: UUID) -> dict[str, int]:
    rows = Sealed.objects.filter(person=person).values_list("field_class", flat=True)
    return {one: list(rows).count(one) for one in rows}


def test_nothing_counts_before_it_is_confirmed_and_then_everything_that_proves_it_is_kept(
    form: FormVersion, firm: Entity, outside: Client
) -> None:
    people = Person.objects.count()
    assert send(outside, form).status_code == 200
    one = came()
    assert (Person.objects.count(), Consent.objects.count()) == (people, 0)
    assert Sealed.objects.filter(person=one.ref).exists()
    asked = outside.get(link())
    assert "Comity Dublin Ltd may send me its newsletter" in asked.content.decode()
    assert outside.head(link()).status_code == 200
    assert Consent.objects.count() == 0
    done = outside.post(link())
    assert "Confirmed" in done.content.decode()
    assert not done.cookies
    person = Person.objects.get(ref=one.ref)
    assert (person.home, person.language, person.entities) == ("DE", "en", [firm.ref])
    (consent,) = Consent.objects.filter(person=person.ref)
    assert (consent.said, consent.double_opt_in, consent.express, consent.separate) == ("given", True, True, True)
    assert (consent.notice, consent.notice_language, consent.source) == (
        "Newsletter v1",
        "en",
        "Form Newsletter page v1",
    )
    assert ContactPoint.objects.get(person=person).verified_at is not None
    assert Relation.objects.get(person=person).notice == "Website v1"
    assert sealed_of(person.ref)["contact"] == 1
    assert PersonKey.objects.filter(person=person.ref).exists()
    said = [json.loads(bytes(one.body))["body"] for one in Entry.objects.filter(kind="outreach.form-confirmed")]
    assert [body["submission"] for body in said] == [str(one.ref)]


@SENDS
def test_the_message_arrives_says_nothing_of_what_is_offered_and_its_link_confirms(
    firm: Entity, tom: Staff, vera: Staff, outside: Client
) -> None:
    from tests.outreach.forms.building import ready_to_send

    with relay() as (kept, port):
        ready_to_send(firm, port=port)
        version = the_form(firm, tom, vera)
        send(outside, version)
        dispatch = dispatch_to(came().ref)
        assert (dispatch.kind, dispatch.purpose, dispatch.staff) == ("confirmation", "service", vera)
        send_all(dispatch)
    (letter,) = kept.kept
    assert letter.to == "nina@kettle.example"
    assert letter.message["Subject"] == "Please confirm: Comity Dublin Ltd"
    text = letter.message.get_body(("plain",))
    assert text is not None
    words = text.get_content()
    assert "newsletter" not in words.lower()
    assert "Nina" not in words
    path = link_in(words)
    assert outside.get(path).status_code == 200
    assert Consent.objects.count() == 0
    outside.post(path)
    assert Consent.objects.get().said == Said.GIVEN


def test_somebody_who_is_in_the_book_by_that_address_is_found_and_nothing_about_them_changes(
    form: FormVersion, add: Add, outside: Client
) -> None:
    greta = add(newcomer("Greta", "Grünwald", "DE"))
    before = Person.objects.values().get(ref=greta)
    many = Person.objects.count()
    send(outside, form, email="Greta@Kettle.example", given="Mallory", place="FR")
    one = came()
    outside.post(link())
    assert Person.objects.count() == many
    assert Consent.objects.get().person == greta
    after = Person.objects.values().get(ref=greta)
    assert after | {"changed_at": None} == before | {"changed_at": None}
    assert not PersonKey.objects.filter(person=one.ref).exists()
    assert not Sealed.objects.filter(person=one.ref).exists()
    assert Submission.objects.get().person == greta


def test_an_address_that_two_people_share_is_nobodys_in_particular(
    form: FormVersion, add: Add, outside: Client
) -> None:
    shared = [NewPoint(Reach.EMAIL, "us@kettle.example")]
    both = [add(Newcomer(name={"given": name}, points=shared, facts={"home": "DE"})) for name in ("Ada", "Ben")]
    send(outside, form, email="us@kettle.example")
    outside.post(link())
    assert Consent.objects.get().person not in both


def test_a_person_of_another_entity_is_not_found(form: FormVersion, shanghai: Entity, outside: Client) -> None:
    from comity.book.actions import add_persons

    with behind_wall(staff=None, entities=[shanghai.ref]):
        theirs = Newcomer(name={"given": "Nina"}, points=[NewPoint(Reach.EMAIL, "nina@kettle.example")])
        add_persons(newcomers=[theirs], entity=shanghai, staff=None)
    send(outside, form)
    outside.post(link())
    assert Consent.objects.get().person == came().ref != theirs.ref


def test_a_link_is_used_once_and_a_no_that_was_said_since_stays(
    form: FormVersion, firm: Entity, outside: Client
) -> None:
    send(outside, form)
    path = link()
    outside.post(path)
    about = About(person=came().ref, entity=firm, purpose="marketing", channel="email")
    withdraw_consent(about=about, said_at=timezone.now(), source="By phone", heard_by=None)
    again = outside.post(path)
    assert "Confirmed already" in again.content.decode()
    assert [one.said for one in Consent.objects.order_by("recorded_at")] == ["given", "withdrawn"]


def test_a_no_between_form_and_confirmation_counts(
    form: FormVersion, firm: Entity, greta: UUID, outside: Client
) -> None:
    send(outside, form, email="greta@kettle.example")
    object_to_marketing(person=greta, entity=firm, said_at=timezone.now(), source="By phone", heard_by=None)
    answer = outside.post(link())
    assert "You said no since" in answer.content.decode()
    assert not Consent.objects.filter(said=Said.GIVEN).exists()
    assert Person.objects.get(ref=greta).objected_at is not None


def test_a_yes_lifts_an_earlier_objection_for_that_alone_and_takes_the_address_off_the_list(
    form: FormVersion, firm: Entity, greta: UUID, outside: Client
) -> None:
    mark = mark_of("email", "greta@kettle.example")
    earlier = timezone.now() - timedelta(days=90)
    object_to_marketing(person=greta, entity=firm, said_at=earlier, source="By phone", heard_by=None)
    suppress(entity=firm, marks=[mark], cause=Cause.OPTED_OUT, source="By phone", since=earlier)
    Consent.objects.filter(person=greta).update(recorded_at=earlier)
    send(outside, form, email="greta@kettle.example")
    outside.post(link())
    assert Person.objects.get(ref=greta).objected_at is None
    assert Consent.objects.filter(person=greta, said=Said.GIVEN, purpose="marketing", channel="email").exists()
    assert Consent.objects.filter(person=greta, said=Said.REFUSED, channel="sms").exists()
    assert not Suppressed.objects.filter(
        digest=mark.digest, released_at=None, uses__contains=["marketing/email"]
    ).exists()


def test_a_forged_link_confirms_nothing(form: FormVersion, outside: Client) -> None:
    send(outside, form)
    path = link()
    at = len("/form/confirm/") + 20
    forged = path[:at] + ("A" if path[at] != "A" else "B") + path[at + 1 :]
    assert outside.post(forged).status_code == 404
    assert Consent.objects.count() == 0


def test_a_link_of_another_kind_or_of_nobody_confirms_nothing(form: FormVersion, firm: Entity, outside: Client) -> None:
    send(outside, form)
    one = came()
    for may in (May.CHOOSE, May.STOP):
        text = make_link(may=may, person=one.ref, entity=firm.ref, at=timezone.now())
        assert outside.post(f"/form/confirm/{text}/").status_code == 404
    text = make_link(may=May.CONFIRM, person=new_ref(), entity=firm.ref, at=timezone.now())
    assert outside.post(f"/form/confirm/{text}/").status_code == 410
    assert Consent.objects.count() == 0


def test_an_expired_link_confirms_nothing(form: FormVersion, outside: Client) -> None:
    send(outside, form)
    one = came()
    Submission.objects.filter(pk=one.pk).update(said_at=one.said_at - timedelta(days=9))
    answer = outside.post(link())
    assert answer.status_code == 410
    assert Consent.objects.count() == 0


def test_what_lapsed_is_gone_though_nobody_erased_it_yet(form: FormVersion, outside: Client) -> None:
    send(outside, form)
    Submission.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert outside.post(link()).status_code == 410
    assert Consent.objects.count() == 0


def test_what_nobody_confirms_is_erased_with_its_key_and_what_was_confirmed_stays(
    form: FormVersion, outside: Client
) -> None:
    send(outside, form)
    outside.post(link())
    kept = came().ref
    send(outside, form, email="noah@kettle.example", organisation="")
    lapsing = came().ref
    assert erase_some() == 0
    Submission.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    path = link_of(Submission.objects.get(ref=lapsing))
    assert erase_some() == 1
    assert not PersonKey.objects.filter(person=lapsing).exists()
    assert not Sealed.objects.filter(person=lapsing).exists()
    assert Submission.objects.get().ref == kept
    assert outside.post(path).status_code == 410


@SENDS
def test_no_message_goes_out_about_what_was_erased(form: FormVersion, outside: Client) -> None:
    send(outside, form)
    one = came().ref
    Submission.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    erase_some()
    send_all(dispatch_to(one))
    assert Message.objects.get(person=one).stage == Stage.REFUSED


@SENDS
def test_no_message_goes_out_where_the_publisher_lost_the_role(form: FormVersion, vera: Staff, outside: Client) -> None:
    send(outside, form)
    vera.grants.update(revoked_at=timezone.now())
    send_all(dispatch_to(came().ref))
    message = Message.objects.get(person=came().ref)
    assert (message.stage, message.why) == (Stage.REFUSED, "role")
    assert outside.get(f"/form/{form.form_id}/").status_code == 503


def test_a_browser_that_sends_global_privacy_control_says_no_to_being_sold_whatever_was_ticked(
    firm: Entity, tom: Staff, vera: Staff, outside: Client
) -> None:
    from comity.consent.drafts import seen_of
    from comity.outreach.forms.actions import describe_draft, start_form
    from tests.outreach.forms.building import made_of, privacy, published_form, ready_to_send

    ready_to_send(firm)
    news = wording(firm, tom, vera)
    adverts = wording(firm, tom, vera, ADVERTS, "Adverts", purpose="targeted-advertising", channels=["none"])
    version = start_form(entity=firm, name="Both", language="en", made_by=tom)
    parts = made_of(privacy(firm, tom, vera), news, adverts)
    version = describe_draft(version=version, made_of=parts, seen=seen_of(version), written_by=tom)
    version = published_form(version, vera)
    send(outside, version, headers={"Sec-GPC": "1"}, ask_1="on")
    outside.post(link())
    person = came().ref
    said = {(one.purpose, one.said) for one in Consent.objects.filter(person=person)}
    assert said == {("marketing", "given"), ("targeted-advertising", "refused")}
    assert Person.objects.get(ref=person).opt_out_signal_at is not None
