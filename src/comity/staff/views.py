"""Pages about staff: who works here, in which roles, what waits for a second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.staff import actions, approvals, queries
from comity.staff.forms import (
    EntityKept,
    GlassBroken,
    NameAndAddress,
    OwnChoices,
    RoleAsked,
    said_of,
    said_of_staff,
)
from comity.staff.guards import StaffRequest, may_do, staff_page, standing_grants
from comity.staff.listing import Column, listed
from comity.staff.matrix import matrix
from comity.staff.models import RoleGrant
from comity.staff.trying import show_error, try_if_valid

SECOND_FACTORS = frozenset({"mfa"})

# ---------------------------------------------------------------- oneself


@staff_page(may="self.view")
def own(request: StaffRequest) -> HttpResponse:
    """Show one's own roles and sign-in."""
    granted = queries.roles_of([request.staff])[request.staff.ref]
    form = OwnChoices(initial=said_of_staff(request.staff))
    return render(request, "staff/own.html", {"granted": granted, "form": form, "asked": _asked_by(request)})


@staff_page(may="self.secure")
@require_POST
def choose(request: StaffRequest) -> HttpResponse:
    """Keep one's own language and time zone."""
    form = OwnChoices(request.POST)
    if try_if_valid(form, lambda: actions.choose_for_oneself(staff=request.staff, **form.cleaned_data)):
        messages.success(request, _("Saved."))
        return redirect("staff:own")
    granted = queries.roles_of([request.staff])[request.staff.ref]
    return render(request, "staff/own.html", {"granted": granted, "form": form, "asked": _asked_by(request)})


# ---------------------------------------------------------------- others

COLUMNS = (
    Column(id="name", title=gettext_lazy("Name"), sorts_by="name", template="staff/name_cell.html", always=True),
    Column(id="email", title=gettext_lazy("E-mail"), sorts_by="email"),
    Column(id="roles", title=gettext_lazy("Roles"), template="staff/roles_cell.html", shows=lambda row: row.granted),
    Column(id="seen_at", title=gettext_lazy("Last signed in"), template="staff/day_cell.html", sorts_by="last_login"),
    Column(
        id="joined_at",
        title=gettext_lazy("Since"),
        template="staff/day_cell.html",
        sorts_by="joined_at",
        at_first=False,
    ),
)


@staff_page(may="staff.view")
def staff_list(request: StaffRequest) -> HttpResponse:
    """List who works here."""
    rows = queries.staff_seen_by(request.staff)
    if words := request.GET.get("q", "").strip():
        rows = rows.filter(name__icontains=words)
    if request.GET.get("gone") != "1":
        rows = rows.filter(is_active=True)
    listing = listed(request, rows=rows, columns=COLUMNS, sort="name")
    granted = queries.roles_of(listing.rows)
    for row in listing.rows:
        row.granted = granted[row.ref]  # type: ignore[attr-defined]  # for the column of that name
    may_invite = may_do(request.staff, "staff.change")
    return render(request, "staff/list.html", {"listing": listing, "may_invite": may_invite})


@staff_page(may="staff.view")
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one of the staff with the roles they have and had."""
    staff = queries.one_of_staff(request.staff, ref)
    shown = {
        "one": staff,
        "grants": queries.grants_of(request.staff, staff),
        "standing": {grant.ref for grant in standing_grants(staff)},
        "may_change": may_do(request.staff, "staff.change"),
        "may_grant": may_do(request.staff, "staff.grant"),
    }
    return render(request, "staff/one.html", shown)


@staff_page(may="staff.change")
def invite(request: StaffRequest) -> HttpResponse:
    """Invite somebody; the link by which they set a password is shown to whoever invites."""
    form = NameAndAddress(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invited = actions.invite(**form.cleaned_data, invited_by=request.staff)
        except ValidationError as error:
            show_error(form, error)
        else:
            return render(request, "staff/invited.html", {"one": invited, "way_in": _way_in(request, invited.ref)})
    return render(request, "staff/form.html", {"form": form, "heading": _("Invite somebody"), "does": _("Invite")})


@staff_page(may="staff.change")
def change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change name and address."""
    staff = queries.one_of_staff(request.staff, ref)
    form = NameAndAddress(request.POST or None, initial=said_of_staff(staff))
    if try_if_valid(form, lambda: actions.change_staff(staff=staff, **form.cleaned_data, changed_by=request.staff)):
        messages.success(request, _("Saved."))
        return redirect("staff:one", ref=ref)
    return render(request, "staff/form.html", {"form": form, "heading": staff.name, "does": _("Save")})


@staff_page(may="staff.change")
@require_POST
def link(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a new link by which somebody sets a password."""
    staff = queries.one_of_staff(request.staff, ref)
    return render(request, "staff/invited.html", {"one": staff, "way_in": _way_in(request, ref)})


@staff_page(may="staff.change")
@require_POST
def shut_out(request: StaffRequest, ref: UUID) -> HttpResponse:
    """End somebody's access, or give it back."""
    staff = queries.one_of_staff(request.staff, ref)
    if staff.is_active:
        return _acted(
            request, lambda: actions.shut_out(staff=staff, shut_out_by=request.staff), _("Shut out."), "staff:one", ref
        )
    return _acted(
        request, lambda: actions.let_in_again(staff=staff, let_in_by=request.staff), _("Let in."), "staff:one", ref
    )


# ---------------------------------------------------------------- roles


@staff_page(may="staff.grant")
def ask_role(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Ask for a role for somebody."""
    staff = queries.one_of_staff(request.staff, ref)
    form = RoleAsked(request.POST or None, entities=queries.entities_seen_by(request.staff))
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.ask_for_role(staff=staff, **form.cleaned_data, asked_by=request.staff)
        except ValidationError as error:
            show_error(form, error)
        else:
            granted = isinstance(made, RoleGrant)
            alone = _("Granted. Nobody else could approve it yet: let a second person have a role that approves.")
            messages.success(request, alone if granted else _("Asked. A second person must approve it."))
            return redirect("staff:one", ref=ref)
    heading = _("A role for %(name)s") % {"name": staff.name}
    return render(request, "staff/form.html", {"form": form, "heading": heading, "does": _("Ask for it")})


@staff_page(may="staff.grant")
@require_POST
def revoke(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take a role away."""
    grant = queries.one_grant(request.staff, ref)
    does = lambda: actions.revoke_role(grant=grant, revoked_by=request.staff)  # noqa: E731 - one line reads best
    return _acted(request, does, _("Taken away."), "staff:one", grant.staff_id)


@staff_page(may="access.view")
def access(request: StaffRequest) -> HttpResponse:
    """Show who may do what, as roles.toml says."""
    return render(request, "staff/access.html", {"matrix": matrix()})


# ---------------------------------------------------------------- four eyes


@staff_page(may="approval.view")
def approval_list(request: StaffRequest) -> HttpResponse:
    """Show what waits for a second person, and what was settled."""
    shown = {
        "waiting": queries.waiting_for(request.staff),
        "known": queries.approvals_seen_by(request.staff)[:50],
        "glass": queries.glass_to_see(request.staff),
        "kinds": {name: kind.says for name, kind in approvals.KINDS.items()},
    }
    return render(request, "staff/approvals.html", shown)


@staff_page(may="self.view")
def approval(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one request in full: what exactly was asked for."""
    asked = queries.one_approval(request.staff, ref)
    may_settle = queries.waiting_for(request.staff).filter(pk=ref).exists()
    kind = approvals.KINDS[asked.kind]
    lines = kind.shows(asked) if kind.shows else asked.request.items()
    shown = {"asked": asked, "says": kind.says, "lines": lines, "may_settle": may_settle}
    return render(request, "staff/approval.html", shown | {"digest": bytes(asked.digest).hex()})


@staff_page(may="approval.give")
@require_POST
def settle(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Approve or refuse."""
    asked = queries.one_approval(request.staff, ref)
    yes = request.POST.get("answer") == "approve"
    does = lambda: approvals.settle_approval(approval=asked, approved=yes, settled_by=request.staff)  # noqa: E731 - as in revoke
    return _acted(request, does, _("Approved.") if yes else _("Refused."), "staff:approvals")


# ---------------------------------------------------------------- emergencies


@staff_page(may="glass.break")
def break_glass(request: StaffRequest, entity: UUID, person: UUID) -> HttpResponse:
    """Open one person's data beyond one's role, for a while."""
    ours = queries.one_entity(request.staff, entity)
    form = GlassBroken(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.break_glass(
                staff=request.staff,
                entity=ours,
                person=person,
                purpose=form.cleaned_data["purpose"],
                reason=form.cleaned_data["reason"],
                lasts=form.lasts,
                proved_at=second_factor_shown_at(request),
            )
        except ValidationError as error:
            show_error(form, error)
        else:
            messages.warning(
                request, _("The glass is broken. All you open is recorded, and the privacy officer knows.")
            )
            return redirect(_next(request))
    shown = {"form": form, "entity": ours, "proved": second_factor_shown_at(request)}
    return render(request, "staff/break_glass.html", shown)


def _next(request: StaffRequest) -> str:
    """Return where whoever broke glass came from, if that is a page of ours."""
    to = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(to, {request.get_host()}, request.is_secure())
    return to if ours else reverse("staff:own")


@staff_page(may="ruling.make")
@require_POST
def see_glass(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say that one has looked into broken glass."""
    glass = queries.one_glass(request.staff, ref)
    does = lambda: actions.see_glass(glass=glass, seen_by=request.staff)  # noqa: E731 - as in revoke
    return _acted(request, does, _("Noted."), "staff:approvals")


def second_factor_shown_at(request: StaffRequest) -> datetime | None:
    """Return when a second factor was last shown in this session, if it was."""
    from allauth.account.authentication import get_authentication_records

    shown = [one["at"] for one in get_authentication_records(request, request.staff) if one["method"] in SECOND_FACTORS]
    return datetime.fromtimestamp(max(shown), UTC) if shown else None


# ---------------------------------------------------------------- entities


@staff_page(may="entity.view")
def entity_list(request: StaffRequest) -> HttpResponse:
    """Show our legal entities."""
    shown = {"entities": queries.entities_seen_by(request.staff), "may_change": may_do(request.staff, "entity.change")}
    return render(request, "staff/entities.html", shown)


@staff_page(may="entity.change")
def entity_new(request: StaffRequest) -> HttpResponse:
    """Add a legal entity of ours."""
    return _entity_page(request, None)


@staff_page(may="entity.change")
def entity(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change a legal entity of ours and what the law asks of it."""
    return _entity_page(request, ref)


def _entity_page(request: StaffRequest, ref: UUID | None) -> HttpResponse:
    kept = queries.one_entity(request.staff, ref) if ref else None
    form = EntityKept(request.POST or None, initial=said_of(kept))

    def save() -> None:
        name, place = form.cleaned_data["name"], form.cleaned_data["place"]
        actions.save_entity(entity=kept, name=name, place=place, facts=form.facts, saved_by=request.staff)

    if try_if_valid(form, save):
        messages.success(request, _("Saved."))
        return redirect("staff:entities")
    heading = kept.name if kept else _("A new entity")
    lax = _("Name and place are needed; all else may stay open. What is open, the law treats as not known.")
    return render(request, "staff/form.html", {"form": form, "heading": heading, "does": _("Save"), "lax": lax})


# ---------------------------------------------------------------- steps


def _acted(
    request: StaffRequest, does: Callable[[], object], says: str, to: str, ref: UUID | None = None
) -> HttpResponse:
    try:
        does()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, says)
    return redirect(to, ref=ref) if ref else redirect(to)


def _asked_by(request: StaffRequest) -> object:
    return queries.approvals_seen_by(request.staff).filter(asked_by=request.staff)[:10]


def _way_in(request: StaffRequest, ref: UUID) -> str:
    return request.build_absolute_uri(queries.way_in(request.staff, queries.one_of_staff(request.staff, ref)))
