"""Pages on which people are taken out: what is wanted, what the law says to it, the file, and where a file is from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.book.exports import actions, queries
from comity.book.exports.actions import KEPT, NotExported, Wanted, ask_export, begin_export, make_file, needs_approval
from comity.book.exports.columns import columns_of
from comity.book.exports.formats import LEFT_OUT, csv_bytes
from comity.book.exports.forms import RECIPIENTS, ExportAsked, WhyMany
from comity.book.exports.jobs import defer_file
from comity.book.exports.models import Export, Format
from comity.book.lists.filters import chosen
from comity.book.opening import Look, purposes_of
from comity.book.places import said_of as place_said
from comity.book.queries import persons_seen_by
from comity.counsel.asking import ask
from comity.counsel.reading import means, said_of
from comity.law import Verdict
from comity.refs import read_ref
from comity.staff.guards import NotYours, StaffRequest, entities_with, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.models import Entity
from comity.staff.queries import entities_seen_by
from comity.staff.terms import term
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from django.db.models import QuerySet
    from django.utils.functional import _StrPromise

    from comity.book.models import Person
    from comity.staff.models import Approval

PREVIEWED: Final = 1_000
"""People about whom the law is asked before anybody has decided to take them out."""
REFS_AT_ONCE: Final = 10_000
MOST_PICKED: Final = 1_000
NOT_IN_THE_BOOK: Final = {
    "says": gettext_lazy("They were chosen, but merged, erased or taken from this entity before the file was made."),
}  # fmt: skip
LARGEST_PASTE: Final = 2_000_000
"""Letters of a file in which marks are looked for: the first rows are enough."""

EXPORT_COLUMNS: Final = (
    Column(id="code", title=gettext_lazy("Export"), template="book/export_code_cell.html", always=True),
    Column(id="asked_at", title=gettext_lazy("Asked"), template="book/export_day_cell.html", sorts_by="asked_at"),
    Column(id="asked_by", title=gettext_lazy("By"), shows=lambda row: row.asked_by.name),
    Column(id="purpose", title=gettext_lazy("For"), template="book/export_purpose_cell.html", sorts_by="purpose"),
    Column(id="format", title=gettext_lazy("File"), shows=lambda row: row.get_format_display()),
    Column(id="asked", title=gettext_lazy("Chosen"), shows=lambda row: row.asked, number=True),
    Column(
        id="permitted", title=gettext_lazy("In the file"), shows=lambda row: row.permitted if row.made_at else "–",
        number=True,
    ),
    Column(id="state", title=gettext_lazy("State"), template="book/export_state.html", shows=lambda row: row.state),
)  # fmt: skip


# ---------------------------------------------------------------- asking for one


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What the law would say now, about the first of the people; nothing of it is recorded."""

    asked: int
    permit: int
    deny: int
    ask: int


@staff_page(may="person.export")
def export(request: StaffRequest) -> HttpResponse:
    """Ask for an export of the people of a list: the address carries the list's filters, or single people."""
    entity, purposes = _taken_from(request)
    persons = _chosen(request, entity)
    form = ExportAsked(request.POST or None, staff=request.staff, entity=entity, purposes=purposes)
    if request.method == "POST" and form.is_valid() and request.POST.get("does") != "preview":
        refs = persons.values_list("ref", flat=True).iterator(chunk_size=REFS_AT_ONCE)  # ordered by ref
        try:
            made = ask_export(wanted=form.wanted, persons=refs, asked_by=request.staff)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _begun(request, made)
    shown = {
        "form": form, "entity": entity, "count": persons.count(), "preview": _preview(form.wanted, persons),
        "query": request.GET.urlencode(), "most": PREVIEWED,
    }  # fmt: skip
    return render(request, "book/export.html", shown)


def _taken_from(request: StaffRequest) -> tuple[Entity, list[str]]:
    """Return whose people are taken out, and for which purposes one may. Raises NotYours."""
    entities = list(entities_seen_by(request.staff).order_by("name"))
    wanted = request.GET.get("entity", "")
    for entity in sorted(entities, key=lambda each: str(each.ref) != wanted):
        purposes = (
            purposes_of(request.staff, entity, "export") if may_do(request.staff, "person.export", entity) else []
        )
        if purposes:
            return entity, purposes
        if str(entity.ref) == wanted:
            break
    raise NotYours("person.export")


def _chosen(request: StaffRequest, entity: Entity) -> QuerySet[Person]:
    """Return the people whom the address names: the picked ones, or all whom its filters leave."""
    seen = persons_seen_by(request.staff, entity).order_by("ref")
    if picked := request.GET.getlist("pick")[:MOST_PICKED]:
        return seen.filter(ref__in=[ref for each in picked if (ref := _ref(each))])
    purpose = next(iter(purposes_of(request.staff, entity)), "service")
    look = Look(viewer=request.staff, entity=entity, purpose=request.GET.get("purpose", purpose))
    return chosen(look, request.GET).narrow(seen)


def _ref(text: str) -> UUID | None:
    try:
        return read_ref(text)
    except ValueError:
        return None


def _preview(wanted: Wanted, persons: QuerySet[Person]) -> Preview:
    refs = list(persons.values_list("ref", flat=True)[:PREVIEWED])
    answers = ask(question=wanted.question, persons=refs, day=timezone.localdate())
    found = Counter(answer.verdict for answer in answers.values())
    return Preview(asked=len(refs), permit=found[Verdict.PERMIT], deny=found[Verdict.DENY], ask=found[Verdict.ASK])


def _begun(request: StaffRequest, made: Export) -> HttpResponse:
    """Make the file at once, let a job make it, or send whoever asked to get a second person's approval."""
    if not needs_approval(made):
        _make(request, made)
    return redirect("book:export-one", ref=made.ref)


def _make(request: StaffRequest, export: Export) -> None:
    begun = begin_export(export=export, staff=request.staff)
    if begun.asked <= actions.AT_ONCE:
        make_file(export=begun)
    else:
        defer_file(export=begun)


# ---------------------------------------------------------------- one export


@staff_page(may="person.view")
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one export: what was asked, what the law said, and, to whoever asked, the file."""
    return _page(request, queries.one_export(request.staff, ref), WhyMany())


def _page(request: StaffRequest, export: Export, form: WhyMany) -> HttpResponse:
    mine = export.asked_by_id == request.staff.pk
    shown = {
        "one": export, "reasons": _reasons(export), "mine": mine, "form": form, "covered": queries.is_covered(export),
        "needs_approval": needs_approval(export) and not export.approval, "approval": queries.approval_of(export),
        "recipient": RECIPIENTS.get(export.recipient, export.recipient), "columns": _titles(export),
        "until": export.made_at + KEPT if export.made_at else None, "left_out": export.asked - export.permitted,
        "not_there": export.asked - export.permitted - export.denied - export.asking,
        "too_late": bool(export.made_at and timezone.now() >= export.made_at + KEPT),
    }  # fmt: skip
    return render(request, "book/export_one.html", shown)


def _reasons(export: Export) -> list[Mapping[str, object]]:
    """Return why people were left out, in words."""
    return [
        {
            "verdict": why.verdict, "people": why.people, "missing": means(why.missing),
            "because": [NOT_IN_THE_BOOK if each == queries.NOT_THERE else said_of(each) for each in why.because],
        }
        for why in queries.reasons_of(export)
    ]  # fmt: skip


def _titles(export: Export) -> Sequence[str]:
    known = {column.id: str(column.title) for column in columns_of(export.entity, FieldClass)}
    return [known.get(each, each) for each in export.columns]


def in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    """Say in words what a second person is asked to let out: who is to get what of how many, and what for."""
    asked = approval.request
    export = queries.export_for_approval(UUID(asked["export"]))
    yield gettext_lazy("People chosen"), floatformat(asked["people"], "g")
    yield gettext_lazy("Of"), asked["entity"]
    yield gettext_lazy("For"), term(asked["purpose"])
    yield gettext_lazy("Who gets it"), RECIPIENTS.get(asked["recipient"], asked["recipient"])
    if asked["recipient_place"]:
        yield gettext_lazy("Where they are"), place_said(asked["recipient_place"])
    yield gettext_lazy("File"), Format(asked["format"]).label
    yield gettext_lazy("Columns"), ", ".join(_titles(export) if export else asked["columns"])


@staff_page(may="person.export")
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay a large export before a second person."""
    known, form = queries.one_export(request.staff, ref), WhyMany(request.POST)
    if not form.is_valid():
        return _page(request, known, form)
    try:
        actions.ask_second_person(export=known, reason=form.cleaned_data["reason"], asked_by=request.staff)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Asked. A second person must approve it; then make the file here."))
    return redirect("book:export-one", ref=ref)


@staff_page(may="person.export")
@require_POST
def make(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make the file of an export that was approved, or that failed before."""
    try:
        _make(request, queries.one_export(request.staff, ref))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("book:export-one", ref=ref)


@staff_page(may="person.export")
@require_POST
def fetch(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Hand the file out, once."""
    try:
        handed = actions.hand_out(export=queries.one_export(request.staff, ref), staff=request.staff)
    except NotExported as error:
        messages.error(request, " ".join(error.messages))
        return redirect("book:export-one", ref=ref)
    answer = StreamingHttpResponse(handed.pieces, content_type=handed.media)
    answer["Content-Disposition"] = f'attachment; filename="{handed.name}"'
    answer["Content-Length"] = str(handed.size)
    return cast("HttpResponse", answer)  # which a streaming one is to whoever sends it


@staff_page(may="person.view")
def left_out(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give the list of those who are not in the file, with the reasons: by refs alone."""
    known = queries.one_export(request.staff, ref)
    rows = queries.left_out_of(known.parts.all() if known.made_at else ())
    answer = HttpResponse(
        b"\xef\xbb\xbf" + csv_bytes(zip(LEFT_OUT, *rows, strict=True)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="left-out-comity-{known.code}.csv"'
    return answer


# ---------------------------------------------------------------- all of them


@staff_page(may="person.view")
def exports(request: StaffRequest) -> HttpResponse:
    """List past exports: one's own; the privacy officer and the auditor see all."""
    seen = queries.exports_seen_by(request.staff)
    page = listed(request, rows=seen, columns=EXPORT_COLUMNS, sort="-asked_at")
    shown = {
        "listing": page, "all": bool(entities_with(request.staff, queries.SEES_ALL)),
        "may": may_do(request.staff, "person.export"),
    }  # fmt: skip
    return render(request, "book/exports.html", shown)


@staff_page(may="ledger.read")
def trace(request: StaffRequest) -> HttpResponse:
    """Find out from which export a file is, or some rows of one."""
    text = ""
    if request.method == "POST":
        text = request.POST.get("text", "")[:LARGEST_PASTE]
        if (file := request.FILES.get("file")) is not None:
            text += f" {file.name}\n" + file.read(LARGEST_PASTE).decode("utf-8", "replace")
    found = queries.trace(request.staff, text) if text.strip() else None
    return render(request, "book/export_trace.html", {"found": found, "text": text if not request.FILES else ""})
