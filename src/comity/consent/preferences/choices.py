"""What a person can choose about one entity of ours: where each choice stands, on what it rests, and what was said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from comity.book.facts import REACHED_BY
from comity.book.models import ContactPoint, Person
from comity.consent.models import Consent, Said, Standing
from comity.consent.preferences.wording import CHANNELS, PURPOSES, WITHOUT_MESSAGE, Wording, wording_for
from comity.counsel.asking import ask
from comity.counsel.questions import ADVERTISING, Question
from comity.law import Verdict
from comity.staff.models import Entity

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.counsel.asking import Answer
    from comity.law import Reason

WITH_CHANNELS: Final = tuple(purpose for purpose in PURPOSES if purpose not in WITHOUT_MESSAGE)
USUAL: Final = ("email", "sms", "call", "post", "messenger")
"""Channels that are offered to whoever has an address for them; others are there if something was said about them."""
LONGEST_HISTORY: Final = 100
TO_THEM: Final[dict[str, _StrPromise]] = {
    "consent": _("You agreed to it, and it can be shown."),
    "legitimate-interest": _("It rests on an interest of ours, weighed against yours. If you say no, it ends."),
}
"""By what a ground is called within its law: what a pack says about the person, said to the person."""

Cell = tuple[str, str]
"""A purpose and a channel."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One thing that can be said yes or no to."""

    purpose: str
    channel: str
    stands: str  # yes, no, nothing
    since: datetime | None
    verdict: Verdict
    rests: str  # what the law says of it now
    to_them: _StrPromise | None  # the same as one says it to the person, where we have words for it
    cite: str
    wording: Wording

    @property
    def title(self) -> _StrPromise:
        """The channel, as people say it."""
        return CHANNELS[self.channel]

    @property
    def id(self) -> str:
        """Its name in forms and addresses."""
        return f"{self.purpose}.{self.channel}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """The choices about one purpose."""

    title: _StrPromise
    choices: Sequence[Choice]


@dataclass(frozen=True, kw_only=True)
class Known:
    """Somebody, as one of our entities knows what they said."""

    person: Person
    entity: Entity
    standing: dict[Cell, Standing]
    said: Sequence[Consent]  # the latest first
    reaches: frozenset[str]

    @property
    def cells(self) -> list[Cell]:
        """What they can choose about: by each way in which we can reach them, and whatever was said before."""
        found = {(purpose, channel) for purpose, channel in self.standing if purpose in PURPOSES}
        purposes = [each for each in WITH_CHANNELS if each != "fundraising" or _begs(self.entity)]
        by = [channel for channel in USUAL if REACHED_BY[channel] in self.reaches]
        found |= {(purpose, channel) for purpose in purposes for channel in by}
        found |= {(purpose, "none") for purpose in WITHOUT_MESSAGE}
        return sorted(found, key=lambda cell: (list(PURPOSES).index(cell[0]), list(CHANNELS).index(cell[1])))

    def stands(self, cell: Cell) -> str:
        """Return yes, no or nothing: where they stand. Who objected to advertising said no to all of it."""
        row = self.standing.get(cell)
        if row and (row.withdrawn or row.opted_out_on):
            return "no"
        if self.person.objected_at and cell[0] in ADVERTISING:
            return "no"
        return "yes" if row and row.given_id else "nothing"


def _begs(entity: Entity) -> bool:
    return bool(entity.facts.get("org.nonprofit"))


def person_of(ref: UUID) -> Person | None:
    """Return somebody who is in the book, under the ref of whom they were merged into; None if nobody is any more."""
    found = Person.objects.filter(ref=ref).first()
    while found is not None and found.merged_into_id:
        found = Person.objects.filter(ref=found.merged_into_id).first()
    return found


def entity_of(ref: UUID) -> Entity | None:
    """Return one of our entities."""
    return Entity.objects.filter(ref=ref).first()


def open_entities() -> list[Entity]:
    """Return those of our entities that still keep people."""
    return list(Entity.objects.filter(closed_at=None).order_by("name"))


def known_of(person: Person, entity: Entity) -> Known:
    """Return what somebody said to an entity, and how it can reach them."""
    standing = Standing.objects.filter(person=person.ref, entity=entity)
    said = Consent.objects.counting().filter(person=person.ref, entity=entity)
    points = ContactPoint.objects.filter(person=person).values_list("reach", flat=True)
    return Known(
        person=person, entity=entity, standing={(row.purpose, row.channel): row for row in standing},
        said=list(said[:LONGEST_HISTORY]), reaches=frozenset(points),
    )  # fmt: skip


def choices_of(known: Known, day: date) -> list[Group]:
    """Return all that can be chosen, with what the law says of each now."""
    choices = list(_choices(known, day))
    groups = ((title, [one for one in choices if one.purpose == purpose]) for purpose, title in PURPOSES.items())
    return [Group(title=title, choices=some) for title, some in groups if some]


def _choices(known: Known, day: date) -> Iterator[Choice]:
    for purpose, channel in known.cells:
        question, person = question_of(known.entity, purpose, channel), known.person.ref
        answer = ask(question=question, persons=[person], day=day)[person]
        reason = _rests(answer)
        yield Choice(
            purpose=purpose, channel=channel, stands=known.stands((purpose, channel)),
            since=_since(known.said, purpose, channel), verdict=answer.verdict,
            rests=reason.says if reason else "", cite=reason.cite if reason else "",
            to_them=TO_THEM.get(reason.rule.partition("/")[2]) if reason else None,
            wording=wording_for(known.entity, purpose, channel),
        )  # fmt: skip


def question_of(entity: Entity, purpose: str, channel: str) -> Question:
    """Return the use that a choice is about."""
    operation = "profile" if purpose in WITHOUT_MESSAGE else "contact"
    return Question(operation=operation, purpose=purpose, channel=channel, entity=entity.ref)


def _rests(answer: Answer) -> Reason | None:
    """Return the weightiest reason of the law's answer that has a citation."""
    weighty = (reason for reason in answer.decision.reasons if reason.weight is answer.decision.verdict)
    return next((reason for reason in weighty if reason.cite), None)


def _since(said: Iterable[Consent], purpose: str, channel: str) -> datetime | None:
    about = (
        one.said_at for one in said if (one.purpose, one.channel) == (purpose, channel) or one.said == Said.OBJECTED
    )
    return next(about, None)


def wanted_cell(known: Known, id_: str) -> Cell | None:
    """Return the purpose and channel that a form names, if they are on the page of this person."""
    return next((cell for cell in known.cells if ".".join(cell) == id_), None)


def latest_of(said: Sequence[Consent], id_: str) -> Consent | None:
    """Return what was said last about a purpose and channel, or of "all" the last thing said."""
    return next((one for one in said if id_ in {"all", f"{one.purpose}.{one.channel}"}), None)
