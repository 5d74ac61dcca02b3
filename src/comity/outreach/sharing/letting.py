"""Whom a file for a recipient may hold: those whom the law permits, and for whom all is done that it wants beside.

Asked when the list is looked at, when the file is made, and once more when it is handed out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.book.exports.actions import NotExported, Room
from comity.book.models import Person
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.consent.models import Standing
from comity.counsel.asking_many import ask_many
from comity.counsel.questions import ADVERTISING, Question
from comity.law import Verdict
from comity.ledger.journal.keeping import trouble_now
from comity.outreach.composing.ways import WAYS, Way
from comity.outreach.origins.queries import told_where_from
from comity.outreach.sharing.models import Recipient, Role, Sharing, Tool

if TYPE_CHECKING:
    from comity.book.exports.models import Export
    from comity.counsel.actions import Decided
    from comity.counsel.asking import Answer
    from comity.law.obligations import Merged
    from comity.staff.models import Staff

BY_CONTRACT: Final = "processor-contract"
ORIGIN: Final = "origin-notice"
PROVABLE: Final = ("impact-assessment", "opt-out-link", "transfer-notice")
"""Obligations beyond a contract that are met elsewhere: whoever shares says where the proof lies."""
IDLE: Final = frozenset({Role.PROCESSOR, Role.AFFILIATE})
"""Recipients to whom an opt-out of sale and sharing does not apply by the house's rule; the law may say otherwise."""


class Ended(ValidationError):
    """A recipient gets nothing any more: the contract is to be looked at again, or is at its end."""


def question_of(sharing: Sharing) -> Question:
    """Return what the law is asked about everybody on the list."""
    recipient = sharing.recipient
    more = {**GIVEN_BY_PURPOSE.get(sharing.purpose, {}), **facts_of(sharing)}
    return Question(
        operation=sharing.operation, purpose=sharing.purpose, entity=sharing.entity_id,
        recipient=as_the_law_says(recipient), more=more,
    )  # fmt: skip


def facts_of(sharing: Sharing) -> Mapping[str, object]:
    """Return the facts of the use: where the recipient is, and what was agreed, as far as it counts today."""
    recipient = sharing.recipient
    told: dict[str, object] = {"use.recipient_place": recipient.place}
    if in_order(recipient, timezone.localdate()):
        told |= {
            "use.recipient_certified": recipient.certified or None,
            "use.transfer_tool": recipient.transfer_tool if recipient.transfer_tool != Tool.NONE else None,
            "use.transfer_assessed": bool(recipient.assessed_at) or None,
        }
    if sharing.named_in:
        told["use.in_notice"] = True
    return {name: value for name, value in told.items() if value is not None}


def as_the_law_says(recipient: Recipient) -> str:
    """Return what a recipient is as the vocabulary has it: who decides with us is another firm to whoever is shared."""
    return Role.THIRD_PARTY.value if recipient.role == Role.JOINT else str(recipient.role)


def in_order(recipient: Recipient, day: date) -> bool:
    """Say whether what was agreed with a recipient counts on a day: it did not end, and was looked at in time."""
    return recipient.ended_at is None and day < recipient.review_on


# ---------------------------------------------------------------- who goes


def unmet(sharing: Sharing, obligations: Sequence[Merged], *, told_origin: bool) -> list[Merged]:
    """Return what the law wants beside a permit, and is not done."""
    return [one for one in obligations if not _met(sharing, one.kind, told_origin=told_origin)]


def _met(sharing: Sharing, kind: str, *, told_origin: bool) -> bool:
    if kind == BY_CONTRACT:
        signed, today = sharing.recipient.contract_on, timezone.localdate()
        return signed is not None and signed <= today and in_order(sharing.recipient, today)
    if kind == ORIGIN:
        return told_origin
    return WAYS.get(kind) is Way.KEPT or (kind in PROVABLE and bool(sharing.proofs.get(kind)))


def lets(sharing: Sharing, answers: Mapping[UUID, Answer]) -> list[UUID]:
    """Return who may be in the file, of people the law was asked about: in their order."""
    permitted = [person for person, answer in answers.items() if answer.verdict is Verdict.PERMIT]
    told, noes = told_where_from(permitted, sharing.entity_id), said_no(sharing, permitted)
    known: dict[tuple[int, bool], bool] = {}  # most have the same finding
    found = []
    for person in permitted:
        finding, here = answers[person].decision.finding, person in told
        key = id(finding), here
        if key not in known:
            known[key] = not unmet(sharing, finding.obligations, told_origin=here)
        if known[key] and person not in noes:
            found.append(person)
    return found


def said_no(sharing: Sharing, persons: Sequence[UUID]) -> set[UUID]:
    """Return who of these opted out of sale, sharing or advertising by others, whatever they were asked about.

    A no to targeted advertising, by a browser's signal or on the preference page, ends every sale, and every sharing
    with others for their own ends.
    """
    if sharing.recipient.role in IDLE and sharing.operation != "sell":
        return set()
    rows = Standing.objects.filter(
        Q(withdrawn=True) | Q(opted_out_on__isnull=False),
        person__in=persons, entity=sharing.entity_id, channel="none", purpose__in=ADVERTISING,
    )  # fmt: skip
    return set(rows.values_list("person", flat=True))


# ---------------------------------------------------------------- the door of exports


def room_of(export: Export) -> Room | None:
    """Return what an export is more than an export, where it is a sharing."""
    sharing = Sharing.objects.select_related("recipient", "entity").filter(export=export).first()
    return room_for(sharing) if sharing else None


def room_for(sharing: Sharing) -> Room:
    """Return by which rules the file of a sharing is made and handed out."""

    def chosen(decided: Decided) -> list[UUID]:
        check_recipient(sharing)
        return lets(sharing, decided.answers)

    def handed(export: Export, staff: Staff) -> None:
        from comity.outreach.sharing.actions import note_shared

        note_shared(sharing, export, staff)

    return Room(
        operation=sharing.operation, more=facts_of(sharing), lets=chosen, handed=handed,
        check=lambda export: check_all_still_go(sharing, export),
    )  # fmt: skip


def check_recipient(sharing: Sharing) -> None:
    """Raise Ended where the recipient gets nothing any more."""
    if not in_order(sharing.recipient, timezone.localdate()):
        raise Ended(_("What was agreed with this recipient must be looked at again first."))


def check_all_still_go(sharing: Sharing, export: Export) -> None:
    """Raise NotExported where somebody in the file must not be in it any more: a no since it was made.

    A database that may lack a no, since it was put back, hands nothing out.
    """
    if trouble := trouble_now():
        raise NotExported(_("Nothing is handed out: %(trouble)s") % {"trouble": trouble})
    if not in_order(sharing.recipient, timezone.localdate()):
        raise NotExported(_("What was agreed with this recipient must be looked at again first."))
    gone = sum(_gone(sharing, part.exported) for part in export.parts.all().iterator(chunk_size=10))
    if gone:
        raise NotExported(
            ngettext(
                "%(n)d person in this file must not be shared any more. Share the list anew: then they are not in it.",
                "%(n)d people in this file must not be shared any more. Share the list anew: then they are not in it.",
                gone,
            )
            % {"n": gone}
        )


def _gone(sharing: Sharing, persons: Sequence[UUID]) -> int:
    there = list(Person.objects.filter(ref__in=persons, merged_into=None).values_list("ref", flat=True))
    answers = ask_many(question=question_of(sharing), persons=there, day=timezone.localdate()) if there else {}
    return len(persons) - len(lets(sharing, answers))
