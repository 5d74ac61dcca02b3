"""Sharing a list, from the recipient's contract to the file that is handed out: each verb with its ledger entry.

The law is asked three times: for the list, when the file is made, and when it is handed out. No file is made but with a
second person's approval of just this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.exports.actions import Wanted, ask_export, begin_export, commitment
from comity.book.exports.columns import columns_of
from comity.book.exports.models import Format
from comity.book.exports.queries import export_classes
from comity.counsel.bulk import decide_segment, persons_with
from comity.law import Verdict
from comity.ledger.actions import record
from comity.outreach.campaigns.actions import rounded_up
from comity.outreach.sharing.letting import as_the_law_says, in_order, question_of, room_for
from comity.outreach.sharing.models import Recipient, Sharing
from comity.outreach.sharing.queries import people_of, proofs_wanted
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from comity.book.exports.models import Export
    from comity.book.opening import Look
    from comity.ledger.bodies import JSON
    from comity.staff.models import Approval, Entity, Staff

WORD: Final = "sharing.make"
APPROVED: Final = "sharing"


class NotShared(ValidationError):
    """A list is not shared; the message says why, and what to do."""


# ---------------------------------------------------------------- recipients


@transaction.atomic
def register_recipient(*, entity: Entity, by: Staff, **said: Any) -> Recipient:  # noqa: ANN401 - of each column its own
    """Register somebody who may get lists of an entity. Raises NotYours, ValidationError."""
    demand(by, "recipient.edit", entity)
    recipient = Recipient(entity=entity, made_by=by, **said)
    recipient.full_clean(exclude=["entity", "made_by"])
    recipient.save()
    _note_recipient("registered", recipient, by)
    return recipient


@transaction.atomic
def change_recipient(*, recipient: Recipient, by: Staff, **said: Any) -> Recipient:  # noqa: ANN401 - as above
    """Change what is said of a recipient: it counts for whatever is shared from now on. Raises ValidationError."""
    demand(by, "recipient.edit", recipient.entity_id)
    locked = Recipient.objects.select_for_update(of=("self",)).get(pk=recipient.pk)
    if locked.ended_at:
        raise NotShared(_("This recipient gets nothing any more. Register them anew."))
    for column, value in said.items():
        setattr(locked, column, value)
    locked.full_clean(exclude=["entity", "made_by"])
    locked.save()
    _note_recipient("changed", locked, by)
    return locked


@transaction.atomic
def end_recipient(*, recipient: Recipient, by: Staff) -> None:
    """Let a recipient get nothing any more. They are still told of every later no: they may still have the data."""
    demand(by, "recipient.edit", recipient.entity_id)
    Recipient.objects.filter(pk=recipient.pk, ended_at=None).update(ended_at=timezone.now())
    _note_recipient("ended", recipient, by)


def _note_recipient(verb: str, recipient: Recipient, by: Staff) -> None:
    body: dict[str, JSON] = {"recipient": recipient.ref, "entity": recipient.entity_id, "role": str(recipient.role)}
    record(kind=f"outreach.recipient-{verb}", staff=by.ref, body=body)


# ---------------------------------------------------------------- a sharing


@transaction.atomic
def plan_sharing(
    *, recipient: Recipient, operation: str, purpose: str, query: str, columns: Sequence[str], named_in: str, by: Staff
) -> Sharing:  # fmt: skip
    """Plan to give a list to a recipient. Raises NotYours, NotShared where none of their roles shares for it."""
    demand(by, WORD, recipient.entity_id)
    if not export_classes(by, recipient.entity, purpose, "share"):
        raise NotShared(_("None of your roles may share people's data for this purpose."))
    if not in_order(recipient, timezone.localdate()):
        raise NotShared(_("What was agreed with this recipient must be looked at again first."))
    sharing = Sharing.objects.create(
        entity=recipient.entity, recipient=recipient, operation=operation, purpose=purpose, query=query,
        columns=list(columns), named_in=named_in, made_by=by,
    )  # fmt: skip
    _note("planned", sharing, by)
    return sharing


@transaction.atomic
def look_at_list(*, sharing: Sharing, look: Look) -> Sharing:
    """Ask the law about everybody on the list; nobody is opened, and nothing goes out."""
    locked = _draft(sharing, look.viewer)
    locked.before, locked.looked = locked.looked, _decided(locked, look)
    locked.save(update_fields=["looked", "before"])
    return locked


def _decided(sharing: Sharing, look: Look) -> Any:  # noqa: ANN401 - of counsel
    return decide_segment(question=question_of(sharing), persons=people_of(sharing, look), staff=look.viewer)


@transaction.atomic
def say_where_proof_lies(*, sharing: Sharing, proofs: Mapping[str, str], by: Staff) -> Sharing:
    """Say where that lies which the law wants beside a contract: an assessment, a notice, a link to opt out."""
    locked = _draft(sharing, by)
    wanted = {one.kind for one in proofs_wanted(locked)}
    locked.proofs = {kind: said.strip() for kind, said in proofs.items() if kind in wanted and said.strip()}
    locked.save(update_fields=["proofs"])
    return locked


def _draft(sharing: Sharing, by: Staff) -> Sharing:
    demand(by, WORD, sharing.entity_id)
    locked = Sharing.objects.select_for_update(of=("self",)).select_related("recipient", "entity").get(pk=sharing.pk)
    if locked.export_id:
        raise NotShared(_("The file of this list was made: nothing of it can be changed. Share it anew."))
    return locked


# ---------------------------------------------------------------- four eyes


def request_of(sharing: Sharing) -> dict[str, Said]:
    """Return just what a second person approves: these columns of this list, to this recipient, for this."""
    recipient = sharing.recipient
    return {
        "sharing": sharing.ref, "entity": sharing.entity.name, "operation": sharing.operation,
        "purpose": sharing.purpose, "list": sharing.query, "columns": list(sharing.columns),
        "people": rounded_up(sharing.looked.permitted if sharing.looked else 0), "named_in": sharing.named_in,
        "proofs": dict(sharing.proofs), "recipient": recipient.ref, "name": recipient.name,
        "role": str(recipient.role), "place": recipient.place, "contract_on": recipient.contract_on,
        "contract_at": recipient.contract_at, "transfer_tool": str(recipient.transfer_tool),
        "certified": recipient.certified, "assessed_at": recipient.assessed_at, "review_on": recipient.review_on,
    }  # fmt: skip


def ask_second_person(*, sharing: Sharing, reason: str, asked_by: Staff) -> Approval:
    """Lay a sharing before a second person. Raises NotApproved where no reason is given, NotShared."""
    demand(asked_by, WORD, sharing.entity_id)
    if sharing.looked is None or not sharing.looked.permitted:
        raise NotShared(_("Ask the law about the list first: a second person must see how many it permits."))
    return ask_approval(
        kind=APPROVED, request=request_of(sharing), reason=reason, asked_by=asked_by, entity=sharing.entity
    )


# ---------------------------------------------------------------- the file


@transaction.atomic
def begin_sharing(*, sharing: Sharing, look: Look) -> Export:
    """Let the file be made: of those whom the law permits now. Uses up the approval.

    Whoever calls this makes the file (`book.exports`), at once or by a job. Raises NotApproved, NotShared, NotYours.
    """
    locked = _draft(sharing, look.viewer)
    if not in_order(locked.recipient, timezone.localdate()):
        raise NotShared(_("What was agreed with this recipient must be looked at again first."))
    locked.before, locked.looked = locked.looked, _decided(locked, look)
    if locked.looked is None or not locked.looked.permitted:
        raise NotShared(_("The law permits it for nobody on the list. The audience says why, and what would help."))
    locked.approval = use_approval(kind=APPROVED, request=request_of(locked), asked_by=look.viewer).ref
    persons = persons_with(locked.looked, Verdict.PERMIT).order_by("person").iterator()
    export = ask_export(wanted=_wanted(locked), persons=persons, asked_by=look.viewer)
    locked.export = export
    locked.save(update_fields=["looked", "before", "approval", "export"])
    _note("begun", locked, look.viewer, export=export.ref, segment=locked.looked_id, approval=locked.approval)
    return begin_export(export=export, staff=look.viewer)


def _wanted(sharing: Sharing) -> Wanted:
    recipient = sharing.recipient
    return Wanted(
        entity=sharing.entity, purpose=sharing.purpose, format=Format.CSV, columns=sharing.columns,
        recipient=as_the_law_says(recipient), recipient_place=recipient.place, room=room_for(sharing),
    )  # fmt: skip


def columns_offered(entity: Entity, staff: Staff, purpose: str) -> list[Any]:
    """Return the columns that somebody may share for a purpose."""
    return [one for one in columns_of(entity, export_classes(staff, entity, purpose, "share")) if not one.always]


def note_shared(sharing: Sharing, export: Export, staff: Staff) -> None:
    """Write down that a recipient got a file: how many were in it, and by which of all files one finds it again."""
    _note("given", sharing, staff, export=export.ref, people=export.permitted, file=commitment(export))


def _note(verb: str, sharing: Sharing, by: Staff, **more: UUID | int | str | None) -> None:
    body: dict[str, JSON] = {
        "sharing": sharing.ref, "entity": sharing.entity_id, "recipient": sharing.recipient_id,
        "operation": str(sharing.operation), "purpose": sharing.purpose, **more,
    }  # fmt: skip
    record(kind=f"outreach.sharing-{verb}", staff=by.ref, body=body)
