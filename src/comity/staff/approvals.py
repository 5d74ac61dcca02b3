"""Four eyes: what one of the staff asks for, and a second one approves, bound to the very request and used once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.staff.guards import demand
from comity.staff.models import APPROVAL_STANDS, Approval, Entity, Staff

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Said: TypeAlias = "bool | int | str | UUID | date | Sequence[Said] | Mapping[str, Said] | None"
"""What a request may be made of. No fractions: two programs may spell the same one differently."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of request that takes a second person: the word the asker needs, the word of whoever approves.

    `effect` is what an approval sets off at once; without one, whoever asked comes back and uses it. `shows` says the
    request in words, line by line, so that whoever approves knows what.
    """

    says: _StrPromise
    ask: str
    approve: str = "approval.give"
    effect: Callable[[Approval], None] | None = None
    shows: Callable[[Approval], Iterable[tuple[_StrPromise, object]]] | None = None


KINDS: dict[str, Kind] = {}
"""By name, such as export.many. A room adds its own when it starts."""


def add_kind(name: str, kind: Kind) -> None:
    """Let a kind of request take a second person; the ledger records it by its name."""
    KINDS[name] = kind
    declare_words(name)


class NotApproved(ValidationError):
    """There is no approval of just this request that may be used now; the message says why not, and what to do."""


def canonical(request: Mapping[str, Said]) -> str:
    """Return the one spelling of a request: JSON, keys sorted, no spaces. Raises TypeError for what is not `Said`."""
    return json.dumps(_plain(request), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(kind: str, request: Mapping[str, Said]) -> bytes:
    """Return the SHA-256 by which an approval is bound: of the kind, a line's end, and the request's one spelling."""
    return hashlib.sha256(f"{kind}\n{canonical(request)}".encode()).digest()


@transaction.atomic
def ask_approval(
    *, kind: str, request: Mapping[str, Said], reason: str, asked_by: Staff, entity: Entity | None = None
) -> Approval:
    """Lay a request before a second person. The same request that still waits is not laid twice."""
    demand(asked_by, KINDS[kind].ask, entity)
    if not reason.strip():
        raise NotApproved(_("Give a reason that the second person can weigh."))
    now, said = timezone.now(), digest(kind, request)
    waiting = Approval.objects.filter(kind=kind, digest=said, asked_by=asked_by, settled_at=None, expires_at__gt=now)
    if (same := waiting.first()) is not None:
        return same
    made = Approval.objects.create(
        kind=kind,
        request=json.loads(canonical(request)),
        digest=said,
        reason=reason.strip(),
        entity=entity,
        asked_by=asked_by,
        asked_at=now,
        expires_at=now + APPROVAL_STANDS,
    )
    _record("asked", made, asked_by)
    return made


@transaction.atomic
def settle_approval(*, approval: Approval, approved: bool, settled_by: Staff) -> Approval:
    """Approve or refuse, as the second person. Raises NotApproved where that may not be.

    An approval then stands for as long as a request waits, and sets off the effect of its kind, if that has one.
    """
    now = timezone.now()
    waiting = Approval.objects.select_for_update(of=("self",)).get(pk=approval.pk)
    demand(settled_by, KINDS[waiting.kind].approve, waiting.entity)
    if waiting.asked_by_id == settled_by.pk:
        raise NotApproved(_("Who asks for something cannot approve it; a second person must."))
    if waiting.settled_at is not None:
        raise NotApproved(_("This was settled before; ask anew if it is still wanted."))
    if waiting.expires_at <= now:
        raise NotApproved(_("This waited for too long; ask anew if it is still wanted."))
    waiting.settled_by, waiting.settled_at, waiting.approved = settled_by, now, approved
    waiting.expires_at = now + APPROVAL_STANDS
    effect = KINDS[waiting.kind].effect if approved else None
    if effect is not None:
        waiting.used_at = now
    waiting.save()
    _record("approved" if approved else "refused", waiting, settled_by)
    if effect is not None:
        effect(waiting)
    return waiting


@transaction.atomic
def use_approval(*, kind: str, request: Mapping[str, Said], asked_by: Staff) -> Approval:
    """Use up the approval of just this request, in the transaction of what it allows. Raises NotApproved."""
    known = Approval.objects.select_for_update(of=("self",)).filter(
        kind=kind, digest=digest(kind, request), asked_by=asked_by, approved=True, used_at=None
    )
    found = known.filter(expires_at__gt=timezone.now()).first()
    if found is None:
        raise NotApproved(
            _("No second person has approved just this; ask for it, and change nothing in it afterwards.")
        )
    found.used_at = timezone.now()
    found.save()
    _record("used", found, asked_by)
    return found


def _record(verb: str, approval: Approval, staff: Staff) -> None:
    record(
        kind=f"staff.approval-{verb}",
        body={
            "approval": approval.ref,
            "kind": approval.kind,
            "request": f"sha256:{bytes(approval.digest).hex()}",
        },
        staff=staff.ref,
    )


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
    raise TypeError(f"a {type(value).__name__} has no one spelling; give text, whole numbers, days or refs")
