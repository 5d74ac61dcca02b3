"""Pages of the addresses that must not be used: how many, trying one, adding some; and of registers and their age.

The list is never shown: it holds nothing that could be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from comity.consent.suppression.actions import suppress
from comity.consent.suppression.files import Read, marks_in
from comity.consent.suppression.forms import AddressAdded, ListBrought, OneAddress, RegisterKept, VersionBrought
from comity.consent.suppression.jobs import defer_check
from comity.consent.suppression.models import Cause
from comity.consent.suppression.queries import counted, found_in, register_named, registers_of, suppressed_as
from comity.consent.suppression.registers import (
    WORD,
    Kept,
    NotImported,
    end_register,
    import_version,
    keep_register,
)
from comity.counsel.reading import places_said
from comity.staff.guards import StaffRequest, acts_for, demand, entities_with, may_do, staff_page

if TYPE_CHECKING:
    from typing import BinaryIO

    from django import forms

    from comity.consent.suppression.models import Register

CHANGE: Final = "consent.change"
VIEW: Final = "consent.view"


@staff_page(may=VIEW)
def home(request: StaffRequest) -> HttpResponse:
    """Show how many addresses are left alone, and let one be tried."""
    return _home(request)


def _home(request: StaffRequest, form: OneAddress | None = None, tried: object = None) -> HttpResponse:
    rows = counted(acts_for(request.staff))
    told = {
        "counted": rows,
        "any": any(row.rows for row in rows),
        "causes": list(Cause),
        "form": form or OneAddress(entities=entities_with(request.staff, VIEW)),
        "tried": tried,
        "may_change": may_do(request.staff, CHANGE),
    }
    return render(request, "consent/suppression/home.html", told)


@staff_page(may=VIEW)
@require_POST
def try_one(request: StaffRequest) -> HttpResponse:
    """Say whether an address is left alone, and why; what was typed is shown to nobody again."""
    form = OneAddress(request.POST, entities=entities_with(request.staff, VIEW))
    if not form.is_valid():
        return _home(request, form)
    entity = form.cleaned_data["entity"]
    rows = suppressed_as(entity=entity, mark=form.cleaned_data["address"])
    return _home(request, tried={"entity": entity, "rows": rows})


@staff_page(may=CHANGE)
def add(request: StaffRequest) -> HttpResponse:
    """Put one address on the list."""
    form = AddressAdded(request.POST or None, entities=entities_with(request.staff, CHANGE))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        suppress(
            entity=told["entity"], marks=[told["address"]], cause=Cause(told["cause"]), source=told["source"],
            since=timezone.now(), added_by=request.staff,
        )  # fmt: skip
        messages.success(request, _("It is left alone from now on."))
        return redirect("consent:suppressed")
    return _form(request, form, title=_("Leave an address alone"), button=_("Leave it alone"))


@staff_page(may=CHANGE)
def bring(request: StaffRequest) -> HttpResponse:
    """Put the addresses and numbers of a file on the list; each is hashed as it is read."""
    form = ListBrought(request.POST or None, request.FILES or None, entities=entities_with(request.staff, CHANGE))
    if request.method == "POST" and form.is_valid():
        told, read = form.cleaned_data, Read()
        marks = list(marks_in(_file(form), read, places=[told["place"]] if told["place"] else []))
        added = suppress(
            entity=told["entity"], marks=marks, cause=Cause.LISTED, source=told["source"], since=timezone.now(),
            added_by=request.staff,
        )  # fmt: skip
        said = ngettext("%(n)d address came onto the list.", "%(n)d addresses came onto the list.", added)
        messages.success(request, said % {"n": added})
        _warn(request, read)
        return redirect("consent:suppressed")
    _refuse_too_large(request, form)
    return _form(request, form, title=_("Bring in a list"), button=_("Bring it in"))


def _warn(request: StaffRequest, read: Read) -> None:
    """Say how many lines were not understood, and which were the first: not what stands in them."""
    if read.unclear:
        said = ngettext("%(n)d line was not understood: %(lines)s.", "%(n)d lines were not understood: %(lines)s …",
                        read.unclear)  # fmt: skip
        messages.warning(request, said % {"n": read.unclear, "lines": ", ".join(map(str, read.lines))})


def _refuse_too_large(request: StaffRequest, form: forms.Form) -> None:
    """Say of a file that was cut off on its way in that it is too large: nothing of it was kept."""
    if getattr(request, "too_large", False):
        form.add_error(None, _("The file is larger than 200 MB. Bring it in in parts."))


def _file(form: forms.Form) -> BinaryIO:
    return cast("BinaryIO", form.cleaned_data["file"].file)


def _form(
    request: StaffRequest, form: forms.Form, *, title: str, button: str, back: str = "suppressed"
) -> HttpResponse:
    told = {"form": form, "title": title, "button": button, "back": f"consent:{back}"}
    return render(request, "consent/suppression/form.html", told)


# ---------------------------------------------------------------- registers


@staff_page(may=VIEW)
def registers(request: StaffRequest) -> HttpResponse:
    """Show the registers that we read, how old each is, and what was found in it."""
    today = timezone.localdate()
    rows = [
        {
            "register": row,
            "place": places_said([row.place]),
            "days": (today - row.version_on).days if row.version_on else 0,
            "looked": found_in(row),
            "may_change": may_do(request.staff, WORD, row.entity_id),
        }
        for row in registers_of([entity.ref for entity in acts_for(request.staff)])
    ]
    told = {"rows": rows, "may_change": may_do(request.staff, WORD)}
    return render(request, "consent/suppression/registers.html", told)


@staff_page(may=WORD)
def new_register(request: StaffRequest) -> HttpResponse:
    """Add a register."""
    form = RegisterKept(request.POST or None, entities=entities_with(request.staff, WORD))
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        row = keep_register(entity=told.pop("entity"), kept=Kept(**told), kept_by=request.staff)
        messages.success(request, _("Now bring its newest version in."))
        return redirect("consent:register-version", row.ref)
    return _form(request, form, title=_("Add a register"), button=_("Add it"), back="registers")


@staff_page(may=WORD)
def version(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Bring in a version of a register, and have everybody's number looked for in it."""
    row = _register(request, ref)
    form = VersionBrought(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and _brought(request, row, form):
        return redirect("consent:registers")
    _refuse_too_large(request, form)
    title = _("Bring in a version of %(name)s") % {"name": row.name}
    return _form(request, form, title=title, button=_("Bring it in"), back="registers")


def _brought(request: StaffRequest, row: Register, form: VersionBrought) -> bool:
    """Bring it in, or say in the form why not."""
    try:
        read = import_version(
            register=row, file=_file(form), version_on=form.cleaned_data["version_on"], imported_by=request.staff
        )
    except NotImported as error:
        form.add_error(None, cast("ValidationError", error))
        return False
    defer_check(register=row, staff=request.staff)
    said = ngettext("%(n)d entry is in. People are compared with it now.",
                    "%(n)d entries are in. People are compared with them now.", read.taken)  # fmt: skip
    messages.success(request, said % {"n": read.taken})
    _warn(request, read)
    return True


@staff_page(may=WORD)
@require_POST
def check(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Have everybody's number looked for in a register again."""
    row = _register(request, ref)
    defer_check(register=row, staff=request.staff)
    messages.success(request, _("People are compared with it now."))
    return redirect("consent:registers")


@staff_page(may=WORD)
@require_POST
def end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that a register is no more."""
    end_register(register=_register(request, ref), ended_by=request.staff)
    messages.success(request, _("It has ended, and says nothing of anybody any more."))
    return redirect("consent:registers")


def _register(request: StaffRequest, ref: UUID) -> Register:
    row = register_named(entities_with(request.staff, WORD), ref)
    if row is None:
        raise Http404(_("There is no such register."))
    demand(request.staff, WORD, row.entity_id)
    return row
