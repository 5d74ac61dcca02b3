"""Pages about lists: narrow one to an exact value, keep one as a view, and change many people at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from comity.book.editing.leave import may_edit, permits, question
from comity.book.lists import actions, queries
from comity.book.lists.exactly import ID, parts_for
from comity.book.lists.filters import chosen
from comity.book.lists.forms import DeedForm, ExactForm, ViewForm
from comity.book.lists.models import LONGEST_QUERY, Deed
from comity.book.lists.typed import type_value
from comity.book.looking import look_of
from comity.book.opening import Look, purposes_of
from comity.book.queries import persons_seen_by
from comity.counsel.asking import ask
from comity.counsel.counting import count_persons
from comity.counsel.questions import Question
from comity.counsel.reading import said_of
from comity.staff.guards import NotYours, StaffRequest, demand, staff_page

if TYPE_CHECKING:
    from comity.book.lists.models import ExactValue, SavedView, Together
    from comity.law import Decision
    from comity.staff.models import Entity

NOT_KEPT: Final = frozenset({"from", "view", "letter"})
"""Parts of an address that are of a page, not of a list."""
A_PART: Final = 1_000


def kept_of(query: QueryDict, entity: UUID) -> str:
    """Return what a view keeps of an address: everything but where on it somebody is; and which entity it is of."""
    kept = query.copy()
    for name in NOT_KEPT & set(kept):
        kept.pop(name)
    kept["entity"] = str(entity)
    told = "&".join(sorted(kept.urlencode().split("&")))
    if len(told) > LONGEST_QUERY:
        raise BadRequest("this list has more filters than a view keeps; take some away")
    return told


def address_of(view: SavedView) -> str:
    """Return the address of a view."""
    return f"{reverse('book:persons')}?{view.query}&view={view.ref}"


# ---------------------------------------------------------------- what the law says of a list

WAYS: Final = ("email", "sms", "messenger", "call", "post")
"""By what people of a list may be meant to be reached."""


@staff_page(may="person.view")
@require_GET
def verdicts(request: StaffRequest) -> HttpResponse:
    """Count what the law says now of reaching the people of this address, for a purpose and by a way."""
    look = look_of(request)
    purposes = purposes_of(look.viewer, look.entity, "contact") or purposes_of(look.viewer, look.entity)
    wanted, by = request.GET.get("about", ""), request.GET.get("by", "")
    about = wanted if wanted in purposes else purposes[0]
    way = by if by in WAYS else WAYS[0]
    count = count_persons(
        question=Question(operation="contact", purpose=about, channel=way, entity=look.entity.ref),
        persons=chosen(look, request.GET).narrow(persons_seen_by(look.viewer, look.entity)),
    )
    told = {
        "look": look, "verdicts": {each.value: many for each, many in count.verdicts.items()}, "people": count.people,
        "about": about, "purposes": purposes, "by": way, "ways": WAYS, "back": _back(request),
        "rest": [(name, one) for name in request.GET if name not in ASKED for one in request.GET.getlist(name)],
    }  # fmt: skip
    return render(request, "book/verdicts_counted.html" if request.htmx else "book/verdicts.html", told)


ASKED: Final = frozenset({"about", "by"})
"""Parts of an address that say what the law is asked."""


# ---------------------------------------------------------------- exactly


@sensitive_post_parameters("value")
@staff_page(may="person.view")
def exactly(request: StaffRequest) -> HttpResponse:
    """Narrow the list of this address to those who have exactly what is typed here."""
    look = look_of(request)
    chosen(look, request.GET)
    parts = parts_for(look)
    form = ExactForm(parts, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            value = type_value(look=look, part=form.cleaned_data["part"], text=form.cleaned_data["value"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect(f"{reverse('book:persons')}?{_with_value(request.GET, value)}")
    return render(request, "book/exactly.html", {"form": form, "parts": parts, "look": look, "back": _back(request)})


def _with_value(query: QueryDict, value: ExactValue) -> str:
    narrowed = query.copy()
    for name in ("from", "letter"):
        narrowed.pop(name, None)
    narrowed["entity"] = str(value.entity_id)
    narrowed.appendlist(ID, str(value.ref))
    return narrowed.urlencode()


# ---------------------------------------------------------------- views


def _explained(request: StaffRequest, entity: Entity, query: str) -> list[str] | None:
    """Return in words who passes the filters of a kept list; None where one of them is there no more."""
    purposes, told = purposes_of(request.staff, entity), QueryDict(query)
    if not purposes:
        return None
    purpose = told.get("purpose", "")
    look = Look(viewer=request.staff, entity=entity, purpose=purpose if purpose in purposes else purposes[0])
    try:
        return chosen(look, told).explained()
    except BadRequest:
        return None


@staff_page(may="person.view")
def keep(request: StaffRequest) -> HttpResponse:
    """Keep the list of this address as a view."""
    look = look_of(request)
    chosen(look, request.GET)  # refuses a list that there is not
    form = ViewForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            view = actions.save_view(
                owner=request.staff, entity=look.entity, name=said["name"], query=kept_of(request.GET, look.entity.ref),
                shared=said["shared"],
            )  # fmt: skip
        except ValidationError as error:
            form.add_error("name", error.messages)
        else:
            return _kept(request, view, first=said["first"])
    back = f"{reverse('book:persons')}?{request.GET.urlencode()}"
    told = {"form": form, "back": back, "view": None, "explained": chosen(look, request.GET).explained()}
    return render(request, "book/view_form.html", told)


def _kept(request: StaffRequest, view: SavedView, *, first: bool) -> HttpResponse:
    was_first = queries.first_view_of(request.staff) == view
    if first != was_first:
        actions.open_first(staff=request.staff, view=view if first else None)
    messages.success(request, _("“%(name)s” is kept.") % {"name": view.name})
    return redirect(address_of(view))


@staff_page(may="person.view")
def change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Rename a view, share it, or let it open first; of somebody else's, only whether it opens first for oneself."""
    view = queries.one_view(request.staff, ref)
    first = queries.first_view_of(request.staff) == view
    form = ViewForm(request.POST or None, initial={"name": view.name, "shared": view.shared, "first": first})
    mine = view.owner_id == request.staff.ref
    if not mine:
        for name in ("name", "shared"):
            form.fields[name].disabled = True
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            changed = actions.change_view(view=view, name=said["name"], shared=said["shared"]) if mine else view
        except ValidationError as error:
            form.add_error("name", error.messages)
        else:
            return _kept(request, changed, first=said["first"])
    explained = _explained(request, view.entity, view.query)
    told = {"form": form, "back": address_of(view), "view": view, "mine": mine, "explained": explained}
    return render(request, "book/view_form.html", told)


@staff_page(may="person.view")
@require_POST
def keep_again(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a view of one's own show the list of this address from now on."""
    view, look = queries.own_view(request.staff, ref), look_of(request)
    chosen(look, request.GET)
    if look.entity != view.entity:
        raise BadRequest("a view stays with the entity for which it was made; keep this list as a new one")
    kept = kept_of(request.GET, look.entity.ref)
    changed = actions.change_view(view=view, name=view.name, shared=view.shared, query=kept)
    messages.success(request, _("“%(name)s” is kept.") % {"name": changed.name})
    return redirect(address_of(changed))


@staff_page(may="person.view")
@require_POST
def delete(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Keep a view of one's own no longer."""
    view = queries.own_view(request.staff, ref)
    actions.delete_view(view=view)
    messages.success(request, _("“%(name)s” is no longer kept. The people are where they were.") % {"name": view.name})
    return redirect(f"{reverse('book:persons')}?view=all")


# ---------------------------------------------------------------- many at once


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why some of them may not be changed, and how many these are."""

    many: int
    verdict: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What would come of it: how many may be changed, and why others may not."""

    of: int
    may: int
    reasons: list[Reason]

    @property
    def not_changed(self) -> int:
        return self.of - self.may


def _picked(request: StaffRequest, look: Look) -> list[UUID]:
    """Return who was chosen: the ticked ones, or everybody in the list. Raises BadRequest for too many, or nobody."""
    seen = persons_seen_by(look.viewer, look.entity)
    if request.POST.get("all"):
        rows = chosen(look, request.GET).narrow(seen)
    else:
        rows = seen.filter(ref__in=_refs(request.POST.getlist("pick")[: actions.MOST_TOGETHER + 1]))
    return list(rows.order_by().values_list("ref", flat=True)[: actions.MOST_TOGETHER + 1])


def _refs(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as error:
        raise BadRequest("one of the chosen rows has no ref; open the list again") from error


def _deed(request: StaffRequest) -> Deed:
    try:
        return Deed(request.POST.get("deed", ""))
    except ValueError as error:
        raise BadRequest("that cannot be done with many people at once") from error


@staff_page(may="person.edit")
@require_POST
def together(request: StaffRequest) -> HttpResponse:
    """Show what would come of a change of many, and do it once that was seen."""
    look, deed = look_of(request), _deed(request)
    demand(request.staff, "person.edit", look.entity)
    persons = _picked(request, look)
    if not persons or len(persons) > actions.MOST_TOGETHER:
        return _none_or_too_many(request, len(persons))
    form = DeedForm(deed, look, request.POST if "value" in request.POST else None)
    if "value" in request.POST and form.is_valid():
        try:
            return _do(request, look, deed, persons, form.cleaned_data["value"])
        except ValidationError as error:
            form.add_error("value", error.messages)
    told = {
        "form": form, "deed": deed, "forecast": _forecast(look, persons, deed), "picked": request.POST.getlist("pick"),
        "everybody": request.POST.get("all", ""), "back": _back(request), "look": look,
        "query": request.GET.urlencode(),
    }  # fmt: skip
    return render(request, "book/together.html", told)


def _none_or_too_many(request: StaffRequest, many: int) -> HttpResponse:
    if many:
        most = actions.MOST_TOGETHER
        said = _("At most %(most)d people are changed at once. Filter them first, and do it part by part.")
        messages.warning(request, said % {"most": most})
    else:
        messages.warning(request, _("Nobody was chosen: tick those whom you mean, or choose everybody in the list."))
    return redirect(_back(request))


def _back(request: StaffRequest) -> str:
    return f"{reverse('book:persons')}?{request.GET.urlencode()}"


def _do(request: StaffRequest, look: Look, deed: Deed, persons: list[UUID], value: str) -> HttpResponse:
    done = actions.change_together(look=look, persons=persons, deed=deed, value=value)
    said = ngettext("%(n)d person was changed.", "%(n)d people were changed.", done.many) % {"n": done.many}
    rest = len(persons) - done.many
    if rest:
        were = ngettext("%(n)d was not: it was so already, or may not be changed.",
                        "%(n)d were not: it was so already, or they may not be changed.", rest)  # fmt: skip
        said = f"{said} {were % {'n': rest}}"
    messages.success(request, said)
    return redirect(f"{reverse('book:together-done', args=[done.ref])}?{request.GET.urlencode()}")


def _forecast(look: Look, persons: list[UUID], deed: Deed) -> Forecast:
    """Ask role and law what would come of it; nothing is recorded, for nothing is done yet."""
    if not may_edit(look):
        why = Reason(many=len(persons), verdict="deny", says=_("Your roles change nobody for this purpose."))
        return Forecast(of=len(persons), may=0, reasons=[why])
    asked, day = question(look), timezone.localdate()
    counted: Counter[tuple[str, str]] = Counter()
    for begin in range(0, len(persons), A_PART):
        for answer in ask(question=asked, persons=persons[begin : begin + A_PART], day=day).values():
            if not permits(answer, facts=deed == Deed.LANGUAGE):
                counted[answer.verdict.value, _because(answer.decision)] += 1
    reasons = [Reason(many=many, verdict=verdict, says=says) for (verdict, says), many in counted.most_common()]
    return Forecast(of=len(persons), may=len(persons) - counted.total(), reasons=reasons)


def _because(decision: Decision) -> str:
    """Return the first reason in words."""
    return str(said_of(decision.because[0]).says) if decision.because else _("The law does not say.")


def _look_at(request: StaffRequest, done: Together) -> Look:
    """Return the look of the entity for which it was done, for the purpose of the address. Raises NotYours."""
    purposes, asked = purposes_of(request.staff, done.entity), request.GET.get("purpose", "")
    if not purposes:
        raise NotYours("person.view")
    return Look(viewer=request.staff, entity=done.entity, purpose=asked if asked in purposes else purposes[0])


@staff_page(may="person.edit")
def together_done(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what was done with many, and take it back if asked to."""
    done = queries.one_together(request.staff, ref)
    if request.method == "POST":
        demand(request.staff, "person.edit", done.entity)
        try:
            many = actions.undo_together(done=done, look=_look_at(request, done))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            said = ngettext("Undone for %(n)d person.", "Undone for %(n)d people.", many)
            messages.success(request, said % {"n": many})
        return redirect(_back(request))
    return render(request, "book/together_done.html", {"done": done, "back": _back(request)})
