"""What the rooms below must know of other systems when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Let erasing in other systems take a second person."""
    from comity.rights.connectors.running import APPROVED, ERASES

    add_kind(APPROVED, Kind(says=_("Erase somebody in other systems"), ask=ERASES, shows=_in_words))


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    from comity.rights.connectors.models import System

    rows = approval.request["rows"]
    for system in System.objects.filter(pk__in=rows).order_by("name"):
        yield _("System"), f"{system.name}: {rows[str(system.pk)]}"
