"""Pages beside a campaign's own: further wordings, templates, trials to oneself, lists for callers, and the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.outreach.campaigns import actions, queries
from comity.outreach.campaigns import outcomes as shown
from comity.outreach.campaigns.forms import LanguageAdded, NameGiven, TemplateBegun, WordsGiven
from comity.outreach.campaigns.trying import try_out
from comity.outreach.campaigns.variants import LETTERS, compared
from comity.outreach.composing.content import Content, ContentProblems
from comity.post.gateways import Outcome
from comity.post.lists import close_lists
from comity.staff.guards import StaffRequest, demand, entities_with, may_do, staff_page
from comity.staff.queries import entities_seen_by
from comity.staff.trying import try_or_tell

if TYPE_CHECKING:
    from comity.outreach.campaigns.models import Campaign, Template
    from comity.staff.models import Entity


# ---------------------------------------------------------------- wordings


@staff_page(may=actions.WORD)
@require_POST
def add_wording(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Begin one more wording."""
    campaign = queries.one_campaign(request.staff, ref)
    try_or_tell(request, lambda: actions.add_variant(campaign=campaign, by=request.staff))
    return redirect("outreach:campaign", ref)


@staff_page(may=actions.WORD)
@require_POST
def drop_wording(request: StaffRequest, ref: UUID, number: int) -> HttpResponse:
    """Take a wording away."""
    campaign = queries.one_campaign(request.staff, ref)
    try_or_tell(request, lambda: actions.drop_variant(campaign=campaign, number=number, by=request.staff))
    return redirect("outreach:campaign", ref)


@staff_page(may=actions.WORD)
def wording(request: StaffRequest, ref: UUID, number: int, language: str) -> HttpResponse:
    """Write what a further wording says in one language."""
    campaign = queries.one_campaign(request.staff, ref)
    demand(request.staff, actions.WORD, campaign.entity)
    if not 1 <= number <= len(campaign.variants):
        raise Http404
    before = campaign.variants[number - 1]
    form = WordsGiven(request.POST or None, before=before, channel=campaign.channel, language=language)
    if request.method == "POST" and form.is_valid():
        said, by = form.content, request.staff
        if try_or_tell(request, lambda: actions.keep_words(campaign=campaign, number=number, content=said, by=by)):
            return redirect("outreach:campaign", ref)
    return render(
        request, "outreach/words.html", {"one": campaign, "form": form, "written_in": f"{LETTERS[number]} · {language}"}
    )


# ---------------------------------------------------------------- trials


@staff_page(may=actions.WORD)
@require_POST
def try_it(request: StaffRequest, ref: UUID, number: int, language: str) -> HttpResponse:
    """Send a wording to oneself."""
    campaign = queries.one_campaign(request.staff, ref)
    demand(request.staff, actions.WORD, campaign.entity)
    made: list[Any] = []

    def act() -> None:
        made.append(try_out(campaign=campaign, language=language, by=request.staff, number=number))

    if try_or_tell(request, act):
        if made[0].outcome == Outcome.SENT:
            messages.success(request, _("It is on its way to %(to)s.") % {"to": request.staff.email})
        else:
            messages.warning(request, str(queries.WHY.get(made[0].why, made[0].why)))
    return redirect("outreach:campaign", ref)


# ---------------------------------------------------------------- lists, results


@staff_page(may="campaign.send")
@require_POST
def close(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make files of the rows that wait, of those who are still permitted."""
    campaign = queries.one_campaign(request.staff, ref)
    demand(request.staff, "campaign.send", campaign.entity)
    dispatch = campaign.dispatch
    if dispatch is None:
        raise Http404
    if try_or_tell(request, lambda: close_lists(dispatch=dispatch, staff=request.staff)):
        messages.success(request, _("The list is closed. Who said no meanwhile is not on it."))
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.view")
def outcome(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what became of a campaign."""
    campaign = queries.one_campaign(request.staff, ref)
    if campaign.dispatch is None:
        raise Http404
    told = {
        "one": campaign, "progress": queries.progress_of(campaign), "time": shown.over_time(campaign),
        "places": shown.by_place(campaign), "reasons": shown.refused_by_law(campaign),
        "uncertain": shown.uncertain_of(campaign), "compared": compared(campaign), "lists": shown.lists_of(campaign),
    }  # fmt: skip
    return render(request, "outreach/results.html", told)


# ---------------------------------------------------------------- templates


@staff_page(may="campaign.view")
def templates(request: StaffRequest) -> HttpResponse:
    """List templates."""
    rows = [(one, one.versions.first()) for one in queries.templates_of(request.staff)]
    return render(request, "outreach/templates.html", {"templates": rows})


@staff_page(may=actions.WORD)
def new_template(request: StaffRequest) -> HttpResponse:
    """Begin a template: its first words are written on the next page."""
    form = TemplateBegun(request.POST or None)
    entity = _entity(request)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        made = actions.begin_template(entity=entity, name=told["name"], channel=told["channel"], by=request.staff)
        return redirect("outreach:template-words", made.ref, told["language"])
    return render(request, "outreach/template_new.html", {"form": form, "entity": entity})


def _entity(request: StaffRequest) -> Entity:
    """Return for which entity of ours something is made: the one that is asked for, else the first by name."""
    may = entities_with(request.staff, actions.WORD)
    seen = sorted(entities_seen_by(request.staff).filter(ref__in=may).order_by("name"), key=lambda one: one.name)
    wanted = [one for one in seen if str(one.ref) == request.GET.get("entity", "")]
    if not seen:
        raise Http404
    return (wanted or seen)[0]


@staff_page(may="campaign.view")
def template(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show what a template says, and said."""
    one = queries.one_template(request.staff, ref)
    told = {
        "one": one, "content": queries.content_of(one), "versions": list(one.versions.select_related("made_by")[:50]),
        "added": LanguageAdded(), "may_edit": may_do(request.staff, actions.WORD, one.entity),
    }  # fmt: skip
    return render(request, "outreach/template.html", told)


@staff_page(may=actions.WORD)
def template_words(request: StaffRequest, ref: UUID, language: str) -> HttpResponse:
    """Write the next version of a template in one language."""
    one = queries.one_template(request.staff, ref)
    demand(request.staff, actions.WORD, one.entity)
    before = queries.content_of(one)
    form = WordsGiven(
        request.POST or None, before=before.as_json() if before else {}, channel=one.channel, language=language
    )
    if request.method == "POST" and form.is_valid():
        said = form.content
        if try_or_tell(
            request,
            lambda: actions.keep_template(entity=one.entity, content=said, by=request.staff, template=one),
            ContentProblems,
        ):
            return redirect("outreach:template", ref)
    return render(request, "outreach/template_words.html", {"one": one, "form": form, "written_in": language})


@staff_page(may=actions.WORD)
@require_POST
def template_language(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Go on to write a template in one more language."""
    form = LanguageAdded(request.POST)
    if not form.is_valid():
        raise Http404
    one = queries.one_template(request.staff, ref)
    return redirect("outreach:template-words", one.ref, form.cleaned_data["language"])


@staff_page(may=actions.WORD)
@require_POST
def template_end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a template be used no more."""
    one: Template = queries.one_template(request.staff, ref)
    actions.end_template(template=one, by=request.staff)
    messages.success(request, _("It is used no more. What was made of it stays as it is."))
    return redirect("outreach:templates")


@staff_page(may=actions.WORD)
@require_POST
def keep(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Keep a campaign's words as a template."""
    campaign: Campaign = queries.one_campaign(request.staff, ref)
    form = NameGiven(request.POST)
    if not campaign.content or not form.is_valid():
        messages.warning(request, _("Say what the template is called."))
        return redirect("outreach:campaign", ref)
    content = Content.from_json(campaign.content)
    name = form.cleaned_data["name"]
    if try_or_tell(
        request,
        lambda: actions.keep_template(entity=campaign.entity, content=content, by=request.staff, name=name),
        ContentProblems,
    ):
        messages.success(request, _("Kept as a template."))
    return redirect("outreach:campaign", ref)
