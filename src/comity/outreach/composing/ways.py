"""How each obligation is met: by making the message so, by looking, by the hour of sending, by records, or not here.

INVARIANT: an obligation that is not met is an error, and so is one of a kind that is not below: nothing is sent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Final

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.content import NotComposed


class Way(Enum):
    """How an obligation is met."""

    MAKING = "making"  # the message is made so
    CHECKING = "checking"  # what was written is looked at; if it is not so, nothing is made
    TIME = "time"  # whoever sends keeps to hours, pauses and numbers
    RECORDS = "records"  # whoever sends looks up what is on file: a register's day, a contract, an assessment
    KEPT = "kept"  # the book keeps it by itself, whatever is sent
    NOT_HERE = "not here"  # no message of this kind can meet it


WAYS: Final[Mapping[str, Way]] = {
    "unsubscribe": Way.MAKING, "sender-identity": Way.MAKING, "postal-address": Way.MAKING, "ad-label": Way.MAKING,
    "right-to-object-notice": Way.MAKING, "origin-notice": Way.MAKING, "transfer-notice": Way.MAKING,
    "opt-out-link": Way.MAKING, "ai-disclosure": Way.MAKING, "fixed-sentence": Way.MAKING,
    "withdrawal-told": Way.MAKING, "plain-option": Way.MAKING, "explain-logic": Way.MAKING,
    "call-disclosure": Way.MAKING,
    "truthful-subject": Way.CHECKING, "separate-pixel-consent": Way.CHECKING, "caller-id": Way.CHECKING,
    "calling-hours": Way.TIME, "call-limit": Way.TIME, "no-more-texts": Way.TIME,
    "register-check": Way.RECORDS, "hand-over-consent-proof": Way.RECORDS, "processor-contract": Way.RECORDS,
    "impact-assessment": Way.RECORDS, "human-review": Way.RECORDS, "keep-call-records": Way.RECORDS,
    "keep-consent-proof": Way.KEPT, "suppression-list": Way.KEPT, "confirm-opt-out": Way.KEPT,
    "log-disclosure": Way.KEPT, "minimum-necessary": Way.KEPT,
    "guardian-notice": Way.NOT_HERE, "financial-notice": Way.NOT_HERE,
}  # fmt: skip
"""Every kind of packs/obligations.toml.

Why the book keeps some: consents and refusals are a history that only grows, with their words; every giving is in the
ledger; a preference page shows what was done; only fields that a content names are opened.
"""


class Unmet(NotComposed):
    """An obligation that this message does not meet. `kind` is the obligation's, `rules` are those that want it."""

    def __init__(self, obligation: Merged, why: str) -> None:
        told = _("Not sent: “%(says)s” (%(kind)s, wanted by %(rules)s) is not met. %(why)s")
        super().__init__(
            told % {"says": obligation.says, "kind": obligation.kind, "rules": ", ".join(obligation.rules), "why": why}
        )
        self.says, self.kind, self.rules, self.why = obligation.says, obligation.kind, obligation.rules, why


def way_of(obligation: Merged) -> Way:
    """Return how an obligation is met. Raises Unmet for a kind that is not known here."""
    way = WAYS.get(obligation.kind)
    if way is None:
        raise Unmet(
            obligation, _("Nothing here knows how to meet an obligation of this kind; say so to whoever keeps Comity.")
        )
    return way


def to_see_to(obligations: Iterable[Merged]) -> tuple[Merged, ...]:
    """Return the obligations that whoever sends must see to before the hand-over: by the hour or by what is on file."""
    return tuple(one for one in obligations if way_of(one) in {Way.TIME, Way.RECORDS})


def by_kind(obligations: Iterable[Merged], *, seen_to: Collection[str]) -> dict[str, Merged]:
    """Return the obligations by kind. Raises Unmet for one that is of no known kind, not for here, or not seen to."""
    wanted = {one.kind: one for one in obligations}
    for one in wanted.values():
        way = way_of(one)
        if way is Way.NOT_HERE:
            raise Unmet(one, _why_not_here(one.kind))
        if way in {Way.TIME, Way.RECORDS} and one.kind not in seen_to:
            raise Unmet(one, _("Whoever sends must see to it first, and has not said so."))
    return wanted


def _why_not_here(kind: str) -> str:
    if kind == "guardian-notice":
        return _("It is for the parent or guardian: write to them, and ask again when they have answered.")
    return _("It is a notice of its own, with a time to answer it: send that first.")
