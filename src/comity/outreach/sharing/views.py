"""Pages of sharing: who may get lists, what the law says of one, the file, and what recipients were told since."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.book.exports import actions as exports
from comity.book.exports.columns import columns_of
from comity.book.exports.jobs import defer_file
from comity.book.exports.queries import is_covered
from comity.book.lists.filters import chosen
from comity.book.lists.views import kept_of
from comity.book.opening import Look, purposes_of
from comity.book.places import said_of as place_said
from comity.book.queries import persons_seen_by
from comity.outreach.sharing import actions, queries
from comity.outreach.sharing import passing_on as telling_of
from comity.outreach.sharing.forms import ProofsGiven, RecipientGiven, SharingPlanned, WhyShared
from comity.outreach.sharing.letting import in_order
from comity.outreach.sharing.models import Operation, Role, Sharing, Tool
from comity.staff.guards import NotYours, StaffRequest, demand, entities_with, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.queries import entities_seen_by
from comity.staff.terms import term
from comity.staff.trying import try_or_show, try_or_tell
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval, Entity

COLUMNS: Final = (
    Column(id="what", title=gettext_lazy("What"), template="outreach/sharing/what_cell.html", always=True),
    Column(id="made_at", title=gettext_lazy("Planned"), template="outreach/day_cell.html", sorts_by="made_at"),
    Column(id="entity", title=gettext_lazy("For"), shows=lambda row: row.entity.name),
    Column(id="purpose", title=gettext_lazy("Purpose"), template="outreach/purpose_cell.html", sorts_by="purpose"),
    Column(
        id="people", title=gettext_lazy("In the file"), number=True,
        shows=lambda row: row.export.permitted if row.export and row.export.made_at else "–",
    ),
    Column(
        id="state", title=gettext_lazy("State"), template="outreach/sharing/state.html", shows=lambda row: row.state
    ),
)  # fmt: skip
RECIPIENTS: Final = (
    Column(
        id="name", title=gettext_lazy("Recipient"), template="outreach/sharing/name_cell.html", always=True,
        sorts_by="name",
    ),
    Column(id="role", title=gettext_lazy("What they are to us"), shows=lambda row: row.get_role_display()),
    Column(id="place", title=gettext_lazy("Where they are"), shows=lambda row: place_said(row.place)),
    Column(id="entity", title=gettext_lazy("For"), shows=lambda row: row.entity.name),
    Column(
        id="review_on", title=gettext_lazy("Agreed until"), template="outreach/sharing/review_cell.html",
        sorts_by="review_on", shows=lambda row: in_order(row, timezone.localdate()),
    ),
)  # fmt: skip


@staff_page(may=queries.SEES)
def sharings(request: StaffRequest) -> HttpResponse:
    """List what was shared."""
    rows = queries.sharings_seen_by(request.staff)
    tellings = queries.tellings_seen_by(request.staff)
    today = timezone.localdate()
    told = {
        "listing": listed(request, rows=rows, columns=COLUMNS, sort="-made_at"),
        "may_make": may_do(request.staff, actions.WORD),
        "waiting": tellings.filter(told_at=None).count(),
        "overdue": queries.overdue(tellings, today, today - telling_of.PATIENCE).count(),
    }
    return render(request, "outreach/sharing/sharings.html", told)


# ---------------------------------------------------------------- recipients


@staff_page(may=queries.SEES)
def recipients(request: StaffRequest) -> HttpResponse:
    """List who may get lists, or got some."""
    rows = queries.recipients_seen_by(request.staff)
    told = {
        "listing": listed(request, rows=rows, columns=RECIPIENTS, sort="name"),
        "may_edit": may_do(request.staff, "recipient.edit"), "entities": _may_register_for(request),
    }  # fmt: skip
    return render(request, "outreach/sharing/recipients.html", told)


def _may_register_for(request: StaffRequest) -> Sequence[Entity]:
    mine = entities_with(request.staff, "recipient.edit")
    return list(entities_seen_by(request.staff).filter(ref__in=mine).order_by("name"))


@staff_page(may="recipient.edit")
def recipient_new(request: StaffRequest) -> HttpResponse:
    """Register somebody who may get lists."""
    entities = _may_register_for(request)
    wanted = request.GET.get("entity", "")
    entity = next((one for one in entities if str(one.ref) == wanted), entities[0] if entities else None)
    if entity is None:
        raise NotYours("recipient.edit")
    form = RecipientGiven(request.POST or None, initial={"place": entity.place, "review_on": _in_a_year()})
    if request.method == "POST" and form.is_valid():
        made = actions.register_recipient(entity=entity, by=request.staff, **form.cleaned_data)
        return redirect("outreach:recipient", made.ref)
    told = {"form": form, "entity": entity, "title": _("Register a recipient")}
    return render(request, "outreach/sharing/recipient_form.html", told)


def _in_a_year() -> str:
    return (timezone.localdate() + timedelta(days=365)).isoformat()


@staff_page(may="recipient.edit")
def recipient_change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what is said of a recipient."""
    one = queries.one_recipient(request.staff, ref)
    demand(request.staff, "recipient.edit", one.entity)
    form = RecipientGiven(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        if try_or_show(form, lambda: actions.change_recipient(recipient=one, by=request.staff, **said)):
            return redirect("outreach:recipient", ref)
    told = {"form": form, "entity": one.entity, "title": one.name}
    return render(request, "outreach/sharing/recipient_form.html", told)


@staff_page(may=queries.SEES)
def recipient(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a recipient: what was agreed, what they got, what they were told of."""
    one = queries.one_recipient(request.staff, ref)
    today = timezone.localdate()
    tellings = queries.tellings_seen_by(request.staff).filter(recipient=one)
    late = set(queries.overdue(tellings, today, today - telling_of.PATIENCE).values_list("ref", flat=True))
    told = {
        "one": one, "in_order": in_order(one, today), "place": place_said(one.place),
        "sharings": queries.sharings_seen_by(request.staff).filter(recipient=one)[:20],
        "tellings": [(each, each.ref in late) for each in tellings[:50]],
        "may_edit": not one.ended_at and may_do(request.staff, "recipient.edit", one.entity),
        "may_tell": may_do(request.staff, telling_of.WORD, one.entity),
    }  # fmt: skip
    return render(request, "outreach/sharing/recipient.html", told)


@staff_page(may="recipient.edit")
@require_POST
def recipient_end(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let a recipient get nothing any more."""
    one = queries.one_recipient(request.staff, ref)
    actions.end_recipient(recipient=one, by=request.staff)
    messages.success(request, _("They get nothing any more. Of later refusals they are told still."))
    return redirect("outreach:recipient", ref)


# ---------------------------------------------------------------- planning one


@staff_page(may=actions.WORD)
def new(request: StaffRequest) -> HttpResponse:
    """Plan to give the people of a list to somebody: its address is that list's."""
    look, purposes = _shared_for(request)
    found = chosen(look, request.GET)
    may_get = queries.recipients_for(look.entity, timezone.localdate())
    form = SharingPlanned(
        request.POST or None, staff=request.staff, entity=look.entity, purposes=purposes, recipients=may_get
    )
    if request.method == "POST" and form.is_valid():
        query = kept_of(request.GET, look.entity.ref)
        said = form.cleaned_data
        if (made := _plan(form, said, query, request)) is not None:
            return redirect("outreach:sharing", made.ref)
    told = {
        "form": form, "entity": look.entity, "many": found.narrow(persons_seen_by(request.staff, look.entity)).count(),
        "query": request.GET.urlencode(), "chips": found.chips(request.GET), "anybody": may_get.exists(),
        "may_register": may_do(request.staff, "recipient.edit", look.entity),
    }  # fmt: skip
    return render(request, "outreach/sharing/new.html", told)


def _plan(form: SharingPlanned, said: dict[str, Any], query: str, request: StaffRequest) -> Sharing | None:
    try:
        return actions.plan_sharing(query=query, by=request.staff, **said)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _shared_for(request: StaffRequest) -> tuple[Look, list[str]]:
    """Return for whom the list is read, and for which purposes one may share. Raises NotYours."""
    wanted = request.GET.get("entity", "")
    for entity in sorted(entities_seen_by(request.staff).order_by("name"), key=lambda each: str(each.ref) != wanted):
        purposes = purposes_of(request.staff, entity, "share")
        seen_for = purposes_of(request.staff, entity)
        if purposes and seen_for and may_do(request.staff, actions.WORD, entity):
            purpose = purposes[0] if purposes[0] in seen_for else seen_for[0]
            return Look(viewer=request.staff, entity=entity, purpose=purpose), purposes
        if str(entity.ref) == wanted:
            break
    raise NotYours(actions.WORD)


# ---------------------------------------------------------------- one sharing


@staff_page(may=queries.SEES)
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a sharing: what the law says of its people, what it wants beside, and the file."""
    sharing = queries.one_sharing(request.staff, ref)
    draft, query = sharing.export is None, QueryDict(sharing.query)
    look = _look(request, sharing)
    wanting = queries.wanting(sharing)
    told = {
        "one": sharing, "state": sharing.state, "audience": queries.listed(sharing), "wanting": wanting,
        "proofs": ProofsGiven(wanted=[each for each in wanting if each.provable]) if draft else None,
        "provable": any(each.provable for each in wanting), "chips": chosen(look, query).chips(query),
        "columns": _titles(sharing), "place": place_said(sharing.recipient.place),
        "in_order": in_order(sharing.recipient, timezone.localdate()),
        "approval": queries.approval_of(sharing) if draft else None, "why": WhyShared(),
        "may_make": may_do(request.staff, actions.WORD, sharing.entity), "draft": draft,
        "mine": bool(sharing.export and sharing.export.asked_by_id == request.staff.pk),
        "covered": bool(sharing.export and is_covered(sharing.export)),
    }  # fmt: skip
    return render(request, "outreach/sharing/sharing.html", told)


def _look(request: StaffRequest, sharing: Sharing) -> Look:
    return Look(viewer=request.staff, entity=sharing.entity, purpose=sharing.purpose)


def _titles(sharing: Sharing) -> Sequence[str]:
    known = {column.id: str(column.title) for column in columns_of(sharing.entity, FieldClass)}
    return [known.get(each, each) for each in sharing.columns]


@staff_page(may=actions.WORD)
@require_POST
def audience(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Ask the law about everybody on the list."""
    sharing = queries.one_sharing(request.staff, ref)
    try_or_tell(request, lambda: actions.look_at_list(sharing=sharing, look=_look(request, sharing)))
    return redirect("outreach:sharing", ref)


@staff_page(may=actions.WORD)
@require_POST
def proofs(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Say where that lies which the law wants beside a contract."""
    sharing = queries.one_sharing(request.staff, ref)
    form = ProofsGiven(request.POST, wanted=queries.proofs_wanted(sharing))
    if form.is_valid():
        said = form.cleaned_data
        try_or_tell(request, lambda: actions.say_where_proof_lies(sharing=sharing, proofs=said, by=request.staff))
    return redirect("outreach:sharing", ref)


@staff_page(may=actions.WORD)
@require_POST
def ask_second(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Lay a sharing before a second person."""
    sharing, form = queries.one_sharing(request.staff, ref), WhyShared(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try_or_tell(request, lambda: actions.ask_second_person(sharing=sharing, reason=reason, asked_by=request.staff))
    return redirect("outreach:sharing", ref)


@staff_page(may=actions.WORD)
@require_POST
def make(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Make the file: of those whom the law permits now."""
    sharing = queries.one_sharing(request.staff, ref)
    try_or_tell(request, lambda: _made(sharing, request))
    return redirect("outreach:sharing", ref)


def _made(sharing: Sharing, request: StaffRequest) -> None:
    export = actions.begin_sharing(sharing=sharing, look=_look(request, sharing))
    if export.asked <= exports.AT_ONCE:
        exports.make_file(export=export)
    else:
        defer_file(export=export)


@staff_page(may=queries.SEES)
def given(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show who got one person's data: what an access request asks for."""
    rows = [
        (entity, found)
        for entity in entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, queries.SEES))
        if (found := queries.given_of(ref, entity))
    ]
    may = any(may_do(request.staff, telling_of.WORD, entity) for entity, _found in rows)
    return render(request, "outreach/sharing/given.html", {"person": ref, "rows": rows, "may_tell": may})


@staff_page(may=telling_of.WORD)
@require_POST
def corrected(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Let everybody who got a person's data be told that they were corrected."""
    many = sum(
        telling_of.pass_on_correction(person=ref, entity=entity, by=request.staff)
        for entity in entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, telling_of.WORD))
    )
    if many:
        messages.success(request, _("Noted. Each recipient is told with the next notice."))
    return redirect("outreach:sharing-given", ref)


# ---------------------------------------------------------------- telling recipients


@staff_page(may=telling_of.WORD)
@require_POST
def tell(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Give out the file of a notice, to be sent on; it counts as told."""
    known = queries.one_telling(request.staff, ref)
    answer = HttpResponse(
        telling_of.hand_to_staff(telling=known, by=request.staff), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="{telling_of.name_of(known)}"'
    return answer


@staff_page(may=telling_of.WORD)
@require_POST
def acknowledged(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Note that a recipient has acknowledged a notice."""
    known = queries.one_telling(request.staff, ref)
    try_or_tell(request, lambda: telling_of.acknowledge(telling=known, by=request.staff))
    return redirect("outreach:recipient", known.recipient_id)


def in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    """Say a sharing that waits for a second person in words: what of whom, to whom, under which contract."""
    told = cast("dict[str, Any]", approval.request)
    yield gettext_lazy("What it is"), Operation(told["operation"]).label
    yield gettext_lazy("Who gets it"), f"{told['name']}: {Role(told['role']).label}, {place_said(told['place'])}"
    yield gettext_lazy("Contract"), f"{told['contract_on'] or '–'} {told['contract_at']}".strip()
    if told["transfer_tool"] != Tool.NONE:
        yield gettext_lazy("Paper for another country"), Tool(told["transfer_tool"]).label
    yield gettext_lazy("Of"), told["entity"]
    yield gettext_lazy("For"), term(told["purpose"])
    yield gettext_lazy("People at most"), told["people"]
    yield gettext_lazy("Columns"), ", ".join(told["columns"])
    yield gettext_lazy("Notice that names it"), told["named_in"] or "–"
    for kind, said in told["proofs"].items():
        yield gettext_lazy("Proof"), f"{kind}: {said}"
