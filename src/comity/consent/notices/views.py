"""Pages of notices: all of them, one with its versions, drafting by blocks, what changed, and publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from comity.consent.drafts import seen_of
from comity.consent.notices import actions, queries
from comity.consent.notices.actions import EDIT, PUBLISH
from comity.consent.notices.blocks import blocks_of
from comity.consent.notices.difference import changed_scope, changed_texts
from comity.consent.notices.forms import Described, Published, Started, Written, languages_of
from comity.consent.notices.looking import Wrong, asked_for, places_of, wrong_in
from comity.counsel.reading import places_said
from comity.staff.guards import StaffRequest, demand, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.queries import entities_seen_by
from comity.staff.terms import term
from comity.staff.trying import try_or_show

if TYPE_CHECKING:
    from comity.consent.notices.models import Notice, NoticeVersion

COLUMNS: Final = (
    Column(id="name", title=gettext_lazy("Name"), template="consent/notices/name_cell.html", sorts_by="name",
           always=True),
    Column(id="kind", title=gettext_lazy("What it is for"), shows=lambda row: row.get_kind_display(), sorts_by="kind"),
    Column(id="entity", title=gettext_lazy("Entity"), shows=lambda row: row.entity.name),
    Column(id="version", title=gettext_lazy("Version"), template="consent/notices/version_cell.html"),
    Column(id="changed_at", title=gettext_lazy("Changed"), shows=lambda row: row.changed_at.date()),
)  # fmt: skip
SCOPE_NAMES: Final = {
    "places": gettext_lazy("For people in"), "purpose": gettext_lazy("Purpose"), "channels": gettext_lazy("Channels"),
    "recipient": gettext_lazy("Who else receives the data"), "languages": gettext_lazy("Languages"),
}  # fmt: skip


# ---------------------------------------------------------------- looking


@staff_page(may="consent.view")
@require_GET
def notices(request: StaffRequest) -> HttpResponse:
    """List the notices."""
    listing = listed(request, rows=queries.notices_seen_by(request.staff), columns=COLUMNS, sort="name")
    told = {"listing": listing, "may_edit": may_do(request.staff, EDIT)}
    return render(request, "consent/notices/list.html", told)


@staff_page(may="consent.view")
@require_GET
def notice(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a notice: what people are shown now, and its versions."""
    found = queries.one_notice(request.staff, ref)
    published = _earlier(found)
    standing = queries.standing_on(published)
    told = {
        "notice": found, "draft": queries.draft_of(found), "may_edit": may_do(request.staff, EDIT, found.entity),
        "versions": [(each, standing.get(each.ref, 0)) for each in published],
    }  # fmt: skip
    return render(request, "consent/notices/notice.html", told | (_text(request, published[0]) if published else {}))


@staff_page(may="consent.view")
@require_GET
def version(request: StaffRequest, ref: UUID, number: int) -> HttpResponse:
    """Show one version, and what changed since another."""
    found = queries.one_version(request.staff, ref, number)
    all_of_it = list(queries.one_notice(request.staff, ref).versions.all())
    others = [each for each in all_of_it if each.number != number]
    told: dict[str, Any] = {"notice": found.notice, "version": found, "others": others, **_text(request, found)}
    since = request.GET.get("since", "")
    if old := next((each for each in others if str(each.number) == since), None):
        told |= {"old": old, "changes": changed_texts(old, found), "scope": _scope(old, found)}
    return render(request, "consent/notices/version.html", told)


def _text(request: StaffRequest, one: NoticeVersion) -> dict[str, object]:
    """Return what a page needs to show the text of a version in the language that the address asks for."""
    language = _language(request, one)
    return {
        "shown": one, "language_here": language, "parts": one.texts.get(language, []),
        "languages_here": languages_of(one, language), "places": places_said(places_of(one)),
        "channels": ", ".join(str(term(each)) for each in one.channels),
    }  # fmt: skip


def _language(request: StaffRequest, one: NoticeVersion) -> str:
    chosen = request.GET.get("language", "")
    return chosen if chosen in one.languages else one.languages[0]


def _scope(old: NoticeVersion, new: NoticeVersion) -> list[dict[str, object]]:
    return [
        {"name": SCOPE_NAMES[name], "was": _scope_said(name, was), "now": _scope_said(name, now)}
        for name, was, now in changed_scope(old, new)
    ]


def _scope_said(name: str, value: Any) -> str:  # noqa: ANN401 - a column of a version
    if name == "places":
        return places_said(value)
    said = [str(term(each)) if name in {"channels", "purpose"} else str(each) for each in _listed(value)]
    return ", ".join(said) or "–"


def _listed(value: Any) -> list[str]:  # noqa: ANN401 - a column of a version
    return value if isinstance(value, list) else [value] if value else []


# ---------------------------------------------------------------- drafting


@staff_page(may=EDIT)
def start(request: StaffRequest) -> HttpResponse:
    """Begin a notice."""
    form = Started(request.POST or None, entities=entities_seen_by(request.staff).order_by("name"))
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        made: list[NoticeVersion] = []
        if try_or_show(form, lambda: made.append(actions.start_notice(**told, made_by=request.staff))):
            return redirect("consent:notice-about", made[0].notice_id)
    return render(request, "consent/notices/start.html", {"form": form})


@staff_page(may=EDIT)
@require_POST
def begin(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Begin a new draft from the last version."""
    found = queries.one_notice(request.staff, ref)
    actions.draft_again(notice=found, drafted_by=request.staff)
    return redirect("consent:notice-draft", ref)


@staff_page(may=EDIT)
def draft(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Write the blocks of a draft in one language."""
    one = _draft(request, ref)
    language = _language(request, one)
    form = Written(request.POST or None, version=one, language=language, seen=seen_of(one))
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen"]
        if try_or_show(form, lambda: actions.write_draft(
            version=one, language=language, texts=form.texts, seen=seen, written_by=request.staff
        )):  # fmt: skip
            messages.success(request, _("Saved. Nobody outside sees it before it is published."))
            return redirect(f"{reverse('consent:notice-draft', args=[ref])}?language={language}")
    asked = asked_for(one)
    told = {
        "notice": one.notice, "version": one, "form": form, "wrong": wrong_in(_as_typed(one, language, form)),
        "fields": [(form[block], asked.get(block, [])) for block in blocks_of(one.notice.kind)],
        "may_publish": may_do(request.staff, PUBLISH, one.entity), **_text(request, one),
    }  # fmt: skip
    return render(request, "consent/notices/draft.html", told)


@staff_page(may=EDIT)
@require_POST
def look(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say what the law misses in what was typed so far; nothing is saved."""
    one = _draft(request, ref)
    language = _language(request, one)
    form = Written(request.POST, version=one, language=language, seen=seen_of(one))
    return render(request, "consent/notices/wrong.html", {"wrong": wrong_in(_as_typed(one, language, form))})


def _as_typed(one: NoticeVersion, language: str, form: Written) -> NoticeVersion:
    """Return the draft as it would be with what stands in the form; it is not saved."""
    if form.is_bound:
        form.is_valid()
        typed = [{"block": block, "text": form.cleaned_data.get(block, "")} for block in blocks_of(one.notice.kind)]
        one.texts = {**one.texts, language: typed}
    return one


@staff_page(may=EDIT)
def describe(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say for whom a draft is meant, what one says yes to, and in which languages it is written."""
    one = _draft(request, ref)
    form = Described(request.POST or None, version=one, seen=seen_of(one))
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen"]
        if try_or_show(form, lambda: actions.describe_draft(
            version=one, scope=form.scope, languages=form.languages, seen=seen, written_by=request.staff
        )):  # fmt: skip
            return redirect("consent:notice-draft", ref)
    return render(request, "consent/notices/describe.html", {"notice": one.notice, "version": one, "form": form})


@staff_page(may=EDIT)
@require_POST
def discard(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Throw a draft away."""
    one = _draft(request, ref)
    actions.discard_draft(version=one, discarded_by=request.staff)
    messages.success(request, _("The draft was thrown away."))
    return redirect("consent:notice", ref) if one.number > 1 else redirect("consent:notices")


def _draft(request: StaffRequest, ref: UUID) -> NoticeVersion:
    found = queries.one_notice(request.staff, ref)
    demand(request.staff, EDIT, found.entity)
    if (one := queries.draft_of(found)) is None:
        raise Http404(_("Nothing is being drafted here: begin a new draft on the page of the notice."))
    return one


# ---------------------------------------------------------------- publishing


@staff_page(may=PUBLISH)
def publish(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Publish a draft: shown as a whole, with what stops it, what is to be ticked, and who must be asked again."""
    one = _draft(request, ref)
    demand(request.staff, PUBLISH, one.entity)
    wrong = wrong_in(one)
    stops = [each for each in wrong if each.level == "error"]
    earlier = _earlier(one.notice)
    form = Published(
        request.POST or None, reviews=_reviews(wrong), channels=_channels(earlier), seen=seen_of(one)
    )  # fmt: skip
    if request.method == "POST" and form.is_valid() and _published(request, one, form):
        return redirect("consent:notice", ref)
    told: dict[str, Any] = {
        "notice": one.notice, "version": one, "form": form, "stops": stops, "standing": _standing(earlier),
        **_text(request, one),
    }  # fmt: skip
    if earlier:
        told |= {"old": earlier[0], "changes": changed_texts(earlier[0], one), "scope": _scope(earlier[0], one)}
    return render(request, "consent/notices/publish.html", told)


def _published(request: StaffRequest, one: NoticeVersion, form: Published) -> bool:
    told = form.cleaned_data
    done = try_or_show(form, lambda: actions.publish(
        version=one, begins_at=form.begins, ticks=form.ticks, seen=told["seen"], published_by=request.staff,
        ends_for=told.get("ends_for", []), ends_why=told.get("ends_why", ""),
    ))  # fmt: skip
    if done:
        messages.success(request, _("Published. It never changes from now on."))
    return done


def _reviews(wrong: list[Wrong]) -> list[Wrong]:
    return [each for each in wrong if each.level == "review"]


def _earlier(found: Notice) -> list[NoticeVersion]:
    return [each for each in found.versions.all() if each.published_at]


def _channels(earlier: list[NoticeVersion]) -> list[str]:
    return list(dict.fromkeys(channel for each in earlier for channel in each.channels))


def _standing(earlier: list[NoticeVersion]) -> int:
    return sum(queries.standing_on(earlier).values()) if earlier else 0
