"""Pages of what waits for a human: questions, rulings, and every decision that is on record."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.counsel import actions, queries
from comity.counsel.asking import Answer, book
from comity.counsel.forms import ClosedWithWords, GivenTo, RulingMade
from comity.counsel.models import AskedDecision, OpenQuestion, Ruling
from comity.counsel.reading import cited, cures_said, means, places_said, said_of, why
from comity.counsel.replaying import Replay, replay, replay_many
from comity.refs import shown
from comity.staff.guards import StaffRequest, demand, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.trying import try_if_valid
from comity.vault.models import RecordedDecision

# ---------------------------------------------------------------- the queue

QUESTION_COLUMNS: Final = (
    Column(
        id="what", title=gettext_lazy("Question"), template="counsel/question_cell.html", shows=lambda _row: "",
        always=True,
    ),
    Column(
        id="because", title=gettext_lazy("Why it is open"), template="counsel/because_cell.html",
        shows=lambda row: [said_of(each) for each in row.because],
    ),
    Column(
        id="places", title=gettext_lazy("Where they live"),
        shows=lambda row: places_said(row.places) if row.places else _("not known"),
    ),
    Column(id="people", title=gettext_lazy("People"), shows=lambda row: row.people, number=True),
    Column(id="entity", title=gettext_lazy("Entity"), shows=lambda row: row.entity.name, at_first=False),
    Column(
        id="since", title=gettext_lazy("Since"), template="staff/day_cell.html",
        shows=lambda row: row.first_asked_at, sorts_by="first_asked_at",
    ),
    Column(id="assigned", title=gettext_lazy("Given to"), shows=lambda row: row.assigned_to or "–"),
)  # fmt: skip
TABS: Final = {
    "open": gettext_lazy("Open"), "mine": gettext_lazy("Given to you"), "settled": gettext_lazy("Settled"),
    "closed": gettext_lazy("Closed"),
}  # fmt: skip


@staff_page(may="decision.view")
def queue(request: StaffRequest) -> HttpResponse:
    """List what the law leaves to a human."""
    state = request.GET.get("state", "open")
    state = state if state in TABS else "open"
    rows = queries.questions_seen_by(request.staff).filter(queries.STATES["open" if state == "mine" else state])
    if state == "mine":
        rows = rows.filter(assigned_to=request.staff)
    counts = queries.waiting_for(request.staff)
    tabs = [
        {"name": name, "href": f"?state={each}", "here": each == state, "count": counts[each]}
        for each, name in TABS.items()
    ]
    listing = listed(request, rows=rows, columns=QUESTION_COLUMNS, sort="-since")
    return render(request, "counsel/queue.html", {"listing": listing, "tabs": tabs, "state": state})


@staff_page(may="decision.view")
def question(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one question: what is open, why, about whom, and what would settle it."""
    found = queries.one_question(request.staff, ref)
    return render(request, "counsel/question.html", _question_page(request, found))


def _question_page(request: StaffRequest, found: OpenQuestion) -> dict[str, Any]:
    staff = queries.could_settle(found.entity)
    return {
        "one": found,
        "reasons": [said_of(each) for each in found.because],
        "missing": means(found.missing),
        "places": places_said(found.places),
        "persons": [(each, shown(each)) for each in queries.persons_of(found)],
        "more": max(0, found.people - queries.MOST_SHOWN),  # type: ignore[attr-defined]  # counted by the query
        "may_settle": may_do(request.staff, "ruling.make", found.entity),
        "give": GivenTo(staff=staff, initial={"to": found.assigned_to}),
    }


@staff_page(may="ruling.make")
def settle(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Settle a question by a ruling."""
    found = _mine_to_settle(request, ref)
    today = timezone.localdate()
    form = RulingMade(
        request.POST or None, places=places_said(found.places), today=today,
        initial={"person": request.GET.get("person", "")},
    )  # fmt: skip

    def act() -> None:
        told = form.cleaned_data
        actions.settle(
            question=found, reason=told["reason"], ends_on=told["ends_on"], made_by=request.staff, day=today,
            person=form.about,
        )  # fmt: skip

    if try_if_valid(form, act):
        messages.success(request, _("Settled. From now on decisions cite this ruling."))
        return redirect("counsel:question", ref=ref)
    return render(request, "counsel/settle.html", _question_page(request, found) | {"form": form})


@staff_page(may="ruling.make")
def close(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Close a question with words: the answer stays no."""
    found = _mine_to_settle(request, ref)
    form = ClosedWithWords(request.POST or None)
    if try_if_valid(form, lambda: actions.close(question=found, closed_by=request.staff, **form.cleaned_data)):
        messages.success(request, _("Closed. It will not be listed as open again."))
        return redirect("counsel:queue")
    return render(request, "counsel/close.html", _question_page(request, found) | {"form": form})


@staff_page(may="ruling.make")
@require_POST
def assign(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give a question to one of the staff."""
    found = _mine_to_settle(request, ref)
    form = GivenTo(request.POST, staff=queries.could_settle(found.entity))
    if try_if_valid(form, lambda: actions.assign(question=found, assigned_by=request.staff, **form.cleaned_data)):
        messages.success(request, _("Saved."))
    else:
        messages.error(request, _said(form))
    return redirect("counsel:question", ref=ref)


@staff_page(may="ruling.make")
@require_POST
def reopen(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a closed question wait again."""
    found = _mine_to_settle(request, ref)
    form = forms.Form(request.POST)
    if not try_if_valid(form, lambda: actions.reopen(question=found, reopened_by=request.staff)):
        messages.error(request, _said(form))
    return redirect("counsel:question", ref=ref)


def _mine_to_settle(request: StaffRequest, ref: UUID) -> OpenQuestion:
    found = queries.one_question(request.staff, ref)
    demand(request.staff, "ruling.make", found.entity)
    return found


def _said(form: forms.Form) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


# ---------------------------------------------------------------- rulings


def stands(ruling: Ruling) -> str:
    """Say whether a ruling settles anything today: stands, ended, or taken back."""
    if ruling.taken_back_at:
        return "taken-back"
    return "stands" if ruling.begins_on <= timezone.localdate() < ruling.ends_on else "ended"


RULING_COLUMNS: Final = (
    Column(
        id="what", title=gettext_lazy("Ruling"), template="counsel/ruling_cell.html", shows=lambda _row: "",
        always=True,
    ),
    Column(id="reason", title=gettext_lazy("Reason"), sorts_by="reason"),
    Column(
        id="scope", title=gettext_lazy("For whom"),
        shows=lambda row: _("one person") if row.person else _few_places(row.places),
    ),
    Column(
        id="until", title=gettext_lazy("Until"), template="staff/day_cell.html", shows=lambda row: row.ends_on,
        sorts_by="ends_on",
    ),
    Column(id="by", title=gettext_lazy("Made by"), shows=lambda row: row.made_by.name),
    Column(
        id="made", title=gettext_lazy("Made"), template="staff/day_cell.html", shows=lambda row: row.made_at,
        sorts_by="made_at",
    ),
    Column(id="state", title=gettext_lazy("State"), template="counsel/ruling_state.html", shows=stands),
)  # fmt: skip
FEW: Final = 4


def _few_places(codes: list[str]) -> str:
    more = len(codes) - FEW
    return places_said(codes[:FEW]) + (_(" and %(n)d more places") % {"n": more} if more > 0 else "")


@staff_page(may="decision.view")
def rulings(request: StaffRequest) -> HttpResponse:
    """List what humans settled."""
    listing = listed(request, rows=queries.rulings_seen_by(request.staff), columns=RULING_COLUMNS, sort="-made")
    return render(request, "counsel/rulings.html", {"listing": listing})


@staff_page(may="decision.view")
def ruling(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one ruling: which rules it settles, for whom, until when, and why."""
    found = queries.one_ruling(request.staff, ref)
    told = {
        "one": found, "reasons": [said_of(each) for each in found.settles], "places": places_said(found.places),
        "person": shown(found.person) if found.person else "", "state": stands(found),
        "may_take_back": not found.taken_back_at and may_do(request.staff, "ruling.make", found.entity),
    }  # fmt: skip
    return render(request, "counsel/ruling.html", told)


@staff_page(may="ruling.make")
@require_POST
def take_back(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take a ruling back."""
    found = queries.one_ruling(request.staff, ref)
    demand(request.staff, "ruling.make", found.entity)
    form = forms.Form(request.POST)
    if try_if_valid(form, lambda: actions.take_back_ruling(ruling=found, taken_back_by=request.staff)):
        messages.success(request, _("Taken back. What it had settled waits again."))
    else:
        messages.error(request, _said(form))
    return redirect("counsel:ruling", ref=ref)


# ---------------------------------------------------------------- decisions


@staff_page(may="decision.view")
def decision(request: StaffRequest, ref: str) -> HttpResponse:
    """Show one decision with everything it rests on, and whether the ledger holds it."""
    found = queries.one_decision(request.staff, ref)
    return render(request, "counsel/decision.html", _decision_page(request, found))


@staff_page(may="decision.view")
@require_POST
def replayed(request: StaffRequest, ref: str) -> HttpResponse:
    """Ask again what a decision asked; looking at the facts of one person is itself on record."""
    found = queries.one_decision(request.staff, ref)
    recorded = queries.recorded(found)
    if recorded is None:
        raise Http404(_("The vault has forgotten whom this decision was about, so it cannot be asked again."))
    told = _decision_page(request, found)
    if not queries.keeps_facts(recorded):
        many = replay_many(asked=found, persons=recorded.persons, day=recorded.day)
        return render(request, "counsel/decision.html", told | {"again_many": many})
    again = replay(asked=found, person=recorded.persons[0], viewer=request.staff)
    return render(request, "counsel/decision.html", told | _replay_page(again))


def _replay_page(again: Replay) -> dict[str, Any]:
    answer = again.answer or (Answer(decision=again.decision) if again.decision else None)
    title = _("Why the facts stay sealed") if again.answer else _("What comes out now")
    facts = [(name, _text(value)) for name, value in (again.facts or {}).items()]
    return {"again": again, "facts": facts, "panel": why(answer, title=title) if answer and not again.same else None}


def _text(value: object) -> str:
    """Return a fact's value, as JSON has it, in words."""
    match value:
        case bool():
            return _("Yes") if value else _("No")
        case dict():
            return ", ".join(f"{name}: {_text(each)}" for name, each in value.items())
        case list():
            return ", ".join(map(_text, value))
    return "" if value is None else str(value)


def _decision_page(request: StaffRequest, found: AskedDecision) -> dict[str, Any]:
    recorded = queries.recorded(found)
    return {
        "one": found, "ref": shown(found.ref), "findings": _findings(found, recorded), "recorded": recorded,
        "entity": queries.entity_of(found), "staff_name": queries.who_asked(recorded),
        "ledger": _ledger(found, recorded), "may_read_ledger": may_do(request.staff, "ledger.read"),
        "more": [(name, _text(value)) for name, value in found.question["more"].items()],
        "packs": _packs(found), "single": queries.keeps_facts(recorded),
        "counts": Counter(found.findings[number]["verdict"] for number in found.of),
    }  # fmt: skip


def _findings(found: AskedDecision, recorded: RecordedDecision | None) -> list[dict[str, Any]]:
    persons = recorded.persons if recorded else []
    return [
        {
            "verdict": told["verdict"], "law": told["law"], "ruling": told["ruling"],
            "reasons": [said_of(each) for each in told["because"]],
            "obligations": [
                {"says": _obligation(each["kind"]), "cite": cited(each["rules"])} for each in told["obligations"]
            ],
            "missing": means(told["missing"]), "cures": cures_said(told["cures"]),
            "count": found.of.count(number),
            "persons": [(each, shown(each)) for each, of in zip(persons, found.of, strict=False) if of == number],
        }
        for number, told in enumerate(found.findings)
    ]  # fmt: skip


def _obligation(kind: str) -> str:
    known = book().obligations
    return known[kind].says if kind in known else kind


def _ledger(found: AskedDecision, recorded: RecordedDecision | None) -> dict[str, Any] | None:
    """Say where the decision stands in the ledger, whether that is signed, and whether it still says what we say."""
    if recorded is None:
        return None
    said = queries.told_in_ledger(recorded)["commitment"]
    return {
        "entry": recorded.entry, "checkpoint": queries.covering(recorded.entry),
        "agrees": said == actions.commitment(found, recorded.persons),
    }  # fmt: skip


def _packs(found: AskedDecision) -> list[dict[str, Any]]:
    now = {pack.id: pack for pack in book().packs}
    return [
        {**told, "name": now[told["pack"]].name if told["pack"] in now else told["pack"],
         "same": told["pack"] in now and now[told["pack"]].sha256 == told["sha256"]}
        for told in found.packs
    ]  # fmt: skip
