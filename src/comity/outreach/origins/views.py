"""Pages on which it is said from whom people's data came, and from which these people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from comity.book.editing.views import back_to
from comity.book.editing.whole import look_at, person_of
from comity.outreach.origins import actions, queries
from comity.outreach.origins.forms import OriginSaid, SourceSaid
from comity.staff.guards import StaffRequest, demand, entities_with, staff_page

if TYPE_CHECKING:
    from comity.book.imports.models import Import


@staff_page(may=actions.WORD)
def notice(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say from whom the people of an import came, and begin the campaign that tells them."""
    imported = _imported(request, ref)
    known = queries.origin_of_import(imported.entity, ref)
    day = date_format(imported.begun_at)
    initial = {"source": known.source if known else "", "name": _("Where we have it from, import of %s") % day}
    form = OriginSaid(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            made = actions.begin_notice(imported=imported, by=request.staff, **said)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("outreach:campaign", made.ref)
    told = {"form": form, "one": imported, "counts": queries.counted(imported)}
    return render(request, "outreach/origins/notice.html", told)


def _imported(request: StaffRequest, ref: UUID) -> Import:
    found = queries.imports_of(entities_with(request.staff, actions.WORD)).filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


@staff_page(may=actions.WORD)
def origin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say from whom one person's data came; show what was said before, and whether they were told."""
    look = look_at(request, ref)
    person_of(look, ref)
    demand(request.staff, actions.WORD, look.entity)
    form = SourceSaid(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.note_origin_of(
            persons=[ref], entity=look.entity, source=form.cleaned_data["source"], used_for=look.purpose,
            by=request.staff,
        )  # fmt: skip
        messages.success(request, _("Kept. They are told with the first message, or by a notice of its own."))
        return redirect(f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}")
    told = {"form": form, "ref": ref, "came": queries.came_of(ref, look.entity), "look": look}
    return render(request, "outreach/origins/origin.html", told)
