"""Pages of forms: all of them, one with its versions, building it, how people see it, publishing and withdrawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from comity.consent.drafts import seen_of
from comity.consent.notices.blocks import language_name
from comity.counsel.reading import places_said
from comity.outreach.campaigns.writing import absolute
from comity.outreach.forms import actions, confirming, queries
from comity.outreach.forms.actions import EDIT, PUBLISH
from comity.outreach.forms.coming_in import hindrances
from comity.outreach.forms.confirming import CHECK
from comity.outreach.forms.forms import FIELD_NAMES, Checked, MadeOf, Published, Started, WayGiven, Written
from comity.outreach.forms.looking import wrong_in
from comity.outreach.forms.showing import form_page, said_by
from comity.outreach.forms.visiting import Filled
from comity.staff.guards import StaffRequest, demand, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.queries import entities_seen_by
from comity.staff.trying import try_or_show

if TYPE_CHECKING:
    from comity.outreach.forms.models import FormVersion, WebForm

COLUMNS: Final = (
    Column(id="name", title=gettext_lazy("Name"), template="outreach/forms/name_cell.html", sorts_by="name",
           always=True),
    Column(id="entity", title=gettext_lazy("Entity"), shows=lambda row: row.entity.name),
    Column(id="version", title=gettext_lazy("Version"), template="outreach/forms/version_cell.html"),
    Column(id="changed_at", title=gettext_lazy("Changed"), shows=lambda row: row.changed_at.date()),
)  # fmt: skip
IN_THE_WAY: Final = {
    "address": gettext_lazy("This book has no https address: COMITY_ADDRESS says which."),
    "imprint": gettext_lazy("Nobody said yet who sends: Settings, sender."),
    "gateway": gettext_lazy("No gateway is chosen, or it was ended."),
    "sender": gettext_lazy("Whoever they go out in the name of may not write them any more."),
}  # fmt: skip


# ---------------------------------------------------------------- looking


@staff_page(may="consent.view")
@require_GET
def forms_list(request: StaffRequest) -> HttpResponse:
    """List the forms."""
    listing = listed(request, rows=queries.forms_seen_by(request.staff), columns=COLUMNS, sort="name")
    return render(request, "outreach/forms/list.html", {"listing": listing, "may_edit": may_do(request.staff, EDIT)})


@staff_page(may="consent.view")
@require_GET
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a form: what came in by it, how it is put on a site, and its versions."""
    found = queries.one_form(request.staff, ref)
    shown = queries.shown_of(found)
    told: dict[str, Any] = {
        "form": found, "draft": queries.draft_of(found), "shown": shown, "counts": queries.counts_of(found),
        "may_edit": may_do(request.staff, EDIT, found.entity),
        "may_publish": may_do(request.staff, PUBLISH, found.entity),
        "may_check": may_do(request.staff, CHECK, found.entity), "to_check": queries.to_check_of(found),
        "versions": [each for each in found.versions.all() if each.published_at],
    }  # fmt: skip
    if shown:
        told |= _of_shown(found, shown)
    return render(request, "outreach/forms/one.html", told)


def _of_shown(form: WebForm, shown: FormVersion) -> dict[str, Any]:
    address = absolute(reverse("outreach:form-public", args=[form.ref]))
    return {
        **_about(shown), "address": address, "in_the_way": [IN_THE_WAY[word] for word in hindrances(form)],
        "way": WayGiven(None, entity=form.entity, initial={"gateway": form.gateway_id}),
        "snippets": _snippets(shown, address),
    }  # fmt: skip


def _about(version: FormVersion) -> dict[str, Any]:
    return {
        "boxes": queries.boxes_of(version, version.languages[0]), "places": places_said(version.places),
        "fields": ", ".join(str(FIELD_NAMES[name]) for name in version.fields),
        "written_in": ", ".join(language_name(code) for code in version.languages),
    }  # fmt: skip


def _snippets(shown: FormVersion, address: str) -> dict[str, str]:
    """Return what is copied into a site: a frame, and plain HTML that leads here."""
    language = shown.languages[0]
    says = {name: escape(text) for name, text in said_by(shown, language).items()}
    return {
        "frame": f'<iframe src="{address}" title="{says["title"]}" width="100%" height="900" loading="lazy"></iframe>',
        "plain": "\n".join([
            f'<form action="{address}" method="post">',
            f'  <input type="hidden" name="language" value="{language}">',
            f'  <label>{says["email"]} <input type="email" name="email" autocomplete="email" required></label>',
            f'  <button>{says["title"]}</button>',
            "</form>",
        ]),
    }  # fmt: skip


# ---------------------------------------------------------------- drafting


@staff_page(may=EDIT)
def start(request: StaffRequest) -> HttpResponse:
    """Begin a form."""
    form = Started(request.POST or None, entities=entities_seen_by(request.staff).order_by("name"))
    if request.method == "POST" and form.is_valid():
        made: list[FormVersion] = []
        if try_or_show(form, lambda: made.append(actions.start_form(**form.cleaned_data, made_by=request.staff))):
            return redirect("outreach:form-draft", made[0].form_id)
    return render(request, "outreach/forms/start.html", {"form": form})


@staff_page(may=EDIT)
@require_POST
def begin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Begin a new draft from the last version."""
    found = queries.one_form(request.staff, ref)
    actions.draft_again(form=found, drafted_by=request.staff)
    return redirect("outreach:form-draft", ref)


@staff_page(may=EDIT)
def draft(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what a draft is made of; beside it stands what keeps it from being published."""
    version = _draft(request, ref)
    form = MadeOf(request.POST or None, version=version, seen=seen_of(version))
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen"]
        if try_or_show(form, lambda: actions.describe_draft(
            version=version, made_of=form.made_of, seen=seen, written_by=request.staff
        )):  # fmt: skip
            messages.success(request, _("Saved. Nobody outside sees it before it is published."))
            return redirect("outreach:form-draft", ref)
    return render(request, "outreach/forms/draft.html", _drafting(request, version) | {"form": form})


@staff_page(may=EDIT)
def words(request: StaffRequest, ref: UUID, language: str) -> HttpResponse:
    """Write what a draft says in one language."""
    version = _draft(request, ref)
    if language not in version.languages:
        raise Http404(_("The draft is not written in this language."))
    form = Written(request.POST or None, version=version, language=language, seen=seen_of(version))
    if request.method == "POST" and form.is_valid():
        told = dict(form.cleaned_data)
        seen = told.pop("seen")
        if try_or_show(form, lambda: actions.write_draft(
            version=version, language=language, words=told, seen=seen, written_by=request.staff
        )):  # fmt: skip
            messages.success(request, _("Saved. Nobody outside sees it before it is published."))
            return redirect("outreach:form-words", ref, language)
    told_more = {"form": form, "language_here": language, "language_name": language_name(language)}
    return render(request, "outreach/forms/words.html", _drafting(request, version) | told_more)


def _drafting(request: StaffRequest, version: FormVersion) -> dict[str, Any]:
    return {
        "one": version.form, "version": version, "wrong": wrong_in(version),
        "languages_here": [(code, language_name(code)) for code in version.languages],
        "may_publish": may_do(request.staff, PUBLISH, version.entity),
    }  # fmt: skip


@staff_page(may="consent.view")
@require_GET
def preview(request: StaffRequest, ref: UUID, number: int, language: str) -> HttpResponse:
    """Show a version as people see it; nothing can be sent from there."""
    found = queries.one_form(request.staff, ref)
    version = next((each for each in found.versions.all() if each.number == number), None)
    if version is None or language not in version.languages:
        raise Http404(_("This form has no such version."))
    form = Filled(None, version=version, language=language, day=timezone.localdate())
    return HttpResponse(form_page(version, language, form, preview=True))


@staff_page(may=EDIT)
@require_POST
def discard(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Throw a draft away."""
    version = _draft(request, ref)
    actions.discard_draft(version=version, discarded_by=request.staff)
    messages.success(request, _("The draft was thrown away."))
    return redirect("outreach:form", ref) if version.number > 1 else redirect("outreach:forms")


def _draft(request: StaffRequest, ref: UUID) -> FormVersion:
    found = queries.one_form(request.staff, ref)
    demand(request.staff, EDIT, found.entity)
    if (version := queries.draft_of(found)) is None:
        raise Http404(_("Nothing is being drafted here: begin a new draft on the page of the form."))
    return version


# ---------------------------------------------------------------- publishing


@staff_page(may=PUBLISH)
def publish(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Publish a draft: with what stops it, and what is to be ticked."""
    version = _draft(request, ref)
    demand(request.staff, PUBLISH, version.entity)
    wrong = wrong_in(version)
    reviews = [each for each in wrong if each.level == "review"]
    form = Published(request.POST or None, entity=version.entity, reviews=reviews, seen=seen_of(version))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        if try_or_show(form, lambda: actions.publish(
            version=version, gateway=told["gateway"], ticks=form.ticks, seen=told["seen"], published_by=request.staff
        )):  # fmt: skip
            messages.success(request, _("Published. It never changes from now on."))
            return redirect("outreach:form", ref)
    told_more = {
        "one": version.form, "version": version, "form": form,
        "stops": [each for each in wrong if each.level == "error"],
        "languages_here": [(code, language_name(code)) for code in version.languages], **_about(version),
    }  # fmt: skip
    return render(request, "outreach/forms/publish.html", told_more)


@staff_page(may=PUBLISH)
@require_POST
def withdraw(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a form take nothing any more."""
    actions.withdraw_form(form=queries.one_form(request.staff, ref), withdrawn_by=request.staff)
    messages.success(request, _("It takes nothing any more. What waits can still be confirmed."))
    return redirect("outreach:form", ref)


@staff_page(may=PUBLISH)
@require_POST
def open_again(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a form take answers again, in one's own name."""
    found = queries.one_form(request.staff, ref)
    form = WayGiven(request.POST, entity=found.entity)
    if form.is_valid() and try_or_show(
        form,
        lambda: actions.open_again(form=found, gateway=form.cleaned_data["gateway"], opened_by=request.staff),
    ):
        messages.success(request, _("Its confirmations go out in your name from now on."))
    else:
        messages.error(request, " ".join(str(each) for some in form.errors.values() for each in some))
    return redirect("outreach:form", ref)


# ---------------------------------------------------------------- guardians


@staff_page(may=CHECK)
def check(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Settle whether somebody is a child's parent or guardian: then what they agreed to counts, or all of it goes."""
    submission = queries.one_to_check(request.staff, ref)
    demand(request.staff, CHECK, submission.entity)
    form = Checked(request.POST or None)
    back = redirect("outreach:form", submission.version.form_id)
    if request.method == "POST" and "refuse" in request.POST:
        confirming.turn_down(submission=submission, by=request.staff)
        messages.success(request, _("All of it was erased. Nothing counted."))
        return back
    if request.method == "POST" and form.is_valid():
        confirming.settle(
            submission=submission, proof=form.cleaned_data["proof"], checked_by=request.staff, at=timezone.now()
        )
        messages.success(request, _("Recorded. What they agreed to counts from now on."))
        return back
    told = {
        "form": form, "submission": submission, "boxes": confirming.boxes_ticked(submission),
        **confirming.names_for_check(submission=submission, viewer=request.staff),
    }  # fmt: skip
    return render(request, "outreach/forms/check.html", told)
