"""What the law is told of a request: the event when it comes, and facts that are learnt later. It counts anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from comity.counsel import duties
from comity.counsel.duties_counting import homes_of, plain
from comity.counsel.models import DutyEvent, OwedDuty
from comity.law import FactError
from comity.rights.requests.models import Kind, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from comity.staff.models import Staff

MARKETING = "marketing"


class Contradiction(ValidationError):
    """The law cannot read what it is told: a day before the request came, or two facts that exclude each other."""


@contextmanager
def readable() -> Iterator[None]:
    """Say as a refusal of ours what the law cannot read. Raises Contradiction."""
    try:
        yield
    except FactError as error:
        raise Contradiction(str(error)) from error


# ---------------------------------------------------------------- the event


def event_of(request: Request) -> dict[str, object]:
    """Return a request as an event of the law."""
    told: dict[str, object] = {"event.on": request.received_on, "event.by": request.asked_by}
    if request.kind == Kind.COMPLAINT:
        told |= {"event.kind": "complaint-received", "event.complaint": request.wants.get("about", "data-protection")}
    else:
        told |= {"event.kind": "request-received", "event.request": request.kind}
    if purpose := _purpose_of(request):
        told["use.purpose"] = purpose
    if request.person is None and (home := request.wants.get("home")):
        told["person.home"] = [home]
    return told


def _purpose_of(request: Request) -> str:
    """Return the purpose that an objection or a withdrawal is about; of several, the one that nothing outweighs."""
    named = list(request.wants.get("purposes", ()))
    if request.kind == Kind.OBJECTION and not named:
        return MARKETING
    return MARKETING if MARKETING in named else named[0] if len(named) == 1 else ""


def note(request: Request, by: Staff | None, learnt: Mapping[str, object] | None = None) -> list[OwedDuty]:
    """Ask the law what a request makes us owe. Raises Contradiction."""
    persons = [request.person] if request.person else []
    with readable():
        return duties.note_event(
            event={**event_of(request), **(learnt or {})}, entity=request.entity, about=request.ref, persons=persons,
            staff=by,
        )  # fmt: skip


def note_again(request: Request, by: Staff | None, words: str) -> None:
    """Ask the law anew, since it is known now whose data it is about: their home may have another law."""
    before = events_of(request).last()
    persons = [request.person] if request.person else []
    homes = homes_of(request.entity, persons, request.received_on)
    if before is not None and before.homes == homes and "person.home" not in before.facts:
        return
    learnt = learnt_of(request)
    duties.take_back_event(entity=request.entity, about=request.ref, words=words, staff=by)
    note(request, by, learnt)


# ---------------------------------------------------------------- what is owed of it


def events_of(request: Request) -> QuerySet[DutyEvent]:
    """Return as what events a request was noted, the latest last."""
    return DutyEvent.objects.filter(about=request.ref, entity=request.entity_id).order_by("noted_at", "ref")


def duties_of(request: Request) -> QuerySet[OwedDuty]:
    """Return what is or was owed of a request, as it was noted last."""
    known = OwedDuty.objects.filter(event__about=request.ref, entity=request.entity_id, standing=False)
    last = events_of(request).values_list("ref", flat=True).last()
    return known.filter(event=last).select_related("event", "entity", "settled_by").order_by("day", "rule")


def open_duties(request: Request) -> QuerySet[OwedDuty]:
    """Return what is still owed of a request."""
    return duties_of(request).filter(settled="")


def learnt_of(request: Request) -> dict[str, Any]:
    """Return all that was learnt since it was noted."""
    told: dict[str, Any] = {}
    for learnt in duties_of(request).values_list("learnt", flat=True):
        told |= learnt
    return told


# ---------------------------------------------------------------- facts that come later


def tell(request: Request, facts: Mapping[str, object], words: str, by: Staff | None, *, ends: bool = True) -> None:
    """Tell the law what is known now; with `ends`, also where nothing is owed any more by it.

    Raises Contradiction, and NotYoursToEnd where somebody else must say that a duty ends.
    """
    with readable():
        duties.learn_about(
            entity=request.entity, about=request.ref, facts=facts, words=words, learnt_by=by, ends=ends
        )  # fmt: skip


def tell_of_pause(request: Request, facts: Mapping[str, object], words: str, by: Staff | None) -> None:
    """Tell the law of what may pause its clocks. A doubt that would end a duty is not told: it is not settled yet."""
    with readable():
        for duty in open_duties(request):
            new = {name: value for name, value in plain(facts).items() if duty.learnt.get(name) != value}
            if new and duties.recount(duty, {**duty.learnt, **new}) is not None:
                duties.learn(duty=duty, facts=new, words=words, learnt_by=by)
