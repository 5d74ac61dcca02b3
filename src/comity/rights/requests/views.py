"""Pages of requests: the board, the calendar of a month, one request, noting one down, and each step about it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comity.counsel import duties_reading as reading
from comity.counsel.reading import laws, places_said
from comity.refs import shown
from comity.rights.requests import actions, queries
from comity.rights.requests.actions import DECIDE, NOTE, WORK
from comity.rights.requests.clocks import certain_laws, leading, wanted_of
from comity.rights.requests.doorways import doorways_of
from comity.rights.requests.forms import Noted
from comity.rights.requests.letter import open_letter
from comity.rights.requests.models import OPEN, State
from comity.rights.requests.months import month_named, month_of, weeks_of
from comity.rights.requests.remedies import remedies_of
from comity.rights.requests.verbs import VERBS, Case, case_of, verbs_for
from comity.staff.guards import StaffRequest, demand, entities_with, may_do, staff_page
from comity.staff.listing import Column, listed
from comity.staff.queries import entities_seen_by
from comity.staff.trying import try_or_show
from comity.vault.epochs import KeyTrouble

if TYPE_CHECKING:
    from comity.rights.requests.clocks import Clock
    from comity.rights.requests.models import Request

COLUMNS: Final = (
    Column(
        id="when", title=gettext_lazy("By when"), template="rights/requests/when_cell.html", sorts_by="day",
        shows=lambda row: row.when, always=True,
    ),
    Column(
        id="what", title=gettext_lazy("What they ask"), template="rights/requests/what_cell.html", always=True,
        shows=lambda row: row.get_kind_display(),
    ),
    Column(id="received_on", title=gettext_lazy("Received"), sorts_by="received_on"),
    Column(id="state", title=gettext_lazy("State"), template="rights/requests/state_cell.html"),
    Column(
        id="handler", title=gettext_lazy("Who looks after it"),
        shows=lambda row: row.handler.name if row.handler else gettext_lazy("nobody yet"),
    ),
    Column(id="entity", title=gettext_lazy("Asked of"), shows=lambda row: row.entity.name, at_first=False),
)  # fmt: skip
TABS: Final = {
    "late": gettext_lazy("Late"), "at-risk": gettext_lazy("At risk"), "due": gettext_lazy("Not due yet"),
    "waiting": gettext_lazy("Waiting for the person"), "done": gettext_lazy("Over"),
}  # fmt: skip
SAYS: Final = {
    "late": gettext_lazy("Their day has passed. None is closed without the reason why it is late."),
    "at-risk": gettext_lazy("What must be done within a week."),
    "due": gettext_lazy("What has more than a week, or no day that is certain: a fact is missing, or it goes at once."),
    "waiting": gettext_lazy(
        "They were asked who they are or what they mean. Whether a clock stands still meanwhile, each law says."
    ),
    "done": gettext_lazy("What was answered, refused or taken back."),
}
STATES: Final = {
    State.RECEIVED: ("inbox", ""), State.CHECKING: ("hourglass", "ask"), State.WORKING: ("loader", "accent"),
    State.ANSWERED: ("circle-check", "permit"), State.REFUSED: ("circle-x", "deny"),
    State.WITHDRAWN: ("undo-2", ""),
}  # fmt: skip
STEPS: Final = {
    "received": (gettext_lazy("It came"), "inbox", ""),
    "took-effect": (gettext_lazy("It took effect at once"), "zap", "permit"),
    "matched": (gettext_lazy("It is known whose data it is about"), "user-round-search", ""),
    "handed-over": (gettext_lazy("Handed over"), "user-round-cog", ""),
    "identity-asked": (gettext_lazy("They were asked who they are"), "id-card", "ask"),
    "identity-confirmed": (gettext_lazy("It is certain who asks"), "badge-check", "permit"),
    "doubted": (gettext_lazy("It could not be made certain who asks"), "shield-question-mark", "deny"),
    "clarification-asked": (gettext_lazy("They were asked what they mean"), "message-circle-question-mark", "ask"),
    "clarified": (gettext_lazy("They said what they mean"), "message-circle", ""),
    "extended": (gettext_lazy("They were told that it takes longer"), "calendar-plus", "ask"),
    "answered": (gettext_lazy("Answered"), "circle-check", "permit"),
    "refused": (gettext_lazy("Refused"), "circle-x", "deny"),
    "taken-back": (gettext_lazy("Taken back"), "undo-2", ""),
    "appealed": (gettext_lazy("They want it looked at again"), "gavel", "ask"),
    "reminded": (gettext_lazy("Whoever looks after it was reminded"), "bell", "ask"),
    "escalated": (gettext_lazy("The privacy officer was told"), "siren", "deny"),
}
"""What each step is called, with its icon and colour."""


# ---------------------------------------------------------------- the board


@staff_page(may=queries.SEES)
def board(request: StaffRequest) -> HttpResponse:
    """List what was asked, by what there is to do about it."""
    today, seen = timezone.localdate(), queries.requests_seen_by(request.staff)
    asked = {name: request.GET.get(name, "") for name in ("law", "kind", "handler")}
    chosen = _filters(seen, asked)
    rows = queries.filtered(seen, **chosen)
    counts = queries.how_many(rows, today)
    tab = request.GET.get("state", "")
    tab = tab if tab in TABS else next((each for each in ("late", "at-risk", "due") if counts[each]), "due")
    order = "-received_on" if tab == "done" else "when"
    listing = listed(request, rows=queries.narrowed(rows, tab, today), columns=COLUMNS, sort=order)
    _say_when(listing.rows, today)
    told = {
        "listing": listing, "state": tab, "says": SAYS[tab], "chosen": chosen, "any": any(chosen.values()),
        "tabs": [
            {"name": name, "href": listing.address(state=each), "here": each == tab, "count": counts[each]}
            for each, name in TABS.items()
        ],
        "laws": [(each, laws()[each].name) for each in queries.laws_of(seen) if each in laws()],
        "kinds": queries.kinds(), "handlers": queries.handlers_of(seen),
        "may_note": may_do(request.staff, NOTE), "sees_duties": may_do(request.staff, "duty.view"),
    }  # fmt: skip
    return render(request, "rights/requests/board.html", told)


def _filters(seen: Any, asked: dict[str, str]) -> dict[str, str]:  # noqa: ANN401 - a queryset
    """Return the filters that mean something."""
    known = {
        "law": set(laws()), "kind": {code for code, _name in queries.kinds()},
        "handler": {"nobody", *(str(one.ref) for one in queries.handlers_of(seen))},
    }  # fmt: skip
    return {name: value if value in known[name] else "" for name, value in asked.items()}


def _say_when(rows: list[Request], today: date) -> None:
    """Add to each row what is next about it, and by when in words."""
    first = queries.first_duties(rows)
    for row in rows:
        duty = first.get(row.ref)
        row.next = duty  # type: ignore[attr-defined]  # for the cells
        row.when = reading.when(duty, today) if duty else None  # type: ignore[attr-defined]  # as above
        row.deed = reading.deed(duty) if duty else ""  # type: ignore[attr-defined]  # as above
        row.shape = STATES[State(row.state)]  # type: ignore[attr-defined]  # as above


@staff_page(may=queries.SEES)
def calendar(request: StaffRequest) -> HttpResponse:
    """Show what is due on each day of a month."""
    today = timezone.localdate()
    first = month_named(request.GET.get("month", ""), today)
    days = weeks_of(first)
    due = queries.due_between(request.staff, days[0][0], days[-1][-1] + timedelta(days=1))
    month = month_of(first, due, today)
    return render(request, "rights/requests/calendar.html", {"month": month, "today": today})


# ---------------------------------------------------------------- one


@staff_page(may=queries.SEES)
def one(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show a request: what they asked, its clocks with their reasons, what was done, and what can be done next."""
    found = queries.one_request(request.staff, ref)
    return render(request, "rights/requests/request.html", _page(request, found))


def _page(request: StaffRequest, found: Request) -> dict[str, Any]:
    case = case_of(found, request.staff, timezone.localdate())
    read, trouble = _read(request, found)
    home = found.wants.get("home", "")
    return {
        "one": found, "code": shown(found.ref), "kind": found.get_kind_display(), "shape": STATES[State(found.state)],
        "over": found.state not in OPEN, "read": read, "trouble": trouble, "home": places_said([home]) if home else "",
        "steps": _steps(found), "verbs": [(verb, verb.address(found)) for verb in verbs_for(case)],
        "others": queries.of_letter(found), "appeals": queries.appeals_of(found), "proofs": list(found.proofs.all()),
        "doorways": doorways_of(request.staff, found),
        "sees_duties": may_do(request.staff, "duty.view"), **clocks_told(case.clocks), **_remedies(case),
    }  # fmt: skip


def _remedies(case: Case) -> dict[str, Any]:
    """Return what whoever is refused can do: by the laws that certainly count, and by those that may."""
    of, every = certain_laws(case.clocks), remedies_of(one.duty for one in case.clocks)
    maybe = [one for one in every if one.law not in of]
    return {
        "remedies": [one for one in every if one.law in of], "may_count": maybe,
        "laws_that_may": len({one.law for one in maybe}),
    }  # fmt: skip


def clocks_told(clocks: tuple[Clock, ...]) -> dict[str, Any]:
    """Return the clocks of a request as its page shows them."""
    still = [one for one in clocks if one.open]
    return {
        "lead": leading(clocks), "clocks": [one for one in still if one.certain],
        "possible": [one for one in still if not one.certain], "settled": [one for one in clocks if not one.open],
        "wanted": wanted_of(clocks),
    }  # fmt: skip


def _read(request: StaffRequest, found: Request) -> tuple[object, str]:
    """Open the letter; where a key is missing or wrong, say what is the matter."""
    try:
        return open_letter(request.staff, found), ""
    except KeyTrouble as error:
        told = str(error) if may_do(request.staff, "key.view") else _("The keys of the book cannot be used now.")
        return None, told


def _steps(found: Request) -> list[dict[str, Any]]:
    steps = []
    for step in queries.steps_of(found):
        says, icon, kind = STEPS.get(step.did, (step.did, "circle-dot", ""))
        steps.append({"step": step, "says": says, "icon": icon, "kind": kind})
    return steps


# ---------------------------------------------------------------- noting one down


@staff_page(may=NOTE)
def new(request: StaffRequest) -> HttpResponse:
    """Note down what somebody asks, however it came."""
    entities = entities_seen_by(request.staff).filter(ref__in=entities_with(request.staff, NOTE)).order_by("name")
    first = {"person": request.GET.get("person", "")}
    form = Noted(request.POST or None, entities=entities, today=timezone.localdate(), initial=first)
    if form.is_valid():
        made: list[Request] = []
        if try_or_show(form, lambda: made.extend(_receive(request, form))):
            messages.success(request, _("Taken down. Its clocks run from the day it came."))
            return _after(request, made[0])
    return render(request, "rights/requests/new.html", {"form": form})


def _receive(request: StaffRequest, form: Noted) -> list[Request]:
    return actions.receive_request(noted_by=request.staff, **form.told)


def _after(request: StaffRequest, made: Request) -> HttpResponse:
    """Lead to the request, whoever may see it; else to a page that is theirs."""
    if may_do(request.staff, queries.SEES, made.entity_id):
        return redirect("rights:request", made.ref)
    return redirect("rights:request-new")


# ---------------------------------------------------------------- each step


@staff_page(may=NOTE)
def note(request: StaffRequest, ref: UUID, verb: str) -> HttpResponse:
    """Note down what comes about a request that is over."""
    return _step(request, ref, verb, NOTE)


@staff_page(may=WORK)
def work(request: StaffRequest, ref: UUID, verb: str) -> HttpResponse:
    """Take a step of the work on a request."""
    return _step(request, ref, verb, WORK)


@staff_page(may=DECIDE)
def decide(request: StaffRequest, ref: UUID, verb: str) -> HttpResponse:
    """Decide something about a request."""
    return _step(request, ref, verb, DECIDE)


def _step(request: StaffRequest, ref: UUID, name: str, word: str) -> HttpResponse:
    verb = VERBS.get(name)
    if verb is None or verb.word != word:
        raise Http404(_("There is no such step."))
    found = queries.one_request(request.staff, ref)
    demand(request.staff, word, found.entity)
    case = case_of(found, request.staff, timezone.localdate())
    if verb not in verbs_for(case):
        messages.warning(request, _("That cannot be done about this request now."))
        return redirect("rights:request", ref)
    form = verb.filled(case, request.POST or None)
    if request.method == "POST" and form.is_valid() and try_or_show(form, lambda: verb.do(case, form.cleaned_data)):
        messages.success(request, str(verb.says))
        return redirect("rights:request", ref)
    return render(request, "rights/requests/step.html", _step_page(case, verb, form))


def _step_page(case: Case, verb: Any, form: Any) -> dict[str, Any]:  # noqa: ANN401 - of its form the verb knows
    lead = leading(case.clocks)
    return {
        "one": case.request, "verb": verb, "form": form, "kind": case.request.get_kind_display(), "lead": lead,
        "late": case.late, **(_remedies(case) if verb.id == "refuse" else {}),
    }  # fmt: skip
