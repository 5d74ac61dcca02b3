"""One person of each of eight places, whose laws of advertising are unlike."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Reach
from comity.refs import new_ref
from comity.staff.models import Entity
from tests.post.relays import Keeper

PLACES: Final = ("DE", "FR", "GB", "US-CA", "US-NY", "CN", "IT", "NL")


def one_of_each_place(entity: Entity) -> dict[str, UUID]:
    """Bring one person of each place into the book, by place."""
    newcomers = {
        place: Newcomer(
            name={"given": f"Given-{place}", "family": "Family"}, ref=new_ref(),
            facts={"home": place, "birth_year": 1990},
            points=[NewPoint(reach=Reach.EMAIL, value=f"{place.lower()}@kettle.example")],
            relation={"source": "person"},
        )
        for place in PLACES
    }  # fmt: skip
    add_persons(newcomers=list(newcomers.values()), entity=entity, staff=None)
    return {place: one.ref for place, one in newcomers.items()}


def got(kept: Keeper, place: str) -> Any:  # noqa: ANN401 - a message with its bodies
    """Return the one message that whoever lives there was sent."""
    (one,) = kept.to(f"{place.lower()}@kettle.example")
    return one.message
