"""Where somebody is reached by a channel: the contact point to use, and where it is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from comity.book.facts import REACHED_BY
from comity.book.models import ContactPoint, Reach
from comity.vault.sealing import FieldClass, Label


def points_by(channel: str, persons: Sequence[UUID]) -> Mapping[UUID, Label]:
    """Return by person where the address or number is sealed that this channel uses; who has none is left out.

    Of several it is the one marked as first that was added last; none that failed for good.
    """
    reach = REACHED_BY[channel]
    sort = FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT
    points = ContactPoint.objects.filter(person__in=persons, reach=reach, first=True, failed_at=None)
    return {one.person_id: Label(one.person_id, sort, "point", one.ref) for one in points.order_by("added_at", "ref")}
