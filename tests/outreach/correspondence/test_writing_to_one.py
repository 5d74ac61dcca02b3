"""A mail to one person: through the same door, kept in the book, and taken back within a few seconds."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from comity.book.models import Activity, Person
from comity.book.opening import Look
from comity.outreach.campaigns.actions import keep_template
from comity.outreach.campaigns.models import Imprint
from comity.outreach.composing.content import Content, Wording
from comity.outreach.correspondence.actions import NotWritten, take_back, write_mail
from comity.outreach.correspondence.models import Mail
from comity.outreach.correspondence.queries import whereabouts
from comity.outreach.correspondence.starting import starts_for
from comity.post.models import Message
from comity.staff.guards import NotYours
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.post.relays import Keeper, Kept, relay
from tests.post.test_handing import withdraw
from tests.post.writing import says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
BODY = "Dear {given|friend},\n\nthe **blue** kettle is here.\n\nAda"


@pytest.fixture
def look(ada: Staff, firm: Entity, settings: Settings) -> Look:
    """Ada looks at what people ordered; her entity says how it signs."""
    settings.ADDRESS = urlsplit("https://book.comity.example")
    Imprint.objects.create(entity=firm, address="hello@comity.example", postal_address="1 Quay Street\nDublin")
    return Look(viewer=ada, entity=firm, purpose="service")


def written(look: Look, person: UUID, *, occasion: str = "order", port: int = 1, body: str = BODY, **more: str) -> Mail:
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        return write_mail(
            look=look, person=person, occasion=occasion, gateway=way_out(look.entity, port=port), language="en",
            subject="Your kettle", body=body, **more,
        )  # fmt: skip


def text(one: Kept) -> str:
    body = one.message.get_body(("plain",))
    return str(body.get_content()) if body else ""


def now_due(mail: Mail) -> None:
    """Let the few seconds be over."""
    Message.objects.filter(dispatch=mail.dispatch).update(due_at=timezone.now() - timedelta(seconds=1))


def sent(look: Look, person: UUID, **more: str) -> tuple[Mail, Keeper]:
    with relay() as (kept, port):
        mail = written(look, person, port=port, **more)
        now_due(mail)
        send_all(mail.dispatch)
    return mail, kept


def test_it_arrives_in_the_words_that_were_written_under_a_decision_on_record(look: Look, greta: UUID) -> None:
    mail, kept = sent(look, greta)
    (one,) = kept.kept
    assert one.to == "greta@kettle.example"
    assert one.message["Subject"] == "Your kettle"
    assert "Dear Greta," in text(one)
    assert one.message["Precedence"] is None, "it is no mass mail"
    assert one.message["List-Unsubscribe"] is None, "an order is no list that one could leave"
    message = Message.objects.get(dispatch=mail.dispatch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT permitted FROM vault_recordeddecision WHERE ref = %s", [message.decision])
        assert cursor.fetchone() == ([greta],)


def test_one_may_begin_from_a_template_in_each_of_its_languages(look: Look, tom: Staff) -> None:
    words = {"en": Wording(subject="Your kettle", body="It is here."), "de": Wording(subject="Ihr Kessel", body="Da.")}
    with behind_wall(staff=tom.ref, entities=[look.entity.ref]):
        keep_template(entity=look.entity, name="Arrived", content=Content(language="en", wordings=words), by=tom)
        told = [(one.name, one.language, one.subject) for one in starts_for(tom, look.entity)]
    assert told == [("Arrived", "de", "Ihr Kessel"), ("Arrived", "en", "Your kettle")]


def test_no_table_holds_a_word_of_it(look: Look, greta: UUID) -> None:
    mail = written(look, greta)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(outreach_mail)::text FROM outreach_mail")
        assert "kettle" not in cursor.fetchone()[0]
        cursor.execute("SELECT ciphertext FROM vault_sealed WHERE record = %s", [mail.ref])
        assert b"kettle" not in bytes(cursor.fetchone()[0])


def test_it_stands_among_what_happened_once_it_was_handed_over_and_not_before(look: Look, greta: UUID) -> None:
    Person.objects.update(last_contact_on=None)
    waiting = written(look, greta)
    assert not Activity.objects.filter(ref=waiting.ref).exists()
    mail, _kept = sent(look, greta)
    assert Activity.objects.get(ref=mail.ref).staff == look.viewer
    assert Person.objects.get(ref=greta).last_contact_on == timezone.now().date()


@pytest.mark.parametrize(("occasion", "permitted"), [("order", True), ("answer", True), ("marketing", False)])
def test_the_law_is_asked_about_just_this_occasion(look: Look, greta: UUID, occasion: str, permitted: bool) -> None:
    if permitted:
        written(look, greta, occasion=occasion)
        assert Mail.objects.get().occasion == occasion
    else:
        with pytest.raises(NotWritten, match="law does not permit"):
            written(look, greta, occasion=occasion)
        assert not Mail.objects.exists()


def test_marketing_to_whoever_agreed_brings_what_the_law_wants_beside_it(look: Look, greta: UUID) -> None:
    says_yes([greta], look.entity)
    _mail, kept = sent(look, greta, occasion="marketing")
    (one,) = kept.kept
    assert one.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Comity Dublin Ltd" in text(one)


def test_a_no_within_these_seconds_keeps_it_from_going_out(look: Look, greta: UUID) -> None:
    says_yes([greta], look.entity)
    with relay() as (kept, port):
        mail = written(look, greta, occasion="marketing", port=port)
        withdraw(greta, look.entity)
        now_due(mail)
        send_all(mail.dispatch)
    assert kept.kept == []
    assert stages(mail.dispatch) == {greta: ("refused", "law")}


def test_it_waits_some_seconds_in_which_its_writer_takes_it_back(look: Look, greta: UUID, tom: Staff) -> None:
    with relay() as (kept, port):
        mail = written(look, greta, port=port)
        send_all(mail.dispatch)
        assert kept.kept == []
        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            assert whereabouts([mail])[mail.ref].waits
            with pytest.raises((NotWritten, NotYours)):
                take_back(mail=mail, by=tom)
            take_back(mail=mail, by=look.viewer)
        now = Message.objects.get(dispatch=mail.dispatch)
        send_all(mail.dispatch)
    assert (now.stage, kept.kept) == ("stopped", [])


def test_what_went_out_is_not_taken_back(look: Look, greta: UUID) -> None:
    mail, _kept = sent(look, greta)
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]), pytest.raises(NotWritten, match="too late"):
        take_back(mail=mail, by=look.viewer)


def test_an_answer_stands_in_the_thread_of_what_it_answers(look: Look, greta: UUID) -> None:
    _mail, kept = sent(look, greta, occasion="answer", answers="<her.mail@kettle.example>")
    assert kept.kept[0].message["In-Reply-To"] == "<her.mail@kettle.example>"
    with pytest.raises(NotWritten, match="Message-ID"):
        written(look, greta, answers="<her.mail@kettle.example>\r\nBcc: all@kettle.example")


def test_whoever_has_no_role_for_it_writes_nothing(look: Look, greta: UUID, tom: Staff) -> None:
    with pytest.raises(NotYours):
        written(Look(viewer=tom, entity=look.entity, purpose="marketing"), greta)
    mail = written(look, greta)
    RoleGrant.objects.filter(staff=look.viewer).delete()
    now_due(mail)
    send_all(mail.dispatch)
    assert stages(mail.dispatch) == {greta: ("refused", "role")}


def test_words_with_errors_are_not_sent(look: Look, greta: UUID) -> None:
    with pytest.raises(NotWritten, match=r"no \{nonsense\}"):
        written(look, greta, body="Dear {nonsense}")
