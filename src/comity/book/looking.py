"""Who looks, for which entity and for what, as a page's address says; and how one person stands in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from comity.book.opening import Look, Seen, full_name, purposes_of
from comity.law import Verdict
from comity.staff.guards import NotYours, StaffRequest, acts_for
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.book.models import Person


class Answered(Protocol):
    """What a list needs of an answer."""

    @property
    def verdict(self) -> Verdict: ...


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How one person stands in a list: the name, or the answer that keeps it sealed."""

    name: str
    answer: Answered
    opens: bool


def look_of(request: StaffRequest) -> Look:
    """Return for which entity and purpose somebody looks: as the address says, else the likeliest. Raises NotYours."""
    entities, wanted = acts_for(request.staff), request.GET.get("entity", "")
    entity = next((each for each in entities if str(each.ref) == wanted), entities[0] if entities else None)
    if entity is None:
        raise NotYours("person.view")
    purposes = purposes_of(request.staff, entity)
    if not purposes:
        raise NotYours("person.view")
    asked = request.GET.get("purpose", "")
    return Look(viewer=request.staff, entity=entity, purpose=asked if asked in purposes else purposes[0])


def sight(seen: Seen, person: Person) -> Sight:
    """Return what a list shows of one person."""
    name = full_name(seen.of(person.ref, FieldClass.NAME))
    return Sight(name=name, answer=seen.decided.answers[person.ref], opens=bool(name))
