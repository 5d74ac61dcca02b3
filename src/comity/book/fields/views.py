"""Pages of custom fields: those that an entity has, what each holds of a person; and files about somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from comity.book.editing.leave import NotPermitted, ask_leave
from comity.book.editing.whole import look_at, person_of, version_of
from comity.book.fields import actions, queries
from comity.book.fields.forms import Described, File, Made, Value, initial_of, said_of
from comity.book.fields.models import Attachment, CustomField
from comity.book.opening import everything_of
from comity.staff.guards import StaffRequest, demand, staff_page
from comity.staff.queries import entities_seen_by
from comity.vault.gate import Refused
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django import forms

    from comity.book.opening import Look

# ---------------------------------------------------------------- the fields


@staff_page(may="field.edit")
def fields(request: StaffRequest) -> HttpResponse:
    """List the custom fields."""
    return render(request, "book/fields.html", {"fields": queries.fields_seen_by(request.staff)})


@staff_page(may="field.edit")
def make(request: StaffRequest) -> HttpResponse:
    """Make a field."""
    entities = entities_seen_by(request.staff).order_by("name")
    form = Made(request.POST or None, entities=entities)
    if request.method == "POST" and form.is_valid():
        entity = form.cleaned_data["entity"]
        demand(request.staff, "field.edit", entity)
        if _done(form, lambda: actions.make_field(told=form.told, entity=entity, made_by=request.staff)):
            messages.success(request, _("Added."))
            return redirect("book:fields")
    return _form(request, form, heading=_("A new field"), does=_("Add"), back=reverse("book:fields"))


@staff_page(may="field.edit")
def change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what a field is called and offers."""
    field = _field(request, ref)
    form = Described(request.POST or None, initial=said_of(field))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if _done(form, lambda: actions.change_field(field=field, told=told, changed_by=request.staff)):
            messages.success(request, _("Saved."))
            return redirect("book:fields")
    return _form(request, form, heading=field.name, does=_("Save"), back=reverse("book:fields"))


@staff_page(may="field.edit")
@require_POST
def retire(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a field be filled in no more, or again."""
    field = _field(request, ref)
    try:
        actions.retire_field(field=field, retired=field.retired_at is None, retired_by=request.staff)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("book:fields")


def _field(request: StaffRequest, ref: UUID) -> CustomField:
    field = queries.fields_seen_by(request.staff).filter(ref=ref).first()
    if field is None:
        raise Http404(_("There is no such field."))
    demand(request.staff, "field.edit", field.entity)
    return field


# ---------------------------------------------------------------- what they hold


@staff_page(may="person.edit")
def fill(request: StaffRequest, ref: UUID, field: UUID) -> HttpResponse:
    """Fill in one field of one person."""
    look = look_at(request, ref)
    person = person_of(look, ref)
    found = next((each for each in queries.fields_of(look.entity) if each.ref == field), None)
    if found is None:
        raise Http404(_("There is no such field."))
    values = [row for row in queries.values_of(person.ref, look.entity) if row.field_id == field]
    seen = everything_of(look, person.ref, queries.labels_of(values, []))
    (now,) = [each for each in queries.filled(look, values, seen) if each.field.ref == field]
    back = f"{reverse('desk:person', args=[ref])}#further"
    if now.sealed:
        messages.error(request, _("What stands there stays sealed to you, so you cannot write over it."))
        return redirect(back)
    initial = {"value": initial_of(found, now.value)}
    version = version_of(person.ref, initial)
    form = Value(request.POST or None, initial={**initial, "version": version}, field=found)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["version"] not in {"", version}:
            form.add_error(None, _("Somebody else changed this meanwhile: %(value)s") % {"value": now.shown or "–"})
            form.data = {**dict(form.data.items()), "version": version}
        elif _filled_in(request, look, person.ref, found, form):
            return redirect(back)
    return _form(request, form, heading=found.name, does=_("Save"), back=back)


def _filled_in(request: StaffRequest, look: Look, person: UUID, field: CustomField, form: Value) -> bool:
    leave = ask_leave(look, person, queries.class_of(field) or FieldClass.NAME)
    try:
        actions.fill_in(leave=leave, field=field, value=form.told)
    except (NotPermitted, Refused):
        form.add_error(None, _not_permitted())
        return False
    messages.success(request, _("Saved."))
    return True


# ---------------------------------------------------------------- files


@staff_page(may="person.edit")
def attach(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Add a file."""
    look = look_at(request, ref)
    person = person_of(look, ref)
    back = f"{reverse('desk:person', args=[ref])}#files"
    form = File(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        leave = ask_leave(look, person.ref, FieldClass.ATTACHMENT)
        if _done(form, lambda: actions.attach(leave=leave, name=file.name, content=file.read())):
            messages.success(request, _("Added."))
            return redirect(back)
    return _form(request, form, heading=_("A new file"), does=_("Add"), back=back)


@staff_page(may="person.view")
@require_GET
def download(request: StaffRequest, ref: UUID, attachment: UUID) -> HttpResponse:
    """Hand out a file: opened under a decision of its own, and never shown within our pages."""
    look = look_at(request, ref)
    person = person_of(look, ref)
    row = _attachment(look, person.ref, attachment)
    name, held = queries.name_label(row), queries.held_label(row)
    opened = everything_of(look, person.ref, [name, held]).opened
    if name not in opened or held not in opened:
        messages.error(request, _("This file stays sealed: law or role do not let you open it."))
        return redirect(f"{reverse('desk:person', args=[ref])}#files")
    answer = HttpResponse(opened[held]["content"], content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=str(opened[name]["name"]))
    answer["Cache-Control"] = "no-store"
    return answer


@staff_page(may="person.edit")
@require_POST
def detach(request: StaffRequest, ref: UUID, attachment: UUID) -> HttpResponse:
    """Take a file away."""
    look = look_at(request, ref)
    person = person_of(look, ref)
    row = _attachment(look, person.ref, attachment)
    try:
        actions.detach(leave=ask_leave(look, person.ref, FieldClass.ATTACHMENT), attachment=row)
    except (NotPermitted, Refused):
        messages.error(request, _not_permitted())
    else:
        messages.success(request, _("The file was taken away."))
    return redirect(f"{reverse('desk:person', args=[ref])}#files")


def _attachment(look: Look, person: UUID, ref: UUID) -> Attachment:
    found = next((row for row in queries.attachments_of(person, look.entity) if row.ref == ref), None)
    if found is None:
        raise Http404(_("That is not here any more. Somebody else may have removed it."))
    return found


# ---------------------------------------------------------------- forms


def _not_permitted() -> str:
    return _("Law or role do not let this be changed for this purpose; the page of the person says why.")


def _done(form: forms.Form, act: Any) -> bool:  # noqa: ANN401 - any action
    """Do it; what was wrong stands in the form."""
    try:
        act()
    except ValidationError as error:
        form.add_error(None, error)
    except (NotPermitted, Refused):
        form.add_error(None, _not_permitted())
    return not form.errors


def _form(request: StaffRequest, form: forms.Form, *, heading: str, does: str, back: str) -> HttpResponse:
    return render(request, "book/form.html", {"form": form, "heading": heading, "does": does, "back": back})
