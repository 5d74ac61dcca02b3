"""Filters by what happened with people: a call after a day, a meeting with a colleague, or that nobody spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from comity.book.lists.filters import Bunch, Filter, Group, day_begins, refs_of, register_bunch, register_filter
from comity.book.models import Activity, Doing
from comity.refs import new_ref
from comity.staff.models import RoleGrant, Staff
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.book.lists.filters import Choices
    from comity.book.opening import Look

SPOKEN: Final = (Doing.CALL, Doing.MAIL, Doing.MEETING)
"""What counts as speaking with somebody. A message that many get is none of it."""


def done_with(look: Look) -> QuerySet[Activity]:
    """Return what happened between the entity and whoever stands in the list."""
    return Activity.objects.filter(person=OuterRef("pk"), entity=look.entity)


def between(rows: QuerySet[Any], moment: str, told: Mapping[str, Sequence[str]], name: str) -> QuerySet[Any]:
    """Keep the rows whose moment lies between the days of the filters `name`_after and `name`_before."""
    if days := told.get(f"{name}_after"):
        rows = rows.filter(**{f"{moment}__gte": day_begins(days, last=True)})
    if days := told.get(f"{name}_before"):
        rows = rows.filter(**{f"{moment}__lt": day_begins(days)})
    return rows


def from_and_before(bunch: str, group: Group, titles: tuple[Any, Any]) -> tuple[Filter, Filter]:
    """Return the two filters of a bunch that say from which day on and before which."""
    after, before = titles
    return (
        Filter(id=f"{bunch}_after", title=after, bunch=bunch, group=group, within=_("from %(day)s")),
        Filter(id=f"{bunch}_before", title=before, bunch=bunch, group=group, within=_("before %(day)s")),
    )


def _did(look: Look, told: Mapping[str, Sequence[str]]) -> Q:
    done = between(done_with(look), "at", told, "activity")
    if kinds := told.get("activity"):
        done = done.filter(doing__in=kinds)
    if colleagues := told.get("activity_by"):
        done = done.filter(staff__in=refs_of(colleagues))
    return Q(Exists(done))


def _silent(look: Look, values: Sequence[str]) -> Q:
    return ~Q(Exists(done_with(look).filter(doing__in=SPOKEN, at__gte=day_begins(values))))


def _acting_for(entity: UUID, at: datetime) -> QuerySet[Staff, tuple[UUID, str]]:
    granted = RoleGrant.objects.standing(at).filter(Q(entity=entity) | Q(entity=None))
    return Staff.objects.filter(ref__in=granted.values("staff")).order_by("name").values_list("ref", "name")


ACTING_FOR: Final = Once(_acting_for, new_ref(), datetime.now(UTC))


def _colleagues(look: Look) -> Choices:
    return [(str(ref), name) for ref, name in ACTING_FOR(look.entity.ref, timezone.now())]


def _colleague_told(look: Look, value: str) -> str:
    """Return what a colleague is called, also one who has left; of whom nothing happened here, nothing is told."""
    rows = Staff.objects.filter(ref__in=refs_of([value]))
    here = Activity.objects.filter(entity=look.entity, staff=OuterRef("pk"))
    known = dict(_colleagues(look)).get(value) or rows.filter(Exists(here)).values_list("name", flat=True).first()
    return str(known or _("a colleague"))


def begin() -> None:
    """Offer them to the list of people."""
    happened = Group.HAPPENED
    register_bunch(
        Bunch(id="activity", title=_("One activity that is all of this"), keeps=_did),
        Filter(
            id="activity", title=_("Activity"), choices=lambda _look: Doing.choices, bunch="activity", group=happened
        ),
        *from_and_before("activity", happened, (_("Activity from"), _("Activity before"))),
        Filter(
            id="activity_by", title=_("Activity by"), choices=_colleagues, told=_colleague_told, fixed=False,
            bunch="activity", group=happened, within=_("by %(name)s"),
        ),
    )  # fmt: skip
    register_filter(Filter(id="silent", title=_("Nobody spoke with them since"), keeps=_silent, group=happened))
