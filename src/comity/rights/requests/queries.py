"""Who may see which requests, and what each has next. The viewer comes first: it is their entities that count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import DateField, Exists, OuterRef, Q, QuerySet, Subquery, UUIDField
from django.http import Http404
from django.utils.translation import gettext as _

from comity.counsel.duties_reading import SOON
from comity.counsel.models import OwedDuty
from comity.rights.requests.models import OPEN, Kind, Request, State, Step
from comity.rights.requests.telling_law import duties_of
from comity.staff.guards import entities_with, may_do
from comity.staff.models import Staff

if TYPE_CHECKING:
    from collections.abc import Sequence

SEES: Final = "request.view"
DECIDES: Final = "request.decide"
AT_RISK: Final = timedelta(days=SOON)
"""How near its day a request is at risk."""
Dated = QuerySet[Any]
"""Requests, each with the day to work to (`day`) and the duty that has it (`first`)."""
TABS: Final = ("late", "at-risk", "due", "waiting", "done")


def requests_seen_by(viewer: Staff) -> Dated:
    """Return what was asked of our entities for which the viewer has the word, each with the day to work to (`day`)."""
    rows = Request.objects.filter(entity__in=entities_with(viewer, SEES))
    return with_day(rows.select_related("entity", "handler"))


def with_day(rows: QuerySet[Request]) -> Dated:
    """Add to requests the earliest day on which something of them is certainly due, and the duty that is."""
    mine = _running().filter(event=OuterRef("event")).order_by("day", "rule")
    return rows.annotate(
        day=Subquery(mine.values("day")[:1], output_field=DateField()),
        first=Subquery(mine.values("ref")[:1], output_field=UUIDField()),
    )  # fmt: skip


def _running() -> QuerySet[OwedDuty]:
    """Return the duties that have a day to work to: certain, open, with a period that ends."""
    return OwedDuty.objects.filter(settled="", standing=False, state="owed", timing="due")


def narrowed(rows: Dated, tab: str, today: date) -> Dated:
    """Return the requests of one tab of the board. What waits for the person may be late, too, and stands in both."""
    open_, soon = Q(state__in=OPEN), today + AT_RISK
    return rows.filter({
        "late": open_ & Q(day__lt=today),
        "at-risk": open_ & Q(day__gte=today, day__lte=soon),
        "due": open_ & (Q(day__gt=soon) | Q(day=None)),
        "waiting": Q(state=State.CHECKING),
        "done": ~open_,
    }[tab])  # fmt: skip


def how_many(rows: Dated, today: date) -> dict[str, int]:
    """Return how many requests each tab has; the day is looked up of those alone that are not over."""
    counted = dict.fromkeys(TABS, 0)
    for day in rows.order_by().filter(state__in=OPEN).values_list("day", flat=True):
        counted["due" if day is None or day > today + AT_RISK else "late" if day < today else "at-risk"] += 1
    for tab in ("waiting", "done"):
        counted[tab] = narrowed(rows.order_by(), tab, today).count()
    return counted


def filtered(rows: Dated, *, law: str = "", kind: str = "", handler: str = "") -> Dated:
    """Return the requests of a law, of a kind, and of one who looks after them ("nobody": of nobody)."""
    if law:
        of_law = OwedDuty.objects.filter(event=OuterRef("event"), rule__startswith=f"{law}/")
        rows = rows.filter(Exists(of_law))
    if kind:
        rows = rows.filter(kind=kind)
    if handler:
        rows = rows.filter(handler=None if handler == "nobody" else handler)
    return rows


def laws_of(rows: Dated) -> list[str]:
    """Return the laws by which anything is owed of these requests."""
    events = rows.order_by().values("event")
    rules = OwedDuty.objects.filter(event__in=events).order_by().values_list("rule", flat=True).distinct()
    return sorted({rule.partition("/")[0] for rule in rules})


def handlers_of(rows: Dated) -> list[Staff]:
    """Return who looks after any of these requests."""
    handlers = rows.order_by().exclude(handler=None).values("handler")
    return list(Staff.objects.filter(ref__in=handlers).order_by("name"))


def one_request(viewer: Staff, ref: UUID) -> Request:
    """Return one request. Raises Http404."""
    rows: QuerySet[Request] = requests_seen_by(viewer)
    found = rows.filter(pk=ref).select_related("entity", "handler", "appeals", "noted_by").first()
    if found is None:
        raise Http404(_("There is nothing here, or it is about an entity for which you do not act."))
    return found


def duties_shown(request: Request) -> list[OwedDuty]:
    """Return what is or was owed of a request."""
    return list(duties_of(request))


def steps_of(request: Request) -> QuerySet[Step]:
    """Return what was done about a request, the latest first."""
    return request.steps.select_related("by").order_by("-at", "-ref")


def of_letter(request: Request) -> list[Request]:
    """Return what else came with a request."""
    return list(Request.objects.filter(letter=request.letter).exclude(pk=request.pk).order_by("ref"))


def appeals_of(request: Request) -> list[Request]:
    """Return the appeals against the refusal of a request."""
    return list(request.appeals_of.order_by("ref"))


def who_may_work(request: Request, staff: Iterable[Staff]) -> list[Staff]:
    """Return who of these may look after a request."""
    return [one for one in staff if one.is_active and may_do(one, "request.work", request.entity_id)]


def first_duties(rows: Iterable[Any]) -> Mapping[UUID, OwedDuty]:
    """Return the duty that each of these requests has next, by the request's ref."""
    first = {row.first: row.ref for row in rows if row.first}
    found = OwedDuty.objects.filter(ref__in=list(first)).select_related("event", "entity")
    return {first[duty.ref]: duty for duty in found}


# ---------------------------------------------------------------- the calendar, and Today


def due_between(viewer: Staff, begin: date, end: date) -> list[tuple[OwedDuty, Request]]:
    """Return what is certainly due of requests from one day on and before another, each with its request."""
    seen = Request.objects.filter(entity__in=entities_with(viewer, SEES))
    duties = _running().filter(
        day__gte=begin, day__lt=end, entity__in=entities_with(viewer, SEES), event__in=seen.order_by().values("event")
    ).select_related("event", "entity").order_by("day", "rule")  # fmt: skip
    found = list(duties)
    known = seen.in_bulk({duty.event.about for duty in found})
    return [(duty, known[duty.event.about]) for duty in found]


def near_their_day(viewer: Staff, today: date) -> Dated:
    """Return what the viewer has to look after that is late or at risk: their own, and, who decides, everybody's."""
    rows = narrowed_to_open(requests_seen_by(viewer)).filter(day__lte=today + AT_RISK)
    return rows.filter(Q(handler=viewer) | Q(entity__in=entities_with(viewer, DECIDES))).order_by("day", "ref")


def narrowed_to_open(rows: Dated) -> Dated:
    """Return those that are not over."""
    return rows.filter(state__in=OPEN)


def nobodys(viewer: Staff) -> Dated:
    """Return the open requests that nobody looks after, for those who may work on them."""
    mine = entities_with(viewer, "request.work")
    return narrowed_to_open(requests_seen_by(viewer)).filter(handler=None, entity__in=mine)


def kinds() -> Sequence[tuple[str, str]]:
    """Return what may be asked, in words."""
    return [(kind.value, str(kind.label)) for kind in Kind]
