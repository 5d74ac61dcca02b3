"""Duties: what an event makes us owe, kept with its day until somebody says that it was done or is not owed.

    note_event(event=data_came(on=today, source="third-party"), entity=ours, about=import_ref, persons=refs, staff=ada)

INVARIANT: nothing here counts a day. The law does, from facts; what comes later is more facts, and the law counts
again.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.counsel.asking import book
from comity.counsel.duties_counting import Counted, as_json, count, homes_of, plain, stopped
from comity.counsel.models import TO_PEOPLE, DutyEvent, DutyStep, OwedDuty
from comity.law.duties import settled
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.staff.guards import may_do
from comity.staff.models import Entity

if TYPE_CHECKING:
    from comity.staff.models import Staff

MOST_NAMED: Final = 500
"""Persons whose refs an event keeps; of more it keeps how many there were, and what it was about knows who."""
START: Final = "processing-started"
Timing, State, Settled = OwedDuty.Timing, OwedDuty.State, OwedDuty.Settled


class WrongDay(ValidationError):
    """A duty cannot have been done on that day: it lies in the future, or before the event."""


class SettledAlready(ValidationError):
    """The duty is settled; open it again first."""


class NotSettled(ValidationError):
    """The duty is open, so there is nothing to open again."""


class NotYoursToEnd(ValidationError):
    """By the facts given nothing would be owed any more; that, only those may say who make rulings."""


class NothingNew(ValidationError):
    """No fact was given by which the law could count anew."""


def data_came(*, on: date, source: str, purpose: str = "service", **more: object) -> dict[str, object]:
    """Return the event that data about people came to us, as an import is one: a processing starts.

    `source` is one of the vocabulary's: "person" (they gave the data themselves), "third-party", "published"; so GDPR
    Art. 13 or 14 and their kin follow. `more` are further facts, with the dot as two underscores.
    """
    told = {
        "event.kind": START, "event.on": on, "relation.source": source, "use.operation": "store",
        "use.purpose": purpose, "use.channel": "none", "use.recipient": "none",
    }  # fmt: skip
    return told | {name.replace("__", "."): value for name, value in more.items()}


# ---------------------------------------------------------------- noting what happened


@transaction.atomic
def note_event(
    *,
    event: Mapping[str, object],
    entity: Entity,
    about: UUID,
    persons: Collection[UUID] = (),
    staff: Staff | None,
    homes: Mapping[str, int] | None = None,
    acts: Collection[str] = (),
) -> list[OwedDuty]:
    """Ask the law what an event makes an entity of ours owe; keep it, and return what is open of it, next day first.

    `event` are facts of the vocabulary (event.kind and event.on at least), `about` what it was: an import, a request, a
    breach, a person. `persons` are those it concerns; whoever can count their homes quicker than we can gather them
    gives `homes` ("DE", "CH|IT", "" for unknown, each with how many). What is owed for how we work, whoever came, is
    kept once. The same event noted twice is one. `acts` says which are meant of an event whose other duties somebody
    else notes. Raises FactError for facts that the law cannot read.
    """
    Entity.objects.select_for_update(no_key=True).get(pk=entity.pk)  # two events at once must not both keep what stands
    refs = list(dict.fromkeys(persons))
    where = dict(homes) if homes is not None else homes_of(entity, refs, timezone.localdate()) if refs else {}
    noted = _event(event, entity, about, where)
    noted.named, noted.noted_by = refs if len(refs) <= MOST_NAMED else [], staff
    known = DutyEvent.objects.filter(entity=entity, digest=noted.digest).first()
    if known is None:
        noted.save(force_insert=True)
        counted = count(noted.facts, where, law_of=noted.law_of)
        made = _keep(noted, [one for one in counted if not acts or one.owed.act in acts], staff)
        _record_owed(noted, made, staff)
        close_event(noted)
    return list(OwedDuty.objects.filter(event=known or noted, settled="").order_by("day", "rule"))


def _event(event: Mapping[str, object], entity: Entity, about: UUID, homes: Mapping[str, int]) -> DutyEvent:
    """Return the event as it is kept, not yet saved. Raises FactError."""
    told = plain({"org.place": [entity.place], **entity.facts, **event})
    read = settled(book().vocabulary.read(told))
    on, kind = cast("date", read["event.on"]), str(read["event.kind"])
    said = json.dumps([str(about), told, dict(sorted(homes.items()))], sort_keys=True, ensure_ascii=False)
    return DutyEvent(
        entity=entity, about=about, kind=kind, on=on, law_of=timezone.localdate() if kind == "purpose-ended" else on,
        facts=told, homes=dict(homes), persons=sum(homes.values()) or int(told.get("event.persons") or 0),
        packs=[{"pack": pack.id, "sha256": pack.sha256} for pack in book().packs],
        digest=hashlib.sha256(said.encode()).hexdigest(), salt=secrets.token_bytes(16),
    )  # fmt: skip


def commitment(event: DutyEvent) -> str:
    """Return the SHA-256 of the salt and all that the law was asked; without the salt it says nothing of anybody."""
    told = [event.kind, event.facts, event.homes, event.packs, list(map(str, event.named))]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return "sha256:" + hashlib.sha256(bytes(event.salt) + canonical).hexdigest()


def _keep(event: DutyEvent, counted: list[Counted], staff: Staff | None) -> list[OwedDuty]:
    made = [_duty(event, one) for one in counted]
    if event.kind == START and not event.facts.get("event.is_change"):
        made = _without_standing(event, made)
    OwedDuty.objects.bulk_create(made)
    DutyStep.objects.bulk_create(
        DutyStep(duty=duty, entity=event.entity, did="noted", by=staff, day_after=duty.day) for duty in made
    )
    return made


def _duty(event: DutyEvent, one: Counted) -> OwedDuty:
    owed = one.owed
    return OwedDuty(
        event=event, entity=event.entity, rule=owed.rule, act=owed.act, to=owed.to,
        standing=event.kind == START and owed.to not in TO_PEOPLE, **_counted(event, one),
    )  # fmt: skip


def _counted(event: DutyEvent, one: Counted) -> dict[str, Any]:
    """Return what the law says of a duty, as columns."""
    owed = one.owed
    timing = Timing.AT_ONCE if owed.at_once else Timing.DUE if owed.due else Timing.EARLIEST
    return {
        "state": State(owed.state), "timing": timing, "day": one.day or event.on, "places": list(one.places),
        "persons": one.persons or event.persons, "doubtful": one.doubtful, "told": as_json(owed),
    }  # fmt: skip


def _without_standing(event: DutyEvent, made: list[OwedDuty]) -> list[OwedDuty]:
    """Leave out what this entity owes already for how it works; what was only possible there may now be certain."""
    standing = OwedDuty.objects.filter(entity=event.entity, standing=True, rule__in={duty.rule for duty in made})
    known = {duty.rule: duty for duty in standing}
    for duty in made:
        old = known.get(duty.rule)
        if duty.standing and old and not old.settled and (old.state, duty.state) == (State.POSSIBLE, State.OWED):
            old.state, old.told = duty.state, duty.told
            old.save(update_fields=["state", "told"])
            DutyStep.objects.create(duty=old, entity=event.entity, did="certain", day_before=old.day, day_after=old.day)
    return [duty for duty in made if not (duty.standing and duty.rule in known)]


def _record_owed(event: DutyEvent, made: list[OwedDuty], staff: Staff | None) -> None:
    duties: list[JSON] = [
        {"duty": duty.ref, "rule": duty.rule, "state": str(duty.state), "day": duty.day} for duty in made
    ]
    body: dict[str, JSON] = {
        "event": event.ref, "kind": event.kind, "on": event.on, "about": event.about, "entity": event.entity.ref,
        "people": event.persons, "duties": duties, "commitment": commitment(event),
    }  # fmt: skip
    record(kind="counsel.owed", staff=staff.ref if staff else None, persons=event.named, body=body)


def close_event(event: DutyEvent) -> None:
    """Mark an event as closed while nothing of it is open: from then on its clock runs."""
    still = OwedDuty.objects.filter(event=event, settled="").exists()
    DutyEvent.objects.filter(pk=event.pk).update(closed_at=None if still else timezone.now())


@transaction.atomic
def take_back_event(*, entity: Entity, about: UUID, words: str, staff: Staff | None) -> int:
    """Say that what was noted `about` something did not stay so, as when an import is undone; return how many duties.

    All that is open of it is not owed after all, for the reason given.
    """
    still = OwedDuty.objects.select_for_update(of=("self",)).filter(event__about=about, entity=entity, settled="")
    duties = list(still.select_related("event"))
    for duty in duties:
        _settle(duty, Settled.NOT_OWED.value, timezone.localdate(), words, staff)
    return len(duties)


# ---------------------------------------------------------------- settling


@transaction.atomic
def settle_about(
    *, entity: Entity, about: UUID, words: str, staff: Staff | None, acts: Collection[str] = ()
) -> int:  # fmt: skip
    """Say that all that was owed about something is done today, with where its proof lies; return how many duties.

    A room that does what is owed calls it, where it did so by itself for nobody of the staff. `acts` says which are
    meant where others are still to be done.
    """
    still = OwedDuty.objects.select_for_update(of=("self",)).filter(event__about=about, entity=entity, settled="")
    duties = [duty for duty in still.select_related("event") if not acts or duty.act in acts]
    for duty in duties:
        _settle(duty, Settled.DONE.value, timezone.localdate(), words, staff)
    return len(duties)


@transaction.atomic
def mark_done(*, duty: OwedDuty, done_on: date, words: str, settled_by: Staff, contained: Collection[int] = ()) -> None:
    """Say that a duty was done: on which day, where the proof of it lies, and which of its contents it had.

    Raises WrongDay, SettledAlready.
    """
    locked = _open(duty)
    if not locked.event.on <= done_on <= timezone.localdate():
        raise WrongDay(_("Give the day on which it was done: not before the event, and not after today."))
    _settle(locked, Settled.DONE.value, done_on, words, settled_by, contents=sorted(contained))


@transaction.atomic
def mark_not_owed(*, duty: OwedDuty, words: str, settled_by: Staff) -> None:
    """Say that a duty is not owed after all, and why. Raises SettledAlready."""
    _settle(_open(duty), Settled.NOT_OWED.value, timezone.localdate(), words, settled_by)


@transaction.atomic
def open_again(*, duty: OwedDuty, words: str, opened_by: Staff | None) -> None:
    """Let a settled duty be owed again, because it was settled wrongly. Raises NotSettled."""
    locked = _locked(duty)
    if not locked.settled:
        raise NotSettled(_("This duty is open."))
    locked.settled, locked.settled_on, locked.settled_at, locked.settled_by, locked.words = "", None, None, None, ""
    locked.save()
    _step(locked, "opened-again", words, opened_by)
    staff = opened_by.ref if opened_by else None
    record(kind="counsel.duty-opened-again", staff=staff, body={"duty": locked.ref})
    close_event(locked.event)


def _settle(
    duty: OwedDuty,
    how: str,
    on: date,
    words: str,
    staff: Staff | None,
    **facts: Any,  # noqa: ANN401 - kept as JSON
) -> None:
    duty.settled, duty.settled_on, duty.settled_at, duty.settled_by = how, on, timezone.now(), staff
    duty.words = words
    duty.save()
    _step(duty, how, words, staff, facts=facts)
    body: dict[str, JSON] = {"duty": duty.ref, "how": how, "on": on, "day": duty.day}
    record(kind="counsel.duty-settled", staff=staff.ref if staff else None, body=body)
    close_event(duty.event)


def _step(duty: OwedDuty, did: str, words: str, staff: Staff | None, **more: Any) -> None:  # noqa: ANN401 - columns of the step
    DutyStep.objects.create(duty=duty, entity=duty.entity, did=did, words=words, by=staff, **more)


# ---------------------------------------------------------------- counting again


@transaction.atomic
def learn(*, duty: OwedDuty, facts: Mapping[str, object], words: str, learnt_by: Staff | None) -> OwedDuty:
    """Let the law count a duty again with facts that came later: a pause, an extension that was told, what was missing.

    Where by these facts nothing is owed any more, the duty is settled so, in the law's own words; that takes somebody
    who makes rulings. Nobody learnt it where a person's own page told it. Raises FactError, NothingNew, NotYoursToEnd,
    SettledAlready.
    """
    locked = _open(duty)
    new = _not_known(locked, facts)
    if not new:
        raise NothingNew(_("Say at least one thing that was not known before."))
    learnt = {**locked.learnt, **new}
    before, again = locked.day, recount(locked, learnt)
    if again is None and not (learnt_by and may_do(learnt_by, "ruling.make", locked.entity)):
        raise NotYoursToEnd(_("By these facts nothing would be owed any more. That is the privacy officer's to say."))
    locked.learnt = learnt
    if again is not None:
        for column, value in _counted(locked.event, again).items():
            setattr(locked, column, value)
    locked.save()
    _step(locked, "counted", words, learnt_by, facts=new, day_before=before, day_after=locked.day)
    body: dict[str, JSON] = {"duty": locked.ref, "facts": sorted(new), "before": before, "day": locked.day}
    record(kind="counsel.duty-counted", staff=learnt_by.ref if learnt_by else None, body=body)
    if again is None:
        _settle(locked, Settled.NOT_OWED.value, timezone.localdate(), _why_ended(locked, learnt), learnt_by)
    return locked


@transaction.atomic
def learn_about(
    *, entity: Entity, about: UUID, facts: Mapping[str, object], words: str, learnt_by: Staff | None, ends: bool = True
) -> list[OwedDuty]:  # fmt: skip
    """Let the law count anew all that is owed about something; return what it asks for now and did not before.

    A duty that these facts would end is left as it is without `ends`. Raises as `learn` does; that a duty learns
    nothing new by them is no error here.
    """
    still = OwedDuty.objects.select_for_update(of=("self",)).filter(event__about=about, entity=entity, settled="")
    open_now = list(still.select_related("event", "entity").order_by("ref"))
    for duty in open_now:
        new = _not_known(duty, facts)
        if new and (ends or recount(duty, {**duty.learnt, **new}) is not None):
            learn(duty=duty, facts=new, words=words, learnt_by=learnt_by)
    last = DutyEvent.objects.filter(about=about, entity=entity).order_by("noted_at", "ref").last()
    event = open_now[-1].event if open_now else last
    return _arisen(event, facts, words, learnt_by) if event else []


def _arisen(event: DutyEvent, facts: Mapping[str, object], words: str, staff: Staff | None) -> list[OwedDuty]:
    """Keep what an event makes us owe by facts that came later."""
    known = list(OwedDuty.objects.filter(event=event))
    learnt: dict[str, Any] = {}
    for told in (*(duty.learnt for duty in known), plain(facts)):
        learnt |= told
    rules = {duty.rule for duty in known}
    counted = count({**event.facts, **learnt}, event.homes, law_of=event.law_of)
    made = [_duty(event, one) for one in counted if one.owed.rule not in rules]
    for duty in made:
        duty.learnt = learnt
    OwedDuty.objects.bulk_create(made)
    DutyStep.objects.bulk_create(
        DutyStep(duty=duty, entity=event.entity, did="noted", by=staff, words=words, day_after=duty.day)
        for duty in made
    )
    if made:
        _record_owed(event, made, staff)
        close_event(event)
    return made


def _not_known(duty: OwedDuty, facts: Mapping[str, object]) -> dict[str, Any]:
    vocabulary, known = book().vocabulary, {**duty.event.facts, **duty.learnt}
    told = plain({name: vocabulary.value(vocabulary.fact(name), value) for name, value in facts.items()})
    return {name: value for name, value in told.items() if known.get(name) != value}


def recount(duty: OwedDuty, learnt: Mapping[str, Any]) -> Counted | None:
    """Return what the law says now of a duty, from the facts of its event and what was learnt; none: it is not owed."""
    event = duty.event
    found = count({**event.facts, **learnt}, _homes_of_duty(duty), law_of=event.law_of)
    same = [one for one in found if one.owed.rule == duty.rule]
    return min(same, key=lambda one: one.day or event.on, default=None)


@dataclass(frozen=True, kw_only=True)
class Again:
    """What asking again brings, from what was kept: in what it differs, and which packs have another text by now."""

    differs: tuple[str, ...]
    day: date | None
    other_packs: tuple[str, ...]


def ask_again(duty: OwedDuty) -> Again:
    """Ask the law again what it was asked then, with what was learnt since; the same must come out."""
    again = recount(duty, duty.learnt)
    hashes = {pack.id: pack.sha256 for pack in book().packs}
    other = tuple(pack["pack"] for pack in duty.event.packs if hashes.get(pack["pack"]) != pack["sha256"])
    if again is None:
        ended = duty.settled == Settled.NOT_OWED and duty.learnt
        return Again(differs=() if ended else ("owed",), day=None, other_packs=other)
    now = _counted(duty.event, again)
    differs = [name for name in ("state", "timing", "day") if now[name] != getattr(duty, name)]
    differs += [name for name in ("contents", "missing") if now["told"][name] != duty.told[name]]
    return Again(differs=tuple(differs), day=now["day"], other_packs=other)


def _homes_of_duty(duty: OwedDuty) -> dict[str, int]:
    """Return the homes for which the duty is: the same law may count otherwise for other places."""
    places, homes = set(duty.places), duty.event.homes
    own = {home: many for home, many in homes.items() if not home or places & set(home.split("|"))}
    return own if places and own else dict(homes)


def _why_ended(duty: OwedDuty, learnt: Mapping[str, Any]) -> str:
    ended = stopped({**duty.event.facts, **learnt}, _homes_of_duty(duty), duty.rule, law_of=duty.event.law_of)
    notes = [note for note in ended.notes if note.startswith("Not owed")] if ended else []
    return " ".join(notes) or _("By these facts the law does not ask for it.")


def _open(duty: OwedDuty) -> OwedDuty:
    locked = _locked(duty)
    if locked.settled:
        raise SettledAlready(_("This duty is settled already; open it again first."))
    return locked


def _locked(duty: OwedDuty) -> OwedDuty:
    return OwedDuty.objects.select_for_update(of=("self",)).select_related("event", "entity").get(pk=duty.pk)
