"""What can be done about a request from its page: for each verb its form, its word, and when it is offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from comity.rights.requests import actions, forms
from comity.rights.requests.actions import DECIDE, LEVELS, NOTE, WORK, most_to_ask
from comity.rights.requests.clocks import TOLD, Clock, certain_laws, clocks_of, overdue, wanted_of
from comity.rights.requests.models import OPEN, Level, Request, State
from comity.rights.requests.queries import duties_shown, who_may_work
from comity.rights.requests.remedies import exemptions_from
from comity.rights.requests.taking_effect import AT_ONCE
from comity.staff.guards import may_do
from comity.staff.queries import staff_seen_by

if TYPE_CHECKING:
    from django import forms as django_forms
    from django.utils.functional import _StrPromise

    from comity.rights.requests.remedies import Exemption
    from comity.staff.models import Staff


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request as one of the staff finds it today."""

    request: Request
    viewer: Staff
    today: date
    clocks: tuple[Clock, ...]

    @property
    def open(self) -> list[Clock]:
        """What is still to be done."""
        return [one for one in self.clocks if one.open]

    @property
    def late(self) -> bool:
        """Whether its day has passed."""
        return bool(overdue(self.clocks, self.today))

    @property
    def asked(self) -> bool:
        """Whether they were asked who they are, and have not shown it."""
        return self.request.proofs.filter(confirmed_on=None, failed_on=None).exists()

    @property
    def levels(self) -> list[Level]:
        """How certain one may want to be who asks."""
        most = most_to_ask(self.request.kind, self.request.asked_by)
        return [] if most is None else list(LEVELS[: LEVELS.index(most) + 1])


def case_of(request: Request, viewer: Staff, today: date) -> Case:
    """Return a request with its clocks, as of today."""
    return Case(request=request, viewer=viewer, today=today, clocks=tuple(clocks_of(duties_shown(request), today)))


Say = Callable[[Case], "dict[str, Any]"]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One thing that can be done."""

    id: str
    title: _StrPromise
    icon: str
    word: str
    form: type[django_forms.Form]
    act: Callable[..., object]
    says: _StrPromise
    needs: Say = lambda _case: {}
    offered: Callable[[Case], bool] = lambda _case: True
    lede: _StrPromise | str = ""
    by: str = "by"
    main: bool = False

    def address(self, request: Request) -> str:
        """Return where its form is."""
        return reverse(f"rights:{self.word.replace('.', '-')}", args=[request.ref, self.id])

    def filled(self, case: Case, data: Any = None) -> django_forms.Form:  # noqa: ANN401 - what was sent
        """Return its form."""
        return self.form(data, **self.needs(case))

    def do(self, case: Case, told: Mapping[str, Any]) -> object:
        """Do it."""
        return self.act(request=case.request, **told, **{self.by: case.viewer})


def verbs_for(case: Case) -> Iterator[Verb]:
    """Give what the viewer can do about it now."""
    is_open = case.request.state in OPEN
    for verb in VERBS.values():
        fits = is_open if verb.id != "appeal" else not is_open
        if fits and may_do(case.viewer, verb.word, case.request.entity_id) and verb.offered(case):
            yield verb


def _answered(case: Case) -> dict[str, Any]:
    others = [one for one in case.open if one.certain and one.duty.act not in {*TOLD, "refuse"}]
    decides = may_do(case.viewer, DECIDE, case.request.entity_id)
    exempt = _exemptions(case) if decides else []
    return {"late": case.late, "wanted": wanted_of(case.open), "others": others, "exemptions": exempt}


def _refused(case: Case) -> dict[str, Any]:
    return {"late": case.late, "exemptions": _exemptions(case)}


def _exemptions(case: Case) -> list[Exemption]:
    """Return by which exceptions it could be refused: those of laws that certainly count, where any does."""
    of = certain_laws(case.open)
    return exemptions_from(one.duty for one in case.open if one.law in of)


def _act_answer(**told: Any) -> object:  # noqa: ANN401 - of each argument its own
    told["also_done"] = [UUID(ref) for ref in told.get("also_done", ())]
    return actions.answer(**told)


def _handlers(case: Case) -> dict[str, Any]:
    return {"staff": who_may_work(case.request, staff_seen_by(case.viewer))}


VERBS: Final[Mapping[str, Verb]] = {verb.id: verb for verb in (
    Verb(
        id="answer", title=_("It was answered"), icon="circle-check", word=WORK, form=forms.Answered, needs=_answered,
        act=_act_answer, says=_("Answered. Each law's duty to answer is settled."), main=True,
    ),
    Verb(
        id="match", title=_("Whose data it is about"), icon="user-round-search", word=WORK, form=forms.Matched,
        act=actions.match_person, says=_("Matched. The law of their home was asked."),
        lede=_("What they say no to ends for this person at once. The law of their home counts the clocks anew."),
    ),
    Verb(
        id="ask-identity", title=_("Ask who they are"), icon="id-card", word=WORK, form=forms.IdentityAsked,
        needs=lambda case: {"levels": case.levels}, act=actions.ask_identity, says=_("It waits for them now."),
        offered=lambda case: bool(case.levels) and not case.asked,
        lede=_("Ask for no more than is needed. Whether a clock stands still meanwhile, each law says."),
    ),
    Verb(
        id="confirm-identity", title=_("It is certain who asks"), icon="badge-check", word=WORK,
        form=forms.IdentityConfirmed, act=actions.confirm_identity, says=_("It is certain who asks."),
        offered=lambda case: case.request.kind not in AT_ONCE,
    ),
    Verb(
        id="doubt", title=_("It cannot be made certain who asks"), icon="shield-question-mark", word=DECIDE,
        form=forms.InWords, needs=lambda _case: {"label": _("What was tried, and why it is not enough")},
        act=actions.doubt, says=_("Noted. What the law makes of it stands among the clocks."),
        offered=lambda case: case.request.kind not in AT_ONCE,
    ),
    Verb(
        id="ask-clarification", title=_("Ask what they mean"), icon="message-circle-question-mark", word=WORK,
        form=forms.InWords, needs=lambda _case: {"label": _("What they were asked")}, act=actions.ask_clarification,
        says=_("It waits for them now."), offered=lambda case: case.request.kind not in AT_ONCE,
    ),
    Verb(
        id="clarified", title=_("They said what they mean"), icon="message-circle-check", word=WORK,
        form=forms.InWords, needs=lambda _case: {"label": _("What was made clear")}, act=actions.clarified,
        says=_("Noted."), offered=lambda case: case.request.state == State.CHECKING,
    ),
    Verb(
        id="hand-over", title=_("Hand it over"), icon="user-round-cog", word=WORK, form=forms.HandedOver,
        needs=_handlers, act=actions.hand_over, says=_("Handed over."),
    ),
    Verb(
        id="extend", title=_("Take more time"), icon="calendar-plus", word=DECIDE, form=forms.InWords,
        needs=lambda _case: {"label": _("The reasons, as they were told today")}, act=actions.extend,
        says=_("The law counted again."), offered=lambda case: any(one.extends_until for one in case.open),
        lede=_("Only where it is complex or there are many, only within the first period, and only if they are told."),
    ),
    Verb(
        id="refuse", title=_("It was refused"), icon="circle-x", word=DECIDE, form=forms.Refused, needs=_refused,
        act=actions.refuse, says=_("Refused. Their remedies were told."),
        offered=lambda case: bool(_exemptions(case)),
    ),
    Verb(
        id="take-back", title=_("They took it back"), icon="undo-2", word=WORK, form=forms.InWords,
        needs=lambda _case: {"label": _("How they said so")}, act=actions.take_back, says=_("Taken back."),
    ),
    Verb(
        id="appeal", title=_("They want it looked at again"), icon="gavel", word=NOTE, form=forms.Appealed,
        needs=lambda case: {"today": case.today}, act=actions.appeal, says=_("Taken down, with a clock of its own."),
        offered=lambda case: bool(case.request.exceptions), by="noted_by",
    ),
)}  # fmt: skip
