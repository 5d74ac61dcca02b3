"""A sequence from its first word to its last step: made, begun with a second person's word, paused, stopped."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.counsel.bulk import decide_segment
from comity.counsel.conditions import ConditionError, chooses_people, read
from comity.ledger.actions import record
from comity.outreach.campaigns.actions import HERE
from comity.outreach.campaigns.models import Imprint
from comity.outreach.campaigns.writing import calls_by_name, question_of
from comity.outreach.composing.content import Content, problems
from comity.outreach.sequences.exits import CHOSEN
from comity.outreach.sequences.models import Enrolment, Errand, Kind, Sequence, State, Step, Under, Version
from comity.outreach.sequences.triggers import LISTED, TRIGGERS, look_for, people_of, trigger_of
from comity.outreach.sequences.walking import WORD as RUNS
from comity.post.actions import NotDispatched, pause_dispatch, resume_dispatch, stop_dispatch
from comity.post.jobs import defer_dispatch
from comity.post.models import Dispatch
from comity.post.models import State as Going
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand, may_handle
from comity.staff.models import Entity
from comity.staff.walls import behind_wall
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from comity.book.opening import Look
    from comity.ledger.bodies import JSON
    from comity.staff.models import Approval, Staff

EDITS: Final = "sequence.edit"
STOPS: Final = "sequence.stop"
SETTLES: Final = "errand.settle"
APPROVED: Final = "sequence"
MOST_STEPS: Final = 30
LONGEST_WAIT: Final = 2 * 366 * 24 * 60
"""Minutes: two years."""


class NotDone(ValidationError):
    """A sequence cannot do this now; the message says why, and what to do."""


@transaction.atomic
def make_sequence(*, entity: Entity, name: str, purpose: str, made_by: Staff) -> Sequence:
    """Begin a sequence, with a first version that is a draft. Raises NotYours, NotDone."""
    demand(made_by, EDITS, entity)
    if not may_handle(made_by, operation="contact", purpose=purpose, field_class=FieldClass.CONTACT, entity=entity):
        raise NotDone(_("None of your roles may write to people for this purpose."))
    sequence = Sequence.objects.create(entity=entity, name=name, purpose=purpose, made_by=made_by)
    Version.objects.create(sequence=sequence, entity=entity, number=1)
    _note("made", sequence, made_by)
    return sequence


@transaction.atomic
def change_sequence(*, sequence: Sequence, by: Staff, **changed: Any) -> Sequence:  # noqa: ANN401 - of each column its own
    """Change by which gateway it goes, how late a message may be, whether people may go through it again."""
    locked = _held(sequence, by)
    for column, value in changed.items():
        setattr(locked, column, value)
    locked.save(update_fields=list(changed))
    return locked


@transaction.atomic
def change_version(*, version: Version, by: Staff, **changed: Any) -> Version:  # noqa: ANN401 - as above
    """Change what a draft is: its trigger, exits, condition, ticks. Raises NotDone once it began."""
    locked = _draft(version, by)
    for column, value in changed.items():
        setattr(locked, column, value)
    if "trigger" in changed:
        locked.looked = None
    _check(locked)
    locked.approval = None
    locked.save(update_fields=[*changed, "looked", "approval"])
    return locked


def _check(version: Version) -> None:
    if version.trigger and version.trigger.get("kind") not in TRIGGERS:
        raise NotDone(_("There is no such beginning."))
    if unknown := set(version.exits) - CHOSEN.keys():
        raise NotDone(_("There is no such exit: %(exits)s") % {"exits": ", ".join(unknown)})
    _check_condition(version.unless)


def _check_condition(text: str) -> None:
    try:
        read(text) if text else None
    except ConditionError as error:
        raise NotDone(_("The condition cannot be read: %(why)s") % {"why": error}) from None


def _held(sequence: Sequence, by: Staff, word: str = EDITS) -> Sequence:
    demand(by, word, sequence.entity_id)
    locked = Sequence.objects.select_for_update(of=("self",)).get(pk=sequence.pk)
    if locked.state == State.STOPPED:
        raise NotDone(_("This sequence was stopped for good. Make a new one."))
    return locked


def _draft(version: Version, by: Staff) -> Version:
    _held(version.sequence, by)
    locked = Version.objects.select_for_update(of=("self",)).get(pk=version.pk)
    if locked.begun_at is not None:
        raise NotDone(_("People go through this version: it does not change. Change the next one."))
    return locked


@transaction.atomic
def next_version(*, sequence: Sequence, by: Staff) -> Version:
    """Make a draft like the newest version, to be changed and begun in its place; return the one there is, if any."""
    _held(sequence, by)
    newest = sequence.versions.order_by("-number").select_related("sequence")[0]
    if newest.begun_at is None:
        return newest
    made = Version.objects.create(
        sequence=sequence, entity_id=sequence.entity_id, number=newest.number + 1, trigger=newest.trigger,
        exits=newest.exits, unless=newest.unless, significant=newest.significant, ticks=newest.ticks,
        looked=newest.looked,
    )  # fmt: skip
    Step.objects.bulk_create([
        Step(
            version=made, entity_id=one.entity_id, place=one.place, kind=one.kind, wait=one.wait, content=one.content,
            says=one.says, only_if=one.only_if,
        )
        for one in newest.steps.all()
    ])  # fmt: skip
    return made


# ---------------------------------------------------------------- steps


@transaction.atomic
def add_step(*, version: Version, by: Staff, kind: str, wait: int, **more: Any) -> Step:  # noqa: ANN401 - as above
    """Add a step at the end: `content` of a mail, `says` of something to do, `only_if` of a look."""
    locked = _draft(version, by)
    if locked.steps.count() >= MOST_STEPS:
        raise NotDone(_("A sequence has %(most)d steps at most.") % {"most": MOST_STEPS})
    last = locked.steps.aggregate(last=Max("place"))["last"] or 0
    return _kept(Step(version=locked, entity_id=locked.entity_id, place=last + 1), kind=kind, wait=wait, **more)


@transaction.atomic
def change_step(*, step: Step, by: Staff, **changed: Any) -> Step:  # noqa: ANN401 - as above
    """Change a step of a draft."""
    _draft(step.version, by)
    return _kept(step, **changed)


def _kept(step: Step, **changed: Any) -> Step:  # noqa: ANN401 - as above
    for column, value in changed.items():
        setattr(step, column, value)
    if not 0 <= step.wait <= LONGEST_WAIT:
        raise NotDone(_("A step waits two years at most."))
    if step.kind == Kind.CHECK:
        _check_condition(step.only_if or "?")
    if step.kind == Kind.WORK and not step.says.strip():
        raise NotDone(_("Say what we are to do."))
    Version.objects.filter(pk=step.version_id, begun_at=None).update(approval=None)
    step.save()
    return step


@transaction.atomic
def move_step(*, step: Step, by: Staff, up: bool) -> None:
    """Let a step change places with the one before or after it."""
    version = _draft(step.version, by)
    steps = list(version.steps.order_by("place"))
    at = [one.pk for one in steps].index(step.pk)
    other = at - 1 if up else at + 1
    if 0 <= other < len(steps):
        steps[at].place, steps[other].place = steps[other].place, steps[at].place
        Step.objects.bulk_update([steps[at], steps[other]], ["place"])


@transaction.atomic
def remove_step(*, step: Step, by: Staff) -> None:
    """Take a step out of a draft."""
    _draft(step.version, by)
    step.delete()


# ---------------------------------------------------------------- whom it may reach, and four eyes


@transaction.atomic
def look_at_people(*, version: Version, look: Look) -> Version:
    """Ask the law about everybody who could come to be in it; nobody is opened, and nothing goes out."""
    locked = _draft(version, look.viewer)
    question = question_of(locked.entity_id, locked.sequence.purpose, "email")
    locked.looked = decide_segment(question=question, persons=people_of(locked, look), staff=look.viewer)
    locked.save(update_fields=["looked"])
    return locked


def request_of(version: Version) -> dict[str, Said]:
    """Return just what a second person approves: this beginning, these steps with their words, this way."""
    steps = [[one.kind, one.wait, one.content, one.says, one.only_if] for one in version.steps.order_by("place")]
    told = [version.trigger, sorted(version.exits), version.unless, version.significant, steps]
    words = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    sequence = version.sequence
    return {
        "sequence": sequence.ref, "version": version.number, "entity": sequence.entity.name,
        "purpose": sequence.purpose, "gateway": sequence.gateway_id or "", "words": f"sha256:{words}",
    }  # fmt: skip


def ask_second_person(*, version: Version, reason: str, asked_by: Staff) -> Approval:
    """Lay a version before a second person: nobody knows to how many it will write, so it always takes one."""
    return ask_approval(
        kind=APPROVED, request=request_of(version), reason=reason, asked_by=asked_by, entity=version.sequence.entity
    )


def what_is_missing(version: Version, viewer: Staff, lint_of: Callable[[Version], Collection[str]]) -> list[str]:
    """Return what must be done before a version can begin, in the order in which one would do it."""
    sequence, missing = version.sequence, []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        missing.append(_("Nobody could stop by a link: this book has no https address. COMITY_ADDRESS says which."))
    if not Imprint.objects.filter(entity=sequence.entity_id).exists():
        missing.append(_("Say who sends: the law of everybody wants to know it. Settings, sender."))
    if trigger_of(version) is None:
        missing.append(_("Say what begins it."))
    steps = list(version.steps.all())
    if not steps:
        missing.append(_("Add a step."))
    mails = [one for one in steps if one.kind == Kind.MAIL]
    if mails and (sequence.gateway is None or sequence.gateway.ended_at):
        missing.append(_("Choose the gateway by which its messages go out."))
    missing += [problem for one in mails for problem in _unwritten(one)]
    if mails and not _may_write(version, viewer, mails):
        missing.append(_("None of your roles may write to people for this purpose."))
    if choosing(version) and sequence.purpose not in PROFILED:
        missing.append(_("The law is not asked about choosing people for this purpose; take the condition out."))
    return missing or list(lint_of(version))


PROFILED: Final = frozenset({"marketing", "service", "ask-consent", "analytics", "legal-duty"})


def choosing(version: Version) -> bool:
    """Say whether a condition of it chooses people by what they are or did, which is a use of its own."""
    texts = [version.unless, *version.steps.filter(kind=Kind.CHECK).values_list("only_if", flat=True)]
    return any(chooses_people(text) for text in texts if text)


def _unwritten(step: Step) -> list[str]:
    if not step.content or any(one.level == "error" for one in problems(Content.from_json(step.content))):
        return [_("Finish the words of step %(place)d.") % {"place": step.place}]
    return []


def _may_write(version: Version, viewer: Staff, mails: Collection[Step]) -> bool:
    named = any(one.content and calls_by_name(Content.from_json(one.content)) for one in mails)
    wanted = [FieldClass.CONTACT, *([FieldClass.NAME] if named else [])]
    sequence = version.sequence
    return all(
        may_handle(viewer, operation="contact", purpose=sequence.purpose, field_class=each, entity=sequence.entity_id)
        for each in wanted
    )


# ---------------------------------------------------------------- beginning, pausing, stopping


@transaction.atomic
def begin_version(*, version: Version, by: Staff, lint_of: Callable[[Version], Collection[str]]) -> Version:
    """Let a version begin: from now on people come in by it. Whoever is under way in an earlier one goes on in that.

    Raises NotDone with what is missing; NotApproved where no second person agreed to just this.
    """
    demand(by, RUNS, version.entity_id)
    locked = _draft_to_begin(version)
    if missing := what_is_missing(locked, by, lint_of):
        raise NotDone(missing)
    locked.approval = use_approval(kind=APPROVED, request=request_of(locked), asked_by=by).ref
    locked.begun_by, locked.begun_at = by, timezone.now()
    locked.save(update_fields=["approval", "begun_by", "begun_at"])
    Sequence.objects.filter(pk=locked.sequence_id).update(state=State.RUNNING, paused_at=None)
    if locked.trigger.get("kind") == "list" and not locked.trigger.get("all"):
        _pass_over_those_there(locked)
    _note("begun", locked.sequence, by, version=locked.number, approval=locked.approval)
    return locked


def _draft_to_begin(version: Version) -> Version:
    held = Sequence.objects.select_for_update(of=("self",)).get(pk=version.sequence_id)
    if held.state == State.STOPPED:
        raise NotDone(_("This sequence was stopped for good. Make a new one."))
    locked = Version.objects.select_for_update(of=("self",)).select_related("sequence__entity").get(pk=version.pk)
    if locked.begun_at is not None:
        raise NotDone(_("This version began already."))
    return locked


def _pass_over_those_there(version: Version) -> None:
    """Write down who is on the list already: only those begin who come to it."""
    there = people_of(version, look_for(version)).values_list("ref", flat=True)
    at = timezone.now()
    rows = (
        Enrolment(
            sequence=version.sequence, version=version, entity_id=version.entity_id, person=person, cause=LISTED,
            state=Under.LEFT, why="before", begun_at=at, ended_at=at,
        )
        for person in there.iterator(chunk_size=5_000)
    )  # fmt: skip
    Enrolment.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2_000)


@transaction.atomic
def pause_sequence(*, sequence: Sequence, by: Staff) -> Sequence:
    """Let nobody begin or go on; its messages that wait do not go out. Counts from when this returns."""
    locked = _held(sequence, by, STOPS)
    if locked.state != State.RUNNING:
        raise NotDone(_("It does not run."))
    locked.state, locked.paused_at = State.PAUSED, timezone.now()
    locked.save(update_fields=["state", "paused_at"])
    _turn_dispatches(locked, Going.RUNNING, lambda one: pause_dispatch(dispatch=one, staff=by))
    _note("paused", locked, by)
    return locked


@transaction.atomic
def resume_sequence(*, sequence: Sequence, by: Staff, now: datetime | None = None) -> Sequence:
    """Let it go on where it was: every wait is longer by the pause, so nothing is late and nothing comes at once."""
    locked, at = _held(sequence, by, RUNS), now or timezone.now()
    if locked.state != State.PAUSED or locked.paused_at is None:
        raise NotDone(_("It is not paused."))
    under = Enrolment.objects.filter(sequence=locked, state=Under.UNDER_WAY)
    under.update(due_at=F("due_at") + max(at - locked.paused_at, timedelta()))
    locked.state, locked.paused_at = State.RUNNING, None
    locked.save(update_fields=["state", "paused_at"])

    def go_on(one: Dispatch) -> None:
        resume_dispatch(dispatch=one, staff=by)
        defer_dispatch(dispatch=one)

    _turn_dispatches(locked, Going.PAUSED, go_on)
    _note("resumed", locked, by)
    return locked


@transaction.atomic
def stop_sequence(*, sequence: Sequence, by: Staff) -> Sequence:
    """Stop it for good: all who are under way leave, and what has not gone out never will."""
    locked = _held(sequence, by, STOPS)
    locked.state, locked.paused_at = State.STOPPED, None
    locked.save(update_fields=["state", "paused_at"])
    _let_go(Enrolment.objects.filter(sequence=locked, state=Under.UNDER_WAY), "gone")
    for going in (Going.RUNNING, Going.PAUSED):
        _turn_dispatches(locked, going, lambda one: stop_dispatch(dispatch=one, staff=by))
    _note("stopped", locked, by)
    return locked


def _turn_dispatches(sequence: Sequence, state: Going, turn: Callable[[Dispatch], object]) -> None:
    of = Step.objects.filter(version__sequence=sequence).values("ref")
    for one in Dispatch.objects.filter(about__in=of, state=state).order_by("ref"):
        try:
            turn(one)
        except NotDispatched:  # it ended meanwhile
            continue


def _let_go(rows: Any, why: str) -> int:  # noqa: ANN401 - a queryset
    return int(rows.update(state=Under.LEFT, why=why, ended_at=timezone.now(), step=None, due_at=None))


@transaction.atomic
def take_out(*, enrolment: Enrolment, by: Staff) -> None:
    """Take one person out of a sequence: no further step is taken with them."""
    demand(by, STOPS, enrolment.entity_id)
    locked = Enrolment.objects.select_for_update(of=("self",)).get(pk=enrolment.pk)
    if locked.state != Under.UNDER_WAY:
        raise NotDone(_("They are not under way in it any more."))
    _let_go(Enrolment.objects.filter(pk=locked.pk), "stopped")
    body: dict[str, JSON] = {"sequence": locked.sequence_id, "entity": locked.entity_id}
    record(kind="outreach.sequence-taken-out", staff=by.ref, persons=[locked.person], body=body)


@transaction.atomic
def leave_all(*, person: UUID, entity: UUID, why: str = "replied") -> int:
    """Take somebody out of every sequence of an entity, as their answer to a message does; return of how many.

    It waits for a step that is being taken with them. Whoever reads what came in calls it.
    """
    rows = Enrolment.objects.select_for_update(of=("self",)).filter(person=person, entity=entity, state=Under.UNDER_WAY)
    refs = [one.ref for one in rows]
    if refs:
        _let_go(Enrolment.objects.filter(ref__in=refs), why)
        record(
            kind="outreach.sequences-left",
            staff=None,
            persons=[person],
            body={"entity": entity, "sequences": len(refs)},
        )
    return len(refs)


def pause_after_put_back() -> int:
    """Pause every sequence when a database was put back to an earlier day, and let everybody in them leave.

    Nobody knows which steps were taken since, and nobody gets a message twice. Whoever resumes one has thought of it.
    Return that no message was on its way: those are the dispatches'.
    """
    entities = list(Entity.objects.values_list("ref", flat=True))
    with behind_wall(staff=None, entities=entities), transaction.atomic():
        _let_go(Enrolment.objects.filter(state=Under.UNDER_WAY), "put-back")
        for one in Sequence.objects.select_for_update(of=("self",)).filter(state=State.RUNNING).order_by("ref"):
            Sequence.objects.filter(pk=one.pk).update(state=State.PAUSED, paused_at=timezone.now())
            record(kind="outreach.sequence-paused", staff=None, body={"sequence": one.ref, "entity": one.entity_id})
    return 0


@transaction.atomic
def settle_errand(*, errand: Errand, by: Staff) -> None:
    """Say that what a sequence gave us to do was done."""
    demand(by, SETTLES, errand.entity_id)
    done = Errand.objects.filter(pk=errand.pk, done_at=None).update(done_at=timezone.now(), done_by=by)
    if not done:
        raise NotDone(_("Somebody said so already."))
    record(kind="outreach.errand-done", staff=by.ref, persons=[errand.person], body={"errand": errand.ref})


def _note(verb: str, sequence: Sequence, by: Staff, **more: JSON) -> None:
    body: dict[str, JSON] = {
        "sequence": sequence.ref,
        "entity": sequence.entity_id,
        "purpose": sequence.purpose,
        **more,
    }
    record(kind=f"outreach.sequence-{verb}", staff=by.ref, body=body)
