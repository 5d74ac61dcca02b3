"""Pages that cross rooms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.models import Activity, ContactPoint, Doing, Person, Reach
from comity.book.opening import Look, Seen, everything_of, full_name, purposes_of
from comity.book.places import said_of
from comity.book.queries import activities_of, persons_seen_by, relation_of, with_posts
from comity.book.searching import find
from comity.book.views import look_of
from comity.consent.models import Consent, Said
from comity.desk.may_we import cards_of, why
from comity.refs import shown
from comity.staff.guards import StaffRequest, entities_of, staff_page
from comity.vault.sealing import FieldClass, Label

LONGEST_QUERY = 200
QUICK = 8
"""People that the palette shows."""

ICONS = {
    Doing.CALL: "phone", Doing.MAIL: "mail", Doing.MEETING: "users-round", Doing.NOTE: "sticky-note",
    Doing.ORDER: "shopping-cart",
}  # fmt: skip
REACH_ICONS = {Reach.EMAIL: "mail", Reach.PHONE: "phone", Reach.POST: "map-pin", Reach.MESSENGER: "message-circle"}
VERDICT_OF = {Said.GIVEN: "permit", Said.REFUSED: "deny", Said.WITHDRAWN: "deny", Said.EXPIRED: "ask"}


@dataclass(frozen=True, kw_only=True)
class Held:
    """One thing we hold, as the page shows it: opened, or sealed."""

    label: str
    value: str
    note: str = ""


@staff_page(may="person.view")
def search(request: StaffRequest) -> HttpResponse:
    """Show who is called so, or has that address or number."""
    look, query = look_of(request), _query(request)
    told = {"query": query, "hits": find(look, query), "look": look}
    return render(request, "desk/search.html", told)


@staff_page(may="person.view")
def quick_search(request: StaffRequest) -> HttpResponse:
    """List the first who are found, for the palette."""
    return render(request, "desk/quick_search.html", {"hits": find(look_of(request), _query(request))[:QUICK]})


def _query(request: StaffRequest) -> str:
    return request.GET.get("q", "").strip()[:LONGEST_QUERY]


@staff_page(may="person.view")
def person(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one person: what the law permits today, what we hold, and what happened."""
    look = look_of(request)
    found = with_posts(persons_seen_by(request.staff, look.entity)).filter(ref=ref).first()
    if found is None:
        raise Http404(_("There is no such person in the book of %(entity)s.") % {"entity": look.entity.name})
    return render(request, "desk/person.html", _page(request, look, found))


def _page(request: StaffRequest, look: Look, found: Person) -> dict[str, Any]:
    points = list(ContactPoint.objects.filter(person=found))
    activities = list(activities_of(found, [look.entity.ref])[:100])
    seen = everything_of(look, found.ref, [*_point_labels(points), *_activity_labels(activities)])
    today = timezone.localdate()
    cards = cards_of(found.ref, look.entity.ref, today, request.GET.get("why", ""))
    chosen = next((card for card in cards if card.chosen), None)
    return {
        "person": found, "name": full_name(seen.of(found.ref, FieldClass.NAME)), "look": look,
        "home": said_of(found.home), "relation": relation_of(found, look.entity), "cards": cards,
        "why": why(chosen, today) if chosen else None, "held": list(_held(found, points, seen)),
        "timeline": sorted(_happened(found, look, activities, seen), key=lambda entry: entry["at"], reverse=True),
        "view": seen.decided.answers[found.ref], "ref": shown(found.ref),
        "title": (seen.of(found.ref, FieldClass.NAME) or {}).get("post", ""),
        "decision": shown(seen.decided.ref), "purposes": purposes_of(request.staff, look.entity),
    }  # fmt: skip


def _point_labels(points: list[ContactPoint]) -> list[Label]:
    return [
        Label(
            point.person_id, FieldClass.ADDRESS if point.reach == Reach.POST else FieldClass.CONTACT, "point", point.ref
        )
        for point in points
    ]


def _activity_labels(activities: list[Activity]) -> list[Label]:
    return [Label(each.person_id, FieldClass.NOTE, "activity", each.ref) for each in activities]


def _held(person: Person, points: list[ContactPoint], seen: Seen) -> Iterator[Held]:
    for point in points:
        sealed_as = FieldClass.ADDRESS if point.reach == Reach.POST else FieldClass.CONTACT
        fields = seen.of(person.ref, sealed_as, point.ref)
        value = ", ".join(str(part) for part in fields.values()) if fields else _("sealed")
        yield Held(label=str(Reach(point.reach).label), value=value, note=_("confirmed") if point.verified_at else "")


def _happened(person: Person, look: Look, activities: list[Activity], seen: Seen) -> Iterator[dict[str, Any]]:
    for each in activities:
        fields = seen.of(person.ref, FieldClass.NOTE, each.ref)
        title = str(Doing(each.doing).label)
        if each.minutes:
            title = _("%(what)s, %(n)d minutes") % {"what": title, "n": each.minutes}
        yield {
            "at": each.at, "title": title, "text": fields.get("text", "") if fields else _("sealed"),
            "by": each.staff.name if each.staff else "", "icon": ICONS.get(Doing(each.doing), "circle-dot"),
        }  # fmt: skip
    for said in Consent.objects.filter(person=person.ref, entity__in=entities_of(look.viewer)):
        icon = "circle-check" if said.said == Said.GIVEN else "ban"
        yield {
            "at": said.said_at, "title": Said(said.said).label, "icon": icon,
            "text": _("%(purpose)s by %(channel)s") % {"purpose": said.purpose, "channel": said.channel},
            "by": said.source, "verdict": VERDICT_OF[Said(said.said)],
        }  # fmt: skip
