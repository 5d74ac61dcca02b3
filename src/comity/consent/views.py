"""Taking down what a person says: yes, no, or never again. No law is asked for leave: to know it is its demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from django_htmx.http import reswap, retarget, trigger_client_event

from comity.book.editing.views import back_to
from comity.book.editing.whole import look_at, person_of
from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.forms import CHANNELS, PURPOSES, MistakeFound, NoTaken, Taken, YesTaken
from comity.consent.mistakes import WORD as CORRECT
from comity.consent.mistakes import correct_mistake
from comity.consent.models import Said as Word
from comity.consent.models import Why
from comity.consent.notices.queries import NotShown, wording_chosen, wordings_offered
from comity.consent.queries import said_to
from comity.counsel.duties import note_event
from comity.staff.guards import StaffRequest, demand, may_do, staff_page

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.book.opening import Look
    from comity.consent.models import Consent

WORD: Final = "consent.change"
EVIDENCE: Final = ("express", "separate", "written", "names_caller", "parental", "double_opt_in")
Said = Mapping[str, Any]
CORRECTED: Final = gettext_lazy(
    "Corrected: it counts no more. What fell due because of it stays among the duties until it is settled there."
)


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One of the things that a person may say."""

    title: _StrPromise
    icon: str
    form: type[Taken]
    take_down: Callable[[Look, UUID, Said], None]
    help: _StrPromise | str = ""


def _about(look: Look, ref: UUID, said: Said) -> About:
    return About(person=ref, entity=look.entity, purpose=said["purpose"], channel=said["channel"])


def _yes(look: Look, ref: UUID, said: Said) -> None:
    evidence = {each: bool(said[each]) for each in EVIDENCE}
    version, language = wording_chosen(look.entity, said.get("wording", ""))
    give_consent(
        about=_about(look, ref, said), said_at=said["said_at"], notice=said["notice"], source=said["source"],
        heard_by=look.viewer, notice_version=version, notice_language=language, **evidence,
    )  # fmt: skip


def _no(look: Look, ref: UUID, said: Said) -> None:
    consent = withdraw_consent(
        about=_about(look, ref, said), said_at=said["said_at"], source=said["source"], heard_by=look.viewer
    )
    if consent.said == Word.WITHDRAWN:
        _owe(look, consent, {"event.kind": "consent-withdrawn"})


def _objection(look: Look, ref: UUID, said: Said) -> None:
    consent = object_to_marketing(
        person=ref, entity=look.entity, said_at=said["said_at"], source=said["source"], heard_by=look.viewer
    )
    _owe(look, consent, {"event.kind": "request-received", "event.request": "objection"})


def _owe(look: Look, consent: Consent, event: Mapping[str, object]) -> None:
    """Keep what we owe since they said so, with its day."""
    on = timezone.localtime(consent.said_at).date()
    told = {**event, "event.on": on, "use.purpose": consent.purpose, "use.channel": consent.channel}
    note_event(event=told, entity=look.entity, about=consent.person, persons=[consent.person], staff=look.viewer)


SAYINGS: Final[Mapping[str, Saying]] = {
    "yes": Saying(title=gettext_lazy("Said yes"), icon="circle-check", form=YesTaken, take_down=_yes),
    "no": Saying(title=gettext_lazy("Said no, or took it back"), icon="ban", form=NoTaken, take_down=_no),
    "objection": Saying(
        title=gettext_lazy("Objects to advertising"), icon="octagon-x", form=Taken, take_down=_objection,
        help=gettext_lazy("Ends advertising by every channel, at once. Only the person can take it back."),
    ),
}  # fmt: skip


@staff_page(may=WORD)
def says(request: StaffRequest, ref: UUID, what: str) -> HttpResponse:
    """Take down what somebody said."""
    if what not in SAYINGS:
        raise Http404(_("A person says yes, says no, or objects."))
    look = look_at(request, ref)
    person = person_of(look, ref, locked=request.method == "POST")
    demand(look.viewer, WORD, look.entity)
    saying = SAYINGS[what]
    initial = _initial(request) | ({"wordings": wordings_offered(look.entity)} if what == "yes" else {})
    form = saying.form(request.POST if request.method == "POST" else None, initial=initial, name=what)
    if request.method == "POST" and form.is_valid() and _take_down(saying, form, look, ref):
        return _taken_down(request, look, ref)
    told = {
        "form": form, "saying": saying, "what": what, "person": person, "query": back_to(request, look),
        "action": request.get_full_path(),
    }  # fmt: skip
    return render(request, "consent/form.html" if request.htmx else "consent/page.html", told)


def _take_down(saying: Saying, form: Taken, look: Look, ref: UUID) -> bool:
    """Take it down, or say in the form why not."""
    try:
        saying.take_down(look, ref, form.cleaned_data)
    except NotShown as error:
        form.add_error("wording", error)
        return False
    return True


def _initial(request: StaffRequest) -> dict[str, object]:
    """Return what a link to the form says already: purpose and channel of the card it stands on; now."""
    purpose, channel = request.GET.get("about", "marketing"), request.GET.get("by", "email")
    now = timezone.localtime().replace(second=0, microsecond=0, tzinfo=None)
    return {
        "purpose": purpose if purpose in PURPOSES else "marketing",
        "channel": channel if channel in CHANNELS else "email",
        "said_at": now,
    }


def _taken_down(request: StaffRequest, look: Look, ref: UUID) -> HttpResponse:
    if not request.htmx:
        messages.success(request, _("Recorded. It counts from now on."))
        return redirect(f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}")
    answer = retarget(reswap(_buttons(request, look, ref), "outerHTML"), "#says")
    trigger_client_event(answer, "toast", {"text": _("Recorded. It counts from now on."), "level": "success"})
    trigger_client_event(answer, "timeline-changed", {})
    return trigger_client_event(answer, "person-changed", {})


@staff_page(may=CORRECT)
def mistake(request: StaffRequest, ref: UUID, said: UUID) -> HttpResponse:
    """Say that something on record was never said; it stays there and counts no more."""
    look = look_at(request, ref)
    person = person_of(look, ref, locked=request.method == "POST")
    if (mistaken := said_to(look.entity, ref, said)) is None:
        raise Http404(_("Nothing of the kind is on record. It may have been put in order meanwhile."))
    back = f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}"
    form = MistakeFound(request.POST if request.method == "POST" else None, initial={}, name="mistake")
    if request.method == "POST" and form.is_valid() and _corrected(form, mistaken, look):
        messages.success(request, CORRECTED)
        return redirect(back)
    return render(request, "consent/mistake.html", {"form": form, "mistaken": mistaken, "person": person, "back": back})


def _corrected(form: MistakeFound, mistaken: Consent, look: Look) -> bool:
    """Correct it, or say in the form why not."""
    told = form.cleaned_data
    try:
        correct_mistake(mistaken=mistaken, why=Why(told["why"]), source=told["source"], corrected_by=look.viewer)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


@staff_page(may="consent.view")
@require_GET
def buttons(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what can be taken down: what a form leaves behind that was given up."""
    look = look_at(request, ref)
    person_of(look, ref)
    return _buttons(request, look, ref)


def _buttons(request: StaffRequest, look: Look, ref: UUID) -> HttpResponse:
    told = {"ref": ref, "query": back_to(request, look), "sayings": sayings_for(look)}
    return render(request, "consent/says.html", told)


def may_correct(look: Look) -> bool:
    """Say whether the viewer may take out of what counts what was recorded by mistake."""
    return may_do(look.viewer, CORRECT, look.entity)


def sayings_for(look: Look) -> Mapping[str, Saying]:
    """Return what the viewer may take down of what people say to this entity."""
    return SAYINGS if may_do(look.viewer, WORD, look.entity) else {}
