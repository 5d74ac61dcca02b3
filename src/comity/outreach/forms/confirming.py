"""The second step: whoever has the mailbox confirms. Only then is somebody looked up, or brought into the book.

INVARIANT: a submission is confirmed once, whoever follows its link how often; its row is locked, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.utils import timezone

from comity.book.actions import Arrival, take_in
from comity.book.models import Person, Reach, Relation, Source
from comity.book.opening import full_name
from comity.consent.actions import About
from comity.consent.preferences.actions import agree, no_since
from comity.consent.records.gpc import PURPOSE as NO_SALE
from comity.consent.records.gpc import honour_signal
from comity.consent.suppression.marks import Mark
from comity.counsel.actions import decide
from comity.ledger.actions import record
from comity.outreach.forms.asking import PURPOSE, confirmation
from comity.outreach.forms.coming_in import CHILD, GUARDIAN, PHONE, label_of, name_of
from comity.outreach.forms.models import Guardianship, Submission
from comity.outreach.forms.queries import Box, boxes_of
from comity.staff.guards import demand, may_handle
from comity.vault.actions import Opened, destroy_person_key, discard, new_person_key, open_fields, seal
from comity.vault.recognising import holders_of
from comity.vault.resealing import reseal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.staff.models import Staff

CHECK: Final = "consent.change"


class Became(StrEnum):
    """What came of a confirmation."""

    DONE = "done"
    ALREADY = "already"
    SINCE_REFUSED = "since"  # a no that was said after the form was sent counts
    CHECKING = "checking"  # a guardian agreed; that they are one is made certain first
    GONE = "gone"


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """What came of a confirmation, and what was agreed to by it."""

    became: Became
    boxes: Sequence[Box] = field(default=())


def boxes_ticked(submission: Submission) -> list[Box]:
    """Return the boxes that were ticked, in the language in which they were read."""
    boxes = boxes_of(submission.version, submission.language)
    return [box for box in boxes if box.number in submission.ticked]


def waits(ref: UUID) -> Submission | None:
    """Return a submission, waiting or confirmed."""
    rows = Submission.objects.select_related("version__form", "version__entity", "version__notice__notice", "entity")
    return rows.filter(ref=ref).first()


@transaction.atomic
def confirm(*, ref: UUID, at: datetime, signal: bool, guardian: tuple[str, str] | None = None) -> Confirmed:
    """Let what was ticked count, once. `guardian` is the name of a parent or guardian who agreed for a child.

    Of a child nothing counts yet: `settle` comes first. Where nobody is kept, because all that was ticked was refused
    meanwhile, nobody comes into the book.
    """
    submission = Submission.objects.select_for_update(of=("self",)).filter(ref=ref).first()
    if submission is None or (submission.confirmed_at is None and submission.ends_at <= at):
        return Confirmed(became=Became.GONE)
    submission = waits(ref) or submission
    if submission.confirmed_at is not None:
        return Confirmed(became=Became.ALREADY, boxes=boxes_ticked(submission))
    submission.signal = submission.signal or signal
    submission.confirmed_at = at
    if submission.guardian:
        seal(label=name_of(ref, GUARDIAN), fields=dict(zip(("given", "family"), guardian or ("", ""), strict=True)))
        submission.save()
        _record("confirmed", submission, [ref])
        return Confirmed(became=Became.CHECKING, boxes=boxes_ticked(submission))
    return _counted(submission, at)


def _counted(submission: Submission, at: datetime) -> Confirmed:
    person = _find_or_add(submission, at)
    said = [box for box in _to_say(submission) if not _refused_since(submission, person, box)]
    for box in said:
        _agree(submission, person, box, at)
    _end(submission, person, at)
    if submission.signal:
        honour_signal(person=Person.objects.get(ref=person), entity=submission.entity, at=submission.said_at)
    _record("confirmed", submission, [person], consents=len(said))
    if not said:
        return Confirmed(became=Became.SINCE_REFUSED)
    return Confirmed(became=Became.DONE, boxes=said)


def _refused_since(submission: Submission, person: UUID, box: Box) -> bool:
    return no_since(about=_about(submission, person, box), since=submission.said_at)


def _to_say(submission: Submission) -> list[Box]:
    """Return what counts of what was ticked: against their own browser's signal nobody agrees to being sold."""
    ticked = boxes_ticked(submission)
    return [box for box in ticked if not (submission.signal and box.purpose == NO_SALE)]


def _about(submission: Submission, person: UUID, box: Box) -> About:
    return About(person=person, entity=submission.entity, purpose=box.purpose, channel=box.channel)


def _agree(
    submission: Submission, person: UUID, box: Box, at: datetime, *, parental: bool = False,
    heard_by: Staff | None = None,
) -> None:  # fmt: skip
    agree(
        about=_about(submission, person, box), wording=box.wording, at=at, source=source_of(submission),
        mark=Mark(Reach.EMAIL, bytes(submission.mark)), evidence=_evidence(submission), parental=parental,
        heard_by=heard_by,
    )  # fmt: skip


def source_of(submission: Submission) -> str:
    """Return how it was said, so that it is found again."""
    return f"Form {submission.version}"


def _evidence(submission: Submission) -> dict[str, Any]:
    """Return what proves the two steps: which form, with which fingerprint, when, and where it was shown."""
    confirmed_at = submission.confirmed_at or timezone.now()
    return {
        "form": str(submission.version), "form_version": str(submission.version_id),
        "form_fingerprint": f"sha256:{bytes(submission.version.fingerprint or b'').hex()}",
        "submission": str(submission.ref), "ticked_at": submission.said_at.isoformat(),
        "confirmed_at": confirmed_at.isoformat(), "shown": "in a frame" if submission.framed else "on its own page",
        "how": "ticked by hand, and confirmed by the link in a message to the address",
    }  # fmt: skip


# ---------------------------------------------------------------- whose it is


def _find_or_add(submission: Submission, at: datetime) -> UUID:
    """Return whose mailbox it is, locked: the one person of the entity with this address, else somebody new."""
    held = holders_of(label_of(submission.ref))
    found = _in_the_book(held, submission)
    if len(found) == 1:
        _keep_what_they_wrote(submission, found[0].ref)
        return found[0].ref
    _add(submission, at)
    return submission.ref


def _in_the_book(refs: set[UUID], submission: Submission) -> list[Person]:
    """Return those who are people of the entity. An address that several share is nobody's in particular."""
    rows = Person.objects.select_for_update(of=("self",)).filter(
        ref__in=refs, merged_into=None, entities__contains=[submission.entity_id]
    )
    return list(rows.order_by("ref"))


def _add(submission: Submission, at: datetime) -> None:
    """Bring somebody into the book under the submission's own ref: name and address move to where they belong."""
    ref = submission.ref
    points: list[tuple[Reach, Label, datetime | None]] = [(Reach.EMAIL, label_of(ref), at)]
    points.append((Reach.PHONE, label_of(ref, PHONE), None))
    take_in(arrival=_arrival(submission, ref, points, name_of(ref)), entity=submission.entity)


def _arrival(
    submission: Submission, ref: UUID, points: Sequence[tuple[Reach, Label, datetime | None]], name: Label | None
) -> Arrival:  # fmt: skip
    notice = submission.version.notice
    return Arrival(
        ref=ref, points=points, name=name, organisation=submission.organisation,
        facts={
            "home": submission.place, "home_from": ["country"], "language": submission.language,
            "birth_year": submission.birth_year, "birth_month": submission.birth_month,
        },
        relation={
            "source": Source.PERSON, "notice": str(notice)[:60] if notice else "",
            "notice_on": timezone.localtime(submission.said_at).date(),
        },
    )  # fmt: skip


def _keep_what_they_wrote(submission: Submission, person: UUID) -> None:
    """Keep beside what we know of them what they wrote, and change nothing: a mailbox proves no name."""
    ref = submission.ref
    if not Relation.objects.filter(person=person, entity=submission.entity).exists():
        Relation.objects.create(person_id=person, entity=submission.entity, source=Source.PERSON)
    before = [name_of(ref), label_of(ref, PHONE)]
    reseal(copies=[(one, Label(person, FieldClass.NOTE, "submission", uuid5(ref, one.field_class))) for one in before])
    destroy_person_key(person=ref, staff=None)


def _end(submission: Submission, person: UUID, at: datetime) -> None:
    submission.person, submission.settled_at = person, at
    submission.save()


def _record(
    verb: str, submission: Submission, persons: Sequence[UUID], staff: Staff | None = None, **more: JSON
) -> None:  # fmt: skip
    body: dict[str, JSON] = {
        "submission": submission.ref, "form": submission.version.form_id, "entity": submission.entity_id,
        "signal": submission.signal, "ticked_at": submission.said_at, **more,
    }  # fmt: skip
    record(kind=f"outreach.form-{verb}", staff=staff.ref if staff else None, persons=persons, body=body)


# ---------------------------------------------------------------- guardians


@transaction.atomic
def names_for_check(*, submission: Submission, viewer: Staff) -> dict[str, str]:
    """Open who the guardian and the child say they are, for whoever makes certain of it; as far as role and law permit.

    It is decided and recorded as what it is: somebody of ours is about to get in touch with the guardian.
    """
    ref = submission.ref
    labels = {
        "guardian": name_of(ref, GUARDIAN), "guardian_email": label_of(ref), "child": name_of(ref),
        "child_email": label_of(ref, CHILD),
    }  # fmt: skip
    classes = [FieldClass.NAME, FieldClass.CONTACT]
    if not all(_may_contact(viewer, each, submission.entity_id) for each in classes):
        return {}
    question = confirmation(submission.entity_id)
    decided = decide(question=question, persons=[ref], staff=viewer, field_classes=classes)
    opened = open_fields(warrant=decided.warrant, labels=list(labels.values()), permitted_only=True)
    return {what: _said(opened.get(label)) for what, label in labels.items()}


def _may_contact(staff: Staff, field_class: FieldClass, entity: UUID) -> bool:
    return may_handle(staff, operation="contact", purpose=PURPOSE, field_class=field_class, entity=entity)


def _said(fields: Opened | None) -> str:
    return str((fields or {}).get("email") or full_name(fields))


@transaction.atomic
def settle(*, submission: Submission, proof: str, checked_by: Staff, at: datetime) -> Guardianship | None:
    """Let what a guardian agreed to count, now that we made certain that they are one. Raises NotYours.

    Child and guardian come into the book, each with the address that they gave. Nothing is returned where it was
    settled meanwhile.
    """
    demand(checked_by, CHECK, submission.entity)
    locked = _locked_to_check(submission)
    if locked is None:
        return None
    guardian = _guardian_of(locked, at)
    _add_child(locked)
    for box in _to_say(locked):
        _agree(locked, locked.ref, box, at, parental=True, heard_by=checked_by)
    _end(locked, locked.ref, at)
    made = Guardianship.objects.create(
        entity=locked.entity, child=locked.ref, guardian=guardian, submission=locked, proof=proof, checked_by=checked_by
    )
    _record("guardian-checked", locked, [locked.ref, guardian], checked_by, proof=proof)
    return made


@transaction.atomic
def turn_down(*, submission: Submission, by: Staff) -> None:
    """Erase what a child sent whose guardian is none, or could not be made certain of. Raises NotYours."""
    demand(by, CHECK, submission.entity)
    locked = _locked_to_check(submission)
    if locked is not None:
        _record("guardian-refused", locked, [locked.ref], by)
        erase(locked)


def erase(submission: Submission) -> None:
    """Destroy the key of a submission that never counted, and with it all that was written; the row goes, too."""
    destroy_person_key(person=submission.ref, staff=None)
    submission.delete()


def _locked_to_check(submission: Submission) -> Submission | None:
    rows = Submission.objects.to_check().select_for_update(of=("self",))
    return rows.select_related("version__form", "version__notice__notice", "entity").filter(pk=submission.pk).first()


def _guardian_of(submission: Submission, at: datetime) -> UUID:
    """Return the guardian, who is in the book by that address already or comes into it now."""
    ref = submission.ref
    found = _in_the_book(holders_of(label_of(ref)), submission)
    if len(found) == 1:
        return found[0].ref
    guardian = uuid5(ref, GUARDIAN)
    new_person_key(person=guardian)
    copies = [(label_of(ref), label_of(guardian)), (name_of(ref, GUARDIAN), name_of(guardian))]
    reseal(copies=copies)
    grown_up = Arrival(
        ref=guardian, points=[(Reach.EMAIL, label_of(guardian), at)], name=name_of(guardian),
        facts={"home": submission.place, "home_from": ["country"], "language": submission.language},
        relation={"source": Source.THIRD_PARTY},
    )  # fmt: skip
    take_in(arrival=grown_up, entity=submission.entity)
    return guardian


def _add_child(submission: Submission) -> None:
    ref = submission.ref
    discard(labels=[label_of(ref), name_of(ref, GUARDIAN)])  # the guardian's, who has them now
    points: list[tuple[Reach, Label, datetime | None]] = [
        (Reach.EMAIL, label_of(ref, CHILD), None), (Reach.PHONE, label_of(ref, PHONE), None),
    ]  # fmt: skip
    take_in(arrival=_arrival(submission, ref, points, name_of(ref)), entity=submission.entity)
