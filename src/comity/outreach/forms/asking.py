"""What the law says about a form: whom its confirmation may be sent to, and who does not agree alone.

Nothing is recorded here, and nobody is looked at: somebody is only described. What is done then rests on a decision of
its own, which is on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from comity.book.facts import age_of
from comity.book.models import Person
from comity.counsel.asking import suppose, told_by
from comity.counsel.questions import Question
from comity.counsel.texts import text_book
from comity.law import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.law import Decision

Age = tuple[int, int]
"""The completed years that a month of birth leaves possible."""

PURPOSE: Final = "service"
CONFIRMS: Final[Mapping[str, object]] = {"use.contract_needs_it": True, "use.in_notice": True}
"""What a confirmation is: asked for by whoever filled the form in, who gets nothing without it, and told of it."""
ON_CONSENT: Final[Mapping[str, object]] = {"org.lia_on_file": False}
GROWN: Final = 30
ASK_PARENT: Final = "ask-parent"
WITHOUT_MESSAGE: Final = frozenset({"targeted-advertising", "analytics"})
"""Purposes that are no message: to profile is what one says yes to."""


def confirmation(entity: UUID) -> Question:
    """Return what the law is asked about the message that confirms.

    It performs what the person asked for, and is no advertising and no further question for a consent: those the law
    forbids before there is one.
    """
    return Question(operation="contact", purpose=PURPOSE, channel="email", entity=entity, more=CONFIRMS)


def is_confirmation(question: Question) -> bool:
    """Tell whether a question is that one."""
    return question == confirmation(question.entity)


def use_of(entity: UUID, purpose: str, channel: str) -> Question:
    """Return the use that a box is about, as it rests on that box alone.

    That we might have another ground for it makes no yes of a child's.
    """
    operation = "profile" if purpose in WITHOUT_MESSAGE else "contact"
    return Question(operation=operation, purpose=purpose, channel=channel, entity=entity, more=ON_CONSENT)


@dataclass(frozen=True)
class Visitor:
    """Whoever fills a form in, as far as they are described."""

    place: str
    age: Age | None = None
    signal: bool = False

    def told(self) -> dict[str, Any]:
        """Return what is known of them, as TOML would write it; they speak to us now, and said no to nothing."""
        facts: dict[str, Any] = {
            "person.home": [self.place], "relation.source": "person", "person.objected": False,
            "person.opt_out_signal": self.signal, "consent.withdrawn": False, "consent.opted_out": False,
        }  # fmt: skip
        if self.age:
            years = {"min": self.age[0], "max": self.age[1]}
            facts |= {"person.age": years, "person.known_age": years}
        return facts

    def agreed(self, day: date) -> dict[str, Any]:
        """Return the same of somebody who said yes by a form of ours and confirmed it."""
        return self.told() | {
            "consent.given": True, "consent.given_on": day.isoformat(), "consent.express": True,
            "consent.separate": True, "consent.names_caller": True, "consent.wording_kept": True,
            "consent.source_kept": True,
        }  # fmt: skip


def of_month(year: int, month: int, day: date) -> Age:
    """Return the age of somebody born in a month: where it could be either, both."""
    return age_of(Person(birth_year=year, birth_month=month), day) or (0, 150)


def needs_guardian(*, entity: UUID, uses: Iterable[tuple[str, str]], visitor: Visitor, day: date) -> bool:
    """Tell whether the law wants a parent's agreement to one of these uses, or to writing to them at all."""
    asked = [_suppose(confirmation(entity), visitor.told(), day)]
    asked += [_suppose(use_of(entity, *use), visitor.agreed(day), day) for use in uses]
    return any(one.verdict is not Verdict.PERMIT and ASK_PARENT in one.finding.cures for one in asked)


def _suppose(question: Question, told: Mapping[str, Any], day: date) -> Decision:
    return suppose(question=question, told=told, day=day)


# ---------------------------------------------------------------- the places of a form


def every_place_of(places: Iterable[str], day: date) -> list[str]:
    """Return the places that these codes and groups stand for."""
    return sorted(text_book().expanded(places, day))


def offered(entity: UUID, places: Iterable[str], day: date, *, asks_age: bool) -> list[str]:
    """Return those of the places to whose people the law lets a confirmation be sent now."""
    known = told_by(confirmation(entity))
    return [one for one in every_place_of(places, day) if _may_confirm(known, entity, one, day, asks_age=asks_age)]


@lru_cache(maxsize=4_096)
def _may_confirm(_entity_now: str, entity: UUID, place: str, day: date, *, asks_age: bool) -> bool:
    visitor = Visitor(place, (GROWN, GROWN) if asks_age else None)
    return _suppose(confirmation(entity), visitor.told(), day).verdict is Verdict.PERMIT


def wants_age(entity: UUID, uses: Sequence[tuple[str, str]], place: str, day: date) -> bool:
    """Tell whether the law of a place cannot answer for its people before it knows how old they are."""
    return needs_guardian(entity=entity, uses=uses, visitor=Visitor(place), day=day)


def answer_to(entity: UUID, use: tuple[str, str], place: str, day: date) -> Decision:
    """Return what the law says of a box for a grown-up of a place who ticked and confirmed it."""
    return _suppose(use_of(entity, *use), Visitor(place, (GROWN, GROWN)).agreed(day), day)
