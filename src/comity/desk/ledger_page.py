"""Pages of the ledger: what was recorded last, what is signed, and an entry with its proof to take away."""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.counsel.queries import covering
from comity.desk import recorded
from comity.ledger.bundles import SUFFIX
from comity.ledger.queries import NotCovered, bundle, signed_note
from comity.refs import read_ref, shown
from comity.staff.guards import StaffRequest, staff_page
from comity.staff.listing import Column, listed

COLUMNS: Final = (
    Column(id="kind", title=gettext_lazy("What"), template="desk/ledger_kind_cell.html", always=True),
    Column(id="recorded_at", title=gettext_lazy("When"), template="desk/ledger_time_cell.html"),
    Column(id="staff", title=gettext_lazy("Staff"), shows=lambda row: row.staff_name),
    Column(id="many", title=gettext_lazy("People"), shows=lambda row: row.many or 0, number=True),
    Column(id="index", title=gettext_lazy("Index"), template="desk/ledger_place_cell.html",
           shows=lambda row: row.leaf_index, number=True),
    Column(id="ref", title=gettext_lazy("Ref"), shows=lambda row: shown(row.ref), at_first=False),
)  # fmt: skip


@staff_page(may="ledger.read")
def ledger(request: StaffRequest) -> HttpResponse:
    """List the last entries, under what is signed."""
    kind, about = request.GET.get("kind", ""), _about(request.GET.get("person", ""))
    listing = listed(request, rows=recorded.entries(kind=kind, person=about), columns=COLUMNS)
    names = recorded.names_of_staff(row.staff for row in listing.rows)
    for row in listing.rows:
        row.staff_name = _staff_name(row.staff, names)  # type: ignore[attr-defined]  # for the column of that name
    told = {
        "listing": listing, "head": recorded.head(), "pending": recorded.pending(), "kind": kind,
        "kinds": recorded.recent_kinds(kind), "person": request.GET.get("person", ""),
    }  # fmt: skip
    return render(request, "desk/ledger.html", told)


def _about(text: str) -> UUID | None:
    if not text:
        return None
    try:
        return read_ref(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _staff_name(ref: UUID | None, names: dict[UUID, str]) -> str:
    return names.get(ref, shown(ref)) if ref else _("Comity itself")


@staff_page(may="ledger.read")
def entry(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one entry: what it says, whether it is signed, and how an outsider verifies it."""
    found = recorded.one_entry(ref)
    said = recorded.said_by(found)
    told = {
        "entry": found, "ref": shown(found.ref), "said": [(name, _said(value)) for name, value in said.items()],
        "decision": said.get("decision", ""), "persons": [(each, shown(each)) for each in found.persons],
        "staff_name": _staff_name(found.staff, recorded.names_of_staff([found.staff])),
        "checkpoint": covering(found), "head": recorded.head(), "key": recorded.verifier_key(),
        "file": _file_name(found.ref),
    }  # fmt: skip
    return render(request, "desk/ledger_entry.html", told)


def _said(value: object) -> str:
    """Return what stands in a field of an entry, as a line of words."""
    match value:
        case dict():
            return ", ".join(f"{name}: {_said(each)}" for name, each in value.items())
        case list():
            return ", ".join(map(_said, value))
        case None | bool():
            return json.dumps(value)
    return str(value)


@staff_page(may="ledger.read")
def proof(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Hand out an entry's proof as a .tlog-proof bundle, the entry itself in it."""
    del request
    found = recorded.one_entry(ref)
    try:
        text = bundle(entry=found.ref)
    except NotCovered as error:
        return HttpResponse(f"{error}\n", status=409, content_type="text/plain; charset=utf-8")
    return _file(text, _file_name(found.ref))


@staff_page(may="ledger.read")
def checkpoint(request: StaffRequest) -> HttpResponse:
    """Hand out the newest signed checkpoint: whoever keeps it can tell later that the ledger was rolled back."""
    del request
    head = recorded.head()
    if head is None:
        return HttpResponse(_("The ledger has no checkpoint yet.") + "\n", status=409, content_type="text/plain")
    return _file(signed_note(head.checkpoint), f"checkpoint-{head.checkpoint.size}.txt")


def _file(text: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=headers)


def _file_name(ref: UUID) -> str:
    return shown(ref) + SUFFIX
