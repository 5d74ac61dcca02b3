"""Lists of people and organisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from comity.book.lists import queries as kept
from comity.book.lists.by_name import MOST, Line, TooMany, by_name, names_on
from comity.book.lists.counting import count_of
from comity.book.lists.filters import Chosen, Group, chosen
from comity.book.lists.models import Deed
from comity.book.lists.views import address_of, kept_of
from comity.book.looking import Sight, look_of, sight
from comity.book.models import Capacity, Organisation, Person
from comity.book.opening import Look, full_name, names_of, purposes_of
from comity.book.places import said_of
from comity.book.queries import organisations_seen_by, people_at, persons_seen_by, tags_on, work_at
from comity.refs import shown
from comity.staff.addresses import address_if_there
from comity.staff.guards import StaffRequest, acts_for, may_do, staff_page
from comity.staff.listing import Column, Listing, listed, listed_as

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import QueryDict

    from comity.book.lists.models import SavedView
    from comity.staff.models import Staff

__all__ = ["Sight", "look_of", "organisations", "persons", "sight"]

NOBODY: Final = UUID(int=0)


@cache
def _way(name: str) -> tuple[str, str]:
    """Return what stands before and behind a ref in an address: to find it out costs more than to draw the cell."""
    before, _ref, behind = reverse(name, args=[NOBODY]).partition(str(NOBODY))
    return before, behind


def link_to(name: str, ref: UUID, text: str) -> SafeString:
    """Draw the link of a row: the one that the keyboard opens."""
    before, behind = _way(name)
    return mark_safe(f'<a href="{before}{ref}{behind}" data-row-link>{escape(text)}</a>')  # noqa: S308 - it is escaped


class Facts(Protocol):
    """The plain facts of somebody that a list shows."""

    pk: UUID
    home: str
    language: str
    capacity: str
    last_contact_on: date | None
    added_at: datetime
    changed_at: datetime


FACTS: Final = tuple(Facts.__annotations__)


@dataclass(frozen=True, kw_only=True)
class PersonRow:
    """Somebody in a list: the plain facts, the name as far as it was opened, and what a column shows besides."""

    facts: Facts
    seen: Sight
    home: str
    organisations: Sequence[str] = ()
    tags: Sequence[str] = ()

    @property
    def pk(self) -> UUID:
        return self.facts.pk


def drawn(row: PersonRow, seen: Sight) -> SafeString:
    """Draw somebody's name; or that it is sealed, and the verdict that keeps it so."""
    if seen.opens:
        return link_to("desk:person", row.pk, seen.name)
    sealed = _sealed(seen.answer.verdict.value, get_language())
    return mark_safe(sealed.replace(str(NOBODY), str(row.pk)))  # noqa: S308 - a template's, and a ref


@lru_cache(maxsize=64)
def _sealed(verdict: str, language: str | None) -> str:
    """Return the cell of nobody whose name a verdict keeps sealed: it says the same of everybody."""
    del language  # the one that is spoken now, and in which the cell is drawn
    return render_to_string("book/sealed_name_cell.html", {"ref": NOBODY, "verdict": verdict})


CAPACITIES: Final[Mapping[str, object]] = dict(Capacity.choices)
PERSON_COLUMNS: Final = (
    Column(
        id="name", title=_("Name"), draws=drawn, shows=lambda row: row.seen, always=True, sorts_by="name", sealed=True
    ),
    Column(id="organisation", title=_("Organisation"), shows=lambda row: ", ".join(row.organisations)),
    Column(id="home", title=_("Home"), shows=lambda row: row.home, sorts_by="home"),
    Column(
        id="language", title=_("Language"), shows=lambda row: row.facts.language, sorts_by="language", at_first=False
    ),
    Column(id="capacity", title=_("Met as"), shows=lambda row: CAPACITIES.get(row.facts.capacity, ""), at_first=False),
    Column(id="tags", title=_("Tags"), shows=lambda row: ", ".join(row.tags), at_first=False),
    Column(
        id="contact", title=_("Last contact"), shows=lambda row: row.facts.last_contact_on, sorts_by="last_contact_on"
    ),
    Column(id="added", title=_("Added"), shows=lambda row: row.facts.added_at, sorts_by="added_at", at_first=False),
    Column(
        id="changed", title=_("Changed"), shows=lambda row: row.facts.changed_at, sorts_by="changed_at", at_first=False
    ),
    Column(id="ref", title=_("Ref"), shows=lambda row: shown(row.pk), at_first=False),
)  # fmt: skip
NEWEST: Final = "-added"
BY_NAME: Final = "name"


# ---------------------------------------------------------------- people


@staff_page(may="person.view")
def persons(request: StaffRequest) -> HttpResponse:
    """List people; the names are opened together, as far as the law of each one's home permits."""
    if not request.GET and (first := kept.first_view_of(request.staff)) is not None:
        return redirect(address_of(first))
    look = look_of(request)
    picked = chosen(look, request.GET)
    found = picked.narrow(persons_seen_by(look.viewer, look.entity))
    page = _page(request, look, found)
    told = {
        **page.told, "look": look, "entities": acts_for(look.viewer), "purposes": purposes_of(look.viewer, look.entity),
        "fields": _fields(picked), "chips": picked.chips(request.GET), "count": _count(page.listing, found),
        "deeds": Deed.choices if may_do(look.viewer, "person.edit", look.entity) else [],
        "query": request.GET.urlencode(), "links": _links(look.viewer), **_views(request, look),
    }  # fmt: skip
    return render(request, "book/persons.html", told)


@dataclass(frozen=True, kw_only=True)
class PeoplePage:
    """One page of people, and what its head says about their order."""

    listing: Listing[PersonRow]
    letters: Sequence[dict[str, object]] = ()
    too_many: bool = False
    order: Sequence[Line] = field(default=(), repr=False)

    @property
    def told(self) -> dict[str, object]:
        return {"listing": self.listing, "letters": self.letters, "too_many": self.too_many, "most": MOST}


def _page(request: StaffRequest, look: Look, found: QuerySet[Person]) -> PeoplePage:
    rows = found.values_list(*FACTS, named=True)
    too_many = False
    if request.GET.get("sort") == BY_NAME:
        try:
            return _from_a_to_z(request, look, found, rows)
        except TooMany:
            too_many = True
    page = listed(request, rows=rows, columns=PERSON_COLUMNS, sort=NEWEST)
    return PeoplePage(listing=_whole(page, _opened(look, page.rows)), too_many=too_many)


def _opened(look: Look, rows: Sequence[Facts]) -> dict[UUID, Sight]:
    if not rows:
        return {}
    seen = names_of(look, [row.pk for row in rows])
    names = {label.person: full_name(fields) for label, fields in seen.opened.items()}
    return {
        person: Sight(name=names.get(person, ""), answer=answer, opens=bool(names.get(person)))
        for person, answer in seen.decided.answers.items()
    }


def _whole(page: Listing[Any], seen: Mapping[UUID, Sight]) -> Listing[PersonRow]:
    """Put together what stands in the rows: of organisations and tags only what a column shows."""
    refs, columns = [row.pk for row in page.rows], {column.id for column in page.columns}
    firms = work_at(refs) if refs and "organisation" in columns else {}
    tags = tags_on(refs) if refs and "tags" in columns else {}
    homes = {home: said_of(home) for home in {row.home for row in page.rows}}
    rows = [
        PersonRow(
            facts=row, seen=seen[row.pk], home=homes[row.home], organisations=firms.get(row.pk, ()),
            tags=tags.get(row.pk, ()),
        )
        for row in page.rows
    ]  # fmt: skip
    return replace(page, rows=rows)


def _from_a_to_z(request: StaffRequest, look: Look, found: QuerySet[Person], rows: QuerySet[Person, Any]) -> PeoplePage:
    order = by_name(look, found)
    letter = request.GET.get("letter", "")
    lines = order.under(letter if letter in order.letters else "")
    page = listed_as(request, order=[line.person for line in lines], rows=rows, columns=PERSON_COLUMNS, sort=BY_NAME)
    letters = [
        {"letter": each, "to": page.address(letter=None if each == letter else each), "here": each == letter}
        for each in order.letters
    ]
    listing = _whole(page, names_on(lines, [row.pk for row in page.rows]))
    return PeoplePage(listing=listing, letters=letters, order=lines)


def _count(page: Listing[PersonRow], found: QuerySet[Person]) -> object:
    alone = not page.next and not page.previous and "letter" not in page.query
    return count_of(found, page=len(page.rows) if alone else None)


def _fields(picked: Chosen) -> dict[str, list[dict[str, Any]]]:
    """Return the fields of the filters: those of the bar, and those behind it, under their headings."""
    first: list[dict[str, Any]] = []
    more: dict[Group, list[dict[str, Any]]] = {group: [] for group in Group}
    for one in picked.known.values():
        values = picked.of(one.id)
        choices = one.choices(picked.look) if one.choices else None
        if values or (one.offered and (choices is None or choices)):
            told = {"id": one.id, "title": one.title, "choices": choices, "value": "".join(values[:1]),
                    "others": values[1:], "type": one.entry.type}  # fmt: skip
            (first if one.first else more[one.group]).append(told)
    groups = [
        {
            "title": group.label,
            "fields": fields,
            "open": any(each["value"] and each["choices"] != () for each in fields),
        }
        for group, fields in more.items()
        if fields
    ]
    return {"first": first, "more": groups}


def _views(request: StaffRequest, look: Look) -> dict[str, object]:
    """Return the tabs of kept views, the view that is open, and whether this address still shows what it keeps."""
    views = kept.views_on(request.staff, look.entity)
    here = next((view for view in views if str(view.ref) == request.GET.get("view")), None)
    everybody = f"{reverse('book:persons')}?{_only(look)}"
    tabs = [
        {"name": _("All people"), "href": everybody, "here": here is None},
        *({"name": view.name, "href": address_of(view), "here": view == here} for view in views),
    ]
    changed = here is not None and kept_of(request.GET, look.entity.ref) != here.query
    return {"tabs": tabs, "view": here, "view_changed": changed, "view_mine": _owns(request.staff, here)}


def _only(look: Look) -> str:
    return f"entity={look.entity.ref}&view=all"


def _owns(staff: Staff, view: SavedView | None) -> bool:
    return view is not None and view.owner_id == staff.ref


LINKS: Final = (
    ("book:new-person", "person.edit", "user-round-plus", _("Add a person"), False),
    ("book:duplicates", "person.merge", "merge", _("Duplicates"), False),
    ("outreach:campaign-new", "campaign.edit", "send", _("Write to them"), True),
    ("book:export", "person.export", "download", _("Export"), True),
    ("outreach:sharing-new", "sharing.make", "share-2", _("Share"), True),
)
"""Where a list leads, if that part of the book is there and the viewer has the word; some take the filters along."""


def _links(viewer: Staff) -> list[dict[str, object]]:
    found = []
    for name, word, icon, title, filtered in LINKS:
        if (to := address_if_there(name)) and may_do(viewer, word):
            found.append({"to": to, "icon": icon, "title": title, "filtered": filtered})
    return found


# ---------------------------------------------------------------- organisations

ORGANISATION_COLUMNS: Final = (
    Column(
        id="name",
        title=_("Name"),
        draws=lambda row, name: link_to("book:organisation", row.ref, name),
        sorts_by="name",
        always=True,
    ),
    Column(id="place", title=_("Place"), shows=lambda row: said_of(row.place), sorts_by="place"),
    Column(id="trade", title=_("Trade"), sorts_by="trade"),
    Column(id="domain", title=_("Domain"), sorts_by="domain", at_first=False),
    Column(id="people", title=_("People"), shows=lambda row: row.people, number=True),
)
LONGEST_WORDS: Final = 200


@staff_page(may="organisation.view")
def organisations(request: StaffRequest) -> HttpResponse:
    """List organisations; how many people work there is said of those whom the viewer may see."""
    seen = organisations_seen_by(request.staff)
    found = _narrowed(seen, request.GET)
    page = listed(request, rows=found, columns=ORGANISATION_COLUMNS, sort="name")
    people = people_at(request.staff, page.rows) if page.rows else {}
    for row in page.rows:
        row.people = people.get(row.ref, 0)  # type: ignore[attr-defined]  # for this page alone
    alone = not page.next and not page.previous
    told = {
        "listing": page, "count": count_of(found, page=len(page.rows) if alone else None), "places": _places(seen),
        "trades": list(_values(seen, "trade")), "filtered": any(map(request.GET.get, ("q", "place", "trade"))),
        "may_add": may_do(request.staff, "organisation.edit"),
    }  # fmt: skip
    return render(request, "book/organisations.html", told)


def _narrowed(rows: QuerySet[Organisation], query: QueryDict) -> QuerySet[Organisation]:
    if words := query.get("q", "").strip()[:LONGEST_WORDS]:
        rows = rows.filter(name__icontains=words.replace("\0", ""))
    for name in ("place", "trade"):
        if value := query.get(name, "").replace("\0", ""):
            rows = rows.filter(**{name: value})
    return rows


def _places(rows: QuerySet[Organisation]) -> list[tuple[str, str]]:
    return sorted(((code, said_of(code)) for code in _values(rows, "place")), key=lambda pair: pair[1])


def _values(rows: QuerySet[Organisation], column: str) -> QuerySet[Organisation, str]:
    found = rows.exclude(**{column: ""}).order_by(column).values_list(column, flat=True)
    return found.distinct()[:400]
