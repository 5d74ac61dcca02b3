"""Pages of campaigns: who is meant and what the law says of them, what is said, and the Send button that may say no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from comity.book.lists.filters import chosen
from comity.book.lists.views import kept_of
from comity.book.opening import Look, purposes_of
from comity.book.queries import persons_seen_by
from comity.outreach.campaigns import actions, dispatching, queries
from comity.outreach.campaigns.forms import (
    CampaignBegun,
    GatewayGiven,
    ImprintGiven,
    LanguageAdded,
    NameGiven,
    RelayGiven,
    WayChosen,
    WhyToMany,
    WordsGiven,
)
from comity.outreach.campaigns.models import Campaign
from comity.outreach.campaigns.outcomes import lists_of
from comity.outreach.campaigns.trying import TRIED_BY
from comity.outreach.campaigns.variants import LETTERS
from comity.outreach.campaigns.writing import sender_of
from comity.outreach.composing.content import Content, NotComposed, prepare
from comity.outreach.composing.lint import Readers, example
from comity.outreach.composing.short_messages import measure
from comity.post import actions as post
from comity.post.gateways import KINDS
from comity.post.jobs import defer_dispatch
from comity.post.models import State
from comity.staff.guards import NotYours, StaffRequest, demand, entities_with, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.models import Approval, Entity
from comity.staff.queries import entities_seen_by
from comity.staff.trying import try_or_show, try_or_tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.utils.functional import _StrPromise


def state_of(campaign: Campaign) -> str:
    """Return where a campaign is, in a word."""
    if campaign.dispatch:
        return campaign.dispatch.state
    return "deciding" if campaign.asked_by_id else "draft"


COLUMNS: Final = (
    Column(id="name", title=gettext_lazy("Campaign"), template="outreach/name_cell.html", always=True, sorts_by="name"),
    Column(id="made_at", title=gettext_lazy("Made"), template="outreach/day_cell.html", sorts_by="made_at"),
    Column(id="entity", title=gettext_lazy("For"), shows=lambda row: row.entity.name),
    Column(id="channel", title=gettext_lazy("Channel"), template="outreach/purpose_cell.html", sorts_by="channel"),
    Column(id="purpose", title=gettext_lazy("Purpose"), template="outreach/purpose_cell.html", sorts_by="purpose"),
    Column(
        id="permitted", title=gettext_lazy("May be written to"), number=True,
        shows=lambda row: row.looked.permitted if row.looked else "–",
    ),
    Column(id="state", title=gettext_lazy("State"), template="outreach/state.html", shows=state_of),
)  # fmt: skip
TURNS: Final = {"pause": post.pause_dispatch, "resume": post.resume_dispatch, "stop": post.stop_dispatch}


@staff_page(may="campaign.view")
def campaigns(request: StaffRequest) -> HttpResponse:
    """List campaigns."""
    rows = queries.campaigns_seen_by(request.staff)
    return render(
        request, "outreach/campaigns.html", {"listing": listed(request, rows=rows, columns=COLUMNS, sort="-made_at")}
    )


@staff_page(may=actions.WORD)
def new(request: StaffRequest) -> HttpResponse:
    """Begin a campaign to the people of a list: its address is that list's."""
    look, purposes = _written_for(request)
    people = chosen(look, request.GET).narrow(persons_seen_by(request.staff, look.entity))
    form = CampaignBegun(request.POST or None, purposes=purposes, entity=look.entity, initial={"purpose": purposes[0]})
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        given = {name: told[name] for name in ("name", "purpose", "channel", "template")}
        query = kept_of(request.GET, look.entity.ref)
        made: list[Campaign] = []
        if try_or_show(form, lambda: made.append(actions.make_campaign(
            entity=look.entity, made_by=request.staff, query=query, **given
        ))):  # fmt: skip
            return redirect("outreach:campaign", made[0].ref)
    told = {
        "form": form, "entity": look.entity, "many": people.count(), "query": request.GET.urlencode(),
        "chips": chosen(look, request.GET).chips(request.GET),
    }  # fmt: skip
    return render(request, "outreach/new.html", told)


def _written_for(request: StaffRequest) -> tuple[Look, list[str]]:
    """Return for whom the list is read, and for which purposes one may write. Raises NotYours."""
    wanted = request.GET.get("entity", "")
    for entity in sorted(entities_seen_by(request.staff).order_by("name"), key=lambda each: str(each.ref) != wanted):
        purposes = purposes_of(request.staff, entity, "contact")
        if purposes and may_do(request.staff, actions.WORD, entity):
            seen_for = purposes_of(request.staff, entity)
            purpose = "marketing" if "marketing" in purposes else purposes[0]
            look = Look(viewer=request.staff, entity=entity, purpose=purpose if purpose in seen_for else seen_for[0])
            return look, sorted(purposes, key=lambda one: one != purpose)
        if str(entity.ref) == wanted:
            break
    raise NotYours(actions.WORD)


# ---------------------------------------------------------------- one campaign


@staff_page(may="campaign.view")
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a campaign: audience, words, way, and what is missing before it can be sent; or how far it is."""
    campaign = queries.one_campaign(request.staff, ref)
    look = _look(request, campaign)
    state = state_of(campaign)
    if request.htmx and state != "deciding":  # it waited for this
        return HttpResponseClientRefresh()
    draft = state == "draft"
    told = {
        "one": campaign, "state": state, "audience": queries.audience_of(campaign),
        "unmet": queries.unmet_of(campaign, look) if draft else [], "progress": queries.progress_of(campaign),
        "chips": _chips(campaign, look),
        "content": Content.from_json(campaign.content) if campaign.content else None,
        "lints": _lints(campaign, look) if draft else [], "letters": LETTERS, "trials": _trials(request, campaign),
        "variants": list(enumerate(map(Content.from_json, campaign.variants), start=1)),
        "tried_by": campaign.channel in TRIED_BY, "lists": lists_of(campaign), "kept_as": NameGiven(),
        "missing": dispatching.what_is_missing(campaign, look) if draft else [],
        "way": WayChosen(entity=campaign.entity, channel=campaign.channel, initial={"gateway": campaign.gateway_id}),
        "added": LanguageAdded(), "approval": queries.approval_of(campaign),
        "needs_approval": draft and actions.needs_approval(campaign), "why": WhyToMany(),
        "may_edit": draft and may_do(request.staff, actions.WORD, campaign.entity),
        "may_send": may_do(request.staff, "campaign.send", campaign.entity),
        "may_stop": may_do(request.staff, "campaign.stop", campaign.entity),
        "imprint": queries.imprint_of(campaign.entity),
        "turns": _turns(campaign),
    }  # fmt: skip
    return render(request, "outreach/campaign.html", told)


def _look(request: StaffRequest, campaign: Campaign) -> Look:
    return Look(viewer=request.staff, entity=campaign.entity, purpose=campaign.purpose)


def _chips(campaign: Campaign, look: Look) -> list[Any]:
    from django.http import QueryDict

    query = QueryDict(campaign.query)
    return list(chosen(look, query).chips(query))


def _lints(campaign: Campaign, look: Look) -> list[tuple[str, Any]]:
    """Return what the law says of each wording, with its letter where there are several."""
    if not campaign.content or campaign.looked is None or queries.imprint_of(campaign.entity) is None:
        return []
    found = queries.lint_of_all(campaign, look)
    return list(zip(LETTERS, found, strict=False)) if len(found) > 1 else [("", found[0])]


def _trials(request: StaffRequest, campaign: Campaign) -> list[Any]:
    return queries.trials_of(campaign, request.staff) if campaign.channel in TRIED_BY else []


def _turns(campaign: Campaign) -> list[tuple[str, _StrPromise, str]]:
    """Return what can be done with a campaign on its way: the word, what it says, its icon."""
    known = {
        State.RUNNING: [
            ("pause", gettext_lazy("Pause"), "pause"),
            ("stop", gettext_lazy("Stop for good"), "octagon-x"),
        ],
        State.PAUSED: [("resume", gettext_lazy("Go on"), "play"), ("stop", gettext_lazy("Stop for good"), "octagon-x")],
    }
    return known.get(State(campaign.dispatch.state), []) if campaign.dispatch else []


@staff_page(may=actions.WORD)
def words(request: StaffRequest, ref: UUID, language: str) -> HttpResponse:
    """Write what a campaign says in one language."""
    campaign = queries.one_campaign(request.staff, ref)
    demand(request.staff, actions.WORD, campaign.entity)
    form = WordsGiven(request.POST or None, before=campaign.content, channel=campaign.channel, language=language)
    if request.method == "POST" and form.is_valid():
        content = form.content.as_json()
        if try_or_show(form, lambda: actions.change_campaign(campaign=campaign, by=request.staff, content=content)):
            return redirect("outreach:campaign", ref)
    return render(request, "outreach/words.html", {"one": campaign, "form": form, "written_in": language})


@staff_page(may=actions.WORD)
@require_POST
def add_language(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Go on to write a campaign in one more language."""
    form = LanguageAdded(request.POST)
    if not form.is_valid():
        raise Http404
    return redirect(
        "outreach:campaign-words", queries.one_campaign(request.staff, ref).ref, form.cleaned_data["language"]
    )


@staff_page(may=actions.WORD)
@require_POST
def audience(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Ask the law about everybody on the list."""
    campaign = queries.one_campaign(request.staff, ref)
    try_or_tell(request, lambda: actions.look_at_audience(campaign=campaign, look=_look(request, campaign)))
    return redirect("outreach:campaign", ref)


@staff_page(may=actions.WORD)
@require_POST
def way(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Choose by which gateway it goes out."""
    campaign = queries.one_campaign(request.staff, ref)
    form = WayChosen(request.POST, entity=campaign.entity, channel=campaign.channel)
    if form.is_valid():
        given = form.cleaned_data["gateway"]
        try_or_tell(request, lambda: actions.change_campaign(campaign=campaign, by=request.staff, gateway=given))
    return redirect("outreach:campaign", ref)


@staff_page(may=actions.WORD)
@require_POST
def ticks(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say of findings that somebody looked at them."""
    campaign, keys = queries.one_campaign(request.staff, ref), request.POST.getlist("key")[:200]
    try_or_tell(request, lambda: actions.tick(campaign=campaign, keys=[key[:24] for key in keys], by=request.staff))
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.send")
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay a campaign before a second person."""
    campaign, form = queries.one_campaign(request.staff, ref), WhyToMany(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try_or_tell(request, lambda: actions.ask_second_person(campaign=campaign, reason=reason, asked_by=request.staff))
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.send")
@require_POST
def send(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Send it, to those whom the law permits."""
    campaign = queries.one_campaign(request.staff, ref)
    sent: list[Campaign] = []

    def act() -> None:
        sent.append(dispatching.send_campaign(campaign=campaign, look=_look(request, campaign)))

    if try_or_tell(request, act) and sent[0].dispatch_id:
        messages.success(request, _("It is on its way. Each person is asked about once more when their turn comes."))
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.stop")
@require_POST
def take_back(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take the wish to send back, while nothing was begun."""
    campaign = queries.one_campaign(request.staff, ref)
    if not dispatching.take_back(campaign=campaign, by=request.staff):
        messages.warning(request, _("It has begun meanwhile. You can pause or stop it."))
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.stop")
@require_POST
def turn(request: StaffRequest, ref: UUID, to: str) -> HttpResponse:
    """Pause it, let it go on, or stop it for good."""
    campaign = queries.one_campaign(request.staff, ref)
    demand(request.staff, "campaign.stop", campaign.entity)
    dispatch = campaign.dispatch
    if dispatch is None or to not in TURNS:
        raise Http404
    if try_or_tell(request, lambda: TURNS[to](dispatch=dispatch, staff=request.staff)) and to == "resume":
        defer_dispatch(dispatch=dispatch)
    return redirect("outreach:campaign", ref)


@staff_page(may="campaign.view")
def shown_as(request: StaffRequest, ref: UUID, language: str) -> HttpResponse:
    """Show the message as an invented reader of the audience would get it, headers and all."""
    campaign = queries.one_campaign(request.staff, ref)
    if not campaign.content or queries.imprint_of(campaign.entity) is None:
        raise Http404
    contents = queries.contents_of(campaign)
    number = int(request.GET.get("wording", "0")) if request.GET.get("wording", "0").isdecimal() else 0
    if number >= len(contents):
        raise Http404
    sender = sender_of(campaign.entity)
    readers = queries.readers_of(campaign.looked, sender.language) if campaign.looked else []
    of_language = [each for each in readers if each.language == language]
    shown: list[tuple[Readers, str, str, tuple[str, int, int] | None]] = []
    for each in sorted(of_language or [Readers(places=frozenset(), language=language)], key=lambda one: -one.persons)[
        :8
    ]:
        try:
            made = example(
                prepare(contents[number]), each, sender=sender, links=queries.EXAMPLE_LINKS,
                day=timezone.localdate(),
            )  # fmt: skip
        except NotComposed as error:
            shown.append((each, "", str(error), None))
        else:
            shown.append((each, queries.text_of(made, campaign.channel), "", _measured(campaign, made)))
    return render(request, "outreach/example.html", {"one": campaign, "shown": shown, "written_in": language})


def _measured(campaign: Campaign, made: bytes) -> tuple[str, int, int] | None:
    """Return of a text message its encoding, its letters and the parts in which networks send it."""
    return measure(made.decode()) if campaign.channel == "sms" else None


# ---------------------------------------------------------------- how we send


@staff_page(may="gateway.change")
def sending(request: StaffRequest) -> HttpResponse:
    """Show for each entity how it signs, and by which ways its messages go out."""
    seen = entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, "gateway.change"))
    signs = queries.imprints_of(seen)
    told = [(entity, signs.get(entity.ref), list(queries.ways_of(entity))) for entity in seen.order_by("name")]
    kinds = [(name, kind.says, min(kind.channels)) for name, kind in KINDS.items() if kind.says]
    return render(request, "outreach/sending.html", {"entities": told, "kinds": kinds})


@staff_page(may="gateway.change")
def imprint(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say how an entity signs."""
    entity = _entity(request, ref)
    form = ImprintGiven(request.POST or None, instance=queries.imprint_of(entity))
    if request.method == "POST" and form.is_valid():
        actions.sign_as(entity=entity, by=request.staff, **form.cleaned_data)
        messages.success(request, _("Kept. Every message signs so from now on."))
        return redirect("outreach:sending")
    return render(request, "outreach/sending_form.html", {"form": form, "entity": entity, "title": _("How it signs")})


@staff_page(may="gateway.change")
def relay(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Add a mail relay to an entity."""
    entity, form = _entity(request, ref), RelayGiven(request.POST or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        made = {
            "channel": "email", "kind": "smtp", "name": told["name"], "secret": told["secret"],
            "settings": {name: told[name] for name in ("host", "port", "security", "sign_in_as")},
        }  # fmt: skip
        if try_or_show(form, lambda: post.make_gateway(entity=entity, made_by=request.staff, **made)):
            return redirect("outreach:sending")
    return render(request, "outreach/sending_form.html", {"form": form, "entity": entity, "title": _("A mail relay")})


@staff_page(may="gateway.change")
def gateway(request: StaffRequest, ref: UUID, kind: str) -> HttpResponse:
    """Add a way out of some kind to an entity."""
    if kind not in KINDS or not KINDS[kind].says:
        raise Http404
    entity, known = _entity(request, ref), KINDS[kind]
    form = GatewayGiven(request.POST or None, kind=known)
    if request.method == "POST" and form.is_valid():
        told = {one.name: form.cleaned_data[one.name] for one in known.settings}
        made = {
            "channel": min(known.channels), "kind": kind, "name": form.cleaned_data["name"],
            "secret": form.cleaned_data.get("secret", ""), "settings": told,
        }  # fmt: skip
        if try_or_show(form, lambda: post.make_gateway(entity=entity, made_by=request.staff, **made)):
            return redirect("outreach:sending")
    return render(request, "outreach/sending_form.html", {"form": form, "entity": entity, "title": known.says})


def _entity(request: StaffRequest, ref: UUID) -> Entity:
    if ref not in entities_with(request.staff, "gateway.change"):
        raise Http404
    return entities_seen_by(request.staff).get(ref=ref)


def in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    """Say a campaign that waits for a second person in words, line by line."""
    told = approval.request
    yield gettext_lazy("Entity"), told.get("entity", "")
    yield gettext_lazy("Purpose"), told.get("purpose", "")
    yield gettext_lazy("Channel"), told.get("channel", "email")
    yield gettext_lazy("Campaign"), queries.name_of(told.get("campaign"))
    yield gettext_lazy("People at most"), told.get("people", "")
    yield gettext_lazy("Subject"), queries.subjects_of(told.get("campaign"))
    yield gettext_lazy("Sender"), told.get("sender", "")
