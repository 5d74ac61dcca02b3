"""Pages of one organisation: what is kept of it, what it belongs to, who works there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.book.opening import Look, names_of
from comity.book.organisations import actions, queries
from comity.book.organisations.forms import Kept, said_of
from comity.book.places import said_of as place_said
from comity.book.views import look_of, sight
from comity.staff.guards import NotYours, StaffRequest, acts_for, entities_with, may_do, staff_page
from comity.staff.listing import Column, Listing, listed

if TYPE_CHECKING:
    from comity.book.models import Organisation, Post
    from comity.staff.models import Entity

PEOPLE: Final = (
    Column(
        id="name", title=gettext_lazy("Name"), template="book/post_cell.html", shows=lambda row: row.seen, always=True
    ),
    Column(id="home", title=gettext_lazy("Home"), shows=lambda row: place_said(row.person.home)),
    Column(id="begins", title=gettext_lazy("Since"), shows=lambda row: row.begins_on),
    Column(id="ends", title=gettext_lazy("Until"), shows=lambda row: row.ends_on),
    Column(id="contact", title=gettext_lazy("Last contact"), shows=lambda row: row.person.last_contact_on),
)


@staff_page(may="organisation.view")
def organisation(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one organisation with its parts and its people."""
    found = _found(request, ref)
    look = look_of(request) if may_do(request.staff, "person.view") else None
    people = _people(request, look, found) if look else None
    told = {
        "organisation": found, "place": place_said(found.place), "above": queries.above(found), "look": look,
        "parts": list(queries.parts_of(request.staff, found)), "people": people,
        "may_edit": queries.may_change(request.staff, found),
    }  # fmt: skip
    return render(request, "book/organisation.html", told)


def _people(request: StaffRequest, look: Look, organisation: Organisation) -> Listing[Post]:
    page = listed(request, rows=queries.posts_at(request.staff, look.entity, organisation), columns=PEOPLE)
    if page.rows:
        seen = names_of(look, list(dict.fromkeys(post.person_id for post in page.rows)))
        for post in page.rows:
            post.seen = sight(seen, post.person)  # type: ignore[attr-defined]  # for the column of that name
    return page


@staff_page(may="organisation.edit")
def add(request: StaffRequest) -> HttpResponse:
    """Bring an organisation into the book."""
    entity = _entity(request)
    among = queries.parents_for(request.staff, [entity.ref])
    form = Kept(request.POST or None, among=among, initial={"parent": request.GET.get("part-of", "")})
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_organisation(told=form.told, entity=entity, added_by=request.staff)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Added."))
            return redirect("book:organisation", ref=made.ref)
    return _form(request, form, heading=_("A new organisation"), does=_("Add"), back=reverse("book:organisations"))


@staff_page(may="organisation.edit")
def change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what is kept of an organisation."""
    found = _found(request, ref)
    actions.demand_change(found, request.staff)
    version = queries.version_of(found)
    among = queries.parents_for(request.staff, found.entities).exclude(ref=ref)
    form = Kept(request.POST or None, among=among, initial=said_of(found, version))
    back = reverse("book:organisation", args=[ref])
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_organisation(
                organisation=found, told=form.told, version=form.cleaned_data["version"], changed_by=request.staff
            )
        except actions.ChangedMeanwhile as error:
            form = Kept({**request.POST.dict(), "version": version}, among=among)
            form.add_error(None, error)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect(back)
    return _form(request, form, heading=found.name, does=_("Save"), back=back)


@staff_page(may="organisation.edit")
@require_POST
def remove(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take an organisation out of the book, where nobody works there and nothing is part of it."""
    found = _found(request, ref)
    try:
        actions.remove_organisation(organisation=found, removed_by=request.staff)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("book:organisation", ref=ref)
    messages.success(request, _("%(name)s was taken out of the book.") % {"name": found.name})
    return redirect("book:organisations")


def _found(request: StaffRequest, ref: UUID) -> Organisation:
    found = queries.organisation_seen_by(request.staff, ref)
    if found is None:
        raise Http404(_("There is no such organisation in the books of your entities."))
    return found


def _entity(request: StaffRequest) -> Entity:
    """Return to whose book an organisation is added: as the address says, else the first for which they may."""
    may = entities_with(request.staff, "organisation.edit")
    entities, wanted = acts_for(request.staff), request.GET.get("entity", "")
    asked = next((each for each in entities if str(each.ref) == wanted), None)
    entity = asked or next((each for each in entities if each.ref in may), None)
    if entity is None or entity.ref not in may:
        raise NotYours("organisation.edit")
    return entity


def _form(request: StaffRequest, form: Kept, *, heading: str, does: str, back: str) -> HttpResponse:
    told = {"form": form, "heading": heading, "does": does, "back": back}
    return render(request, "book/form.html", told)
