"""Pages on which two people become one: pairs that were found, the two side by side, and what was merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.book.merging import actions, queries
from comity.book.merging.actions import CHOSEN, NAMES, UNDONE_WITHIN, Choices
from comity.book.merging.duplicates import find_duplicates
from comity.book.opening import full_name, names_of
from comity.refs import read_ref
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.book.merging.models import Merge
    from comity.book.merging.queries import Side

PAIRS_A_PAGE: Final = 20
MERGES_A_PAGE: Final = 50


# ---------------------------------------------------------------- pairs


@staff_page(may="person.merge")
def duplicates(request: StaffRequest) -> HttpResponse:
    """Show the pairs who may be one person, the likeliest first."""
    look = queries.merging_look(request.staff, request.GET.get("entity", ""))
    waiting = queries.waiting_pairs(look)
    told = {
        "look": look, "pairs": queries.shown_pairs(look, list(waiting[:PAIRS_A_PAGE])), "count": waiting.count(),
    }  # fmt: skip
    return render(request, "book/duplicates.html", told)


@staff_page(may="person.merge")
@require_POST
def seek(request: StaffRequest) -> HttpResponse:
    """Look for duplicates now."""
    look = queries.merging_look(request.staff, request.POST.get("entity", ""))
    many = find_duplicates(entity=look.entity, staff=request.staff)
    messages.success(request, _("Looked through the whole book. Pairs to look at: %(n)d") % {"n": many})
    return redirect("book:duplicates")


@staff_page(may="person.merge")
@require_POST
def judge(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that two people are not the same, so that nobody is asked again."""
    actions.judge_pair(pair=queries.one_pair(request.staff, ref), same=False, judged_by=request.staff)
    messages.success(request, _("Noted: they are not the same. Nobody is asked about them again."))
    return redirect("book:duplicates")


# ---------------------------------------------------------------- two side by side


@staff_page(may="person.merge")
def merge(request: StaffRequest, one: UUID, other: UUID) -> HttpResponse:
    """Compare two people field by field, and make one of them."""
    look = queries.merging_look(request.staff, request.GET.get("entity", ""))
    sides = queries.two_sides(look, [one, other])
    if request.method == "POST":
        kept = 1 if request.POST.get("keep") == str(other) else 0
        try:
            made = actions.merge_persons(
                kept=sides[kept].person.ref, gone=sides[1 - kept].person.ref, entity=look.entity,
                choices=_choices(request, sides[kept], sides[1 - kept]), merged_by=request.staff,
            )  # fmt: skip
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("They are one person now. For thirty days this can be undone."))
            return redirect("book:merge-one", ref=made.ref)
    rows = queries.rows_of(*sides)
    known = {value.casefold() for _point, value in sides[0].points if value}
    points = [
        (side, point, value, side is sides[0] or value.casefold() not in known)
        for side in sides
        for point, value in side.points
    ]
    return render(request, "book/merge.html", {"look": look, "sides": sides, "rows": rows, "points": points})


def _choices(request: StaffRequest, stays: Side, goes: Side) -> Choices:
    whose = str(goes.person.ref)
    ticked = {ref for each in request.POST.getlist("point") if (ref := _ref(each))}
    return Choices(
        facts=frozenset(name for name in CHOSEN if request.POST.get(f"fact.{name}") == whose),
        points=frozenset(point.ref for point, _value in goes.points if point.ref in ticked),
        name=_name(request, stays, goes),
    )  # fmt: skip


def _name(request: StaffRequest, stays: Side, goes: Side) -> dict[str, str] | None:
    """Return the name as it is to be; None where it is to stay, or one of the two was not opened."""
    if not (stays.opens and goes.opens):
        return None
    chosen = {}
    for part in NAMES:
        taken = request.POST.get(f"name.{part}") == str(goes.person.ref) or not stays.parts[part]
        chosen[part] = goes.parts[part] if taken and goes.parts[part] else stays.parts[part]
    return {part: text for part, text in chosen.items() if text} if chosen != stays.parts else None


def _ref(text: str) -> UUID | None:
    try:
        return read_ref(text)
    except ValueError:
        return None


# ---------------------------------------------------------------- what was merged


@staff_page(may="person.view")
def merges(request: StaffRequest) -> HttpResponse:
    """List merges, the latest first."""
    known = queries.merges_seen_by(request.staff)[:MERGES_A_PAGE]
    return render(request, "book/merges.html", {"merges": known})


@staff_page(may="person.view")
def one_merge(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one merge, and let it be undone."""
    known = queries.one_merge(request.staff, ref)
    told = {
        "one": known, "moved": sum(map(len, known.moved.values())), "until": known.made_at + UNDONE_WITHIN,
        "may_undo": may_do(request.staff, "person.merge", known.entity) and _can_be_undone(known),
        "name": _name_of(request, known),
    }  # fmt: skip
    return render(request, "book/merge_one.html", told)


def _can_be_undone(merge: Merge) -> bool:
    return not merge.undone_at and not merge.final_at and timezone.now() < merge.made_at + UNDONE_WITHIN


def _name_of(request: StaffRequest, merge: Merge) -> str:
    """Return the name of who stayed, for those who may merge; others see the ref."""
    if not may_do(request.staff, "person.merge", merge.entity):
        return ""
    look = queries.merging_look(request.staff, str(merge.entity_id))
    return full_name(names_of(look, [merge.kept]).of(merge.kept, FieldClass.NAME))


@staff_page(may="person.merge")
@require_POST
def undo(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make two of them again."""
    try:
        actions.undo_merge(merge=queries.one_merge(request.staff, ref), undone_by=request.staff)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("They are two people again."))
    return redirect("book:merge-one", ref=ref)
