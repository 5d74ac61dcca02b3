"""A campaign from the list to the mailbox: who gets it, what stands in it, and why others do not."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Reach, Relation
from comity.book.opening import Look
from comity.counsel.models import SegmentDecision
from comity.outreach.campaigns import dispatching
from comity.outreach.campaigns.actions import (
    NotSent,
    change_campaign,
    look_at_audience,
    make_campaign,
    needs_approval,
    sign_as,
)
from comity.outreach.campaigns.dispatching import begin_campaign, send_campaign, take_back, what_is_missing
from comity.outreach.campaigns.jobs import begin
from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.campaigns.queries import audience_of, progress_of, readers_of, unmet_of
from comity.outreach.composing.content import Content, Wording
from comity.post.models import Dispatch
from comity.refs import new_ref
from comity.staff.approvals import NotApproved
from comity.staff.guards import NotYours
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall
from tests.jobs import waiting_jobs
from tests.outreach.campaigns.peopling import PLACES, got, one_of_each_place
from tests.post.relays import relay
from tests.post.test_handing import withdraw
from tests.post.writing import says_yes, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
BODY = "Dear {given|friend},\n\nour kettles are **back**: [look](https://comity.example/kettles).\n\nYours, {entity}"


@pytest.fixture
def people(firm: Entity) -> dict[str, UUID]:
    return one_of_each_place(firm)


@pytest.fixture
def look(tom: Staff, firm: Entity, settings: Settings) -> Look:
    """Tom looks, for marketing, behind the wall of his entity."""
    settings.ADDRESS = urlsplit("https://book.comity.example")
    return Look(viewer=tom, entity=firm, purpose="marketing")


@pytest.fixture
def imprint(firm: Entity) -> Imprint:
    return Imprint.objects.create(
        entity=firm, address="news@comity.example", postal_address="1 Quay Street\nDublin", email="hello@comity.example"
    )


def a_campaign(look: Look, *, port: int = 1, query: str = "") -> Campaign:
    content = Content(language="en", wordings={"en": Wording(subject="Kettles for everybody", body=BODY)})
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        made = make_campaign(entity=look.entity, name="Kettles", purpose="marketing", query=query, made_by=look.viewer)
        change_campaign(
            campaign=made, by=look.viewer, content=content.as_json(), gateway=way_out(look.entity, port=port)
        )
        return look_at_audience(campaign=made, look=look)


def begun(campaign: Campaign, look: Look) -> Dispatch:
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        dispatch = begin_campaign(campaign=campaign, look=look).dispatch
    assert dispatch is not None
    return dispatch


@pytest.mark.usefixtures("imprint")
class TestSending:
    def test_those_who_agreed_get_it_and_the_others_are_told_apart_with_their_articles(
        self, people: dict[str, UUID], look: Look
    ) -> None:
        agreed = [people[place] for place in PLACES if place != "FR"]
        says_yes(agreed, look.entity)
        with relay() as (kept, port):
            campaign = a_campaign(look, port=port)
            audience = audience_of(campaign)
            dispatch = begun(campaign, look)
            send_all(dispatch)
        assert audience is not None
        denied = [each for each in audience.because if each.verdict == "deny"]
        assert sum(each.people for each in denied) == audience.decided.denied > 0
        assert all(said.cite for each in denied for said in each.said)
        permitted = {person for person, (stage, _why) in stages(dispatch).items() if stage == "sent"}
        assert people["FR"] not in stages(dispatch)
        assert len(permitted) == len(kept.kept) == audience.decided.permitted > 3

    def test_each_message_has_what_the_law_of_its_reader_wants(self, people: dict[str, UUID], look: Look) -> None:
        says_yes(people.values(), look.entity)
        with relay() as (kept, port):
            send_all(begun(a_campaign(look, port=port), look))
        german, chinese, californian = (got(kept, place) for place in ("de", "cn", "us-ca"))
        for read in (german, chinese, californian):
            assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert read["List-Unsubscribe"].startswith("<https://book.comity.example/stop/")
            assert "Comity Dublin Ltd" in read["From"]
        assert re.match(r"(广告|AD)", chinese["Subject"])
        assert german["Subject"] == "Kettles for everybody"
        assert "1 Quay Street" in str(californian.get_body(("plain",)).get_content())
        assert "Dear Given-DE," in str(german.get_body(("plain",)).get_content())

    def test_whoever_says_no_after_the_look_gets_nothing(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"], people["GB"]], look.entity)
        with relay() as (kept, port):
            dispatch = begun(a_campaign(look, port=port, query="home=DE&home=GB"), look)
            withdraw(people["DE"], look.entity)
            send_all(dispatch)
        assert [one.to for one in kept.kept] == ["gb@kettle.example"]
        assert stages(dispatch)[people["DE"]] == ("refused", "law")
        with behind_wall(staff=None, entities=[look.entity.ref]):
            progress = progress_of(Campaign.objects.get())
        assert progress is not None
        assert progress.stages == {"sent": 1, "refused": 1}


@pytest.mark.usefixtures("imprint")
def test_for_whom_no_lawful_message_can_be_made_is_told_before_and_gets_none(
    people: dict[str, UUID], look: Look
) -> None:
    says_yes([people["DE"], people["GB"]], look.entity)
    Relation.objects.filter(person=people["GB"]).update(source="third-party")
    with relay() as (kept, port):
        campaign = a_campaign(look, port=port, query="home=DE&home=GB")
        with behind_wall(staff=None, entities=[look.entity.ref]):
            told = unmet_of(campaign, look)
        dispatch = begun(campaign, look)
        send_all(dispatch)
    assert [(one.people, "from whom we have it" in one.says) for one in told] == [(1, True)]
    assert [one.to for one in kept.kept] == ["de@kettle.example"]
    assert stages(dispatch)[people["GB"]] == ("refused", "unmet")


@pytest.mark.usefixtures("imprint")
def test_an_address_that_no_mail_reaches_is_told_as_such_and_not_as_a_law_that_is_not_met(look: Look) -> None:
    people = [
        Newcomer(
            name={"given": "Ann", "family": "Heron"}, facts={"home": "DE"}, ref=new_ref(),
            points=[NewPoint(reach=Reach.EMAIL, value=address)], relation={"source": "person"},
        )
        for address in ("ann@grey_heron.example", "ann@heron.example")
    ]  # fmt: skip
    add_persons(newcomers=people, entity=look.entity, staff=None)
    says_yes([one.ref for one in people], look.entity)
    with relay() as (kept, port):
        dispatch = begun(a_campaign(look, port=port, query="home=DE"), look)
        send_all(dispatch)
    assert stages(dispatch)[people[0].ref] == ("refused", "no-such-address")
    assert [one.to for one in kept.kept] == ["ann@heron.example"]


@pytest.mark.usefixtures("imprint")
def test_what_readers_got_can_be_seen_after_it_was_sent_as_before(people: dict[str, UUID], look: Look) -> None:
    says_yes([people["DE"], people["US-CA"]], look.entity)
    campaign = a_campaign(look, query="home=DE&home=US-CA")
    assert campaign.looked is not None
    before = readers_of(campaign.looked, "en")
    begun(campaign, look)
    campaign.refresh_from_db()
    with behind_wall(staff=None, entities=[look.entity.ref]):
        after = readers_of(campaign.looked, "en")
    by_place = partial(sorted, key=lambda one: sorted(one.places))
    assert by_place(after) == by_place(before)
    assert [sorted(one.places) for one in by_place(after)] == [["DE"], ["US-CA"]]


class TestBeforeSending:
    def test_the_send_button_says_no_with_what_is_missing(self, people: dict[str, UUID], look: Look) -> None:
        del people
        campaign = a_campaign(look)
        assert what_is_missing(campaign, look)[0].startswith("Say who sends")
        with pytest.raises(NotSent, match="Say who sends"):
            begun(campaign, look)

    @pytest.mark.usefixtures("imprint")
    def test_to_nobody_whom_the_law_permits_nothing_is_sent(self, people: dict[str, UUID], look: Look) -> None:
        del people
        with pytest.raises(NotSent, match="permits this message to nobody"):
            begun(a_campaign(look, query="home=DE"), look)

    @pytest.mark.usefixtures("imprint")
    def test_an_old_look_is_not_enough(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        campaign = a_campaign(look)
        SegmentDecision.objects.update(decided_at=timezone.now() - timedelta(minutes=11))
        with pytest.raises(NotSent, match="too old"):
            begun(Campaign.objects.get(pk=campaign.pk), look)

    @pytest.mark.usefixtures("imprint")
    def test_to_many_a_second_person_must_agree(self, people: dict[str, UUID], look: Look, settings: Settings) -> None:
        settings.CAMPAIGN_ALONE = 0
        says_yes([people["DE"]], look.entity)
        campaign = a_campaign(look)
        assert needs_approval(campaign)
        with pytest.raises(NotApproved):
            begun(campaign, look)

    @pytest.mark.usefixtures("imprint")
    def test_once_it_is_on_its_way_nothing_of_it_changes(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        campaign = a_campaign(look)
        begun(campaign, look)
        with pytest.raises(NotSent, match="on its way"):
            change_campaign(campaign=campaign, by=look.viewer, name="Other")
        with pytest.raises(NotSent, match="on its way"):
            begun(campaign, look)

    def test_only_whoever_sets_up_the_ways_says_how_we_sign(self, look: Look) -> None:
        with pytest.raises(NotYours):
            sign_as(entity=look.entity, by=look.viewer, address="x@y.example", postal_address="Z")


@pytest.mark.usefixtures("imprint")
class TestToVeryMany:
    @pytest.fixture(autouse=True)
    def even_one_is_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dispatching, "AT_ONCE", 0)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")  # of other tests

    def wished(self, look: Look, port: int = 1) -> Campaign:
        campaign = a_campaign(look, query="home=DE&home=GB", port=port)
        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            return send_campaign(campaign=campaign, look=look)

    def worked(self) -> Campaign:
        (job,) = [one for one in waiting_jobs() if one.task_name == begin.name]
        begin(**{name: str(told) for name, told in job.task_kwargs.items()})
        return Campaign.objects.select_related("dispatch").get()

    def test_a_worker_decides_and_begins_what_somebody_wished(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        with relay() as (kept, port):
            wish = self.wished(look, port=port)
            assert (wish.dispatch, wish.asked_by) == (None, look.viewer)
            begun_by_worker = self.worked()
            assert begun_by_worker.dispatch is not None
            send_all(begun_by_worker.dispatch)
        assert [one.to for one in kept.kept] == ["de@kettle.example"]
        assert (begun_by_worker.asked_by, begun_by_worker.unsent) == (None, "")

    def test_while_it_is_decided_nothing_of_it_changes_and_nobody_wishes_twice(
        self, people: dict[str, UUID], look: Look
    ) -> None:
        says_yes([people["DE"]], look.entity)
        wish = self.wished(look)
        with pytest.raises(NotSent, match="being asked about everybody"):
            change_campaign(campaign=wish, by=look.viewer, name="Other")
        with pytest.raises(NotSent, match="being asked about everybody"):
            send_campaign(campaign=wish, look=look)

    def test_what_was_taken_back_is_not_begun(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        wish = self.wished(look)
        assert take_back(campaign=wish, by=look.viewer)
        assert self.worked().dispatch is None
        assert not take_back(campaign=wish, by=look.viewer)
        change_campaign(campaign=wish, by=look.viewer, name="Other")

    def test_why_it_was_not_begun_is_told(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        wish = self.wished(look)
        SegmentDecision.objects.update(decided_at=timezone.now() - timedelta(minutes=11))
        late = self.worked()
        assert (late.dispatch, late.asked_by) == (None, None)
        assert "too old" in late.unsent
        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            again = send_campaign(campaign=look_at_audience(campaign=wish, look=look), look=look)
        assert again.unsent == ""

    def test_a_list_that_cannot_be_any_more_is_told_and_not_tried_for_ever(
        self, people: dict[str, UUID], look: Look
    ) -> None:
        says_yes([people["DE"]], look.entity)
        self.wished(look)
        Campaign.objects.update(query="reach=pigeon")
        late = self.worked()
        assert (late.dispatch, late.asked_by) == (None, None)
        assert "pigeon" in late.unsent

    def test_why_not_is_told_in_the_language_of_whoever_asked(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        Staff.objects.filter(pk=look.viewer.pk).update(language="zh-hans")
        self.wished(look)
        RoleGrant.objects.filter(staff=look.viewer).update(revoked_at=timezone.now())
        assert self.worked().unsent == "您已无权执行此操作。"

    def test_whoever_lost_the_role_meanwhile_sends_nothing(self, people: dict[str, UUID], look: Look) -> None:
        says_yes([people["DE"]], look.entity)
        self.wished(look)
        RoleGrant.objects.filter(staff=look.viewer).update(revoked_at=timezone.now())
        late = self.worked()
        assert (late.dispatch, late.asked_by) == (None, None)
        assert "may not" in late.unsent
