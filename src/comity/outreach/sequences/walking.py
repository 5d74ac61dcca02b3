"""Going on: who begins, who leaves, and which step is taken with whom. Called each minute; may be called any time.

A step is one transaction: the rows of those with whom it is taken are locked, what the step does is written down (the
dispatch of their messages, or the errand), with one `Taken` each and where they are now. So whoever dies in it has done
nothing, and whoever dies after it has done all of it; the messages then go out as all messages do, under a decision of
their own.

- A wait counts from when the step before was taken. After a time in which nothing ran, people go on where they were,
  one step at a time, and nobody gets a burst.
- A message that is later than the sequence's grace is not sent at all. What gives us something to do is never too late.
- The next message waits until it is known what became of the one before.
- Waits are spans of time, not days of a calendar: a day is 24 hours, whatever clocks are put on or back.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils import timezone

from comity.counsel.actions import decide
from comity.counsel.conditions import FALSE, TRUE, chooses_people, truth_for
from comity.counsel.questions import Question
from comity.ledger.actions import record
from comity.outreach.sequences.exits import last_messages, leaving
from comity.outreach.sequences.models import Enrolment, Errand, Kind, State, Step, Taken, Under, Version
from comity.outreach.sequences.triggers import LOOK_BACK, trigger_of
from comity.post.actions import begin_dispatch
from comity.post.jobs import defer_dispatch
from comity.post.models import Stage
from comity.staff.guards import may_do
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity

log = logging.getLogger(__name__)

KIND: Final = "sequence"
WORD: Final = "sequence.run"
AT_ONCE: Final = 500
"""People with whom a step is taken in one transaction."""
MOST: Final = 5_000
"""People who begin at one look; the rest begin at the next."""
UNTIL_KNOWN: Final = timedelta(minutes=10)
"""After which it is looked again what became of the message before."""


def walk(*, entity: Entity, now: datetime | None = None) -> Counter[str]:
    """Let people begin, and take every step of this entity's sequences that is due; return how many of each."""
    at = now or timezone.now()
    counted: Counter[str] = Counter()
    for version in _running(entity):
        counted["begun"] += _begin_some(version, at)
    while moved := _take_some(entity, at):
        counted.update(moved)
    return counted


def _running(entity: Entity) -> list[Version]:
    """Return the newest version of each sequence that runs, if whoever began it still may."""
    with behind_wall(staff=None, entities=[entity.ref]):
        rows = Version.objects.filter(entity=entity, begun_at__isnull=False, sequence__state=State.RUNNING)
        newest = rows.order_by("sequence_id", "-number").distinct("sequence_id")
        found = list(newest.select_related("sequence", "sequence__entity", "begun_by", "sequence__made_by"))
    return [one for one in found if one.begun_by and one.begun_by.is_active and may_do(one.begun_by, WORD, entity)]


# ---------------------------------------------------------------- who begins


def _begin_some(version: Version, now: datetime) -> int:
    trigger = trigger_of(version)
    if trigger is None or version.begun_at is None or version.begun_by is None:
        return 0
    since = max(version.begun_at, now - LOOK_BACK)
    with behind_wall(staff=version.begun_by.ref, entities=[version.entity_id]):
        return enrol(version=version, causes=list(trigger.found(version, since, now, MOST)), at=now)


def enrol(*, version: Version, causes: Collection[tuple[UUID, str]], at: datetime) -> int:
    """Let these people begin, each for what came about for them; who is under way or may not again does not."""
    first = version.steps.order_by("place").first()
    if not causes or first is None:
        return 0
    barred = _barred(version, [person for person, _cause in causes])
    due = at + timedelta(minutes=first.wait)
    rows = [
        Enrolment(
            sequence=version.sequence, version=version, entity_id=version.entity_id, person=person, cause=cause,
            step=first, due_at=due, begun_at=at,
        )
        for person, cause in causes if person not in barred
    ]  # fmt: skip
    Enrolment.objects.bulk_create(rows, ignore_conflicts=True)
    begun = list(Enrolment.objects.filter(ref__in=[row.ref for row in rows]).values_list("person", flat=True))
    if begun:
        _note("entered", version, len(begun), begun)
    return len(begun)


def _barred(version: Version, persons: Sequence[UUID]) -> set[UUID]:
    rows = Enrolment.objects.filter(sequence=version.sequence_id, person__in=persons)
    if not version.sequence.once:
        rows = rows.filter(state=Under.UNDER_WAY)
    return set(rows.values_list("person", flat=True))


# ---------------------------------------------------------------- the steps that are due


def _take_some(entity: Entity, now: datetime) -> Counter[str]:
    """Take one step with as many as are due, in one transaction; return what was done, nothing where nobody is due."""
    with behind_wall(staff=None, entities=[entity.ref]):
        due = Enrolment.objects.filter(
            entity=entity, state=Under.UNDER_WAY, due_at__lte=now, sequence__state=State.RUNNING
        )
        rows = due.select_related(
            "step", "version", "version__sequence__gateway", "version__begun_by", "version__sequence__entity"
        ).order_by("due_at", "ref")
        held = list(rows.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE])
        if not held:
            return Counter()
        done: Counter[str] = Counter()
        for (_version, _step), group in groupby(sorted(held, key=_by_step), key=_by_step):
            done.update(_take(list(group), now))
    return done


def _by_step(one: Enrolment) -> tuple[UUID, int]:
    return one.version_id, one.step.place if one.step else 0


def _take(group: Sequence[Enrolment], now: datetime) -> Counter[str]:
    """Take one step with these people: those who leave go first."""
    version, step = group[0].version, group[0].step
    assert step is not None  # noqa: S101 - the table says so
    gone = leaving(version, group)
    staying = [one for one in group if one.person not in gone]
    gone |= _kept_from(version, step, staying)
    waiting = _waiting(version, step, staying)
    _leave([one for one in group if one.person in gone], gone, now)
    _wait([one for one in staying if one.ref in waiting and one.person not in gone], now)
    going = [one for one in staying if one.person not in gone and one.ref not in waiting]
    if going:
        _do(version, step, going, now)
    return Counter({"left": len(gone), "waiting": len(waiting), "taken": len(going)})


def _waiting(version: Version, step: Step, staying: Sequence[Enrolment]) -> set[UUID]:
    """Return with whom a message must wait: the one before has not gone out yet, or the gateway was ended."""
    if step.kind != Kind.MAIL:
        return set()
    if version.sequence.gateway is None or version.sequence.gateway.ended_at is not None:
        return {one.ref for one in staying}
    before = last_messages(staying)
    return {one.ref for one in staying if before.get(one.person, ("", ""))[0] == Stage.INTENDED}


def _kept_from(version: Version, step: Step, staying: Sequence[Enrolment]) -> dict[UUID, str]:
    """Return whom a condition keeps from going on: the sequence's own, or that of a step that looks.

    A step is taken only where `unless` is certainly false and `only_if` certainly true: unknown is never yes.
    """
    asked = [(version.unless, "unless", FALSE)] if version.unless else []
    if step.kind == Kind.CHECK:
        asked.append((step.only_if, "check", TRUE))
    kept: dict[UUID, str] = {}
    persons = [one.person for one in staying]
    for text, why, wanted in asked if persons else ():
        if chooses_people(text):
            kept |= dict.fromkeys(_may_not_choose(version, persons), "profile")
        question = Question(
            operation="contact", purpose=version.sequence.purpose, channel="email", entity=version.entity_id
        )
        truths = truth_for(text, question=question, persons=persons, day=timezone.localdate())
        kept |= {person: why for person, truth in truths.items() if truth != wanted and person not in kept}
    return kept


def question_of_choosing(version: Version) -> Question:
    """Return what the law is asked where a machine chooses people by what they are or did."""
    return Question(
        operation="decide" if version.significant else "profile", purpose=version.sequence.purpose,
        entity=version.entity_id, more={"use.automated": True, "use.significant": version.significant},
    )  # fmt: skip


def _may_not_choose(version: Version, persons: Sequence[UUID]) -> list[UUID]:
    """Ask the law whether a machine may choose these people by their facts, and put that on record."""
    if version.begun_by is None:
        return list(persons)
    decided = decide(
        question=question_of_choosing(version), persons=sorted(persons), staff=version.begun_by, field_classes=[],
        handled=[],
    )  # fmt: skip
    permitted = set(decided.permitted)
    return [person for person in persons if person not in permitted]


def _leave(rows: Sequence[Enrolment], why: Mapping[UUID, str], now: datetime) -> None:
    for one in rows:
        one.state, one.why, one.ended_at, one.step, one.due_at = Under.LEFT, why[one.person], now, None, None
    Enrolment.objects.bulk_update(rows, ["state", "why", "ended_at", "step", "due_at"])
    if rows:
        _note("left", rows[0].version, len(rows), [one.person for one in rows])


def _wait(rows: Sequence[Enrolment], now: datetime) -> None:
    for one in rows:
        one.due_at = now + UNTIL_KNOWN
    Enrolment.objects.bulk_update(rows, ["due_at"])


def _do(version: Version, step: Step, going: Sequence[Enrolment], now: datetime) -> None:
    """Do what the step says, write down that it was done with each, and where each is now."""
    late = now - timedelta(hours=version.sequence.grace)
    doing = {one.ref: _what(step, one, late) for one in going}
    dispatch = _send(version, step, [one.person for one in going if doing[one.ref] == "sent"])
    if step.kind == Kind.WORK:
        Errand.objects.bulk_create([Errand(entity_id=one.entity_id, person=one.person, step=step) for one in going])
    Taken.objects.bulk_create([
        Taken(
            enrolment=one, step=step, entity_id=one.entity_id, what=doing[one.ref], at=now,
            dispatch=dispatch if doing[one.ref] == "sent" else None,
        )
        for one in going
    ])  # fmt: skip
    _go_on(version, step, going, now)


def _what(step: Step, one: Enrolment, late: datetime) -> str:
    if step.kind == Kind.WORK:
        return "work"
    if step.kind == Kind.CHECK:
        return "on"
    return "late" if one.due_at is not None and one.due_at < late else "sent"


def _send(version: Version, step: Step, persons: Sequence[UUID]) -> UUID | None:
    sequence = version.sequence
    if not persons or sequence.gateway is None or version.begun_by is None:
        return None  # nobody is left, or the table of versions would have refused it
    dispatch = begin_dispatch(
        kind=KIND, about=step.ref, entity=sequence.entity, purpose=sequence.purpose, gateway=sequence.gateway,
        staff=version.begun_by, persons=persons,
    )  # fmt: skip
    defer_dispatch(dispatch=dispatch)
    return dispatch.ref


def _go_on(version: Version, step: Step, going: Sequence[Enrolment], now: datetime) -> None:
    following = version.steps.filter(place__gt=step.place).order_by("place").first()
    for one in going:
        one.step = following
        one.due_at = now + timedelta(minutes=following.wait) if following else None
        if following is None:
            one.state, one.ended_at = Under.THROUGH, now
    Enrolment.objects.bulk_update(going, ["step", "due_at", "state", "ended_at"])


def _note(verb: str, version: Version, many: int, persons: Sequence[UUID]) -> None:
    body: dict[str, JSON] = {
        "sequence": version.sequence_id,
        "version": version.number,
        "entity": version.entity_id,
        "people": many,
    }
    staff = version.begun_by_id
    record(kind=f"outreach.sequence-{verb}", staff=staff, persons=persons[:1_000], body=body)
