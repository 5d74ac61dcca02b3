"""Pages of sequences: in words, when … then … after … unless …; made step by step, approved, begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.book.opening import Look, purposes_of
from comity.outreach.campaigns.queries import imprint_of
from comity.outreach.composing.content import Content
from comity.outreach.sequences import actions, queries
from comity.outreach.sequences.forms import (
    GatewayChosen,
    LanguageAdded,
    SequenceBegun,
    StepGiven,
    StepWords,
    UnlessGiven,
    WhenGiven,
    WhyItRuns,
)
from comity.outreach.sequences.models import Kind, State
from comity.outreach.sequences.triggers import people_of
from comity.outreach.sequences.walking import WORD as RUNS
from comity.staff.guards import NotYours, StaffRequest, demand, entities_with, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.queries import entities_seen_by
from comity.staff.trying import try_or_show, try_or_tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms
    from django.utils.functional import _StrPromise

    from comity.outreach.sequences.models import Sequence, Step, Version
    from comity.staff.models import Entity

COLUMNS: Final = (
    Column(
        id="name", title=gettext_lazy("Sequence"), template="outreach/sequence_name_cell.html", always=True,
        sorts_by="name",
    ),
    Column(id="entity", title=gettext_lazy("For"), shows=lambda row: row.entity.name),
    Column(id="purpose", title=gettext_lazy("Purpose"), template="outreach/purpose_cell.html", sorts_by="purpose"),
    Column(id="under", title=gettext_lazy("Under way"), number=True, shows=lambda row: row.under, sorts_by="under"),
    Column(id="through", title=gettext_lazy("Went through"), number=True, shows=lambda row: row.through),
    Column(
        id="state", title=gettext_lazy("State"), template="outreach/sequence_state.html", shows=lambda row: row.state
    ),
)  # fmt: skip
TURNS: Final = {
    "pause": actions.pause_sequence, "resume": actions.resume_sequence, "stop": actions.stop_sequence,
}  # fmt: skip


@staff_page(may=queries.VIEWS)
def sequences(request: StaffRequest) -> HttpResponse:
    """List sequences."""
    rows = queries.sequences_seen_by(request.staff)
    told = {
        "listing": listed(request, rows=rows, columns=COLUMNS, sort="name"),
        "may_edit": may_do(request.staff, actions.EDITS),
    }  # fmt: skip
    return render(request, "outreach/sequences.html", told)


@staff_page(may=actions.EDITS)
def new(request: StaffRequest) -> HttpResponse:
    """Begin a sequence."""
    entities, purposes = _written_for(request)
    form = SequenceBegun(request.POST or None, entities=entities, purposes=purposes)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        entity = next(one for one in entities if str(one.ref) == told["entity"])
        made: list[Sequence] = []
        if try_or_show(form, lambda: made.append(_made(request, entity, told))):
            return redirect("outreach:sequence", made[0].ref)
    return _form(request, form, _("New sequence"), reverse("outreach:sequences"))


def _made(request: StaffRequest, entity: Entity, told: dict[str, Any]) -> Sequence:
    return actions.make_sequence(entity=entity, name=told["name"], purpose=told["purpose"], made_by=request.staff)


def _written_for(request: StaffRequest) -> tuple[list[Entity], list[str]]:
    """Return for which entities and purposes somebody may make sequences. Raises NotYours."""
    seen = entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, actions.EDITS)).order_by("name")
    purposes = {one: None for entity in seen for one in purposes_of(request.staff, entity, "contact")}
    if not purposes:
        raise NotYours(actions.EDITS)
    return list(seen), sorted(purposes, key=lambda one: one != "marketing")


# ---------------------------------------------------------------- one sequence


@staff_page(may=queries.VIEWS)
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a sequence in words, what is missing before it begins, who is under way, and what became of each step."""
    sequence = queries.one_sequence(request.staff, ref)
    versions = queries.versions_of(sequence)
    version = _shown(request, versions)
    draft = version.begun_at is None
    told = {
        "one": sequence, "version": version, "versions": versions, "draft": draft,
        "when": queries.when_says(version), "steps": queries.steps_told(version),
        "unless": queries.unless_says(version), "states": queries.states_of(sequence),
        "why_left": queries.why_left(sequence), "may_edit": _may_edit(request, sequence),
        "may_run": may_do(request.staff, RUNS, sequence.entity),
        "may_stop": may_do(request.staff, actions.STOPS, sequence.entity), "turns": _turns(sequence),
        "imprint": imprint_of(sequence.entity), "choosing": actions.choosing(version),
        "way": GatewayChosen(sequence=sequence), **(_of_draft(request, version) if draft else {}),
    }  # fmt: skip
    return render(request, "outreach/sequence.html", told)


def _shown(request: StaffRequest, versions: list[Version]) -> Version:
    """Return the version that the address asks for, else the newest."""
    wanted = request.GET.get("version", "")
    return next((each for each in versions if str(each.number) == wanted), versions[0])


def _of_draft(request: StaffRequest, version: Version) -> dict[str, Any]:
    signed = imprint_of(version.sequence.entity) is not None
    found, not_made = queries.found_in(version) if signed else ([], [])
    approval = queries.approval_of(version)
    reasons = queries.lint_reasons if signed else lambda _version: []
    return {
        "missing": actions.what_is_missing(version, request.staff, reasons), "approval": approval,
        "why": WhyItRuns(), "found": found, "not_made": not_made,
        "to_tick": [one for _place, one in found if one.level == "review" and one.key not in version.ticks],
    }  # fmt: skip


def _may_edit(request: StaffRequest, sequence: Sequence) -> bool:
    return sequence.state != State.STOPPED and may_do(request.staff, actions.EDITS, sequence.entity)


def _turns(sequence: Sequence) -> list[tuple[str, _StrPromise, str]]:
    """Return what can be done with a sequence that began: the word, what it says, its icon."""
    stop = ("stop", gettext_lazy("Stop for good"), "octagon-x")
    known = {
        State.RUNNING: [("pause", gettext_lazy("Pause"), "pause"), stop],
        State.PAUSED: [("resume", gettext_lazy("Go on"), "play"), stop],
    }
    return known.get(State(sequence.state), [])


def _draft_of(request: StaffRequest, ref: UUID) -> Version:
    """Return the draft of a sequence for whoever may edit it. Raises Http404, NotYours."""
    sequence = queries.one_sequence(request.staff, ref)
    demand(request.staff, actions.EDITS, sequence.entity)
    version = queries.versions_of(sequence)[0]
    if version.begun_at is not None:
        raise Http404(_("There is no draft: change the sequence first."))
    return version


@staff_page(may=actions.EDITS)
def when(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what begins it."""
    version = _draft_of(request, ref)
    form = WhenGiven(request.POST or None, version=version, viewer=request.staff)
    if (
        request.method == "POST"
        and form.is_valid()
        and try_or_show(form, lambda: actions.change_version(version=version, by=request.staff, trigger=form.trigger))
    ):
        return redirect("outreach:sequence", ref)
    return _form(request, form, _("When it begins"), reverse("outreach:sequence", args=[ref]), version.sequence)


@staff_page(may=actions.EDITS)
def unless(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what ends it early."""
    version = _draft_of(request, ref)
    form = UnlessGiven(request.POST or None, version=version)
    if request.method == "POST" and form.is_valid() and try_or_show(form, lambda: _ends(request, version, form)):
        return redirect("outreach:sequence", ref)
    return _form(request, form, _("When it ends early"), reverse("outreach:sequence", args=[ref]), version.sequence)


def _ends(request: StaffRequest, version: Version, form: UnlessGiven) -> None:
    told = dict(form.cleaned_data)
    of_sequence = {name: told.pop(name) for name in ("once", "grace")}
    actions.change_version(version=version, by=request.staff, **told)
    actions.change_sequence(sequence=version.sequence, by=request.staff, **of_sequence)


@staff_page(may=actions.EDITS)
@require_POST
def gateway(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Choose by which gateway its messages go out."""
    sequence = queries.one_sequence(request.staff, ref)
    form = GatewayChosen(request.POST, sequence=sequence)
    if form.is_valid():
        given = form.cleaned_data["gateway"]
        try_or_tell(request, lambda: actions.change_sequence(sequence=sequence, by=request.staff, gateway=given))
    return redirect("outreach:sequence", ref)


@staff_page(may=actions.EDITS)
@require_POST
def people(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Ask the law about everybody whom it may reach."""
    version = _draft_of(request, ref)
    look = Look(viewer=request.staff, entity=version.sequence.entity, purpose=version.sequence.purpose)

    def ask() -> None:
        try:
            people_of(version, look)
        except BadRequest:
            raise ValidationError(_("The list cannot be read any more: choose another.")) from None
        actions.look_at_people(version=version, look=look)

    try_or_tell(request, ask)
    return redirect("outreach:sequence", ref)


@staff_page(may=actions.EDITS)
@require_POST
def ticks(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say of findings that somebody looked at them and stands for the words."""
    version = _draft_of(request, ref)
    keys = sorted({*version.ticks, *(key[:24] for key in request.POST.getlist("key"))})
    try_or_tell(request, lambda: actions.change_version(version=version, by=request.staff, ticks=keys))
    return redirect("outreach:sequence", ref)


@staff_page(may=RUNS)
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay it before a second person."""
    version, form = _draft_of(request, ref), WhyItRuns(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    if try_or_tell(request, lambda: actions.ask_second_person(version=version, reason=reason, asked_by=request.staff)):
        messages.success(request, _("Asked. A second person finds it under Approvals."))
    return redirect("outreach:sequence", ref)


@staff_page(may=RUNS)
@require_POST
def begin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let it begin."""
    version = _draft_of(request, ref)
    if try_or_tell(
        request,
        lambda: actions.begin_version(version=version, by=request.staff, lint_of=queries.lint_reasons),
    ):
        messages.success(request, _("It runs. Each message is asked about once more when it goes out."))
    return redirect("outreach:sequence", ref)


@staff_page(may=actions.EDITS)
@require_POST
def make_next(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make a draft like the version that runs, to be changed."""
    sequence = queries.one_sequence(request.staff, ref)
    try_or_tell(request, lambda: actions.next_version(sequence=sequence, by=request.staff))
    return redirect("outreach:sequence", ref)


@staff_page(may=actions.STOPS)
@require_POST
def turn(request: StaffRequest, ref: UUID, to: str) -> HttpResponse:
    """Pause it, let it go on, or stop it for good."""
    sequence = queries.one_sequence(request.staff, ref)
    if to not in TURNS:
        raise Http404
    try_or_tell(request, lambda: TURNS[to](sequence=sequence, by=request.staff))
    return redirect("outreach:sequence", ref)


# ---------------------------------------------------------------- steps


@staff_page(may=actions.EDITS)
def new_step(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Add a step at the end."""
    version = _draft_of(request, ref)
    form = StepGiven(request.POST or None)
    made: list[Step] = []
    if request.method == "POST" and form.is_valid():
        added = form.told
        if try_or_show(form, lambda: made.append(actions.add_step(version=version, by=request.staff, **added))):
            return _after_step(made[0])
    return _form(request, form, _("A step"), reverse("outreach:sequence", args=[ref]), version.sequence)


def _after_step(kept: Step) -> HttpResponse:
    """Go on to write a message that has no words yet; else back."""
    sequence = kept.version.sequence
    if kept.kind == Kind.MAIL and not kept.content:
        signs = imprint_of(sequence.entity)
        return redirect("outreach:step-words", sequence.ref, kept.ref, signs.language if signs else "en")
    return redirect("outreach:sequence", sequence.ref)


@staff_page(may=actions.EDITS)
def step(request: StaffRequest, ref: UUID, step: UUID) -> HttpResponse:
    """Change a step."""
    version, held = _draft_of(request, ref), queries.one_step(request.staff, ref, step)
    form = StepGiven(request.POST or None, step=held)
    if request.method == "POST" and form.is_valid():
        changed = form.told
        if try_or_show(form, lambda: actions.change_step(step=held, by=request.staff, **changed)):
            return _after_step(held)
    return _form(request, form, _("A step"), reverse("outreach:sequence", args=[ref]), version.sequence)


@staff_page(may=actions.EDITS)
def words(request: StaffRequest, ref: UUID, step: UUID, language: str) -> HttpResponse:
    """Write what a step's message says in one language."""
    version, held = _draft_of(request, ref), queries.one_step(request.staff, ref, step)
    form = StepWords(request.POST or None, step=held, language=language)
    if request.method == "POST" and form.is_valid():
        content = form.content.as_json()
        if try_or_show(form, lambda: actions.change_step(step=held, by=request.staff, content=content)):
            return redirect("outreach:sequence", ref)
    told = {
        "form": form, "one": version.sequence, "step": held, "written_in": language, "added": LanguageAdded(),
        "content": Content.from_json(held.content) if held.content else None,
    }  # fmt: skip
    return render(request, "outreach/sequence_words.html", told)


@staff_page(may=actions.EDITS)
@require_POST
def add_language(request: StaffRequest, ref: UUID, step: UUID) -> HttpResponse:
    """Go on to write a message in one more language."""
    form = LanguageAdded(request.POST)
    if not form.is_valid():
        raise Http404
    held = queries.one_step(request.staff, ref, step)
    return redirect("outreach:step-words", ref, held.ref, form.cleaned_data["language"])


@staff_page(may=actions.EDITS)
@require_POST
def move(request: StaffRequest, ref: UUID, step: UUID, to: str) -> HttpResponse:
    """Move a step up or down, or take it out."""
    held = queries.one_step(request.staff, ref, step)
    known: dict[str, Callable[[], None]] = {
        "up": lambda: actions.move_step(step=held, by=request.staff, up=True),
        "down": lambda: actions.move_step(step=held, by=request.staff, up=False),
        "out": lambda: actions.remove_step(step=held, by=request.staff),
    }
    if to not in known:
        raise Http404
    try_or_tell(request, known[to])
    return redirect(f"{reverse('outreach:sequence', args=[ref])}#steps")


# ---------------------------------------------------------------- one person in it


@staff_page(may=actions.STOPS)
@require_POST
def leave(request: StaffRequest, person: UUID, ref: UUID) -> HttpResponse:
    """Take one person out of a sequence."""
    held = queries.one_enrolment(request.staff, person, ref)
    if try_or_tell(request, lambda: actions.take_out(enrolment=held, by=request.staff)):
        messages.success(request, _("Taken out: no further step is taken with them."))
    return _to_person(person, held.entity_id)


@staff_page(may=actions.SETTLES)
@require_POST
def errand_done(request: StaffRequest, person: UUID, ref: UUID) -> HttpResponse:
    """Say that what a sequence gave us to do was done."""
    held = queries.one_errand(request.staff, person, ref)
    try_or_tell(request, lambda: actions.settle_errand(errand=held, by=request.staff))
    return _to_person(person, held.entity_id)


def _to_person(person: UUID, entity: UUID) -> HttpResponse:
    return redirect(f"/people/{person}/?entity={entity}#sequences")


# ---------------------------------------------------------------- what all pages do


def _form(
    request: StaffRequest, form: forms.BaseForm, title: str, back: str, sequence: Sequence | None = None
) -> HttpResponse:
    told = {"form": form, "title": title, "back": back, "one": sequence}
    return render(request, "outreach/sequence_form.html", told)
