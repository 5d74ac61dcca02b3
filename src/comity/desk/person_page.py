"""One person's page: what the law permits today, what we hold, and what happened. Its parts change by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from comity.book.editing.leave import may_edit
from comity.book.editing.whole import Whole, look_at, person_of, whole_of
from comity.book.fields.queries import attachments_of, attachments_seen, filled, labels_of, values_of
from comity.book.opening import everything_of, purposes_of
from comity.book.queries import heir_of, persons_seen_by
from comity.consent.views import may_correct, sayings_for
from comity.counsel.actions import decide
from comity.desk.may_we import WAYS, cards_of, question_of, told, turned, why
from comity.desk.timeline import Rows, days_of, rows_before
from comity.desk.writing_page import WRITING
from comity.outreach.correspondence.actions import WORD as WRITES
from comity.outreach.sequences.actions import SETTLES, STOPS
from comity.outreach.sequences.queries import errands_of, of_person
from comity.refs import shown
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.staff.queries import entities_seen_by
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.book.opening import Look, Seen

WORDS: Final = {"permit": gettext_lazy("Permit"), "deny": gettext_lazy("Deny"), "ask": gettext_lazy("Ask")}


@staff_page(may="person.view")
@require_GET
def person(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one person: what the law permits today, what we hold, and what happened."""
    look = look_at(request, ref)
    if (heir := heir_of(look.viewer, look.entity, ref)) is not None:
        messages.info(request, _("This person was made one with another, who stands for both."))
        return redirect("desk:person", heir)
    found = person_of(look, ref)
    rows = rows_before(found, look, request.GET.get("before", ""))
    values, files = values_of(ref, look.entity), attachments_of(ref, look.entity)
    whole = whole_of(look, found, [*rows.labels, *labels_of(values, files)])
    told_of = _verdicts(request, look, ref) | _happened(whole.look, found, rows, whole.seen) | _looks(look, whole)
    told_of |= {
        "further": filled(look, values, whole.seen), "files": attachments_seen(files, whole.seen),
        "may_attach": may_edit(look, FieldClass.ATTACHMENT), **_goes_on(look, ref),
    }  # fmt: skip
    query = urlencode({"was": told_of["said"]})
    return render(request, "desk/person.html", told_of | {"whole": whole, "query": whole.query, "was_query": query})


def _looks(look: Look, whole: Whole) -> dict[str, Any]:
    """Return as what the page was opened: for which entity and purpose, by which decision; and what else there is."""
    mine = entities_seen_by(look.viewer).filter(ref__in=whole.person.entities).order_by("name")
    return {
        "view": whole.seen.decided.answers[whole.person.ref], "decision": whole.seen.decided.ref,
        "decision_says": shown(whole.seen.decided.ref), "ref_says": shown(whole.person.ref), "entities": mine,
        "purposes": purposes_of(look.viewer, look.entity), "sayings": sayings_for(look), "ref": whole.person.ref,
        "look": look, "may_break": may_do(look.viewer, "glass.break", look.entity),
        "may_erase": may_do(look.viewer, "person.erase", look.entity),
        "may_call": may_do(look.viewer, "person.call", look.entity),
        "sees_sharing": may_do(look.viewer, "sharing.view", look.entity),
        "may_say_origin": may_do(look.viewer, "origin.edit", look.entity),
    }  # fmt: skip


def _goes_on(look: Look, ref: UUID) -> dict[str, Any]:
    """Return in which sequences they are, and what these gave us to do."""
    return {
        "standings": of_person(look.viewer, look.entity, ref), "errands": errands_of(look.entity.ref, ref),
        "may_take_out": may_do(look.viewer, STOPS, look.entity),
        "may_settle": may_do(look.viewer, SETTLES, look.entity),
    }  # fmt: skip


def _verdicts(request: StaffRequest, look: Look, ref: UUID) -> dict[str, Any]:
    today = timezone.localdate()
    cards = cards_of(look, ref, today, request.GET.get("why", ""))
    chosen = next((card for card in cards if card.chosen), None)
    return {
        "cards": cards, "said": told(cards), "turned": turned(cards, request.GET.get("was", "")), "ref": ref,
        "why": why(chosen, look, ref, today) if chosen else None, "chosen": chosen.way.id if chosen else "",
    }  # fmt: skip


@staff_page(may="person.view")
@require_GET
def may(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show the cards anew: what we know has changed, or somebody asks why."""
    look = look_at(request, ref)
    person_of(look, ref)
    query = urlencode({"entity": str(look.entity.ref), "purpose": look.purpose})
    told_of = _verdicts(request, look, ref)
    answer = render(request, "desk/may.html", told_of | {"query": query, "look": look})
    if told_of["turned"]:
        said = "; ".join(f"{each.what}: {WORDS[each.now.value]}" for each in told_of["turned"])
        trigger_client_event(answer, "toast", {"text": said, "level": "success"})
    return answer


def _happened(look: Look, found: Person, rows: Rows, seen: Seen) -> dict[str, Any]:
    return {
        "days": days_of(rows, look, seen),
        "next": rows.next,
        "person": found,
        "may_edit": may_edit(look, FieldClass.NOTE),
        "may_correct": may_correct(look),
        "may_write": may_do(look.viewer, WRITES, look.entity),
    }


@staff_page(may="person.view")
@require_GET
def timeline(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a page of what happened: the first, or the one after a cursor."""
    look = look_at(request, ref)
    found = person_of(look, ref)
    before = request.GET.get("before", "")
    rows = rows_before(found, look, before)
    seen = everything_of(look, ref, rows.labels)
    query = urlencode({"entity": str(look.entity.ref), "purpose": look.purpose})
    part = "desk/days.html" if before else "desk/timeline.html"
    return render(request, part, _happened(look, found, rows, seen) | {"query": query, "ref": ref})


@staff_page(may="person.view")
@require_POST
def ask_counsel(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Put what the law leaves open about one way to reach somebody among what waits for a human."""
    look = look_at(request, ref)
    if not persons_seen_by(look.viewer, look.entity).filter(ref=ref).exists():
        raise Http404(_("There is no such person in the book of %(entity)s.") % {"entity": look.entity.name})
    way = next((each for each in (*WAYS, *WRITING) if each.id == request.POST.get("way")), None)
    if way is None:
        raise Http404(_("There is no such way to reach somebody."))
    decide(question=way.question(look.entity.ref), persons=[ref], staff=look.viewer, field_classes=[], handled=[])
    asked = question_of(way, look, ref)
    if asked is None:
        messages.info(request, _("The law leaves nothing open here any more."))
        return redirect(f"{reverse('desk:person', args=[ref])}?{urlencode({'entity': str(look.entity.ref)})}")
    messages.success(request, _("Asked. Counsel finds the question among what is to settle."))
    return redirect("counsel:question", asked.ref)
