"""Calling somebody: the number is opened by a decision of that moment, and what came of the call counts at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.actions import log_activity
from comity.book.editing.history import keep_past
from comity.book.editing.leave import NotPermitted, ask_leave
from comity.book.models import ContactPoint, Doing, Person
from comity.book.opening import Look
from comity.book.queries import persons_seen_by
from comity.book.reaching import points_by
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.consent.models import Said
from comity.consent.suppression.actions import suppress as keep_off
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.consent.suppression.models import Cause
from comity.consent.suppression.queries import is_suppressed
from comity.counsel.actions import decide
from comity.counsel.duties import note_event
from comity.counsel.questions import ADVERTISING
from comity.law import Verdict
from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.outreach.calls.dialling import CHANNEL, Dial, look_before, question_of
from comity.outreach.calls.models import Call, Outcome, Recording
from comity.post.pacing.timing import note_reached, note_refusal
from comity.staff.guards import demand, may_handle
from comity.vault.actions import open_fields
from comity.vault.gate import Refused, Warrant
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

WORD: Final = "person.call"
SOURCE: Final = "Telephone call"

declare_words(*Outcome.values, *Recording.values)


class NotCalled(ValidationError):
    """Nobody is called; the message says why, and what would help."""


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A call that may be made: the number, for the eyes of whoever dials it, and what is said."""

    call: Call
    number: str
    dial: Dial


@transaction.atomic
def begin_call(*, person: UUID, entity: Entity, purpose: str, staff: Staff, at: datetime | None = None) -> Begun:
    """Open a number to dial it now, if the law, the registers and the clock permit. Raises NotCalled, NotYours.

    Whoever says no meanwhile waits for this to end, and is asked about by the next call.
    """
    demand(staff, WORD, entity)
    if not may_handle(staff, operation="contact", purpose=purpose, field_class=FieldClass.CONTACT, entity=entity):
        raise NotCalled(_("None of your roles may call people for this purpose."))
    held = persons_seen_by(staff, entity).select_for_update(of=("self",), no_key=True).filter(ref=person).first()
    if held is None:
        raise NotCalled(_("There is no such person in this book."))
    question = question_of(entity.ref, purpose)
    decided = decide(question=question, persons=[person], staff=staff, field_classes=[FieldClass.CONTACT])
    answer = decided.answers[person]
    dial = look_before(person=held, entity=entity, purpose=purpose, answer=answer, staff=staff, at=at or timezone.now())
    if answer.verdict is not Verdict.PERMIT or dial.stops:
        raise NotCalled(list(dial.stops) or [_("The law does not permit this call.")])
    label = points_by(CHANNEL, [person]).get(person)
    if label is None:
        raise NotCalled(_("There is no number to call."))
    number = _number(decided.warrant, label)
    if (mark := _mark(number, held)) is None or _kept_off(mark, entity, purpose):
        raise NotCalled(_("This number is on the list of those that must not be used, or is no number."))
    call = Call.objects.create(
        person=person, entity=entity, point=label.record, purpose=purpose, decision=decided.ref, staff=staff
    )
    note_reached(entity=entity.ref, person=person, channel=CHANNEL, purpose=purpose)
    _note("begun", call, staff)
    return Begun(call=call, number=number, dial=dial)


def _number(warrant: Warrant, label: Label) -> str:
    opened = open_fields(warrant=warrant, labels=[label])
    return str(next(iter(opened.get(label, {}).values()), ""))


def _mark(number: str, person: Person) -> Mark | None:
    try:
        return mark_of("phone", number, places=person.home.split("|") if person.home else ())
    except Unclear:
        return None


def _kept_off(mark: Mark, entity: Entity, purpose: str) -> bool:
    return is_suppressed(entity=entity, mark=mark, purpose=purpose, channel=CHANNEL)


# ---------------------------------------------------------------- what came of it


@transaction.atomic
def end_call(
    *, call: Call, outcome: Outcome, staff: Staff, recording: Recording = Recording.NOT,
    call_back_at: datetime | None = None,
) -> Call:  # fmt: skip
    """Say what came of a call, once. A wrong number is used no more; who wants no more calls gets none from now on.

    Raises NotCalled.
    """
    Person.objects.select_for_update(of=("self",)).filter(ref=call.person).first()
    locked = Call.objects.select_for_update(of=("self",)).select_related("entity").get(pk=call.pk)
    if locked.staff_id != staff.pk:
        raise NotCalled(_("Who called says what came of it."))
    if locked.outcome:
        raise NotCalled(_("It was said already what came of this call."))
    if (outcome == Outcome.CALL_BACK) != (call_back_at is not None):
        raise NotCalled(_("Say when they want to be called back."))
    now = timezone.now()
    if call_back_at is not None and call_back_at <= now:
        raise NotCalled(_("They want to be called back later than now."))
    locked.outcome, locked.recording, locked.ended_at, locked.call_back_at = outcome, recording, now, call_back_at
    locked.save(update_fields=["outcome", "recording", "ended_at", "call_back_at"])
    if outcome == Outcome.WRONG_NUMBER:
        _mark_wrong(locked, now)
    if outcome == Outcome.NO_MORE_CALLS:
        note_refusal(entity=call.entity_id, person=call.person, channel=CHANNEL)
        _take_down(locked, staff, now)
    _note("ended", locked, staff, outcome=str(outcome), recording=str(recording))
    _log(locked, staff)
    return locked


def _mark_wrong(call: Call, at: datetime) -> None:
    points = list(ContactPoint.objects.select_for_update(of=("self",)).filter(ref=call.point, person=call.person))
    keep_past(points)
    ContactPoint.objects.filter(ref__in=[point.ref for point in points]).update(failed_at=at)


def _take_down(call: Call, staff: Staff, at: datetime) -> None:
    """Record the no to calls, and of advertising an objection by every way; put the number on the list."""
    if call.purpose in ADVERTISING:
        object_to_marketing(person=call.person, entity=call.entity, said_at=at, source=SOURCE, heard_by=staff)
        _owe(call, {"event.kind": "request-received", "event.request": "objection"}, staff)
    about = About(person=call.person, entity=call.entity, purpose=call.purpose, channel=CHANNEL)
    said = withdraw_consent(about=about, said_at=at, source=SOURCE, heard_by=staff)
    if said.said == Said.WITHDRAWN:
        _owe(call, {"event.kind": "consent-withdrawn"}, staff)
    _keep_off(call, staff, at)


def _keep_off(call: Call, staff: Staff, at: datetime) -> None:
    """Put the number on the list, while the decision that opened it is fresh; the person's own no counts anyhow."""
    warrant = Warrant(
        decision=call.decision, staff=staff.ref, operation="contact", purpose=call.purpose, channel=CHANNEL
    )
    person = Person.objects.filter(ref=call.person).first()
    with suppress(Refused):
        number = _number(warrant, Label(call.person, FieldClass.CONTACT, "point", call.point))
        if person and (mark := _mark(number, person)):
            keep_off(
                entity=call.entity, marks=[mark], cause=Cause.OPTED_OUT, source=SOURCE, since=at,
                purposes=sorted({*ADVERTISING, call.purpose}), channels=["call", "autocall"], added_by=staff,
            )  # fmt: skip


def _owe(call: Call, event: dict[str, object], staff: Staff) -> None:
    told = {
        **event, "event.on": timezone.localdate(), "use.purpose": call.purpose, "use.channel": CHANNEL
    }  # fmt: skip
    note_event(event=told, entity=call.entity, about=call.person, persons=[call.person], staff=staff)


def _log(call: Call, staff: Staff) -> None:
    """Put the call on the person's timeline, where law and role let this member of the staff keep notes."""
    look = Look(viewer=staff, entity=call.entity, purpose=call.purpose)
    minutes = round(((call.ended_at or timezone.now()) - call.begun_at).total_seconds() / 60)
    with suppress(NotPermitted, Refused), transaction.atomic():
        leave = ask_leave(look, call.person, FieldClass.NOTE)
        log_activity(
            leave=leave,
            doing=Doing.CALL,
            at=call.begun_at,
            minutes=minutes or None,
            text=str(Outcome(call.outcome).label),
        )


def _note(verb: str, call: Call, staff: Staff, **more: str) -> None:
    body: dict[str, JSON] = {
        "call": call.ref, "entity": call.entity_id, "purpose": call.purpose, "decision": call.decision, **more
    }  # fmt: skip
    record(kind=f"outreach.call-{verb}", staff=staff.ref, persons=[call.person], body=body)
