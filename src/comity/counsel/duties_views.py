"""Pages of what we owe: all duties by their day, one with its reasons and history, and how each is settled."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.counsel import duties as actions
from comity.counsel import duties_queries as queries
from comity.counsel import duties_reading as reading
from comity.counsel.duties_forms import Done, Learnt, NotOwed, OpenedAgain, facts_that_count
from comity.counsel.reading import means, places_said
from comity.law import FactError
from comity.refs import shown
from comity.staff.guards import StaffRequest, demand, may_do, staff_page
from comity.staff.listing import Column, listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms

    from comity.counsel.models import OwedDuty

COLUMNS: Final = (
    Column(
        id="when", title=gettext_lazy("By when"), template="counsel/duty_when_cell.html", sorts_by="day", always=True,
        shows=lambda row: reading.when(row, timezone.localdate()),
    ),
    Column(
        id="what", title=gettext_lazy("What"), template="counsel/duty_cell.html", shows=reading.deed, always=True
    ),
    Column(id="law", title=gettext_lazy("Law"), template="counsel/duty_law_cell.html", shows=reading.why),
    Column(id="people", title=gettext_lazy("People"), shows=lambda row: row.persons, number=True, sorts_by="persons"),
    Column(
        id="places", title=gettext_lazy("Where they live"), template="counsel/duty_places_cell.html",
        shows=lambda row: _few_places(row.places),
    ),
    Column(
        id="event", title=gettext_lazy("Because"), template="counsel/duty_event_cell.html",
        shows=lambda row: reading.KINDS.get(row.event.kind, row.event.kind),
    ),
    Column(id="entity", title=gettext_lazy("Entity"), shows=lambda row: row.entity.name, at_first=False),
)  # fmt: skip
TABS: Final = {
    "open": gettext_lazy("To do"), "standing": gettext_lazy("How we work"),
    "missing": gettext_lazy("A fact is missing"), "settled": gettext_lazy("Done or not owed"),
}  # fmt: skip
SAYS: Final = {
    "open": gettext_lazy("What events made us owe to people and authorities. The next day comes first."),
    "standing": gettext_lazy(
        "What the law wants of us for how we work, whoever the people are: it is owed once, from the first data on."
    ),
    "missing": gettext_lazy(
        "Whether it is owed, or by when, hangs on a fact that is missing. Each names it; once known, the law counts."
    ),
    "settled": gettext_lazy("What was done, and what turned out not to be owed."),
}
FEW: Final = 4
MOST_SHOWN: Final = 50
"""Persons whose refs a duty's page lists."""


def _few_places(codes: list[str]) -> str:
    more = len(codes) - FEW
    return places_said(codes[:FEW]) + (_(" and %(n)d more places") % {"n": more} if more > 0 else "")


@staff_page(may="duty.view")
def duties(request: StaffRequest) -> HttpResponse:
    """List what we owe, the earliest day first."""
    state = request.GET.get("state", "open")
    state = state if state in TABS else "open"
    rows = queries.duties_seen_by(request.staff).filter(queries.STATES[state])
    kinds = sorted(set(rows.values_list("event__kind", flat=True)))
    kind = request.GET.get("kind", "")
    counts = queries.how_many(request.staff)
    told = {
        "listing": listed(
            request, rows=rows.filter(event__kind=kind) if kind in kinds else rows, columns=COLUMNS,
            sort="-when" if state == "settled" else "when",
        ),
        "tabs": [
            {"name": name, "href": f"?state={each}", "here": each == state, "count": counts[each]}
            for each, name in TABS.items()
        ],
        "state": state, "says": SAYS[state], "kind": kind,
        "kinds": [(each, reading.KINDS.get(each, each)) for each in kinds],
    }  # fmt: skip
    return render(request, "counsel/duties.html", told)


@staff_page(may="duty.view")
def duty(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one duty: what, by when and how that was counted, why, for whom, and what was done with it."""
    found = queries.one_duty(request.staff, ref)
    again = actions.ask_again(found) if request.GET.get("again") else None
    return render(request, "counsel/duty.html", _page(request, found) | {"again": again})


def _page(request: StaffRequest, found: OwedDuty) -> dict[str, Any]:
    event, may_settle = found.event, may_do(request.staff, "duty.settle", found.entity)
    return {
        "one": found, "event": event, "ref": shown(found.ref), "deed": reading.deed(found),
        "when": reading.when(found, timezone.localdate()), "why": reading.why(found),
        "later_day": date.fromisoformat(found.told["later"]) if found.told["later"] else None,
        "longer": reading.longer(found), "missing": means(found.told["missing"]),
        "places": places_said(found.places), "kind": reading.KINDS.get(event.kind, event.kind),
        "about": reading.about(event.about), "ways_to_do": reading.ways(found) if may_settle else [],
        "persons": [(each, shown(each)) for each in event.named[:MOST_SHOWN]],
        "more": max(0, len(event.named) - MOST_SHOWN), "facts": _facts(found), "history": _history(found),
        "may_settle": may_settle and not found.settled, "may_open_again": may_settle and found.settled,
        "may_say_not_owed": not found.settled and may_do(request.staff, "ruling.make", found.entity),
        "counts_again": bool(facts_that_count(found)),
    }  # fmt: skip


def _facts(found: OwedDuty) -> list[dict[str, Any]]:
    told = {**found.event.facts, **found.learnt}
    return [
        {**each, "value": _said(told[each["fact"]]), "learnt": each["fact"] in found.learnt} for each in means(told)
    ]


def _said(value: object) -> str:
    match value:
        case bool():
            return _("Yes") if value else _("No")
        case dict():
            return ", ".join(f"{name}: {_said(each)}" for name, each in value.items())
        case list():
            return ", ".join(map(_said, value))
    return str(value)


def _history(found: OwedDuty) -> list[dict[str, Any]]:
    return [
        {
            "step": step, "says": says, "icon": icon, "kind": kind,
            "contained": len(step.facts.get("contents", [])), "of": len(found.told["contents"]),
            "moved": step.day_before and step.day_before != step.day_after,
        }
        for step in queries.history_of(found)
        for says, icon, kind in (reading.STEPS[step.did],)
    ]  # fmt: skip


# ---------------------------------------------------------------- settling


@staff_page(may="duty.settle")
def done(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that a duty was done."""
    found = _mine(request, ref, "duty.settle")
    form = Done(request.POST or None, duty=found, today=timezone.localdate())

    def act() -> None:
        told = form.cleaned_data
        actions.mark_done(
            duty=found, done_on=told["done_on"], words=told["words"], settled_by=request.staff,
            contained=told.get("contained", ()),
        )  # fmt: skip

    return _answer(request, found, form, act, title=_("It was done"), icon="circle-check", says=_("Settled: done."))


@staff_page(may="ruling.make")
def not_owed(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that a duty is not owed after all."""
    found = _mine(request, ref, "ruling.make")
    form = NotOwed(request.POST or None)
    return _answer(
        request, found, form, title=_("It is not owed after all"), icon="circle-slash",
        act=lambda: actions.mark_not_owed(duty=found, settled_by=request.staff, **form.cleaned_data),
        says=_("Settled: not owed."),
    )  # fmt: skip


@staff_page(may="duty.settle")
def counted(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let the law count a duty again with facts that came later."""
    found = _mine(request, ref, "duty.settle")
    form = Learnt(request.POST or None, duty=found)
    lede = _("You give the facts; the law says whether they move the day, and to when.")
    return _answer(
        request, found, form, title=_("Count again"), icon="calculator", lede=lede,
        act=lambda: actions.learn(
            duty=found, facts=form.facts, words=form.cleaned_data["words"], learnt_by=request.staff
        ),
        says=_("Counted again by the law."),
    )  # fmt: skip


@staff_page(may="duty.settle")
def opened_again(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Open a settled duty again."""
    found = _mine(request, ref, "duty.settle")
    form = OpenedAgain(request.POST or None)
    return _answer(
        request, found, form, title=_("Open it again"), icon="undo-2",
        act=lambda: actions.open_again(duty=found, opened_by=request.staff, **form.cleaned_data),
        says=_("It is open again."),
    )  # fmt: skip


def _mine(request: StaffRequest, ref: UUID, word: str) -> OwedDuty:
    found = queries.one_duty(request.staff, ref)
    demand(request.staff, word, found.entity)
    return found


def _answer(
    request: StaffRequest, found: OwedDuty, form: forms.Form, act: Callable[[], object], *, says: str, **told: str
) -> HttpResponse:
    """Do what the form asks for, or show it again with what is wrong."""
    if form.is_valid():
        try:
            act()
        except ValidationError as error:
            form.add_error(None, error)
        except FactError as error:  # facts that contradict each other
            form.add_error(None, str(error))
        else:
            messages.success(request, says)
            return redirect("counsel:duty", ref=found.ref)
    return render(request, "counsel/duty_settle.html", _page(request, found) | {"form": form, **told})
