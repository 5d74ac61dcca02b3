"""The cards at the head of a person's page: for each way to reach them, what the law says, and what would help."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.editing.leave import may_edit
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.consent.views import WORD
from comity.counsel import reading
from comity.counsel.asking import Answer, ask
from comity.counsel.models import OpenQuestion
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.staff.guards import may_do

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.book.opening import Look


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
    fragment: str  # what htmx fetches instead of the whole page
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


def cards_of(look: Look, person: UUID, day: date, chosen: str) -> list[Card]:
    """Ask about each way to reach a person."""
    page, part = reverse("desk:person", args=[person]), reverse("desk:may", args=[person])
    cards = []
    for way in WAYS:
        query = _query(look, why=way.id)
        answer = ask(question=way.question(look.entity.ref), persons=[person], day=day)[person]
        cards.append(
            Card(
                way=way, answer=answer, href=f"{page}?{query}#why", fragment=f"{part}?{query}", chosen=way.id == chosen
            )
        )
    return cards


def _query(look: Look, **more: str) -> str:
    return urlencode({"entity": str(look.entity.ref), "purpose": look.purpose, **more})


# ---------------------------------------------------------------- what changed


@dataclass(frozen=True, kw_only=True)
class Turned:
    """A way whose verdict is another than it was a moment ago."""

    what: _StrPromise
    before: str
    now: Verdict


def told(cards: list[Card]) -> str:
    """Return what the cards say, to be compared with what they say later."""
    return ".".join(card.verdict.value for card in cards)


def turned(cards: list[Card], was: str) -> list[Turned]:
    """Return the ways whose verdict is not what `told` said of them before."""
    before = was.split(".")
    if len(before) != len(cards) or not set(before) <= {verdict.value for verdict in Verdict}:
        return []
    return [
        Turned(what=card.what, before=then, now=card.verdict)
        for card, then in zip(cards, before, strict=True)
        if then != card.verdict.value
    ]


# ---------------------------------------------------------------- what would help

FILLED_IN: Final = {
    "person.home": ("book:edit-facts", "facts-home_0"), "person.age": ("book:edit-facts", "facts-birth_year"),
    "person.known_age": ("book:edit-facts", "facts-birth_year"),
    "person.capacity": ("book:edit-facts", "facts-capacity"),
    "person.subscriber": ("book:edit-facts", "facts-subscriber"),
    "relation.customer": ("book:edit-relation", "relation-customer_since"),
    "relation.contract_running": ("book:edit-relation", "relation-contract_running"),
    "relation.address_from_sale": ("book:edit-relation", "relation-address_from_sale"),
    "relation.refusal_offered": ("book:edit-relation", "relation-refusal_offered"),
    "relation.last_purchase_on": ("book:edit-relation", "relation-last_purchase_on"),
    "relation.last_inquiry_on": ("book:edit-relation", "relation-last_inquiry_on"),
    "relation.source": ("book:edit-relation", "relation-source"),
}  # fmt: skip
"""By which form, and in which field, a missing fact is filled in."""
BY_CONSENT: Final = frozenset({
    "ask-consent", "ask-separate-consent", "ask-written-consent", "ask-parent", "record-evidence", "record-opt-outs",
})  # fmt: skip
"""Cures after which somebody has something to take down."""


def why(card: Card, look: Look, person: UUID, day: date) -> dict[str, Any]:
    """Return the "Why?" panel of a card, in which what would help leads there."""
    title = {"permit": say("Why may we?"), "deny": say("Why may we not?"), "ask": say("What is open?")}
    panel = reading.why(
        card.answer, title=f"{card.what}: {title[card.verdict.value]}",
        asked=say("Asked for %(day)s") % {"day": date_format(day)},
    )  # fmt: skip
    panel["missing"] = [each | _filled_in(str(each["fact"]), look, person) for each in panel["missing"]]
    panel["cures"] = list(_cures(card, look, person, panel["cures"]))
    return panel


def _filled_in(fact: str, look: Look, person: UUID) -> Mapping[str, str]:
    if fact not in FILLED_IN or not may_edit(look):
        return {}
    name, field = FILLED_IN[fact]
    return {"href": f"{reverse(name, args=[person])}?{_query(look)}#{field}"}


def _cures(card: Card, look: Look, person: UUID, said: list[dict[str, str]]) -> Iterator[dict[str, Any]]:
    """Give each cure as a button that leads to the lawful way; and counsel, where the law leaves it to a human."""
    ids = card.answer.decision.finding.cures
    for cure, each in zip(ids, said, strict=True):
        if cure == "ask-counsel" and card.verdict is Verdict.ASK:
            continue
        yield each | _way_to(cure, card, look, person)
    if card.verdict is Verdict.ASK:
        yield _to_counsel(card, look, person)


def _way_to(cure: str, card: Card, look: Look, person: UUID) -> dict[str, str]:
    if cure in BY_CONSENT and may_do(look.viewer, WORD, look.entity):
        query = _query(look, about=card.way.purpose, by=card.way.channel)
        return {"href": f"{reverse('consent:says', args=[person, 'yes'])}?{query}"}
    if cure == "find-home" and may_edit(look):
        return {"href": f"{reverse('book:edit-facts', args=[person])}?{_query(look)}#facts-home_0"}
    return {}


def _to_counsel(card: Card, look: Look, person: UUID) -> dict[str, Any]:
    """Lead to the question in the queue; where nobody has asked it yet, to a button that does."""
    asked = question_of(card.way, look, person)
    if asked:
        return {"says": say("Read the question to counsel"), "href": reverse("counsel:question", args=[asked.ref])}
    to = f"{reverse('desk:ask-counsel', args=[person])}?{_query(look)}"
    return {"says": say("Ask counsel to settle it"), "to": to, "sends": {"way": card.way.id}}


def question_of(way: Way, look: Look, person: UUID) -> OpenQuestion | None:
    """Return what waits for a human about this way to reach this person, if anything does."""
    asked = OpenQuestion.objects.filter(
        entity=look.entity, question=way.question(look.entity.ref).as_json(), concerned__person=person,
        closed_at=None, ruling=None,
    )  # fmt: skip
    return asked.order_by("-last_asked_on", "-ref").first()
