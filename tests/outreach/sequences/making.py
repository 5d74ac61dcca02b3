"""Sequences for these tests: made, approved by Olga, begun; and time that passes as they are told."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from comity.outreach.campaigns.models import Imprint
from comity.outreach.composing.content import Content, Wording
from comity.outreach.sequences.actions import (
    add_step,
    ask_second_person,
    begin_version,
    change_sequence,
    change_version,
    make_sequence,
)
from comity.outreach.sequences.models import Enrolment, Sequence, Version
from comity.outreach.sequences.walking import walk
from comity.post.models import Dispatch, Gateway, Message
from comity.staff.approvals import settle_approval
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.writing import send_all
from tests.staff.people import make_staff

DAY = 24 * 60
YES: Mapping[str, Any] = {"kind": "yes"}


def words(subject: str) -> dict[str, Any]:
    return Content(
        language="en", wordings={"en": Wording(subject=subject, body="Dear {given|friend},\n\nkettles.")}
    ).as_json()


def mail(subject: str, wait: int = 0) -> dict[str, Any]:
    return {"kind": "mail", "wait": wait, "content": words(subject)}


def draft(firm: Entity, tom: Staff, gateway: Gateway, steps: Several[Mapping[str, Any]], **more: Any) -> Version:  # noqa: ANN401 - of a version
    Imprint.objects.get_or_create(
        entity=firm, defaults={"address": "news@comity.example", "postal_address": "1 Quay Street\nDublin"}
    )
    about = {name: more.pop(name) for name in ("once", "grace") if name in more}
    made = make_sequence(entity=firm, name="Welcome", purpose="marketing", made_by=tom)
    change_sequence(sequence=made, by=tom, gateway=gateway, **about)
    version = made.versions.get()
    change_version(version=version, by=tom, **({"trigger": YES} | more))
    for one in steps:
        add_step(version=version, by=tom, **one)
    return Version.objects.select_related("sequence", "sequence__entity", "sequence__made_by").get(pk=version.pk)


def begun(firm: Entity, tom: Staff, gateway: Gateway, steps: Several[Mapping[str, Any]], **more: Any) -> Sequence:  # noqa: ANN401 - as above
    """Make a sequence, have it approved, and let it begin."""
    with behind_wall(staff=tom.ref, entities=[firm.ref]):
        return begin(draft(firm, tom, gateway, steps, **more), tom)


def begin(version: Version, tom: Staff) -> Sequence:
    olga = Staff.objects.filter(name="Olga Petrova").first() or make_staff("privacy-officer")
    settle_approval(
        approval=ask_second_person(version=version, reason="Newcomers", asked_by=tom), approved=True, settled_by=olga
    )
    return begin_version(version=version, by=tom, lint_of=lambda _version: []).sequence


def in_(hours: float) -> datetime:
    """Return the time so many hours from now."""
    return timezone.now() + timedelta(hours=hours)


def go_out(firm: Entity) -> None:
    """Let everything that is on its way go out, as a worker does."""
    with behind_wall(staff=None, entities=[firm.ref]):
        dispatches = list(Dispatch.objects.filter(state="running").select_related("entity", "staff", "gateway"))
    for dispatch in dispatches:
        send_all(dispatch)


def live(firm: Entity, *hours: float) -> None:
    """Let a look be taken at each of these hours from now, and what it brought go out."""
    for hour in hours:
        walk(entity=firm, now=in_(hour))
        go_out(firm)


def where(person: UUID) -> tuple[str, str]:
    """Return where somebody is in the one sequence, and why."""
    one = Enrolment.objects.get(person=person)
    return one.state, one.why


def messages_to(person: UUID) -> int:
    return Message.objects.filter(person=person).count()
