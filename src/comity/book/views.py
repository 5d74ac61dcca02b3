"""Lists of people and organisations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from comity.book.models import Organisation, Person, Reach
from comity.book.opening import Look, Seen, full_name, names_of, purposes_of
from comity.book.places import said_of
from comity.book.queries import organisations_seen_by, persons_seen_by, with_posts
from comity.refs import shown
from comity.staff.guards import NotYours, StaffRequest, entities_of, staff_page
from comity.staff.listing import Column, listed
from comity.staff.models import Entity
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.counsel.asking import Answer

PERSON_COLUMNS: Final = (
    Column(id="name", title=_("Name"), template="book/name_cell.html", shows=lambda row: row.seen, always=True),
    Column(
        id="organisation",
        title=_("Organisation"),
        shows=lambda row: ", ".join(p.organisation.name for p in row.posts_now),
    ),
    Column(id="home", title=_("Home"), shows=lambda row: said_of(row.home), sorts_by="home"),
    Column(id="language", title=_("Language"), sorts_by="language", at_first=False),
    Column(id="contact", title=_("Last contact"), shows=lambda row: row.last_contact_on, sorts_by="last_contact_on"),
    Column(id="added", title=_("Added"), shows=lambda row: row.added_at, sorts_by="added_at", at_first=False),
    Column(id="ref", title=_("Ref"), shows=lambda row: shown(row.ref), at_first=False),
)
ORGANISATION_COLUMNS: Final = (
    Column(id="name", title=_("Name"), sorts_by="name", always=True),
    Column(id="place", title=_("Place"), shows=lambda row: said_of(row.place), sorts_by="place"),
    Column(id="trade", title=_("Trade"), sorts_by="trade"),
    Column(id="people", title=_("People"), shows=lambda row: row.people, number=True),
)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How one person stands in a list: the name, or the answer that keeps it sealed."""

    name: str
    answer: Answer
    opens: bool


def look_of(request: StaffRequest) -> Look:
    """Return for which entity and purpose somebody looks: as the address says, else the likeliest. Raises NotYours."""
    mine = entities_of(request.staff)
    entities = list(Entity.objects.filter(ref__in=mine).order_by("name"))
    wanted = request.GET.get("entity", "")
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


@staff_page(may="person.view")
def persons(request: StaffRequest) -> HttpResponse:
    """List people; the names are opened together, as far as the law of each one's home permits."""
    look = look_of(request)
    found = _filtered(request, look)
    page = listed(request, rows=with_posts(found), columns=PERSON_COLUMNS, sort="-added")
    if page.rows:
        seen = names_of(look, [person.ref for person in page.rows])
        for person in page.rows:
            person.seen = sight(seen, person)  # type: ignore[attr-defined]  # for this page alone
    entities = Entity.objects.filter(ref__in=entities_of(request.staff)).order_by("name")
    told = {
        "listing": page, "look": look, "entities": entities, "purposes": purposes_of(request.staff, look.entity),
        "homes": _homes(look), "reaches": Reach.choices, "count": found.count(),
    }  # fmt: skip
    return render(request, "book/persons.html", told)


def _filtered(request: StaffRequest, look: Look) -> QuerySet[Person]:
    found = persons_seen_by(look.viewer, look.entity)
    if home := request.GET.get("home", ""):
        found = found.filter(home=home)
    if (reach := request.GET.get("reach", "")) in Reach.values:
        found = found.filter(contact_points__reach=reach, contact_points__first=True).distinct()
    return found


def _homes(look: Look) -> list[tuple[str, str]]:
    codes = persons_seen_by(look.viewer, look.entity).values_list("home", flat=True).distinct()[:400]
    return sorted(((code, said_of(code)) for code in codes if code), key=lambda pair: pair[1])


@staff_page(may="organisation.view")
def organisations(request: StaffRequest) -> HttpResponse:
    """List organisations."""
    from django.db.models import Count

    found = organisations_seen_by(request.staff).annotate(people=Count("posts"))
    page = listed(request, rows=found, columns=ORGANISATION_COLUMNS, sort="name")
    return render(request, "book/organisations.html", {"listing": page, "count": Organisation.objects.count()})
