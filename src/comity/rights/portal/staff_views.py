"""How our staff open people's own pages: by which gateway the codes of an entity go out, and in whose name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.rights.portal.actions import close_portal, open_portal
from comity.rights.portal.queries import OPENS, portal_seen_by, portals_seen_by, ways_out
from comity.staff.guards import demand, may_do, staff_page

if TYPE_CHECKING:
    from comity.post.models import Gateway
    from comity.rights.portal.queries import Standing
    from comity.staff.guards import StaffRequest

LACKS = {
    "address": _("This installation has no address that begins with https."),
    "imprint": _("Nobody said yet how this entity signs: Settings, Sending."),
    "gateway": _("No gateway is chosen, or it was ended."),
    "sender": _("Whoever opened them has no role any more that lets codes go out in their name."),
    "law": _("The law of its place does not let codes go out, or is not encoded."),
}
"""What keeps people's pages shut, in words."""


class Opening(forms.Form):
    """By which gateway codes go out."""

    gateway: forms.ModelChoiceField[Gateway] = forms.ModelChoiceField(
        label=_("Codes go out by"), queryset=None, empty_label=None
    )

    def __init__(self, data: object, *, standing: Standing) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # what a request posts
        self.fields["gateway"].queryset = ways_out(standing.entity)  # type: ignore[attr-defined]  # as it is declared


@staff_page(may="request.view")
def portals(request: StaffRequest) -> HttpResponse:
    """Show whose pages are open, and what is lacking elsewhere."""
    rows = [
        (one, [LACKS[each] for each in one.lacks], may_do(request.staff, OPENS, one.entity))
        for one in portals_seen_by(request.staff)
    ]
    return render(request, "rights/portal/portals.html", {"rows": rows})


@staff_page(may="request.decide")
def opening(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Open people's pages of an entity in one's own name, or close them."""
    standing = portal_seen_by(request.staff, ref)
    demand(request.staff, OPENS, standing.entity)
    if request.method == "POST" and "close" in request.POST and standing.portal is not None:
        close_portal(portal=standing.portal, closed_by=request.staff)
        messages.success(request, say("Closed. Nobody can sign in there now; stopping things goes on."))
        return redirect("rights:portals")
    form = Opening(request.POST if request.method == "POST" else None, standing=standing)
    if request.method == "POST" and form.is_valid():
        open_portal(entity=standing.entity, gateway=form.cleaned_data["gateway"], opened_by=request.staff)
        messages.success(request, say("Open. Codes go out in your name."))
        return redirect("rights:portals")
    return render(request, "rights/portal/opening.html", {"standing": standing, "form": form})
