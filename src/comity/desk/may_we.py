"""The cards at the head of a person's page: for each way to reach them, what the law says today, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.opening import GIVEN_BY_PURPOSE
from comity.counsel.asking import Answer, ask
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.law.lawbook import Rule

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.law import Decision


@dataclass(frozen=True, kw_only=True)
class Way:
    """A use that a card asks about."""

    id: str
    what: _StrPromise
    icon: str
    purpose: str
    channel: str

    def question(self, entity: UUID) -> Question:
        """Return the question to the law that this card is."""
        more = GIVEN_BY_PURPOSE.get(self.purpose, {})
        return Question(operation="contact", purpose=self.purpose, channel=self.channel, entity=entity, more=more)


WAYS: Final = (
    Way(id="email-service", what=_("E-mail, about an order"), icon="mail", purpose="service", channel="email"),
    Way(id="email-marketing", what=_("E-mail, marketing"), icon="megaphone", purpose="marketing", channel="email"),
    Way(
        id="sms-marketing", what=_("Text message, marketing"), icon="message-square", purpose="marketing", channel="sms"
    ),
    Way(id="call-marketing", what=_("Call, marketing"), icon="phone", purpose="marketing", channel="call"),
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One card as the page draws it."""

    way: Way
    answer: Answer
    href: str
    chosen: bool

    @property
    def verdict(self) -> Verdict:
        return self.answer.verdict

    @property
    def what(self) -> _StrPromise:
        return self.way.what

    @property
    def icon(self) -> str:
        return self.way.icon

    @property
    def obligations(self) -> int:
        return len(self.answer.decision.finding.obligations)

    @property
    def because(self) -> str:
        """The citation of the weightiest reason."""
        return next((reason.cite for reason in self.answer.decision.reasons if reason.cite), "")


def cards_of(person: UUID, entity: UUID, day: date, chosen: str) -> list[Card]:
    """Ask about each way to reach a person."""
    return [
        Card(
            way=way, answer=ask(question=way.question(entity), persons=[person], day=day)[person],
            href=f"?why={way.id}#why", chosen=way.id == chosen,
        )
        for way in WAYS
    ]  # fmt: skip


def why(card: Card, day: date) -> dict[str, Any]:
    """Return the "Why?" panel of a card: reasons with their citations, what is missing, what must go along, cures."""
    decision = card.answer.decision
    rules = {rule.id: rule for law in decision.plan.book.laws for rule in law.rules}
    title = {"permit": say("Why may we?"), "deny": say("Why may we not?"), "ask": say("What is open?")}
    vocabulary = decision.plan.book.vocabulary.facts
    return {
        "title": f"{card.what}: {title[card.verdict.value]}",
        "verdict": card.verdict,
        "asked": say("Asked for %(day)s") % {"day": day.isoformat()},
        "reasons": list(_reasons(card.answer, decision, rules)),
        "missing": [{"says": vocabulary[name].means} for name in decision.missing],
        "obligations": [
            {"says": each.says, "cite": _cites(each.rules, rules)} for each in decision.finding.obligations
        ],
        "cures": [{"says": decision.plan.book.cures[name].says} for name in decision.finding.cures],
    }


def _reasons(answer: Answer, decision: Decision, rules: Mapping[str, Rule]) -> Iterator[dict[str, Any]]:
    if answer.ruling:
        yield {
            "says": say("A human settled this: %(reason)s") % {"reason": answer.ruling.reason},
            "note": say("Until %(day)s") % {"day": answer.ruling.ends_on.isoformat()},
        }
    for reason in decision.reasons:
        if reason.weight is decision.verdict or reason.weight is answer.verdict:
            rule = rules.get(reason.rule)
            yield {
                "says": reason.says, "cite": reason.cite, "url": reason.url,
                "since": rule.span.start if rule else None, "checked": rule.checked if rule else None,
            }  # fmt: skip


def _cites(ids: tuple[str, ...], rules: Mapping[str, Rule]) -> str:
    return "; ".join(dict.fromkeys(rules[each].source.cite for each in ids if each in rules))
