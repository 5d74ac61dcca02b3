"""Pages of the keys: how they stand, which backups nobody opens any more, turning them over, and destroying one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.staff.approvals import digest
from comity.staff.guards import StaffRequest, may_do, staff_page
from comity.staff.models import Approval
from comity.staff.queries import usable_approval
from comity.vault import turning
from comity.vault.epochs import KeyTrouble
from comity.vault.horizon import Kept, keys

if TYPE_CHECKING:
    from collections.abc import Callable


class Reason(forms.Form):
    """Why a key is to go for ever."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2000,
        help_text=gettext_lazy("The second person reads it before they approve."),
    )  # fmt: skip


@staff_page(may="key.view")
def key_list(request: StaffRequest) -> HttpResponse:
    """Show the epochs of keys, the state of each file, and the horizon of the backups."""
    stand = keys()
    told = {"keys": stand, "done": stand.persons - stand.left, "may_turn": may_do(request.staff, "key.rotate")}
    return render(request, "vault/keys.html", told)


@staff_page(may="key.rotate")
@require_POST
def turn(request: StaffRequest) -> HttpResponse:
    """Turn the keys over."""
    does = lambda: turning.turn_over(turned_by=request.staff)  # noqa: E731 - one line reads best
    return _acted(request, does, _("A new epoch has begun. Everybody's keys are being brought into it."))


@staff_page(may="key.rotate")
@require_POST
def rewrap(request: StaffRequest) -> HttpResponse:
    """Bring the keys that are left into the current epoch."""
    does = lambda: turning.rewrap_the_rest(wanted_by=request.staff)  # noqa: E731 - as above
    return _acted(request, does, _("The keys that are left are being brought over."))


@staff_page(may="key.rotate")
def destroy(request: StaffRequest, number: int) -> HttpResponse:
    """Ask a second person to approve the end of a key; once they did, destroy it."""
    kept = _kept(number)
    asked = _asked(request, kept)
    if asked is not None and asked.approved and request.method == "POST":
        end = lambda: turning.destroy_as_approved(epoch=kept.epoch, destroyed_by=request.staff)  # noqa: E731 - as above
        return _acted(request, end, _("The key is being destroyed."))
    form = Reason(request.POST or None)
    if asked is None and form.is_valid():
        reason = form.cleaned_data["reason"]
        does = lambda: turning.ask_to_destroy(epoch=kept.epoch, asked_by=request.staff, reason=reason)  # noqa: E731 - as above
        return _acted(request, does, _("Asked. A second person must approve it; come back here afterwards."))
    return render(request, "vault/destroy.html", {"kept": kept, "form": form, "asked": asked, **_after(kept)})


def _after(kept: Kept) -> dict[str, Any]:
    """Return what the backups would be once this key is gone as well."""
    others = [
        each for each in keys().kept if each.epoch.destroyed_at is None and each.epoch.number != kept.epoch.number
    ]
    first = min(others, key=lambda each: each.epoch.number, default=None)
    closes = first is not None and first.epoch.number > kept.epoch.number
    return {"shut_before": first.epoch.begun_at if first and closes else None}


def _kept(number: int) -> Kept:
    found = next((each for each in keys().kept if each.epoch.number == number), None)
    if found is None or not found.can_go:
        raise Http404(_("There is no such key, or it cannot go: it is the current one, in use, or gone already."))
    return found


def _asked(request: StaffRequest, kept: Kept) -> Approval | None:
    """Return what the viewer asked for just this key, if it waits or was approved and can still be used."""
    return usable_approval(request.staff, turning.KIND, digest(turning.KIND, turning.what_goes(kept.epoch)))


def _acted(request: StaffRequest, does: Callable[[], object], says: str) -> HttpResponse:
    """Do it, and say so; or say what stands against it, of which nothing was done."""
    try:
        does()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except KeyTrouble as error:
        messages.error(request, _("Nothing was done: %(why)s") % {"why": error})
    else:
        messages.success(request, says)
    return redirect("vault:keys")
