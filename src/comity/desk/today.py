"""Today, the first page: what is due, what waits for whoever looks, whom they looked after, how the record stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comity.book.models import Person
from comity.book.opening import Look, full_name, names_of, purposes_of
from comity.book.places import said_of
from comity.book.queries import last_seen_by, latest_activity, persons_seen_by
from comity.counsel.duties_queries import due_by, how_many
from comity.counsel.duties_reading import When, deed, when
from comity.desk import recorded
from comity.desk.today_waits import waits_for
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.vault.epochs import KeyTrouble
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.counsel.models import OwedDuty
    from comity.staff.models import Entity, Staff

AHEAD: Final = timedelta(days=21)
"""How far Today looks ahead for what is due."""
WEEKS: Final = 6
MOST_DUE, MOST_PEOPLE = 8, 8
STALE: Final = timedelta(minutes=15)
"""A record whose last entry waits for its number for longer than this has a sequencer that stands still."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """A duty as Today lists it."""

    duty: OwedDuty
    deed: str
    when: When


@dataclass(frozen=True, kw_only=True)
class LookedAfter:
    """Somebody with whom the viewer last had to do; no name where law, role or key keep it sealed."""

    ref: UUID
    name: str
    home: str
    on: date


@dataclass(frozen=True, kw_only=True)
class Start:
    """A way to begin, for a day on which nothing waits."""

    title: _StrPromise
    says: _StrPromise
    to: str
    icon: str
    may: str


STARTS: Final = (
    Start(title=gettext_lazy("Look somebody up"), icon="user-round", to="book:persons", may="person.view",
          says=gettext_lazy("Names open as far as the law of each person's home permits.")),
    Start(title=gettext_lazy("Bring people in"), icon="file-input", to="book:imports", may="import.run",
          says=gettext_lazy("From a file, with a look at what the law says of each row before it comes in.")),
    Start(title=gettext_lazy("Ask the law"), icon="scale", to="counsel:may-we", may="law.view",
          says=gettext_lazy("May we? Describe somebody and a use, and read the article that answers.")),
    Start(title=gettext_lazy("Look into the ledger"), icon="scroll-text", to="desk:ledger", may="ledger.read",
          says=gettext_lazy("What was decided, opened and changed, with a proof of each.")),
)  # fmt: skip


@staff_page(may="desk.view")
def today(request: StaffRequest) -> HttpResponse:
    """Show one of the staff their day."""
    viewer, day = request.staff, timezone.localdate()
    told = {"day": day, **_due(viewer, day), "waiting": waits_for(viewer), **_people(viewer), **_record(viewer)}
    told["starts"] = _starts(viewer)
    return render(request, "desk/today.html", told)


def _starts(viewer: Staff) -> list[dict[str, object]]:
    return [
        {"title": one.title, "says": one.says, "icon": one.icon, "href": href}
        for one in STARTS
        if may_do(viewer, one.may) and (href := _address(one.to))
    ]


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


# ---------------------------------------------------------------- what is due


def _due(viewer: Staff, day: date) -> dict[str, Any]:
    if not may_do(viewer, "duty.view"):
        return {}
    counts, coming = how_many(viewer), due_by(viewer, day + AHEAD)
    overdue = due_by(viewer, day - timedelta(days=1)).count()
    rows = [Due(duty=one, deed=deed(one), when=when(one, day)) for one in coming[:MOST_DUE]]
    return {
        "due": rows, "more_due": max(0, coming.count() - len(rows)), "overdue": overdue, "counts": counts,
        "sees_duties": True, "weeks": _weeks(viewer, day),
    }  # fmt: skip


def _weeks(viewer: Staff, day: date) -> dict[str, Any] | None:
    """Return how much is due in each of the weeks ahead, as a drawing and in words; nothing where it says nothing."""
    days = due_by(viewer, day + timedelta(weeks=WEEKS) - timedelta(days=1)).values_list("day", flat=True)
    counts = [0] * WEEKS
    for each in days:
        counts[max(0, (each - day).days) // 7] += 1
    if sum(1 for count in counts if count) <= 1:
        return None
    said = ", ".join(
        _("this week: %(n)d") % {"n": count} if not number
        else ngettext("in %(week)d week: %(n)d", "in %(week)d weeks: %(n)d", number) % {"week": number, "n": count}
        for number, count in enumerate(counts)
    )  # fmt: skip
    return {"bars": _bars(counts), "said": said}


WIDTH, GAP, HEIGHT = 26, 6, 34


def _bars(counts: Sequence[int]) -> list[dict[str, int]]:
    most = max(counts)
    heights = [max(1, round(HEIGHT * count / most)) for count in counts]
    return [
        {"x": number * (WIDTH + GAP), "y": HEIGHT - height, "width": WIDTH, "height": height, "count": count}
        for number, (count, height) in enumerate(zip(counts, heights, strict=True))
    ]


# ---------------------------------------------------------------- people


def _people(viewer: Staff) -> dict[str, Any]:
    """Return whom the viewer last had to do with, for one entity; their names are opened together, by one decision."""
    newest = latest_activity(viewer)
    entity = newest.entity if newest else None
    purposes = purposes_of(viewer, entity) if entity and may_do(viewer, "person.view", entity) else []
    if entity is None or not purposes:
        return {"people": []}
    look = Look(viewer=viewer, entity=entity, purpose=purposes[0])
    last = dict(_last_seen(viewer, entity))
    persons = {each.ref: each for each in persons_seen_by(viewer, entity).filter(ref__in=list(last))}
    known = [persons[ref] for ref in last if ref in persons]
    names, trouble = _names(look, known)
    people = [
        LookedAfter(ref=each.ref, name=names.get(each.ref, ""), home=said_of(each.home), on=last[each.ref])
        for each in known
    ]
    return {"people": people, "look": look, "trouble": trouble}


def _last_seen(viewer: Staff, entity: Entity) -> list[tuple[UUID, date]]:
    latest = last_seen_by(viewer, entity, MOST_PEOPLE)
    return [(person, timezone.localtime(last).date()) for person, last in latest]


def _names(look: Look, persons: Sequence[Person]) -> tuple[dict[UUID, str], str]:
    """Open the names that may be opened; where a key is missing or wrong, none, and what is the matter."""
    if not persons:
        return {}, ""
    try:
        seen = names_of(look, [person.ref for person in persons])
    except KeyTrouble as error:
        return {}, str(error) if may_do(look.viewer, "key.view") else _("The keys of the book cannot be used now.")
    return {person.ref: full_name(seen.of(person.ref, FieldClass.NAME)) for person in persons}, ""


# ---------------------------------------------------------------- the record


def _record(viewer: Staff) -> dict[str, Any]:
    if not may_do(viewer, "ledger.read"):
        return {}
    head = recorded.head()
    return {"sees_record": True, "head": head, "pending": recorded.pending(), "asleep": _asleep()}


def _asleep() -> bool:
    """Say whether something waits for its number for so long that the sequencer cannot be running."""
    return recorded.waits_since(before=timezone.now() - STALE)
