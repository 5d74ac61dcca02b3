"""Who did not give us their data is told from whom we have them: by a notice of its own, or with the first message."""

from __future__ import annotations

from collections.abc import Iterable
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from comity.book.imports.models import Import, ImportBatch, Stage
from comity.book.lists.filters import chosen
from comity.book.models import Person, Relation
from comity.book.opening import Look
from comity.book.queries import persons_seen_by
from comity.consent.actions import object_to_marketing
from comity.consent.notices.models import Kind
from comity.counsel.duties import data_came, note_event
from comity.counsel.duties_reading import ways
from comity.outreach.campaigns.actions import change_campaign, look_at_audience
from comity.outreach.campaigns.dispatching import begin_campaign, what_is_missing
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.campaigns.queries import unmet_of
from comity.outreach.composing.content import prepare, problems
from comity.outreach.composing.passages import LANGUAGES
from comity.outreach.merging import Mover
from comity.outreach.origins.actions import NotNoted, begin_notice, note_origin, note_origin_of, words
from comity.outreach.origins.models import Came
from comity.outreach.origins.queries import counted, told_where_from
from comity.post.models import Dispatch
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.outreach.campaigns.test_sending import a_campaign, begun
from tests.post.relays import relay
from tests.post.writing import germans, says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
SELLER = "Sample Lists Ltd, 2 Quay Street, Cork"


@pytest.fixture
def look(olga: Staff, firm: Entity, settings: Settings) -> Look:
    """Olga looks, because a law wants it."""
    settings.ADDRESS = urlsplit("https://book.comity.example")
    Imprint.objects.create(
        entity=firm, address="privacy@comity.example", postal_address="1 Quay Street", email="hello@comity.example"
    )
    return Look(viewer=olga, entity=firm, purpose="legal-duty")


@pytest.fixture
def notice(firm: Entity, monkeypatch: pytest.MonkeyPatch) -> None:
    """A privacy notice is published."""
    from comity.consent.notices.models import Notice
    from comity.outreach.campaigns import writing

    shown = Notice(entity=firm, name="Privacy", kind=Kind.INDIRECT)
    monkeypatch.setattr(writing, "shown_by", lambda _entity, _kind: shown)


def bought(persons: Iterable[UUID], entity: Entity, staff: Staff) -> Import:
    """Say of people that an import of a bought list brought them."""
    refs = list(persons)
    Relation.objects.filter(person__in=refs).update(source="third-party")
    made = Import.objects.create(
        entity=entity, begun_by=staff, stage=Stage.DONE, dialect="plain", kind="csv", rows=len(refs),
        source="third-party", done_at=timezone.now(), persons=len(refs),
    )  # fmt: skip
    ImportBatch.objects.create(imported=made, entity=entity, number=0, first=1, last=len(refs), persons=refs)
    return made


def noticed(imported: Import, look: Look, port: int) -> Dispatch:
    """Tell the people of an import, from the duty to the mailbox."""
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        campaign = begin_notice(imported=imported, source=SELLER, name="Where from", by=look.viewer)
        change_campaign(campaign=campaign, by=look.viewer, gateway=way_out(look.entity, port=port))
        looked = look_at_audience(campaign=campaign, look=look)
        assert what_is_missing(looked, look) == []
        dispatch = begin_campaign(campaign=looked, look=look).dispatch
    assert dispatch is not None
    send_all(dispatch)
    return dispatch


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return str(body.get_content()) if body else ""


@pytest.mark.usefixtures("notice")
class TestTheNotice:
    def test_it_says_from_whom_what_and_what_for_in_the_language_of_its_reader(self, look: Look) -> None:
        people = germans(2, look.entity)
        Person.objects.filter(ref=people[0]).update(language="de")
        imported = bought(people, look.entity, look.viewer)
        with relay() as (kept, port):
            noticed(imported, look, port)
        german, english = sorted((one.message for one in kept.kept), key=lambda one: str(one["To"]))
        assert german["Subject"] == "Woher wir Ihre Daten haben"
        assert english["Subject"] == "Where we have your data from"
        assert f"von: {SELLER}. Wir speichern: Ihren Namen, Ihre E-Mail-Adresse" in " ".join(text_of(german).split())
        assert "We use it for: advertising" in " ".join(text_of(english).split())
        assert "https://book.comity.example/" in text_of(english)

    def test_an_objection_to_advertising_does_not_stop_it(self, look: Look) -> None:
        (person,) = germans(1, look.entity)
        object_to_marketing(person=person, entity=look.entity, said_at=timezone.now(), source="Letter", heard_by=None)
        imported = bought([person], look.entity, look.viewer)
        with relay() as (kept, port):
            noticed(imported, look, port)
        assert len(kept.kept) == 1

    def test_whoever_got_it_was_told_and_is_on_no_list_of_those_to_tell(self, look: Look) -> None:
        told, untold = germans(2, look.entity)
        imported = bought([told, untold], look.entity, look.viewer)
        Person.objects.filter(ref=untold).update(home="")  # the law asks
        with relay() as (_kept, port):
            dispatch = noticed(imported, look, port)
        assert Came.objects.get(person=told).told_by == dispatch.ref
        assert told_where_from([told, untold], look.entity.ref) == {told}
        assert (counted(imported).told, counted(imported).owed) == (1, 1)
        from django.http import QueryDict

        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            still = chosen(look, QueryDict(f"import={imported.ref}&told=no"))
            assert [one.ref for one in still.narrow(persons_seen_by(look.viewer, look.entity))] == [untold]

    def test_what_was_told_need_not_be_told_again(self, look: Look, tom: Staff) -> None:
        (person,) = germans(1, look.entity)
        imported = bought([person], look.entity, look.viewer)
        says_yes([person], look.entity)
        with relay() as (kept, port):
            noticed(imported, look, port)
            marketing = Look(viewer=tom, entity=look.entity, purpose="marketing")
            send_all(begun(a_campaign(marketing, port=port), marketing))
        assert [SELLER in text_of(one.message) for one in kept.kept] == [True, False]


@pytest.mark.usefixtures("notice")
def test_the_first_message_tells_it_where_no_notice_did(look: Look, tom: Staff) -> None:
    known, unknown = germans(2, look.entity)
    says_yes([known, unknown], look.entity)
    Relation.objects.filter(person__in=[known, unknown]).update(source="third-party")
    note_origin_of(persons=[known], entity=look.entity, source=SELLER, used_for="marketing", by=look.viewer)
    marketing = Look(viewer=tom, entity=look.entity, purpose="marketing")
    with relay() as (kept, port):
        campaign = a_campaign(marketing, port=port)
        with behind_wall(staff=None, entities=[look.entity.ref]):
            assert [one.people for one in unmet_of(campaign, marketing)] == [1]
        dispatch = begun(campaign, marketing)
        send_all(dispatch)
    assert [SELLER in text_of(one.message) for one in kept.kept] == [True]
    assert stages(dispatch)[unknown] == ("refused", "unmet")
    assert told_where_from([known, unknown], look.entity.ref) == {known}


def test_the_duty_leads_to_the_notice(look: Look) -> None:
    imported = bought(germans(1, look.entity), look.entity, look.viewer)
    event = data_came(on=timezone.localdate(), source="third-party", purpose="marketing")
    owed = note_event(
        event=event, entity=look.entity, about=imported.ref, persons=imported.batches.get().persons, staff=None
    )
    leading = {duty.rule: ways(duty) for duty in owed}
    assert [to for _says, to in leading["eu-gdpr/notice-of-bought-data"]] == [f"/campaigns/notices/{imported.ref}/"]


def test_when_two_are_made_one_what_either_came_from_is_of_who_stays(look: Look) -> None:
    gone, kept = germans(2, look.entity)
    note_origin_of(persons=[gone], entity=look.entity, source=SELLER, used_for="marketing", by=look.viewer)
    told = Mover().move(gone=gone, kept=kept)
    assert Came.objects.get().person == kept
    Mover().put_back(gone=gone, kept=kept, told=told)
    assert Came.objects.get().person == gone


def test_the_words_stand_in_every_language_and_have_no_fault() -> None:
    content = words()
    assert len(content.wordings) == len(LANGUAGES)
    assert [one for one in problems(content) if one.level == "error"] == []
    assert prepare(content).places() == {"entity", "preferences"}


def test_whoever_does_not_answer_for_it_says_nothing(look: Look, tom: Staff) -> None:
    imported = bought(germans(1, look.entity), look.entity, look.viewer)
    with pytest.raises(NotYours):
        note_origin(imported=imported, source=SELLER, by=tom)
    with pytest.raises(NotNoted):
        note_origin(imported=imported, source="  ", by=look.viewer)
    assert not Campaign.objects.exists()
