"""What the rooms below must know of other systems when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from django.utils.functional import _StrPromise

    from comity.rights.packages.beyond import Beyond
    from comity.staff.models import Approval, Entity


def begin() -> None:
    """Let erasing in other systems take a second person, and what they hold come into packages."""
    from comity.rights.connectors.running import APPROVED, ERASES
    from comity.rights.packages.beyond import register

    add_kind(APPROVED, Kind(says=_("Erase somebody in other systems"), ask=ERASES, shows=_in_words))
    register(_found)


def _found(entity: Entity, person: UUID, dry: bool) -> Iterator[Beyond]:  # noqa: FBT001 - as packages call it
    """Ask the other systems of an entity, in the name of whoever of the staff is acting.

    Whoever makes their own package learns which systems there are: what they hold is brought by one of us, since that
    opens by what the person is known there.
    """
    from comity.rights.connectors.collecting import collect
    from comity.rights.connectors.models import System
    from comity.rights.packages.beyond import Beyond
    from comity.staff.models import Staff
    from comity.staff.walls import acting

    by = Staff.objects.filter(ref=acting()).first() if acting() else None
    if by is None:
        for name in System.objects.filter(entity=entity, ended_at=None).values_list("name", flat=True):
            yield Beyond(system=name, trouble=gettext("One of our staff brings what it holds; ask for it."))
        return
    for each in collect(entity=entity, person=person, by=by):
        yield Beyond(system=each.system, rows=each.many, files=() if dry else each.files, trouble=each.trouble)


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.rights.connectors.models import System

    rows = approval.request["rows"]
    for system in System.objects.filter(pk__in=rows).order_by("name"):
        yield _("System"), f"{system.name}: {rows[str(system.pk)]}"
