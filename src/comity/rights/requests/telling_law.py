"""What the law is told of a request: the event when it comes, and facts that are learnt later. It counts anew."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError

from comity.counsel import duties
from comity.counsel.duties_counting import homes_of, plain
from comity.counsel.models import DutyEvent, OwedDuty
from comity.law import FactError
from comity.rights.requests.models import Kind, Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from django.db.models import QuerySet

    from comity.staff.models import Staff

MARKETING: Final = "marketing"
HOME: Final = "person.home"


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
        told[HOME] = [home]
    return told


def _purpose_of(request: Request) -> str:
    """Return the purpose that an objection or a withdrawal is about; of several, the one that nothing outweighs."""
    named = list(request.wants.get("purposes", ()))
    if request.kind == Kind.OBJECTION and not named:
        return MARKETING
    return MARKETING if MARKETING in named else named[0] if len(named) == 1 else ""


def note(request: Request, by: Staff | None, learnt: Mapping[str, object] | None = None) -> None:
    """Ask the law what a request makes us owe. Raises Contradiction."""
    persons = [request.person] if request.person else []
    with readable():
        duties.note_event(
            event={**event_of(request), **(learnt or {})}, entity=request.entity, about=request.ref, persons=persons,
            staff=by,
        )  # fmt: skip
    events = DutyEvent.objects.filter(about=request.ref, entity=request.entity_id)
    newest = events.order_by("noted_at", "ref").values_list("ref", flat=True).last()
    _now_is(request, newest)


def _now_is(request: Request, event: UUID | None) -> None:
    request.event = event
    request.save(update_fields=["event"])


def note_again(request: Request, by: Staff | None, words: str) -> None:
    """Ask the law anew, since it is known now whose data it is about: their home may have another law."""
    before = DutyEvent.objects.filter(ref=request.event).first() if request.event else None
    persons = [request.person] if request.person else []
    homes = homes_of(request.entity, persons, request.received_on)
    if before is not None and before.homes == homes and HOME not in before.facts:
        return
    learnt = learnt_of(request)
    duties.take_back_event(entity=request.entity, about=request.ref, words=words, staff=by)
    known = DutyEvent.objects.filter(about=request.ref, entity=request.entity_id, homes=homes)
    again = known.exclude(facts__has_key=HOME).last()
    if again is None:
        note(request, by, learnt)
    else:
        _open_again(request, again, by, words)


def _open_again(request: Request, event: DutyEvent, by: Staff | None, words: str) -> None:
    """Let be owed again what was owed when it was thought to be about somebody of the same home before."""
    _now_is(request, event.ref)
    for duty in OwedDuty.objects.filter(event=event, settled=OwedDuty.Settled.NOT_OWED):
        duties.open_again(duty=duty, words=words, opened_by=by)


# ---------------------------------------------------------------- what is owed of it


def duties_of(request: Request) -> QuerySet[OwedDuty]:
    """Return what is or was owed of a request, as counsel knows it now."""
    known = OwedDuty.objects.filter(event__about=request.ref, entity=request.entity_id, standing=False)
    current = known.filter(event=request.event) if request.event else known
    return current.select_related("event", "entity", "settled_by").order_by("day", "rule")


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
