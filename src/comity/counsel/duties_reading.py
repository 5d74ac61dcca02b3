"""Duties as people read them: what is to be done for whom, by when in words, and what it is all about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from comity.counsel.models import OwedDuty
from comity.counsel.reading import said_of

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

ACTS: Final[dict[str, _StrPromise]] = {
    "acknowledge": pgettext_lazy("duty", "Acknowledge"), "answer": pgettext_lazy("duty", "Answer"),
    "refuse": pgettext_lazy("duty", "Refuse, and say so"), "appeal": pgettext_lazy("duty", "Deal with an appeal"),
    "verify": pgettext_lazy("duty", "Verify"), "notify": pgettext_lazy("duty", "Notify"),
    "report": pgettext_lazy("duty", "Report"), "record": pgettext_lazy("duty", "Keep a record"),
    "assess": pgettext_lazy("duty", "Assess"), "consult": pgettext_lazy("duty", "Consult"),
    "appoint": pgettext_lazy("duty", "Appoint"), "audit": pgettext_lazy("duty", "Audit"),
    "train": pgettext_lazy("duty", "Train"), "publish": pgettext_lazy("duty", "Publish"),
    "stop": pgettext_lazy("duty", "Stop the use"), "pass-on": pgettext_lazy("duty", "Pass on"),
    "delete": pgettext_lazy("duty", "Delete"), "freeze": pgettext_lazy("duty", "Store only"),
    "keep": pgettext_lazy("duty", "Keep"), "contract": pgettext_lazy("duty", "Make a contract"),
    "inform": pgettext_lazy("duty", "Inform"), "review": pgettext_lazy("duty", "Review"),
    "register": pgettext_lazy("duty", "Register"), "offer": pgettext_lazy("duty", "Offer"),
    "certify": pgettext_lazy("duty", "Certify"),
}  # fmt: skip
RECEIVERS: Final[dict[str, _StrPromise]] = {
    "person": pgettext_lazy("receiver", "the person"), "guardian": pgettext_lazy("receiver", "the guardian"),
    "relatives": pgettext_lazy("receiver", "the relatives"), "authority": pgettext_lazy("receiver", "the authority"),
    "other-body": pgettext_lazy("receiver", "another body"), "controller": pgettext_lazy("receiver", "the controller"),
    "processor": pgettext_lazy("receiver", "the processor"), "recipients": pgettext_lazy("receiver", "the recipients"),
    "media": pgettext_lazy("receiver", "the media"), "credit-bureaus": pgettext_lazy("receiver", "credit bureaus"),
    "police": pgettext_lazy("receiver", "the police"), "public": pgettext_lazy("receiver", "the public"),
    "file": pgettext_lazy("receiver", "our own records"),
}  # fmt: skip
KINDS: Final[dict[str, _StrPromise]] = {
    "request-received": gettext_lazy("A request arrived"),
    "breach-discovered": gettext_lazy("A breach was discovered"),
    "transfer-planned": gettext_lazy("A transfer is planned"),
    "consent-withdrawn": gettext_lazy("A consent was withdrawn"),
    "opt-out-received": gettext_lazy("An objection or opt-out arrived"),
    "purpose-ended": gettext_lazy("A purpose ended"),
    "processing-started": gettext_lazy("Data came, or a use of them began"),
    "period-turned": gettext_lazy("A period ended"),
    "complaint-received": gettext_lazy("A complaint arrived"),
}
STEPS: Final[dict[str, tuple[_StrPromise, str, str]]] = {
    "noted": (gettext_lazy("Noted: the event makes us owe this"), "bell", ""),
    "certain": (gettext_lazy("Certain now: what was missing is known"), "circle-alert", "ask"),
    "done": (gettext_lazy("Done"), "circle-check", "permit"),
    "not-owed": (gettext_lazy("Not owed after all"), "circle-slash", ""),
    "opened-again": (gettext_lazy("Opened again"), "undo-2", "ask"),
    "counted": (gettext_lazy("Counted again by the law"), "calculator", ""),
}
"""What each step of a duty's history is called, with its icon and colour."""
SOON: Final = 7
"""Days within which a duty is due soon."""


# ---------------------------------------------------------------- by when


@dataclass(frozen=True, kw_only=True)
class When:
    """By when, in words: never by colour alone."""

    words: str
    kind: str  # "deny" (overdue), "ask" (soon, or not certain), "permit" (settled) or nothing
    icon: str
    day: date
    at: datetime | None = None

    @property
    def overdue(self) -> bool:
        """Whether its day has passed."""
        return self.kind == "deny"


def when(duty: OwedDuty, today: date) -> When:
    """Say by when a duty is owed, as of today."""
    at = datetime.fromisoformat(duty.told["at"]) if duty.told.get("at") else None
    if duty.settled:
        done = duty.settled == OwedDuty.Settled.DONE
        words = _("Done") if done else _("Not owed after all")
        icon = "circle-check" if done else "circle-slash"
        return When(words=words, kind="permit" if done else "", icon=icon, day=duty.settled_on or duty.day)
    left = (duty.day - today).days
    if duty.timing == OwedDuty.Timing.AT_ONCE:
        return When(words=_at_once(-left), kind="deny" if left < 0 else "ask", icon="alarm-clock", day=duty.day)
    if duty.timing == OwedDuty.Timing.EARLIEST:
        return When(words=_("Day not known; no earlier than"), kind="ask", icon="circle-dashed", day=duty.day)
    if left < 0:
        words = ngettext("Overdue by %(n)d day", "Overdue by %(n)d days", -left) % {"n": -left}
        return When(words=words, kind="deny", icon="triangle-alert", day=duty.day, at=at)
    words = _("Due today") if not left else ngettext("In %(n)d day", "In %(n)d days", left) % {"n": left}
    return When(words=words, kind="ask" if left <= SOON else "", icon="calendar-clock", day=duty.day, at=at)


def _at_once(since: int) -> str:
    if since <= 0:
        return _("At once")
    return ngettext("At once: overdue by %(n)d day", "At once: overdue by %(n)d days", since) % {"n": since}


# ---------------------------------------------------------------- what


def deed(duty: OwedDuty) -> str:
    """Say what is to be done for whom: "Inform the person"."""
    act, to = ACTS.get(duty.act, duty.act), RECEIVERS.get(duty.to, duty.to)
    body = duty.told.get("body")
    if duty.to == "file" or (duty.to == "public" and duty.act == "publish"):
        return str(act)
    return _("%(act)s: %(to)s") % {"act": act, "to": f"{to} ({body})" if body else to}


def why(duty: OwedDuty) -> dict[str, Any]:
    """Return the rule as it was said when the duty arose, with where it stands in the law today."""
    today, told = said_of(duty.rule), duty.told
    doubt = "" if told["confirmed"] else _("Nobody has confirmed yet that the rule was read rightly.")
    return {
        "id": duty.rule, "says": told["says"], "cite": told["cite"], "url": told["url"], "href": today.href,
        "since": today.since, "checked": today.checked, "note": doubt or today.note,
    }  # fmt: skip


def longer(duty: OwedDuty) -> list[dict[str, Any]]:
    """Return how the law lets a duty have more time, each with its days as days."""
    days = ("to", "tell_by", "told")
    return [
        {**one, **{name: date.fromisoformat(one[name]) if one[name] else None for name in days}}
        for one in duty.told["longer"]
    ]


# ---------------------------------------------------------------- what it is about

Resolver = Callable[[UUID], tuple[str, str] | None]
_resolvers: dict[str, Resolver] = {}


def register_about(room: str, resolver: Resolver) -> None:
    """Let a room say what one of its refs is, in words, and at which address it is shown. Called when it starts."""
    _resolvers[room] = resolver


def about(ref: UUID) -> tuple[str, str] | None:
    """Return what an event was about, in words, and where it is shown; nothing where no room knows it."""
    return next((found for resolver in _resolvers.values() if (found := resolver(ref))), None)


# ---------------------------------------------------------------- what may be done about it

Way = Callable[[OwedDuty], tuple[str, str] | None]
_ways: dict[str, Way] = {}


def register_way(room: str, way: Way) -> None:
    """Let a room offer to do what is owed: in words, and at which address. Called when it starts."""
    _ways[room] = way


def ways(duty: OwedDuty) -> list[tuple[str, str]]:
    """Return by which ways what is owed can be done here, in words with their addresses."""
    return [found for way in _ways.values() if (found := way(duty))]
