"""Where what a request asks is done: the package, the plan of an erasure, other systems. Each has pages of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.urls import reverse
from django.utils.translation import gettext as _

from comity.rights.requests.models import OPEN, Kind
from comity.staff.guards import may_do

if TYPE_CHECKING:
    from comity.rights.requests.models import Request
    from comity.staff.models import Staff

TOLD: Final = frozenset({Kind.ACCESS, Kind.PORTABILITY, Kind.RECIPIENTS, Kind.EXPLANATION, Kind.ACCOUNTING})
ENDED: Final = frozenset({Kind.ERASURE, Kind.CLOSURE})


@dataclass(frozen=True, kw_only=True)
class Doorway:
    """A page on which what was asked is done."""

    title: str
    says: str
    address: str
    icon: str


def doorways_of(viewer: Staff, asked: Request) -> list[Doorway]:
    """Return where the viewer does what a request asks, once it is known whose data it is about."""
    return list(_doorways(viewer, asked)) if asked.person and asked.state in OPEN else []


def _doorways(viewer: Staff, asked: Request) -> Iterator[Doorway]:
    if asked.kind in TOLD:
        yield Doorway(
            title=_("The package"), says=_("All that we hold, planned, looked through and handed out."),
            address=reverse("rights:package", args=[asked.ref]), icon="package",
        )  # fmt: skip
    if asked.kind in ENDED and may_do(viewer, "person.erase", asked.entity):
        address = f"{reverse('retention:erase', args=[asked.person])}?entity={asked.entity_id}&request={asked.ref}"
        yield Doorway(
            title=_("The plan of the erasure"), says=_("What would go, what a law has us keep, and who approves it."),
            address=address, icon="eraser",
        )  # fmt: skip
    if asked.kind in TOLD | ENDED and may_do(viewer, "request.work", asked.entity):
        yield Doorway(
            title=_("Other systems"), says=_("The same person, found and erased elsewhere too."),
            address=reverse("rights:systems-of", args=[asked.person]), icon="network",
        )  # fmt: skip
