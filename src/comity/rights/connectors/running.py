"""Seeking somebody in all other systems, and erasing them there: looked at first, begun by a human, and then completed.

INVARIANT: nothing is erased before all databases and folders answered, for the way to one may lead through another; and
what is to go is on the disk (`keeping`) before the first row goes. Whoever dies in between, the next round goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.models import ContactPoint, Reach
from comity.book.opening import Look
from comity.counsel.actions import decide
from comity.ledger.actions import record
from comity.rights.connectors import remotes
from comity.rights.connectors.datasets import Collection, DatasetError, Key
from comity.rights.connectors.finding import PERSONAL, Source, Walked, erase, find_where_possible
from comity.rights.connectors.keeping import Kept, forget, keep, kept_of
from comity.rights.connectors.masking import still_says
from comity.rights.connectors.models import Leg, Run, Sort, State, System
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.systems import described, remote_of, source_of
from comity.rights.connectors.walking import Doubt, Known, TooMany
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand
from comity.staff.walls import behind_wall
from comity.vault.actions import open_fields
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comity.rights.requests.models import Request
    from comity.staff.models import Approval, Entity, Staff

LOOKS: Final = "request.work"
ERASES: Final = "person.erase"
APPROVED: Final = "erasing.beyond"
WAITS: Final = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360)]
"""How long until a system is tried again; the last goes on."""


class NotBegun(ValidationError):
    """A run cannot be asked for or begun; the message says why, and what to do."""


# ---------------------------------------------------------------- asked for by a human


@transaction.atomic
def ask_systems(*, entity: Entity, person: UUID, by: Staff, request: Request | None = None) -> Run:
    """Have somebody sought in all other systems of an entity; nothing is changed there. Raises NotYours, NotBegun."""
    demand(by, LOOKS, entity)
    systems = list(System.objects.filter(entity=entity, ended_at=None))
    if not systems:
        raise NotBegun(_("No other system is connected."))
    run = Run.objects.create(entity=entity, request=request, person=person, asked_by=by)
    Leg.objects.bulk_create([Leg(run=run, entity=entity, system=each) for each in systems])
    record(kind="rights.systems-asked", staff=by.ref, persons=[person], body={"run": run.ref, "systems": len(systems)})
    return run


def request_of(run: Run) -> Mapping[str, Said]:
    """Return what a second person approves: this run, of these systems, with what was found there."""
    return {"run": run.ref, "rows": {str(each.system_id): each.rows for each in run.legs.all()}}


@transaction.atomic
def ask_second_person(*, run: Run, reason: str, by: Staff) -> Approval:
    """Lay the erasing before a second person. Raises NotBegun, NotApproved."""
    demand(by, ERASES, run.entity_id)
    _check_looked(run)
    return ask_approval(kind=APPROVED, request=request_of(run), reason=reason, asked_by=by, entity=run.entity)


@transaction.atomic
def begin(*, run: Run, by: Staff) -> Run:
    """Begin to erase somebody elsewhere: from here on it completes by itself. Raises NotBegun, NotApproved."""
    demand(by, ERASES, run.entity_id)
    locked = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if locked.begun_at:
        raise NotBegun(_("This has begun already."))
    _check_looked(locked)
    if Run.objects.filter(entity=locked.entity_id, person=locked.person, begun_at__isnull=False, done_at=None).exists():
        raise NotBegun(_("Another run for this person is not done yet."))
    use_approval(kind=APPROVED, request=request_of(locked), asked_by=by)
    locked.begun_at, locked.begun_by = timezone.now(), by
    locked.save(update_fields=["begun_at", "begun_by"])
    record(kind="rights.erasing-begun", staff=by.ref, persons=[locked.person], body={"run": locked.ref})
    return locked


def _check_looked(run: Run) -> None:
    asked = run.legs.filter(system__ended_at=None)
    if run.looked_at is None or asked.filter(state__in=[State.WAITING, State.FAILED]).exists():
        raise NotBegun(_("Every system must have answered first. End those that are gone for good, and look again."))


# ---------------------------------------------------------------- looking


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A run as it is carried out: whom to seek, the systems as they are now, and what could not even be tried."""

    run: Run
    legs: Mapping[str, Leg]
    known: Known
    sources: Sequence[Source]
    away: Mapping[str, str]

    @property
    def remote(self) -> list[Leg]:
        return [each for each in self.legs.values() if each.system.sort == Sort.HTTP]


@contextmanager
def _wall(run: Run) -> Iterator[None]:
    with behind_wall(staff=run.asked_by_id, entities=[run.entity_id]):
        yield


def look(run: Run) -> None:
    """Seek somebody in every system, and put down how much each holds; of one that does not answer, why."""
    try:
        asked = _asked(run, _known(run))
    except NotOpened as error:
        _fail_all(run, str(error))
        return
    walked, away = _walked(asked)
    held = {each.system.name: _held(each, asked.known) for each in asked.remote}
    with _wall(run):
        for name, leg in asked.legs.items():
            if name in held:
                _put_held(leg, held[name])
            elif name in away or walked is None:
                _fail(leg, away.get(name, ""))
            else:
                _put_found(leg, walked, [each for each in asked.sources if each.system == name])
        Run.objects.filter(pk=run.pk).update(looked_at=timezone.now())


class NotOpened(Exception):
    """Nothing may be opened by which somebody could be sought; the message says so."""


def _known(run: Run) -> Known:
    with _wall(run):
        return known_of(entity=run.entity, person=run.person, by=run.asked_by)


def known_of(*, entity: Entity, person: UUID, by: Staff) -> Known:
    """Open by what somebody is known, under a decision, and on record. Raises NotOpened."""
    points = ContactPoint.objects.filter(person=person, reach__in=[Reach.EMAIL, Reach.PHONE])
    labels = {Label(person, FieldClass.CONTACT, "point", each.ref): each.reach for each in points}
    seen = Look(viewer=by, entity=entity, purpose="legal-duty")
    decided = decide(
        question=seen.question, persons=[person], staff=by, field_classes=[FieldClass.CONTACT],
        handled=[person] if FieldClass.CONTACT in seen.classes(person) else [],
    )  # fmt: skip
    opened = open_fields(warrant=decided.warrant, labels=list(labels), permitted_only=True)
    if labels and not opened:
        raise NotOpened(_("Neither role nor law lets you see by what this person is known."))
    of = {reach: [str(fields[reach]) for label, fields in opened.items() if labels[label] == reach] for reach in Reach}
    phones = of[Reach.PHONE]
    return {"email": of[Reach.EMAIL], "phone": phones, "phone_number": phones, "comity_ref": [str(person)]}


def _asked(run: Run, known: Known) -> _Asked:
    with _wall(run):
        legs = {each.system.name: each for each in run.legs.select_related("system")}
        systems = [each.system for each in legs.values() if each.system.ended_at is None]
    sources, away = sources_of(systems)
    return _Asked(run=run, legs=legs, known=known, sources=sources, away=away)


def sources_of(systems: Iterable[System]) -> tuple[list[Source], dict[str, str]]:
    """Return databases and folders as their rows are read; beside them, which cannot even be tried, and why."""
    local = [each for each in systems if each.sort != Sort.HTTP]
    sources: list[Source] = []
    away: dict[str, str] = {}
    try:
        datasets = described(local)
    except DatasetError as error:
        return [], {each.name: str(error) for each in local}
    for each in local:
        try:
            sources.append(source_of(each, datasets))
        except StoreError as error:
            away[each.name] = str(error)
    return sources, away


def _held(leg: Leg, known: Known) -> remotes.Held | str:
    try:
        return remotes.find(remote_of(leg.system), told_to_services(known), PERSONAL)
    except StoreError as error:
        return str(error)


def told_to_services(known: Known) -> Known:
    """Return what a service is told: each number once, and nothing of ours beside."""
    return {name: known[name] for name in ("email", "phone_number")}


def _walked(asked: _Asked) -> tuple[Walked | None, Mapping[str, str]]:
    """Find somebody in databases and folders; beside it, which did not answer, and why."""
    try:
        walked, away = find_where_possible(asked.sources, asked.known)
    except TooMany as error:
        return None, {each.system: str(error) for each in asked.sources}
    return walked, {**away, **asked.away}


def _fail_all(run: Run, trouble: str) -> None:
    with _wall(run):
        for leg in run.legs.exclude(state=State.DONE):
            _fail(leg, trouble)
        Run.objects.filter(pk=run.pk).update(looked_at=timezone.now())


def _put_held(leg: Leg, held: remotes.Held | str) -> None:
    if isinstance(held, str):
        _fail(leg, held)
        return
    leg.state, leg.trouble, leg.rows = State.FOUND, "", held.many
    leg.found = {name: {"erased": len(rows)} for name, rows in held.rows.items()}
    leg.save()


def _put_found(leg: Leg, walked: Walked, sources: Sequence[Source]) -> None:
    names = {each.name for source in sources for each in source.datasets}
    counts: dict[str, dict[str, int]] = {}
    kinds = {"erased": {each.collection.key: len(each.rows) for each in walked.to_erase()}}
    kinds |= {"shared": walked.left(Doubt.SHARED), "others": walked.left(Doubt.OTHER)}
    for kind, found in kinds.items():
        for key, many in found.items():
            if key.dataset in names:
                counts.setdefault(str(key), {})[kind] = many
    leg.state, leg.trouble, leg.found = State.FOUND, "", counts
    leg.rows, leg.shared, leg.others = (
        sum(each.get(kind, 0) for each in counts.values()) for kind in ("erased", "shared", "others")
    )
    leg.save()


def _fail(leg: Leg, trouble: str, state: State = State.FAILED) -> None:
    leg.state, leg.trouble, leg.tries = state, trouble[:300], leg.tries + 1
    leg.due_at = timezone.now() + WAITS[min(leg.tries, len(WAITS)) - 1]
    leg.save()


# ---------------------------------------------------------------- erasing


def carry_out(run: Run) -> bool:
    """Erase somebody wherever that is due still, and say whether all is done. It may be called again and again."""
    kept = kept_of(run.ref) or _looked_again(run)
    if kept is None:
        return False
    asked = _asked(run, kept.known)
    order = {key.dataset: number for number, (key, _) in enumerate(kept.rows)}
    first = lambda each: min((order.get(one.name, len(order)) for one in each.datasets), default=0)  # noqa: E731 - one line
    for source in sorted(asked.sources, key=first):
        _erase_there(asked, source, kept)
    for leg in asked.remote:
        _erase_remote(asked, leg, kept)
    return _finish(asked)


def _looked_again(run: Run) -> Kept | None:
    """Look once more before the first row goes, and write down what will go; nothing while a system does not answer."""
    try:
        asked = _asked(run, _known(run))
    except NotOpened as error:
        _fail_all(run, str(error))
        return None
    walked, away = _walked(asked)
    if walked is None or away:
        with _wall(run):
            for name, why in away.items():
                _fail(asked.legs[name], why)
        return None
    rows = [(each.collection.key, each.rows) for each in walked.to_erase()]
    kept = Kept(known=asked.known, rows=rows, marks={})
    keep(run.ref, kept)
    return kept


def _erase_there(asked: _Asked, source: Source, kept: Kept) -> None:
    leg = asked.legs[source.system]
    if leg.state == State.DONE:
        return
    collections: dict[Key, Collection] = {each.key: each for one in source.datasets for each in one.collections}
    try:
        erased = erase(source, kept.to_erase(collections))
        again = _finds_again(source, kept)
    except (StoreError, TooMany) as error:
        with _wall(asked.run):
            _fail(leg, str(error))
        return
    with _wall(asked.run):
        if again:
            _fail(leg, _("It finds %(n)d rows after erasing them.") % {"n": again}, State.AGAIN)
        else:
            _put_done(leg, {**leg.erased, **{str(each.key): each.rows for each in erased}})


def _finds_again(source: Source, kept: Kept) -> int:
    """Count the rows of this person's own that say something still: an erasing that did not stay, or a new row."""
    walked, away = find_where_possible([source], kept.known)
    if away:
        raise StoreError(away[source.system])
    return sum(
        still_says(walked.route.collections[each.key], each.cells, PERSONAL) for each in walked.rows if not each.doubt
    )


def _erase_remote(asked: _Asked, leg: Leg, kept: Kept) -> None:
    if leg.state == State.DONE:
        return
    try:
        remote, known = remote_of(leg.system), told_to_services(kept.known)
        if leg.state == State.WORKING:
            went = remotes.how_far(remote, run=leg.ref)
        else:
            mark = remotes.find(remote, known, PERSONAL).mark
            went = remotes.erase(remote, known, PERSONAL, run=leg.ref, mark=mark)
        again = remotes.find(remote, known, PERSONAL).many if went.state == "done" else 0
    except StoreError as error:
        with _wall(asked.run):
            _fail(leg, str(error), State.WORKING if leg.state == State.WORKING else State.FAILED)
        return
    with _wall(asked.run):
        leg.left = dict(went.left)
        if went.state == "done" and not again:
            _put_done(leg, dict(went.erased))
        elif went.state == "done":
            _fail(leg, _("It says that it erased, and finds %(n)d rows.") % {"n": again}, State.AGAIN)
        else:
            _fail(leg, "", State.WORKING if went.state == "working" else State.REFUSED)


def _put_done(leg: Leg, erased: Mapping[str, int]) -> None:
    leg.state, leg.erased, leg.trouble, leg.done_at, leg.due_at = State.DONE, erased, "", timezone.now(), None
    leg.save()


def _finish(asked: _Asked) -> bool:
    """Close a run in which every system is done, or was ended; then nothing of it is remembered."""
    run = asked.run
    with _wall(run):
        if run.legs.filter(system__ended_at=None).exclude(state=State.DONE).exists():
            return False
        if Run.objects.filter(pk=run.pk, done_at=None).update(done_at=timezone.now()):
            erased = sum(many for leg in run.legs.all() for many in leg.erased.values())
            body = {"run": run.ref, "systems": run.legs.filter(state=State.DONE).count(), "rows": erased}
            record(kind="rights.erased-beyond", staff=run.begun_by_id, persons=[run.person], body=body)
    forget(run.ref)
    return True
