"""What is done about a request, from its coming to its end: each verb one transaction and one ledger entry.

Whose word it takes: `request.note` to note one down, `request.work` to work on it, `request.decide` to refuse it, take
more time, or doubt for good who asks. The law is told of each step and counts anew; nothing here counts a day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.actions import lock
from comity.book.models import Person
from comity.counsel import duties as law
from comity.ledger.actions import record
from comity.refs import new_ref
from comity.rights.requests.clocks import ANSWERS, TO_ASKER, TOLD, clocks_of, overdue
from comity.rights.requests.letter import forget_proof, label_of_proof, seal_letter
from comity.rights.requests.models import OPEN, AskedBy, CameBy, Kind, Level, Proof, Request, Shown, State, Step
from comity.rights.requests.remedies import REFUSES, Exemption, exemptions_from, remedies_of
from comity.rights.requests.taking_effect import AT_ONCE, shut_addresses, take_effect
from comity.rights.requests.telling_law import (
    duties_of,
    note,
    note_again,
    open_duties,
    tell,
    tell_of_pause,
)
from comity.staff.guards import demand, may_do
from comity.vault.actions import seal

if TYPE_CHECKING:
    from comity.counsel.models import OwedDuty
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity, Staff

NOTE: Final = "request.note"
WORK: Final = "request.work"
DECIDE: Final = "request.decide"
ON_RECORD: Final = "The request stands on record under its ref, with each of its steps."
LEVELS: Final = (Level.REASONABLE, Level.HIGH, Level.SIGNED)
LEVEL_OF: Final[Mapping[str, Level]] = {
    Shown.CODE: Level.REASONABLE, Shown.KNOWN: Level.REASONABLE, Shown.FACTS: Level.HIGH,
    Shown.DOCUMENT: Level.HIGH, Shown.DECLARATION: Level.SIGNED,
}  # fmt: skip
"""How certain each way makes it who asks."""


class NotDone(ValidationError):
    """A step is not taken; the message says why, and what to do instead."""


class Over(NotDone):
    """The request is answered, refused or taken back: nothing more is done about it."""


class Late(NotDone):
    """Its day has passed: it is closed only with the reason why it is late."""


class NotExtended(NotDone):
    """No law gives more time for it now: it has no extension, or the first period is over."""


class NotExempt(NotDone):
    """A law asks for an answer, and none of the exceptions that were named is one of its own."""


class NotAsked(NotDone):
    """Nothing may be asked of this person: it is not needed, or it is more than is needed."""


# ---------------------------------------------------------------- it comes


@transaction.atomic
def receive_request(
    *, entity: Entity, kinds: Sequence[Kind], came_by: CameBy | str, asked_by: AskedBy | str = AskedBy.PERSON,
    person: UUID | None = None, words: str, reach: Mapping[str, str], language: str = "", received_on: date,
    wants: Mapping[str, Any] | None = None, noted_by: Staff | None = None,
) -> list[Request]:  # fmt: skip
    """Take down what somebody asks, one request for each thing, and let the clocks run from the day it came.

    `reach` is by what to reach them: "name", "email", "phone", "post". `wants` are plain choices: purposes, channels,
    months, and home, the place where they say they live. What they say no to ends at once, for the address if nobody
    knows yet whose it is. Raises NotYours, NotDone for a day to come, Contradiction.
    """
    if noted_by is not None:
        demand(noted_by, NOTE, entity)
    if received_on > timezone.localdate():
        raise NotDone({"received_on": _("It cannot have come on a day that has not come.")})
    if person is not None:
        _refuse_stranger(person, entity)
        lock(person)  # before what they said and before the entity, as whoever takes down a no does
    told: dict[str, Any] = {
        "entity": entity, "letter": new_ref(), "person": person, "wants": dict(wants or {}), "came_by": came_by,
        "asked_by": asked_by, "language": language, "received_on": received_on, "noted_by": noted_by,
        "handler": noted_by if noted_by and may_do(noted_by, WORK, entity) else None,
    }  # fmt: skip
    return [_received(told, kind, words, reach) for kind in dict.fromkeys(kinds)]


def _received(
    told: Mapping[str, Any], kind: Kind, words: str, reach: Mapping[str, str], **more: Request
) -> Request:  # fmt: skip
    request = Request.objects.create(kind=Kind(kind), **told, **more)
    by = request.noted_by
    seal_letter(request.ref, words=words, reach=reach)
    _step(request, "received", by)
    _record("received", request, by, came_by=str(request.came_by), asked_by=str(request.asked_by),
            on=request.received_on, letter=request.letter)  # fmt: skip
    ended, shut = take_effect(request, by), shut_addresses(request, reach, by)
    note(request, by, {"event.refused_on": _refused_on(request)} if request.appeals else None)
    _settle_effect(request, by, ended, shut)
    return request


def _refuse_stranger(person: UUID, entity: Entity) -> None:
    if not Person.objects.filter(ref=person, entities__contains=[entity.ref], merged_into=None).exists():
        raise NotDone({"person": _("Nobody of this entity's book has this ref.")})


def _refused_on(request: Request) -> date | None:
    refused = request.appeals
    return timezone.localtime(refused.closed_at).date() if refused and refused.closed_at else None


def _settle_effect(request: Request, by: Staff | None, ended: int, shut: int = 0) -> None:
    """Settle what the law wanted of us for what somebody said no to: it has ended."""
    if request.kind not in AT_ONCE:
        law.settle_about(entity=request.entity, about=request.ref, words=ON_RECORD, staff=by, acts=("record",))
    elif request.person or shut:
        _step(request, "took-effect", by, facts={"uses": ended, "addresses": shut})
        words = f"It took effect the day it was noted: uses that ended: {ended}, addresses shut: {shut}."
        acts = ("stop", "record") if request.person else ("record",)
        law.settle_about(entity=request.entity, about=request.ref, words=words, staff=by, acts=acts)


# ---------------------------------------------------------------- whose data it is about, and who works on it


@transaction.atomic
def match_person(*, request: Request, person: UUID, by: Staff | None) -> Request:
    """Say whose data a request is about. The law of their home is asked anew; what they said no to ends now.

    Raises NotYours, Over, NotDone for somebody whom this entity does not hold.
    """
    locked = _open(request, by, WORK)
    _refuse_stranger(person, locked.entity)
    locked.person = person
    locked.save(update_fields=["person"])
    _step(locked, "matched", by)
    _record("matched", locked, by)
    ended = take_effect(locked, by)
    note_again(locked, by, _("It is known now whose data it is about: the law was asked anew."))
    _settle_effect(locked, by, ended)
    return locked


@transaction.atomic
def hand_over(*, request: Request, to: Staff | None, by: Staff) -> Request:
    """Let somebody else look after a request, or nobody. Raises NotYours, Over, NotDone."""
    locked = _open(request, by, WORK)
    if to is not None and not may_do(to, WORK, locked.entity_id):
        raise NotDone({"to": _("None of their roles lets them work on requests of this entity.")})
    locked.handler = to
    locked.save(update_fields=["handler"])
    _step(locked, "handed-over", by, facts={"to": str(to.ref) if to else None})
    _record("handed-over", locked, by, to=to.ref if to else None)
    return locked


# ---------------------------------------------------------------- who asks


def most_to_ask(kind: str, asked_by: str) -> Level | None:
    """Return the most that may be asked of who asks for this; none where nothing may be.

    Nobody shows who they are to say no. What opens or erases everything takes more than a correction does, and who asks
    for somebody else signs that they may.
    """
    if kind in AT_ONCE:
        return None
    if asked_by != AskedBy.PERSON:
        return Level.SIGNED
    return Level.HIGH if kind in {Kind.ACCESS, Kind.PORTABILITY, Kind.ERASURE, Kind.ACCOUNTING} else Level.REASONABLE


@transaction.atomic
def ask_identity(
    *, request: Request, level: Level | str, words: str, by: Staff, doubtful: bool = False, on: date | None = None
) -> Proof:  # fmt: skip
    """Ask who asks for what makes it certain who they are; `doubtful` where there is a real reason to doubt it.

    Whether a clock stands still meanwhile, the law says. Raises NotYours, Over, NotAsked, Contradiction.
    """
    locked, day = _open(request, by, WORK), on or timezone.localdate()
    most = most_to_ask(locked.kind, locked.asked_by)
    if most is None:
        raise NotAsked(_("Nobody needs to show who they are to say no. It has taken effect."))
    if LEVELS.index(Level(level)) > LEVELS.index(most):
        raise NotAsked({"level": _("That is more than this needs. The most is: %(most)s.") % {"most": most.label}})
    if locked.proofs.filter(confirmed_on=None, failed_on=None).exists():
        raise NotAsked(_("They were asked already."))
    proof = Proof.objects.create(
        request=locked, entity=locked.entity, level=Level(level), asked_on=day, asked_by=by
    )  # fmt: skip
    _now(locked, State.CHECKING)
    _step(locked, "identity-asked", by, words, facts={"level": str(level), "doubtful": doubtful})
    _record("identity-asked", locked, by, level=str(level), on=day)
    tell_of_pause(locked, {"event.identity_asked_on": day, **({"event.identity_doubtful": True} if doubtful else {})},
                  words, by)  # fmt: skip
    return proof


@transaction.atomic
def confirm_identity(
    *, request: Request, shown: Shown | str, by: Staff | None, evidence: str = "", on: date | None = None
) -> Proof:  # fmt: skip
    """Say that it is certain now who asks, and by what; without staff, where a code came back to their own page.

    `evidence` is sealed, and destroyed when the request is over. Raises NotYours, Over, NotDone where that is less than
    was asked for, Contradiction.
    """
    locked, day = _open(request, by, WORK), on or timezone.localdate()
    level = LEVEL_OF[Shown(shown)]
    proof = locked.proofs.filter(confirmed_on=None, failed_on=None).first() or Proof(
        request=locked, entity=locked.entity, level=level
    )
    if LEVELS.index(level) < LEVELS.index(Level(proof.level)):
        raise NotDone({"shown": _("That makes it less certain than what was asked for.")})
    proof.shown, proof.confirmed_on, proof.confirmed_by = Shown(shown), day, by
    proof.save()
    if evidence:
        seal(label=label_of_proof(proof), fields={"text": evidence})
    _now(locked, State.WORKING)
    _step(locked, "identity-confirmed", by, facts={"shown": str(shown)})
    _record("identity-confirmed", locked, by, shown=str(shown), on=day)
    if proof.asked_on:
        tell_of_pause(locked, {"event.identity_confirmed_on": day}, _("It is certain now who asks."), by)
    return proof


@transaction.atomic
def doubt(*, request: Request, words: str, by: Staff, on: date | None = None) -> Request:
    """Say that it cannot be made certain who asks, and why. What the law makes of that it says itself.

    Raises NotYours, Over, NotAsked for what needs no identity, Contradiction.
    """
    locked, day = _open(request, by, DECIDE), on or timezone.localdate()
    if locked.kind in AT_ONCE:
        raise NotAsked(_("Nobody needs to show who they are to say no. It has taken effect."))
    locked.proofs.filter(confirmed_on=None, failed_on=None).update(failed_on=day)
    _now(locked, State.WORKING)
    _step(locked, "doubted", by, words)
    _record("doubted", locked, by, on=day)
    tell(locked, {"event.identity_doubtful": True}, words, by)
    return locked


# ---------------------------------------------------------------- what is meant


@transaction.atomic
def ask_clarification(*, request: Request, words: str, by: Staff, on: date | None = None) -> Request:
    """Ask which data or which use is meant. Raises NotYours, Over, Contradiction."""
    locked, day = _open(request, by, WORK), on or timezone.localdate()
    _now(locked, State.CHECKING)
    _step(locked, "clarification-asked", by, words)
    _record("clarification-asked", locked, by, on=day)
    tell_of_pause(locked, {"event.clarification_asked_on": day}, words, by)
    return locked


@transaction.atomic
def clarified(*, request: Request, words: str, by: Staff | None, on: date | None = None) -> Request:
    """Say that the person answered what they mean. Raises NotYours, Over, Contradiction."""
    locked, day = _open(request, by, WORK), on or timezone.localdate()
    if not locked.proofs.filter(confirmed_on=None, failed_on=None).exists():
        _now(locked, State.WORKING)
    _step(locked, "clarified", by, words)
    _record("clarified", locked, by, on=day)
    tell_of_pause(locked, {"event.clarified_on": day}, words or _("They said what they mean."), by)
    return locked


# ---------------------------------------------------------------- more time


@transaction.atomic
def extend(*, request: Request, words: str, by: Staff, on: date | None = None) -> Request:
    """Take the time that the law gives for what is complex: the person was told so on that day, with the reasons.

    Raises NotYours, Over, NotExtended where no law gives more, or the first period is over; Contradiction.
    """
    locked, day = _open(request, by, DECIDE), on or timezone.localdate()
    before = {one.duty.rule for one in clocks_of(open_duties(locked), day) if one.extends_until}
    if not before:
        raise NotExtended(_("No law gives more time for this now: it must be told within the first period."))
    _step(locked, "extended", by, words)
    tell(locked, {"event.complex": True, "event.extension_told_on": day}, words, by, ends=False)
    counted = [
        one.duty for one in clocks_of(open_duties(locked), day)
        if one.duty.rule in before and any(each["counted"] for each in one.longer)
    ]  # fmt: skip
    if not counted:
        raise NotExtended(_("No law gives more time for this now: it must be told within the first period."))
    _record("extended", locked, by, on=day, rules=sorted(duty.rule for duty in counted))
    return locked


# ---------------------------------------------------------------- the end


@transaction.atomic
def answer(
    *, request: Request, words: str, by: Staff, contained: Collection[str] = (), also_done: Collection[UUID] = (),
    exemptions: Sequence[str] = (), late_because: str = "",
) -> Request:  # fmt: skip
    """Say that a request was answered today: what the answer contained, and what else was done with it.

    `exemptions` are the exceptions by which a part was not done, which takes the word to refuse; its remedies were
    told. Raises NotYours, Over, Late, NotExempt, NotDone.
    """
    locked = _open(request, by, DECIDE if exemptions else WORK)
    named = _named(locked, exemptions)
    _refuse_late(locked, late_because)
    if not named:
        tell(locked, {"event.granted": True}, words, by, ends=False)
    for duty in open_duties(locked):
        if duty.act in TOLD and duty.to in TO_ASKER:
            _done(duty, words, by, contained)
        elif duty.act == REFUSES and not named:
            law.mark_not_owed(duty=duty, words=_("It was done as asked."), settled_by=by)
        elif duty.act == REFUSES or duty.ref in also_done:
            _done(duty, words, by, contained)
    locked.exceptions = [one.id for one in named]
    _close(locked, State.ANSWERED, late_because)
    _step(locked, "answered", by, words, facts={"contents": len(contained), "exemptions": locked.exceptions})
    _record("answered", locked, by, exemptions=locked.exceptions, late=bool(late_because))
    return locked


@transaction.atomic
def refuse(
    *, request: Request, exemptions: Sequence[str], words: str, by: Staff, late_because: str = ""
) -> Request:  # fmt: skip
    """Refuse a request: by exceptions of each law that asks for an answer. The person was told why, and their remedies.

    Raises NotYours, Over, Late, NotExempt where a law has no such exception, Contradiction.
    """
    locked = _open(request, by, DECIDE)
    named = _named(locked, exemptions)
    if not named:
        raise NotExempt(_("Name at least one exception of the law. Without one it cannot be refused."))
    _refuse_late(locked, late_because)
    remedies = remedies_of(duties_of(locked))
    for one in named:
        _lift(locked, one, by)
    facts = {name: value for one in named for name, value in one.facts.items()}
    tell(locked, {"event.granted": False, "event.refused_on": timezone.localdate(), **facts}, words, by)
    for duty in open_duties(locked):
        if duty.act in ANSWERS and duty.state == duty.State.OWED:
            law_name = duty.told["cite"]
            says = _("%(law)s asks for an answer, and you named no exception of its own. Name one, or answer in part.")
            raise NotExempt(says % {"law": law_name})
        if duty.act == REFUSES or (duty.act in TOLD and duty.to in TO_ASKER):
            _done(duty, words, by, duty.told["contents"])
    locked.exceptions = [one.id for one in named]
    _close(locked, State.REFUSED, late_because)
    told = [{"law": one.law, "cite": one.cite} for one in remedies]
    _step(locked, "refused", by, words, facts={"exemptions": locked.exceptions, "remedies": told})
    _record("refused", locked, by, exemptions=locked.exceptions, late=bool(late_because))
    return locked


def _lift(request: Request, one: Exemption, by: Staff) -> None:
    """Settle the duty that an exception ends."""
    for duty in open_duties(request).filter(rule__in=one.lifts):
        law.mark_not_owed(duty=duty, words=f"{one.says} ({one.cite})", settled_by=by)


def _named(request: Request, exemptions: Sequence[str]) -> list[Exemption]:
    """Return the exceptions that were named. Raises NotExempt for one that is not about this request."""
    known = {one.id: one for one in exemptions_from(open_duties(request))}
    if unknown := [each for each in exemptions if each not in known]:
        raise NotExempt(_("%(rule)s is no exception from what this request makes us owe.") % {"rule": unknown[0]})
    return [known[each] for each in dict.fromkeys(exemptions)]


def _done(duty: OwedDuty, words: str, by: Staff, contained: Collection[str]) -> None:
    had = [number for number, content in enumerate(duty.told["contents"]) if content in contained]
    law.mark_done(duty=duty, done_on=timezone.localdate(), words=words, settled_by=by, contained=had)


@transaction.atomic
def take_back(*, request: Request, words: str, by: Staff | None) -> Request:
    """Say that who asked took it back: by themselves on their own page, or by telling one of us.

    Raises NotYours, Over.
    """
    locked = _open(request, by, WORK)
    law.take_back_event(entity=locked.entity, about=locked.ref, words=words or _("It was taken back."), staff=by)
    _close(locked, State.WITHDRAWN, "")
    _step(locked, "taken-back", by, words)
    _record("taken-back", locked, by)
    return locked


@transaction.atomic
def appeal(
    *, request: Request, words: str, received_on: date, noted_by: Staff | None, came_by: CameBy | str = CameBy.PORTAL,
    reach: Mapping[str, str] | None = None,
) -> Request:  # fmt: skip
    """Take down that somebody wants a refusal looked at again: a request of its own, with the appeal's clock.

    Raises NotYours, NotDone where nothing was refused.
    """
    if noted_by is not None:
        demand(noted_by, NOTE, request.entity_id)
    refused = Request.objects.select_for_update(of=("self",)).select_related("entity").get(pk=request.pk)
    if refused.state != State.REFUSED and not refused.exceptions:
        raise NotDone(_("Nothing of this request was refused."))
    if received_on > timezone.localdate():
        raise NotDone({"received_on": _("It cannot have come on a day that has not come.")})
    told: dict[str, Any] = {
        "entity": refused.entity, "letter": new_ref(), "person": refused.person, "wants": refused.wants,
        "came_by": came_by, "asked_by": refused.asked_by, "language": refused.language, "received_on": received_on,
        "noted_by": noted_by, "handler": None,  # somebody else than who refused it should look
    }  # fmt: skip
    made = _received(told, Kind.APPEAL, words, reach or {}, appeals=refused)
    _step(refused, "appealed", noted_by)
    return made


# ---------------------------------------------------------------- what every step does


def _open(request: Request, by: Staff | None, word: str) -> Request:
    """Return a request that nobody else works on until this transaction ends. Raises NotYours, Over."""
    if by is not None:
        demand(by, word, request.entity_id)
    locked = Request.objects.select_for_update(of=("self",)).select_related("entity").get(pk=request.pk)
    if locked.state not in OPEN:
        raise Over(_("This request is over. What comes now is a request of its own."))
    return locked


def _now(request: Request, state: State) -> None:
    request.state = state
    request.save(update_fields=["state"])


def _refuse_late(request: Request, late_because: str) -> None:
    """Refuse to close what is late without a reason. Raises Late."""
    today = timezone.localdate()
    late = overdue(clocks_of(open_duties(request), today), today)
    if late and not late_because.strip():
        day = min(one.due for one in late if one.due)
        says = _("It was due on %(day)s. Say why it is late: the reason stays on record.")
        raise Late({"late_because": says % {"day": day.isoformat()}})


def _close(request: Request, state: State, late_because: str) -> None:
    """End a request; what was shown as proof of who asks is destroyed."""
    request.state, request.closed_at, request.late_because = state, timezone.now(), late_because.strip()
    request.save(update_fields=["state", "closed_at", "late_because", "exceptions"])
    proofs = list(request.proofs.filter(destroyed_at=None).exclude(confirmed_on=None))
    _forget(proofs)
    request.proofs.filter(confirmed_on=None, failed_on=None).update(failed_on=timezone.localdate())


def _forget(proofs: Iterable[Proof]) -> None:
    for proof in proofs:
        forget_proof(proof)
        proof.destroyed_at = timezone.now()
        proof.save(update_fields=["destroyed_at"])


def _step(
    request: Request, did: str, by: Staff | None, words: str = "", facts: Mapping[str, Any] | None = None
) -> None:  # fmt: skip
    Step.objects.create(
        request=request, entity=request.entity, did=did, by=by, words=words, facts=dict(facts or {})
    )  # fmt: skip


def _record(verb: str, request: Request, by: Staff | None, **more: JSON) -> None:
    body: dict[str, JSON] = {
        "request": request.ref, "entity": request.entity_id, "asks": str(request.kind), **more
    }  # fmt: skip
    about = [request.person] if request.person else [request.ref]
    record(kind=f"rights.request-{verb}", staff=by.ref if by else None, persons=about, body=body)
