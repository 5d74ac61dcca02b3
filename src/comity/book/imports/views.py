"""Pages on which people are brought in from a file: the file, its columns, what was found, what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from comity.book.imports import actions, jobs, queries
from comity.book.imports.actions import AT_ONCE
from comity.book.imports.columns import MEANINGS
from comity.book.imports.forms import FileBrought, Settled, Undone, WhatFor
from comity.book.imports.looking import dialect_of
from comity.book.imports.models import Import, Known, Stage
from comity.book.imports.parcels import LARGEST, Contents, contents_of
from comity.check.sources import BadFile
from comity.staff.guards import StaffRequest, demand, may_do, staff_page
from comity.staff.listing import Column, listed

IMPORT_COLUMNS: Final = (
    Column(
        id="begun_at", title=gettext_lazy("Brought"), template="book/import_name_cell.html", sorts_by="begun_at",
        always=True,
    ),
    Column(id="entity", title=gettext_lazy("For"), shows=lambda row: row.entity.name),
    Column(id="begun_by", title=gettext_lazy("By"), shows=lambda row: row.begun_by.name),
    Column(id="dialect", title=gettext_lazy("File"), shows=lambda row: dialect_of(row).name, at_first=False),
    Column(id="rows", title=gettext_lazy("Rows"), sorts_by="rows", number=True),
    Column(id="persons", title=gettext_lazy("In the book"), sorts_by="persons", number=True),
    Column(id="stage", title=gettext_lazy("State"), template="book/import_stage.html", shows=lambda row: row.stage),
)  # fmt: skip

LONGEST_NUMBER: Final = 18
"""Digits of a number in a form."""
TABS: Final = ("people", "problems", "duplicates", "law")


# ---------------------------------------------------------------- all imports, and a new one


@staff_page(may="import.view")
def imports(request: StaffRequest) -> HttpResponse:
    """List what was brought in, the latest first."""
    page = listed(request, rows=queries.imports_seen_by(request.staff), columns=IMPORT_COLUMNS, sort="-begun_at")
    told = {"listing": page, "may_run": may_do(request.staff, "import.run")}
    return render(request, "book/imports.html", told)


@staff_page(may="import.run")
def new(request: StaffRequest) -> HttpResponse:
    """Take a file in; its columns are looked at next."""
    form = FileBrought(request.POST or None, request.FILES or None, staff=request.staff)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        if file.size > LARGEST:
            form.add_error("file", _("The file has more than 200 MB. Split it, or bring it as Parquet."))
        elif one := _begun(request, form):
            return redirect("book:import-one", one.ref)
    if getattr(request, "too_large", False):  # said by whatever took it in: nothing of it was kept
        form.errors.pop("file", None)
        form.add_error("file", _("The file has more than 200 MB. Split it, or bring it as Parquet."))
    return render(request, "book/import_new.html", {"form": form})


def _begun(request: StaffRequest, form: FileBrought) -> Import | None:
    """Take a file in, or say in the form what is wrong with it."""
    file = form.cleaned_data["file"]
    try:
        return actions.begin_import(
            name=str(file.name), pieces=file.chunks(), entity=form.cleaned_data["entity"], staff=request.staff
        )
    except BadFile as bad:
        what = f"{bad.what[:1].upper()}{bad.what[1:]}"
        form.add_error("file", _("%(what)s. %(cure)s.") % {"what": what, "cure": bad.cure})
        return None


# ---------------------------------------------------------------- one import


@staff_page(may="import.view")
@require_GET
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show an import as far as it has come."""
    found = _seen(request, ref)
    told = _told(request, found)
    match found.stage:
        case Stage.MAPPING:
            return _columns_page(request, found)
        case Stage.READY:
            return render(request, "book/import_preview.html", told | _preview(request, found, told["contents"]))
        case Stage.LOOKING | Stage.RUNNING | Stage.UNDOING:
            return render(request, "book/import_running.html", told | _progress(found))
    return render(request, "book/import_done.html", told | _done(request, found))


def _seen(request: StaffRequest, ref: UUID) -> Import:
    found = queries.imports_seen_by(request.staff).filter(pk=ref).first()
    if found is None:
        raise Http404
    return found


def _told(request: StaffRequest, found: Import) -> dict[str, Any]:
    """Return what every page about an import needs. What stands in the file is for whoever brought it alone."""
    contents = contents_of(found) if found.begun_by_id == request.staff.ref else None
    return {
        "one": found, "contents": contents, "title": queries.title_of(found, contents),
        "dialect": dialect_of(found), "may_run": may_do(request.staff, "import.run", found.entity),
        "mine": found.begun_by_id == request.staff.ref, "tally": queries.tallied(found),
    }  # fmt: skip


def _columns_page(request: StaffRequest, found: Import, form: WhatFor | None = None) -> HttpResponse:
    told = _told(request, found)
    shown = queries.columns_shown(found, told["contents"]) if told["contents"] else []
    offered = [(each, queries.meanings_offered(each.header, each, found)) for each in shown]
    form = form or WhatFor(None, one=found, staff=request.staff)
    return render(request, "book/import_columns.html", told | {"columns": offered, "form": form})


@staff_page(may="import.run")
@require_POST
def columns(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what columns are."""
    found = _own(request, ref)
    if _columns_kept(request, found):
        messages.success(request, _("Columns kept. The next file of this kind is read the same way."))
    return redirect("book:import-one", ref)


def _meanings(request: StaffRequest) -> dict[int, str]:
    return {
        number: str(value)
        for name, value in request.POST.items()
        if (number := _numbered(name, "column-")) is not None and str(value) in MEANINGS
    }


def _columns_changed(request: StaffRequest, found: Import) -> bool:
    """Say whether columns were said to be something else on the way: what somebody chose is not lost."""
    contents = contents_of(found)
    shown = {each.number: each.meaning for each in queries.columns_shown(found, contents)} if contents else {}
    return any(number in shown and shown[number] != meaning for number, meaning in _meanings(request).items())


def _columns_kept(request: StaffRequest, found: Import) -> bool:
    meanings = _meanings(request)
    return _tried(request, lambda: actions.map_columns(one=found, meanings=meanings, staff=request.staff))


@staff_page(may="import.run")
@require_POST
def look(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what the columns are and what the people are for, and look the file over."""
    found = _own(request, ref)
    if _columns_changed(request, found) and not _columns_kept(request, found):
        return redirect("book:import-one", ref)
    form = WhatFor(request.POST, one=found, staff=request.staff)
    if not form.is_valid():
        return _columns_page(request, found, form)
    if _tried(request, lambda: actions.choose(one=found, choices=form.choices, staff=request.staff)):
        if found.rows <= AT_ONCE:
            _worked(request, found, lambda: actions.look_over_import(one=found))
        else:
            jobs.look_over_job.defer(ref=str(ref), entity=str(found.entity_id))
    return redirect("book:import-one", ref)


@staff_page(may="import.run")
@require_POST
def choices(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say of single rows about people who are in the book what becomes of them."""
    found = _own(request, ref)
    chosen = {_numbered(name, "finding-"): str(value) for name, value in request.POST.items()}
    by_row = {number: value for number, value in chosen.items() if number is not None}
    actions.choose_for_rows(one=found, choices=by_row)
    messages.success(request, _("Kept."))
    return redirect(f"{request.path.removesuffix('choices/')}?tab=duplicates")


@staff_page(may="ruling.make")
@require_POST
def settle(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let those come in of whom the law leaves that open."""
    found, form = _seen(request, ref), Settled(request.POST)
    if form.is_valid():
        because = form.cleaned_data["because"]
        if _tried(request, lambda: actions.settle_import(one=found, because=because, staff=request.staff)):
            messages.success(request, _("Settled. They come in with the others."))
    else:
        messages.error(request, _("Say why."))
    return redirect(f"{request.path.removesuffix('settle/')}?tab=law")


@staff_page(may="import.run")
@require_POST
def run(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Bring the people in."""
    found = _own(request, ref)
    if _tried(request, lambda: actions.begin_run(one=found, staff=request.staff)):
        if found.rows <= AT_ONCE:
            _worked(request, found, lambda: actions.run_import(one=found))
        else:
            jobs.run_job.defer(ref=str(ref), entity=str(found.entity_id))
    return redirect("book:import-one", ref)


@staff_page(may="import.run")
@require_POST
def undo(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take everybody out again whom the import brought."""
    found, form = _seen(request, ref), Undone(request.POST)
    demand(request.staff, "import.run", found.entity)
    changed_too = form.is_valid() and form.cleaned_data["changed_too"]
    if _tried(request, lambda: actions.begin_undo(one=found, changed_too=changed_too, staff=request.staff)):
        if found.persons <= AT_ONCE:
            actions.undo_import(one=found, changed_too=changed_too)
        else:
            jobs.undo_job.defer(ref=str(ref), entity=str(found.entity_id), changed_too=changed_too)
    return redirect("book:import-one", ref)


@staff_page(may="import.run")
@require_POST
def drop(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Throw the file away."""
    found = _seen(request, ref)
    demand(request.staff, "import.run", found.entity)
    if found.stage in actions.OVER:
        actions.forget_file(one=found)
        messages.success(request, _("The file is gone."))
    elif _tried(request, lambda: actions.drop_import(one=found, staff=request.staff)):
        messages.success(request, _("The file is gone; nobody came into the book."))
    return redirect("book:imports")


@staff_page(may="import.view")
@require_GET
def progress(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give the part of the page that says how far it has come; where nothing runs any more, load the page anew."""
    found = _seen(request, ref)
    if not queries.is_running(found):
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "book/import_progress.html", {"one": found, **_progress(found)})


@staff_page(may="import.run")
@require_GET
def problems(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Hand out the rows that do not simply come in, with the reasons, as a table that no spreadsheet runs."""
    found = _own(request, ref)
    contents = contents_of(found)
    if contents is None:
        raise Http404
    table = queries.as_csv(queries.problem_rows(found, contents))
    name = f"problems-{str(ref)[:8]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(table, content_type="text/csv; charset=utf-8", headers=headers)  # type: ignore[return-value]  # it is answered alike


# ---------------------------------------------------------------- what pages need


def _own(request: StaffRequest, ref: UUID) -> Import:
    """Return an import that the staff member brought themself: nobody else works with what stands in their file."""
    found = _seen(request, ref)
    demand(request.staff, "import.run", found.entity)
    if found.begun_by_id != request.staff.ref:
        raise Http404
    return found


def _tried(request: StaffRequest, act: Any) -> bool:  # noqa: ANN401 - whatever an action returns
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return False
    return True


def _worked(request: StaffRequest, found: Import, act: Callable[[], object]) -> None:
    """Do what whoever asked waits for; where it cannot be done, say so and let the import stop there."""
    if not _tried(request, act):
        actions.stop_import(one=found, fault="file")


def _numbered(name: str, prefix: str) -> int | None:
    """Return the number in the name of a field such as column-3; none where there is no such number."""
    digits = name.removeprefix(prefix)
    fits = name.startswith(prefix) and digits.isdecimal() and len(digits) <= LONGEST_NUMBER
    return int(digits) if fits else None


def _preview(request: StaffRequest, found: Import, contents: Contents | None) -> dict[str, Any]:
    asked = request.GET.get("tab", "people")
    tab = asked if asked in TABS else "people"
    told = found.found
    counts = {
        "people": told.get("new", 0), "problems": told.get("broken", 0),
        "duplicates": sum(told.get(each.value, 0) for each in queries.DUPLICATES),
        "law": told.get("held", 0) + told.get("open", 0),
    }  # fmt: skip
    names = {"people": _("People"), "problems": _("Problems"), "duplicates": _("Duplicates"), "law": _("The law")}
    more: dict[str, Any] = {
        "tabs": [
            {"name": names[each], "href": f"?tab={each}", "here": each == tab, "count": counts[each]} for each in TABS
        ],
        "tab": tab, "found": told, "counts": counts, "verdicts": told.get("verdicts", {}),
        "settling": Settled(), "may_settle": may_do(request.staff, "ruling.make", found.entity),
        "comes": _comes(found),
    }  # fmt: skip
    if tab == "people" and contents:
        more["rows"] = queries.first_rows(found, contents)
    elif tab == "problems":
        more["findings"] = queries.findings_shown(found, queries.PROBLEMS, contents)
    elif tab == "duplicates":
        more |= {
            "findings": queries.findings_shown(found, queries.DUPLICATES, contents),
            "known_choices": Known.choices,
        }
    elif tab == "law":
        more |= {"held": queries.held_by_reason(found), "reasons": queries.reasons_of(found)}
    return more


def _comes(found: Import) -> int:
    """Return how many would come in now, as far as that is known beforehand."""
    told = found.found
    return int(told.get("new", 0)) + (int(told.get("open", 0)) if found.settled_at and not told.get("opened") else 0)


def _progress(found: Import) -> dict[str, Any]:
    share = 100 * found.seen_rows // found.rows if found.rows else 0
    return {"share": min(share, 100)}


def _done(request: StaffRequest, found: Import) -> dict[str, Any]:
    changed = found.findings.filter(says="changed")[: queries.SHOWN]
    undoing = Undone() if may_do(request.staff, "person.erase", found.entity) else ""
    return {"found": found.found, "undoing": undoing, "changed": changed, "over": found.stage in actions.OVER}
