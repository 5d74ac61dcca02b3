"""Pages of the law: what our packs say, what they do not, what must be looked at again; and "may we?", by a form."""

from __future__ import annotations

from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from comity.counsel import reading
from comity.counsel.asking import Answer, suppose
from comity.counsel.forms import MayWe
from comity.law import FactError
from comity.law.lawbook import Law, Rule
from comity.staff.guards import StaffRequest, staff_page
from comity.staff.queries import entities_seen_by

EFFECTS: Final = {
    "forbid": pgettext_lazy("effect of a rule", "Forbids"),
    "ground": pgettext_lazy("effect of a rule", "Is a ground"),
    "require": pgettext_lazy("effect of a rule", "Requires"),
    "refer": pgettext_lazy("effect of a rule", "Leaves it to a human"),
    "except": pgettext_lazy("effect of a rule", "Is an exception"),
    "duty": pgettext_lazy("effect of a rule", "Makes a duty"),
}
WAYS: Final = {
    "law": gettext_lazy("Laws"),
    "may-we": gettext_lazy("May we?"),
    "blind-spots": gettext_lazy("Blind spots"),
    "review": gettext_lazy("To review"),
}


def tabs(here: str) -> list[dict[str, object]]:
    """Return the ways through this room."""
    return [{"name": name, "href": reverse(f"counsel:{way}"), "here": way == here} for way, name in WAYS.items()]


@staff_page(may="law.view")
def law(request: StaffRequest) -> HttpResponse:
    """List the packs with their laws, or the rules that have some words."""
    words = request.GET.get("q", "").strip()
    found = [_shown(rule) for rule in reading.found(words)] if words else []
    told = {
        "tabs": tabs("law"), "shelves": reading.shelves(), "words": words, "found": found,
        "most": reading.MOST_FOUND, "rules": sum(shelf.rules for shelf in reading.shelves()),
    }  # fmt: skip
    return render(request, "counsel/law.html", told)


@staff_page(may="law.view")
def one_law(request: StaffRequest, law: str) -> HttpResponse:
    """Show one law: when it governs, its rules with dates and sources, and what it does not say."""
    found = reading.laws().get(law)
    if found is None:
        raise Http404(_("No pack has a law with the id %(law)s.") % {"law": law})
    effect = request.GET.get("effect", "")
    only = request.GET.get("only", "")
    told = {
        "law": found, "rules": [_shown(rule) for rule in _filtered(found, effect, only)],
        "effects": [(each, name) for each, name in EFFECTS.items() if any(r.effect == each for r in found.rules)],
        "effect": effect, "only": only, "territory": _territory(found),
    }  # fmt: skip
    return render(request, "counsel/one_law.html", told)


@staff_page(may="law.view")
def blind_spots(request: StaffRequest) -> HttpResponse:
    """List what each law leaves out, in its own words."""
    said = [found for shelf in reading.shelves() for found in shelf.laws if found.blind_spots]
    return render(request, "counsel/blind_spots.html", {"tabs": tabs("blind-spots"), "laws": said})


@staff_page(may="law.view")
def review(request: StaffRequest) -> HttpResponse:
    """List the rules that somebody must compare with their source again, and the laws with unconfirmed rules."""
    told = {
        "tabs": tabs("review"), "due": [_shown(rule) for rule in reading.to_review()],
        "unconfirmed": reading.unconfirmed(),
    }  # fmt: skip
    return render(request, "counsel/review.html", told)


def _filtered(law: Law, effect: str, only: str) -> list[Rule]:
    return [
        rule
        for rule in law.rules
        if (not effect or rule.effect == effect) and (only != "unconfirmed" or not rule.confirmed)
    ]


def _territory(law: Law) -> str:
    groups = {"EEA": _("the European Economic Area"), "EU": _("the European Union")}
    return ", ".join(groups.get(code) or reading.places_said([code]) for code in law.territory)


def _shown(rule: Rule) -> dict[str, Any]:
    """Return a rule with what a page says of it beside its own words."""
    today = timezone.localdate()
    return {
        "rule": rule,
        "anchor": rule.id if reading.rule_of(rule.id) is rule else f"{rule.id}:{rule.source.line}",
        "law": reading.laws()[rule.law],
        "effect": EFFECTS[rule.effect],
        "cures": reading.cures_said(rule.cures),
        "lifts": [reading.said_of(each) for each in rule.exception_to],
        "when": _when(rule, today),
        "overdue": rule.review_by is not None and rule.review_by < today,
    }


def _when(rule: Rule, today: date) -> str:
    """Say whether a rule is in force: now, later or no more."""
    if rule.span.holds(today):
        return "now"
    return "later" if today < rule.span.start else "past"


# ---------------------------------------------------------------- may we?


@staff_page(may="law.view")
def may_we(request: StaffRequest) -> HttpResponse:
    """Answer a question that is asked by form. It is about nobody in the book, and nothing is recorded."""
    if any(not value for value in request.GET.values()):
        return redirect(f"{request.path}?{_short(request)}")
    entities = entities_seen_by(request.staff).order_by("name")
    form = MayWe(request.GET or None, entities=entities, today=timezone.localdate())
    panel = _answer(form) if form.is_bound and form.is_valid() else None
    return render(request, "counsel/may_we.html", {"tabs": tabs("may-we"), "form": form, "why": panel})


def _short(request: StaffRequest) -> str:
    """Return the query without what was left empty, so that the address can be kept and sent."""
    return urlencode([(name, value) for name, value in request.GET.items() if value])


def _answer(form: MayWe) -> dict[str, Any] | None:
    day = form.cleaned_data["day"]
    try:
        decision = suppose(question=form.question, told=form.about_person, day=day)
    except FactError as error:  # facts that contradict each other
        form.add_error(None, str(error))
        return None
    title = {"permit": _("We may"), "deny": _("We may not"), "ask": _("This is open")}[decision.verdict.value]
    asked = _("Asked for %(day)s; not recorded") % {"day": date_format(day)}
    return reading.why(Answer(decision=decision), title=title, asked=asked)
