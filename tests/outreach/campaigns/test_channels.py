"""Campaigns by every channel: in six places each message carries what the law of its reader wants."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Activity, Reach
from comity.book.opening import Look
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Cause
from comity.outreach.campaigns import seeing, writing
from comity.outreach.campaigns.actions import (
    NotSent,
    add_variant,
    change_campaign,
    end_template,
    keep_template,
    keep_words,
    look_at_audience,
    make_campaign,
    request_of,
)
from comity.outreach.campaigns.dispatching import begin_campaign, what_is_missing
from comity.outreach.campaigns.models import Campaign, Imprint, TemplateVersion, Trial
from comity.outreach.campaigns.outcomes import by_place, lists_of, over_time, refused_by_law
from comity.outreach.campaigns.trying import try_out
from comity.outreach.campaigns.variants import Share, chosen, compared, followed_by
from comity.outreach.composing.content import Content, Form, Wording
from comity.post.actions import make_gateway
from comity.post.lists import close_lists, place_of
from comity.post.models import ClosedList, Dispatch, Gateway, Message
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.far_sides import Mood, far_side
from tests.post.relays import relay
from tests.post.writing import MONDAY, send_all, stages, way_out

pytestmark = pytest.mark.django_db(transaction=True)
NUMBERS = {
    "DE": "+491510000001", "FR": "+33600000002", "GB": "+447400000003", "US-CA": "+14155550104", "CN": "+8613800000005",
    "NL": "+31600000006",
}  # fmt: skip
"""Six places, with a number in each."""
BODY = "{given|friend}: our kettles are back."


@pytest.fixture
def people(firm: Entity) -> dict[str, UUID]:
    """Bring somebody of each place into the book, to be reached by every channel; all agreed to everything."""
    newcomers = {
        place: Newcomer(
            name={"given": "Mira", "family": f"Roth {place}"}, ref=new_ref(), relation={"source": "person"},
            facts={
                "home": place, "birth_year": 1990, "capacity": "consumer", "language": "zh" if place == "CN" else "en"
            },
            points=[
                NewPoint(reach=Reach.EMAIL, value=f"{place.lower()}@kettle.example"),
                NewPoint(reach=Reach.PHONE, value=number, mobile=True),
                NewPoint(reach=Reach.MESSENGER, value=number),
                NewPoint(reach=Reach.POST, value=f"1 Quay <{place}>\n12345 Town"),
            ],
        )
        for place, number in NUMBERS.items()
    }  # fmt: skip
    add_persons(newcomers=list(newcomers.values()), entity=firm, staff=None)
    for one in newcomers.values():
        for channel in ("sms", "messenger", "call", "post"):
            agrees(one.ref, firm, channel)
    return {place: one.ref for place, one in newcomers.items()}


def agrees(person: UUID, entity: Entity, channel: str) -> None:
    give_consent(
        about=About(person=person, entity=entity, purpose="marketing", channel=channel), said_at=MONDAY,
        notice="News v3", source="Website form", heard_by=None, express=True, separate=True, written=True,
        names_caller=True,
    )  # fmt: skip


@pytest.fixture
def look(tom: Staff, firm: Entity, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Tom looks, for marketing; it is an hour at which everybody may be reached, and a register was asked today."""
    settings.ADDRESS = urlsplit("https://book.comity.example")
    monkeypatch.setattr(writing, "SEEN_TO", frozenset({*writing.SEEN_TO, "calling-hours"}))

    def fresh(_question: object, persons: Sequence[UUID], day: object) -> Mapping[UUID, Mapping[str, object]]:
        return {one: {"person.register_checked_on": day, "person.on_register": False} for one in persons}

    monkeypatch.setattr(seeing, "facts_of", fresh)
    Imprint.objects.create(
        entity=firm, address="news@comity.example", postal_address="1 Quay Street\nDublin", phone="+353 1 555 0100",
        email="hello@comity.example", mark="Comity",
    )  # fmt: skip
    return Look(viewer=tom, entity=firm, purpose="marketing")


def a_campaign(look: Look, channel: Form, gateway: Gateway, *, subject: str = "", body: str = BODY) -> Campaign:
    content = Content(language="en", form=channel, wordings={"en": Wording(subject=subject, body=body)})
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        made = make_campaign(
            entity=look.entity, name="Kettles", purpose="marketing", query="", made_by=look.viewer, channel=channel
        )
        change_campaign(campaign=made, by=look.viewer, content=content.as_json(), gateway=gateway)
        return look_at_audience(campaign=made, look=look)


def sent(campaign: Campaign, look: Look) -> Dispatch:
    with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
        dispatch = begin_campaign(campaign=campaign, look=look).dispatch
    assert dispatch is not None
    send_all(dispatch)
    return dispatch


@contextmanager
def texts(entity: Entity, **mood: Any) -> Iterator[tuple[Mood, Gateway]]:  # noqa: ANN401 - of Mood
    with far_side(**mood) as (behaves, address):
        gateway = make_gateway(
            entity=entity, channel="sms", kind="twilio", name="Texts", secret="a-token", made_by=None,  # noqa: S106 - of the tests
            settings={"account": "AC" + "0" * 32, "sender": "Comity", "address": address},
        )  # fmt: skip
        yield behaves, gateway


def folder(entity: Entity, channel: str, kind: str) -> Gateway:
    return make_gateway(entity=entity, channel=channel, kind=kind, name="Lists", settings={}, made_by=None)


def closed(dispatch: Dispatch, staff: Staff) -> Path:
    (made,) = close_lists(dispatch=dispatch, staff=staff)
    with behind_wall(staff=None, entities=[dispatch.entity_id]):
        return place_of(ClosedList.objects.select_related("dispatch__gateway").get(pk=made.pk))


def cells(path: Path) -> dict[str, dict[str, str]]:
    return {row["place"]: row for row in csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""))}


# ---------------------------------------------------------------- what each carries


def test_each_text_message_carries_what_the_law_of_its_reader_wants(people: dict[str, UUID], look: Look) -> None:
    with texts(look.entity) as (mood, gateway):
        dispatch = sent(a_campaign(look, "sms", gateway), look)
    assert {where for where, _why in stages(dispatch).values()} == {"sent"}
    got = {told["To"][0]: told["Body"][0] for told in (parse_qs(each.body.decode()) for each in mood.asked)}
    by = {place: got[number] for place, number in NUMBERS.items()}
    assert len(by) == len(people)
    for place in ("DE", "FR", "NL"):
        assert by[place].startswith("Ad by Comity: Mira: our kettles are back.")
    for place in ("DE", "FR", "GB", "NL"):
        assert "hello@comity.example" in by[place] or "+353 1 555 0100" in by[place]
        assert "You may object at any time." in by[place]
    for place in ("DE", "FR", "GB", "US-CA", "NL"):
        assert "STOP" in by[place]
    assert by["CN"].startswith("【Comity】广告：Mira")
    assert "拒收请回复R" in by["CN"]
    assert not by["GB"].startswith("Ad by")


def test_each_call_has_its_hours_its_attempts_and_its_first_words(people: dict[str, UUID], look: Look) -> None:
    dispatch = sent(a_campaign(look, "call", folder(look.entity, "call", "call-list")), look)
    assert {people[place] for place in ("CN",)}.isdisjoint(stages(dispatch))  # nobody asked a register there
    rows = cells(closed(dispatch, look.viewer) / "calls.csv")
    assert set(rows) == set(NUMBERS) - {"CN"}
    french = rows["FR"]
    assert (french["days"], french["from"], french["until"]) == ("mon tue wed thu fri", "14:00", "20:00")
    assert (french["attempts"], french["in-days"], french["pause-days"]) == ("4", "30", "60")
    assert (rows["DE"]["from"], rows["DE"]["until"]) == ("08:00", "21:00")
    assert rows["US-CA"]["keep-records-years"] == "5"
    for place in ("GB", "NL", "US-CA"):
        assert rows[place]["show-this-number"] == "'+353 1 555 0100"  # as text, whatever opens it
    for place, row in rows.items():
        assert row["number"] == f"tel:{NUMBERS[place]}"
        assert "Comity Dublin Ltd" in row["opening"]
        assert "object" in row["closing"]
        assert row["script"].startswith("Mira")


def test_each_letter_has_its_address_and_how_to_refuse_and_no_name_becomes_markup(
    people: dict[str, UUID], look: Look
) -> None:
    campaign = a_campaign(look, "post", folder(look.entity, "post", "mail-merge"), subject="Kettles")
    dispatch = sent(campaign, look)
    place = closed(dispatch, look.viewer)
    page, rows = (place / "letters.html").read_text(), cells(place / "addresses.csv")
    assert set(rows) == set(people)
    assert rows["DE"]["line-1"] == "Mira Roth DE"
    assert rows["DE"]["line-3"] == "12345 Town"
    assert "1 Quay &lt;DE&gt;" in page
    assert "<DE>" not in page
    assert "/stop/" not in page
    letters = page.split("<article")[1:]
    assert len(letters) == len(people)
    assert all("Mira" in each for each in letters)
    assert all("hello@comity.example" in each for each in letters)
    assert all("You may object" in each or "反对" in each for each in letters)
    (chinese,) = [each for each in letters if "Roth CN" in each]
    assert "广告" in chinese
    assert "Comity Dublin Ltd" in chinese


def test_each_message_by_messenger_gives_its_template_what_the_law_wants_as_the_last_value(
    people: dict[str, UUID], look: Look
) -> None:
    taken = b'{"messages": [{"id": "wamid.x"}]}'
    with far_side(code=200, says=taken) as (mood, address):
        gateway = make_gateway(
            entity=look.entity, channel="messenger", kind="whatsapp", name="WhatsApp", secret="t", made_by=None,  # noqa: S106 - of the tests
            settings={"number": "123456", "version": "v23.0", "address": address},
        )  # fmt: skip
        dispatch = sent(a_campaign(look, "messenger", gateway, subject="kettles_1"), look)
    assert set(stages(dispatch)) == {people[place] for place in ("GB", "US-CA", "CN")}  # elsewhere it is not settled
    told = {json.loads(each.body)["to"]: json.loads(each.body)["template"] for each in mood.asked}
    by = {place: told[NUMBERS[place][1:]] for place in ("GB", "US-CA", "CN")}
    values = {place: [one["text"] for one in each["components"][0]["parameters"]] for place, each in by.items()}
    assert all(each["name"] == "kettles_1" for each in by.values())
    assert all(each[0] == "Mira" for each in values.values())
    assert "STOP" in values["GB"][-1]
    assert values["CN"][-1].startswith("【Comity】广告")


# ---------------------------------------------------------------- what is not on file


def test_where_the_register_was_not_asked_lately_nobody_is_called_or_texted(
    people: dict[str, UUID], look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(_question: object, persons: Sequence[UUID], day: Any) -> Mapping[UUID, Mapping[str, object]]:  # noqa: ANN401 - a day
        asked = day - timedelta(days=32)
        return {one: {"person.register_checked_on": asked, "person.on_register": False} for one in persons}

    monkeypatch.setattr(seeing, "facts_of", old)
    with texts(look.entity) as (mood, gateway):
        dispatch = sent(a_campaign(look, "sms", gateway), look)
    assert stages(dispatch)[people["US-CA"]] == ("refused", "unmet")
    assert stages(dispatch)[people["DE"]] == ("sent", "")
    assert not [each for each in mood.asked if "1415" in each.body.decode()]


def test_a_number_that_is_none_gets_nothing_and_stops_no_other(people: dict[str, UUID], look: Look) -> None:
    bad = Newcomer(
        name={"given": "=cmd|' /C calc'!A0", "family": "\r\nTo: x"}, ref=new_ref(), relation={"source": "person"},
        facts={"home": "DE", "birth_year": 1990}, points=[NewPoint(reach=Reach.PHONE, value="+49151\r\nX: y")],
    )  # fmt: skip
    add_persons(newcomers=[bad], entity=look.entity, staff=None)
    for channel in ("sms", "call"):
        agrees(bad.ref, look.entity, channel)
    with texts(look.entity) as (mood, gateway):
        dispatch = sent(a_campaign(look, "sms", gateway), look)
    assert stages(dispatch)[bad.ref] == ("refused", "no-such-address")
    assert len(mood.asked) == len(people)


@pytest.mark.parametrize(
    "name", ["=1+1", "@SUM(A1)", "{unsubscribe}", "{{given}}", "%(given)s", "<b>x</b>", "a\r\nBcc: b"]
)
def test_whatever_somebody_is_called_it_is_text_in_every_way_out(
    name: str, people: dict[str, UUID], look: Look
) -> None:
    odd = Newcomer(
        name={"given": name, "family": name}, ref=new_ref(), relation={"source": "person"},
        facts={"home": "DE", "birth_year": 1990},
        points=[NewPoint(reach=Reach.PHONE, value="+491510000099"), NewPoint(reach=Reach.POST, value=f"{name}\nTown")],
    )  # fmt: skip
    add_persons(newcomers=[odd], entity=look.entity, staff=None)
    agrees(odd.ref, look.entity, "call")
    del people
    dispatch = sent(a_campaign(look, "call", folder(look.entity, "call", "call-list"), body="{given|}"), look)
    read = list(
        csv.reader(io.StringIO((closed(dispatch, look.viewer) / "calls.csv").read_text("utf-8-sig"), newline=""))
    )
    (row,) = [each for each in read if "tel:+491510000099" in each]
    assert len(row) == len(read[0])
    assert not [cell for cell in row if cell[:1] and cell[0] in "=+-@\t\r\n"]
    assert [cell for cell in row if " ".join(name.split()) in cell]


# ---------------------------------------------------------------- wordings


def test_people_are_divided_by_a_key_and_the_database_divides_them_as_we_do(
    people: dict[str, UUID], look: Look
) -> None:
    with texts(look.entity) as (mood, gateway):
        campaign = a_campaign(look, "sms", gateway, body="First wording.")
        other = Content(language="en", form="sms", wordings={"en": Wording(body="Other wording.")})
        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            before = request_of(campaign)["words"]
            add_variant(campaign=campaign, by=look.viewer)
            campaign = keep_words(campaign=Campaign.objects.get(), number=1, content=other, by=look.viewer)
            assert request_of(campaign)["words"] != before  # a second person approves all wordings
        dispatch = sent(campaign, look)
    split = bytes(campaign.split)
    got = {told["To"][0]: told["Body"][0] for told in (parse_qs(each.body.decode()) for each in mood.asked)}
    for place, person in people.items():
        assert ["First", "Other"][chosen(split, person, 2)] in got[NUMBERS[place]]
    said_no = people["DE"]
    withdraw_consent(
        about=About(person=said_no, entity=look.entity, purpose="marketing", channel="sms"),
        said_at=timezone.now(), source="STOP", heard_by=None,
    )  # fmt: skip
    Activity.objects.create(
        person_id=people["GB"], entity=look.entity, doing="order", at=timezone.now() + timedelta(days=3)
    )
    with behind_wall(staff=None, entities=[look.entity.ref]):
        campaign = Campaign.objects.get()
        followed = followed_by(campaign)
        for number, one in enumerate(followed):
            mine = [person for person in people.values() if chosen(split, person, 2) == number]
            assert one.sent == len(mine)
            assert one.shares["no"].many == (said_no in mine)
            assert one.shares["bought"].many == (people["GB"] in mine)
        assert [each.apart for each in compared(campaign)] == [False] * 3
        assert over_time(campaign) is not None
        assert {bar.many for bar in by_place(campaign)} == {1}
    del dispatch


def test_about_as_many_get_each_wording() -> None:
    counts = [0, 0, 0]
    for number in range(3_000):
        counts[chosen(b"k" * 16, UUID(int=number), 3)] += 1
    assert all(900 < many < 1_100 for many in counts)
    assert chosen(b"a" * 16, UUID(int=1), 1) == 0


@pytest.mark.parametrize(
    ("many", "of", "low", "high"),
    [(0, 10, 0.0, 27.75), (1, 10, 1.79, 40.42), (5, 10, 23.66, 76.34), (50, 100, 40.38, 59.62)],
)
def test_an_interval_is_wilsons(many: int, of: int, low: float, high: float) -> None:
    got = Share(many=many, of=of).interval
    assert (round(got[0], 2), round(got[1], 2)) == (low, high)


def test_what_was_refused_when_its_turn_came_is_told_with_the_articles(people: dict[str, UUID], look: Look) -> None:
    with texts(look.entity) as (_mood, gateway):
        campaign = a_campaign(look, "sms", gateway)
        with behind_wall(staff=look.viewer.ref, entities=[look.entity.ref]):
            dispatch = begin_campaign(campaign=campaign, look=look).dispatch
        assert dispatch is not None
        withdraw_consent(
            about=About(person=people["DE"], entity=look.entity, purpose="marketing", channel="sms"),
            said_at=timezone.now(), source="STOP", heard_by=None,
        )  # fmt: skip
        send_all(dispatch)
    with behind_wall(staff=None, entities=[look.entity.ref]):
        (reason,) = refused_by_law(Campaign.objects.get())
    assert (reason.verdict, reason.many) == ("deny", 1)
    assert all(said.cite for said in reason.said)


def test_struck_rows_and_files_are_told(people: dict[str, UUID], look: Look) -> None:
    dispatch = sent(a_campaign(look, "call", folder(look.entity, "call", "call-list")), look)
    withdraw_consent(
        about=About(person=people["DE"], entity=look.entity, purpose="marketing", channel="call"),
        said_at=timezone.now(), source="Phone", heard_by=None,
    )  # fmt: skip
    rows = cells(closed(dispatch, look.viewer) / "calls.csv")
    assert "DE" not in rows
    with behind_wall(staff=None, entities=[look.entity.ref]):
        lists = lists_of(Campaign.objects.select_related("dispatch__gateway", "gateway").get())
    assert lists is not None
    assert (lists.waiting, len(lists.files), [many for _why, many in lists.struck]) == (0, 1, [1])


# ---------------------------------------------------------------- templates


def test_a_template_keeps_what_it_said_and_a_campaign_begins_with_what_it_says_now(look: Look, firm: Entity) -> None:
    first = Content(language="en", form="sms", wordings={"en": Wording(body="Old words.")})
    second = Content(language="en", form="sms", wordings={"en": Wording(body="New words."), "de": Wording(body="Neu.")})
    with behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
        template = keep_template(entity=firm, content=first, by=look.viewer, name="Kettles").template
        keep_template(entity=firm, content=second, by=look.viewer, template=template)
        made = make_campaign(
            entity=firm, name="K", purpose="marketing", query="", made_by=look.viewer, channel="sms", template=template
        )
        assert Content.from_json(made.content) == second
        said = [one.content["wordings"]["en"]["body"] for one in template.versions.order_by("number")]
        assert said == ["Old words.", "New words."]
        with pytest.raises(NotSent, match="choose another"):
            make_campaign(entity=firm, name="K", purpose="marketing", query="", made_by=look.viewer, template=template)
        end_template(template=template, by=look.viewer)


def test_postgresql_refuses_to_change_what_a_template_said(look: Look, firm: Entity) -> None:
    from django.db import Error

    content = Content(language="en", form="sms", wordings={"en": Wording(body="Words.")})
    with behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
        keep_template(entity=firm, content=content, by=look.viewer, name="Kettles")
    with pytest.raises(Error, match="stays said"), behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
        TemplateVersion.objects.update(number=7)


# ---------------------------------------------------------------- trials


def test_a_trial_goes_to_oneself_alone_is_marked_and_counts_nowhere(look: Look, firm: Entity) -> None:
    with relay() as (kept, port):
        campaign = a_campaign(look, "email", way_out(firm, port=port), subject="Kettles")
        with behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
            trial = try_out(campaign=campaign, language="en", by=look.viewer)
    (one,) = kept.kept
    assert one.to == look.viewer.email
    assert one.message["Subject"].startswith("[TEST] A: Kettles")
    assert trial.outcome == "sent"
    with behind_wall(staff=None, entities=[firm.ref]):
        assert not Message.objects.exists()


def test_a_trial_is_refused_where_there_is_no_address_of_ones_own_or_it_is_on_the_list(
    look: Look, firm: Entity
) -> None:
    with texts(firm) as (mood, gateway), behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
        campaign = a_campaign(look, "sms", gateway)
        with pytest.raises(NotSent, match="no number or address of yours"):
            try_out(campaign=campaign, language="en", by=look.viewer)
    assert mood.asked == []
    with relay() as (kept, port), behind_wall(staff=look.viewer.ref, entities=[firm.ref]):
        campaign = a_campaign(look, "email", way_out(firm, port=port), subject="Kettles")
        listed(firm, look.viewer)
        with pytest.raises(NotSent, match="on the list"):
            try_out(campaign=campaign, language="en", by=look.viewer)
        assert not Trial.objects.exists()
    assert kept.kept == []


def listed(entity: Entity, staff: Staff) -> None:
    """Put the address by which somebody signs in on the list."""
    marks = [mark_of("email", staff.email)]
    suppress(entity=entity, marks=marks, cause=Cause.OPTED_OUT, source="Phone", since=MONDAY)


def test_a_gateway_of_another_channel_is_none(people: dict[str, UUID], look: Look) -> None:
    del people
    with relay() as (_kept, port):
        campaign = a_campaign(look, "sms", way_out(look.entity, port=port))
    with behind_wall(staff=None, entities=[look.entity.ref]):
        assert any("Choose the gateway" in each for each in what_is_missing(campaign, look))
