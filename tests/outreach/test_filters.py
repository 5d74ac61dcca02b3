"""Lists by calls, by what was sent, by forms and by sequences: each holds of one thing, and of one entity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.http import QueryDict

from comity.book.lists.filters import chosen
from comity.book.opening import Look
from comity.book.queries import persons_seen_by
from comity.outreach.calls.models import Call
from comity.outreach.campaigns.actions import make_campaign
from comity.outreach.campaigns.models import Campaign
from comity.outreach.forms.models import FormVersion, Submission, WebForm
from comity.outreach.sequences.models import Enrolment, Sequence, Step, Version
from comity.post.models import Dispatch, Gateway, Message, Stage
from comity.refs import new_ref
from tests.book.people import add, aiko, firm, folder, greta, oliver
from tests.staff.people import ada, adam, dublin, make_staff, shanghai

if TYPE_CHECKING:
    from collections.abc import Callable

    from comity.staff.models import Entity, Staff

__all__ = ["ada", "adam", "add", "aiko", "dublin", "firm", "folder", "greta", "oliver", "shanghai"]
pytestmark = pytest.mark.django_db


def march(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


@pytest.fixture
def look(ada: Staff, firm: Entity) -> Look:
    return Look(viewer=ada, entity=firm, purpose="service")


@pytest.fixture
def found(look: Look, greta: UUID, oliver: UUID, aiko: UUID) -> Callable[[str], set[str]]:
    """Give what returns who passes the filters of a query."""
    names = {greta: "Greta", oliver: "Oliver", aiko: "Aiko"}

    def listed(query: str) -> set[str]:
        people = chosen(look, QueryDict(query)).narrow(persons_seen_by(look.viewer, look.entity))
        return {names[ref] for ref in people.values_list("ref", flat=True)}

    return listed


def a_call(person: UUID, entity: Entity, staff: Staff, outcome: str, day: int) -> None:
    ended: dict[str, Any] = {"outcome": outcome, "ended_at": march(day)} if outcome else {}
    Call.objects.create(
        person=person, entity=entity, point=new_ref(), purpose="service", decision=new_ref(), staff=staff,
        begun_at=march(day), **ended,
    )  # fmt: skip


def test_a_call_is_found_by_what_came_of_it_and_when(
    found: Callable[[str], set[str]], greta: UUID, oliver: UUID, firm: Entity, ada: Staff, shanghai: Entity
) -> None:
    a_call(greta, firm, ada, "reached", 1)
    a_call(greta, firm, ada, "no-answer", 9)
    a_call(oliver, firm, ada, "", 9)
    a_call(oliver, shanghai, ada, "reached", 9)
    assert found("call=reached") == {"Greta"}
    assert found("call=reached&call_after=2026-03-02") == set()
    assert found("call=no-answer&call=reached&call_after=2026-03-02") == {"Greta"}
    assert found("call_after=2026-03-02") == {"Greta", "Oliver"}
    assert found("call_before=2026-03-02") == {"Greta"}


def a_dispatch(entity: Entity, staff: Staff, channel: str) -> Dispatch:
    way = Gateway.objects.create(entity=entity, channel=channel, kind="folder", name=channel)
    return Dispatch.objects.create(
        entity=entity, staff=staff, kind="campaign", about=new_ref(), purpose="marketing", channel=channel, gateway=way
    )


def a_message(dispatch: Dispatch, person: UUID, stage: Stage, day: int) -> None:
    Message.objects.create(
        dispatch=dispatch, entity=dispatch.entity, person=person, stage=stage, ended_at=march(day), decision=new_ref()
    )


def test_a_message_counts_if_it_was_handed_over_by_channel_campaign_and_day(
    found: Callable[[str], set[str]], look: Look, greta: UUID, oliver: UUID, aiko: UUID, firm: Entity, ada: Staff
) -> None:
    mail, text = a_dispatch(firm, ada, "email"), a_dispatch(firm, ada, "sms")
    campaign = make_campaign(
        entity=firm, made_by=ada, name="Spring", purpose="marketing", channel="email", template=None, query=""
    )
    Campaign.objects.filter(ref=campaign.ref).update(dispatch=mail)
    a_message(mail, greta, Stage.SENT, 1)
    a_message(text, greta, Stage.SENT, 9)
    a_message(mail, oliver, Stage.REFUSED, 9)
    a_message(text, aiko, Stage.SENT, 2)
    assert found("message=email") == {"Greta"}
    assert found("message=email&message_after=2026-03-02") == set()
    assert found("message_after=2026-03-02") == {"Greta", "Aiko"}
    assert found(f"campaign={campaign.ref}") == {"Greta"}
    assert found(f"campaign={campaign.ref}&message_after=2026-03-02") == set()
    assert found("nothing_since=2026-03-03") == {"Oliver", "Aiko"}
    (chip,) = chosen(look, QueryDict(f"campaign={campaign.ref}")).chips(QueryDict(f"campaign={campaign.ref}"))
    assert (chip.title, chip.says) == ("Of the campaign", "Spring")


def test_names_of_campaigns_are_told_to_those_alone_who_may_see_campaigns(look: Look, firm: Entity, ada: Staff) -> None:
    campaign = make_campaign(
        entity=firm, made_by=ada, name="Spring", purpose="marketing", channel="email", template=None, query=""
    )
    Campaign.objects.filter(ref=campaign.ref).update(dispatch=a_dispatch(firm, ada, "email"))
    query = QueryDict(f"campaign={campaign.ref}")
    sana = Look(viewer=make_staff("support", entity=firm), entity=firm, purpose="service")
    for who, told in ((look, "Spring"), (sana, "a campaign")):
        picked = chosen(who, query)
        assert picked.explained() == [f"One message of ours that is all of this: {told}"]
        choices = picked.known["campaign"].choices
        assert choices is not None
        assert [says for _value, says in choices(who)] == ([told] if told == "Spring" else [])


def test_a_form_counts_once_it_is_somebodys(found: Callable[[str], set[str]], greta: UUID, firm: Entity) -> None:
    form, other = (WebForm.objects.create(entity=firm, name=name) for name in ("News", "Fair"))
    versions = {
        each: FormVersion.objects.create(form=each, entity=firm, number=1, languages=["en"]) for each in (form, other)
    }
    for version, person in ((versions[form], greta), (versions[other], None)):
        Submission.objects.create(
            version=version, entity=firm, nonce=new_ref(), mark=bytes(16), language="en", place="DE", ticked=[],
            said_at=march(3), ends_at=march(10), person=person, confirmed_at=march(4) if person else None,
        )  # fmt: skip
    assert found(f"form={form.ref}") == {"Greta"}
    assert found(f"form={form.ref}&form_after=2026-03-04") == set()
    assert found("form_before=2026-03-04") == {"Greta"}
    assert found(f"form={other.ref}") == set()


def test_a_sequence_is_found_with_where_somebody_is_in_it(
    found: Callable[[str], set[str]], greta: UUID, oliver: UUID, firm: Entity, ada: Staff
) -> None:
    one, two = (
        Sequence.objects.create(entity=firm, name=name, purpose="marketing", made_by=ada) for name in ("One", "Two")
    )
    for sequence, person, state in ((one, greta, "under-way"), (two, greta, "left"), (two, oliver, "through")):
        version, _made = Version.objects.get_or_create(sequence=sequence, entity=firm, number=1)
        step, _made = Step.objects.get_or_create(version=version, entity=firm, place=1, kind="work")
        waits: dict[str, Any] = {"step": step, "due_at": march(1) + timedelta(days=1)} if state == "under-way" else {}
        Enrolment.objects.create(
            sequence=sequence, version=version, entity=firm, person=person, cause=str(new_ref()), state=state, **waits
        )
    assert found(f"sequence={one.ref}") == {"Greta"}
    assert found(f"sequence={one.ref}&sequence_state=left") == set()
    assert found("sequence_state=left") == {"Greta"}
    assert found(f"sequence={one.ref}&sequence={two.ref}") == {"Greta", "Oliver"}
