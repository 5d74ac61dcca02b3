"""Taking out of what counts what was recorded by mistake: nothing is erased, and no other no is lost by it.

Afterwards the law answers as if the mistaken row had never been recorded. Where that cannot be told for certain from
what is on record, nothing is changed: better one no too many than one too few.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.book.editing.history import as_of, keep_past
from comity.book.models import Person, Relation
from comity.consent.history import stood
from comity.consent.models import Consent, Said, Standing, Why
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.journal.keeping import keep_after_commit
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.staff.models import Staff

WORD: Final = "consent.correct"


class NotCorrected(ValidationError):
    """It stays as it is; the message says why, and what to do."""


@transaction.atomic
def correct_mistake(*, mistaken: Consent, why: Why, source: str, corrected_by: Staff) -> Consent:
    """Say that something was recorded by mistake, why, and how we know. It stays on record and counts no more.

    Raises NotYours, NotCorrected.
    """
    held = Person.objects.select_for_update(of=("self",)).get(ref=mistaken.person)
    mistaken = Consent.objects.select_for_update(of=("self",)).select_related("entity").get(pk=mistaken.pk)
    demand(corrected_by, WORD, mistaken.entity)
    _refuse_if_over(mistaken, held)
    if mistaken.said == Said.OBJECTED:
        for entity in held.entities:  # whoever objects, objects to all of us
            demand(corrected_by, WORD, entity)
        correction = _record(mistaken, why, source, corrected_by)
        _object_no_more(mistaken, held)
    else:
        standing = _explained(mistaken)
        correction = _record(mistaken, why, source, corrected_by)
        _stand_anew(standing, mistaken)
    _hear_no_more(mistaken)
    return correction


def _refuse_if_over(mistaken: Consent, held: Person) -> None:
    if mistaken.said == Said.MISTAKEN:
        raise NotCorrected(_("This row corrects another one. What is so, is recorded anew."))
    if Consent.objects.filter(corrects=mistaken).exists():
        raise NotCorrected(_("This was corrected already."))
    if Person.objects.filter(merged_into=held).exists():
        raise NotCorrected(
            _("This person was made of two, and either may have said it. Undo the merging first, or record anew.")
        )


def _record(mistaken: Consent, why: Why, source: str, corrected_by: Staff) -> Consent:
    correction = Consent.objects.create(
        person=mistaken.person, entity=mistaken.entity, purpose=mistaken.purpose, channel=mistaken.channel,
        said=Said.MISTAKEN, said_at=timezone.now(), source=source, corrects=mistaken, why=why, heard_by=corrected_by,
    )  # fmt: skip
    body: dict[str, JSON] = {
        "consent": str(correction.ref), "corrects": str(mistaken.ref), "said": mistaken.said, "why": str(why),
        "purpose": mistaken.purpose, "channel": mistaken.channel, "entity": str(mistaken.entity_id),
    }  # fmt: skip
    record(kind="consent.corrected", staff=corrected_by.ref, persons=[mistaken.person], body=body)
    keep_after_commit()
    return correction


# ---------------------------------------------------------------- objections


def _object_no_more(mistaken: Consent, held: Person) -> None:
    """Let an earlier or later objection count instead, whoever heard it and wherever it came from; or none."""
    if held.objected_at != mistaken.said_at:
        return  # another one counted
    earliest = min(_other_objections(mistaken), default=None)
    keep_past([held])
    Person.objects.filter(ref=held.ref).update(objected_at=earliest, changed_at=Now())


def _other_objections(mistaken: Consent) -> list[datetime]:
    """Return when else they objected: what is on record, and what was so before, which may have come with a file."""
    spoken = Consent.objects.counting().filter(person=mistaken.person, said=Said.OBJECTED)
    before = [row.objected_at for row in as_of(Person, [mistaken.person], mistaken.recorded_at)]
    return [*spoken.values_list("said_at", flat=True), *filter(None, before)]


# ---------------------------------------------------------------- one purpose and channel


def _explained(mistaken: Consent) -> Standing:
    """Return where they stand, under a lock, if that follows from what they said."""
    which = {
        "person": mistaken.person, "entity": mistaken.entity, "purpose": mistaken.purpose, "channel": mistaken.channel
    }  # fmt: skip
    standing = Standing.objects.select_for_update().get(**which)
    follows = _follows(mistaken)
    if (standing.given_id, standing.opted_out_on is None) != (follows.given_id, follows.opted_out_on is None):
        raise NotCorrected(
            _("Where this person stands does not follow from what is on record alone. Record what they say now.")
        )
    return standing


def _follows(mistaken: Consent) -> Standing:
    """Return where somebody stands who said what counts, in the order in which it was recorded."""
    said = list(
        Consent.objects.counting()
        .filter(
            person=mistaken.person, entity=mistaken.entity, purpose=mistaken.purpose, channel=mistaken.channel
        )
        .order_by("recorded_at", "ref")
    )  # fmt: skip
    follows = stood(said)
    took_back = follows.given is None and any(one.said == Said.WITHDRAWN for one in said)
    follows.withdrawn = follows.withdrawn or took_back
    return follows


def _stand_anew(standing: Standing, mistaken: Consent) -> None:
    follows = _follows(mistaken)
    keep_past([standing])
    standing.given, standing.withdrawn, standing.opted_out_on = follows.given, follows.withdrawn, follows.opted_out_on
    standing.save()


def _hear_no_more(mistaken: Consent) -> None:
    """Let opt-outs be unknown again, if they were taken as known only because this person seemed to speak to us."""
    since = Consent.objects.counting().filter(
        person=mistaken.person, entity=mistaken.entity, recorded_at__gte=mistaken.recorded_at, heard_by__isnull=False
    )
    if since.exists():
        return
    before = as_of(Relation, [mistaken.person], mistaken.recorded_at)
    known = next((row.opt_outs_known for row in before if row.entity_id == mistaken.entity_id), None)
    relations = Relation.objects.select_for_update().filter(person=mistaken.person, entity=mistaken.entity)
    for relation in relations.filter(opt_outs_known=None) if known is not None else ():
        keep_past([relation])
        relation.opt_outs_known = known
        relation.save(update_fields=["opt_outs_known"])
