"""May we? The question to the law, for one person, for somebody described, or for many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from ninja import Router
from pydantic import Field, model_validator

from comity.api.door import ApiRequest, Caller, endpoint
from comity.api.findings import Findings
from comity.api.problems import Problem, Wrong, unfit
from comity.api.segments import CURSOR, ORDERS, Cursor, Segment, page
from comity.api.shapes import Asked, Day, Finding, Ref, Shape, Use
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.book.queries import persons_seen_by
from comity.counsel.actions import decide
from comity.counsel.asking import suppose
from comity.counsel.questions import Question
from comity.staff.guards import demand

router = Router(tags=["Decisions"])

MOST: Final = 1_000
"""Persons asked about at once."""
OURS: Final = frozenset({"use", "data", "actor"})
"""Namespaces of the facts that a use may bring along; those of the person come from the book, or stand in `facts`."""


class OneDecision(Shape):
    """One question: a use, and of whom: a person in the book, or somebody described."""

    use: Use
    person: Ref | None = Field(default=None, description="A person in the book of the token's entity.")
    facts: Annotated[dict[str, Any], Field(max_length=100)] | None = Field(
        default=None,
        description="Somebody described, by the names of the vocabulary; what is not said is unknown.",
        examples=[{"person.home": ["DE"], "consent.given": False}],
    )
    day: Day | None = Field(default=None, description="As of which day; only for somebody described. Else today.")

    @model_validator(mode="after")
    def check(self) -> OneDecision:
        if (self.person is None) == (self.facts is None):
            raise ValueError("say person or facts: one of them, not both")
        if self.person is not None and self.day is not None:
            raise ValueError("a person in the book is decided about today; a day goes with facts")
        return self


class Decided(Shape):
    """The answer to one question."""

    verdict: str = Field(description="permit, deny or ask. A ruling may have settled what the law left open.")
    ruling: Ref | None = Field(description="The human ruling that settled an ask, if one did.")
    recorded: Asked | None = Field(description="The decision on record; null for somebody described.")
    decision: dict[str, Any] = Field(description="The decision: comity.decision/1, the same everywhere.")


class ManyDecisions(Shape):
    """One use, and of whom: refs, or a segment of the book, page by page."""

    use: Use
    persons: Annotated[list[Ref], Field(min_length=1, max_length=MOST)] | None = None
    segment: Segment | None = Field(default=None, description="Those who fit all that is said; {} is everybody.")
    cursor: Cursor | None = Field(default=None, description=CURSOR)

    @model_validator(mode="after")
    def check(self) -> ManyDecisions:
        if (self.persons is None) == (self.segment is None):
            raise ValueError("say persons or segment: one of them, not both")
        if self.cursor is not None and self.segment is None:
            raise ValueError("a cursor goes with a segment")
        return self


class OfOne(Shape):
    """What came out for one person."""

    person: Ref
    verdict: str
    finding: int = Field(description="The number of its reasons among the findings.")


class DecidedMany(Shape):
    """The answers, each distinct finding once."""

    recorded: Asked | None = Field(description="The decision on record; null where nobody was asked about.")
    verdicts: list[OfOne]
    findings: list[Finding]
    counts: dict[str, int]
    unknown: list[Ref] = Field(description="Refs of which the book of the token's entity has nobody.")
    next: str | None = Field(description="The cursor of the next page of the segment.")


@endpoint(router, "POST", "/decisions", may="decision.view", answers=Decided, refuses=["not-found"], replays=False)
def decide_one(request: ApiRequest, asked: OneDecision) -> Decided:
    """Ask whether we may do one thing with one person's data.

    About a person in the book the decision is recorded, with its place in the ledger. About somebody described nothing
    is recorded: it is a look into the law, and takes the word law.view besides.
    """
    caller = request.auth
    question = _question(caller, asked.use)
    if asked.facts is not None:
        return _supposed(caller, question, asked)
    person = _seen(caller, [asked.person] if asked.person else [])
    if not person:
        raise Http404(f"There is no person {asked.person} in the book of {caller.entity.name}.")
    decided = decide(question=question, persons=person, staff=caller.staff, field_classes=[])
    answer = decided.answers[person[0]]
    return Decided(
        verdict=answer.verdict.value, ruling=answer.ruling.ref if answer.ruling else None,
        recorded=Asked(ref=decided.ref, day=decided.day), decision=answer.decision.as_json(),
    )  # fmt: skip


@endpoint(router, "POST", "/decisions/bulk", may="decision.view", answers=DecidedMany, replays=False)
def decide_many(request: ApiRequest, asked: ManyDecisions) -> DecidedMany:
    """Ask about up to a thousand persons at once: by their refs, or a segment of the book, a thousand a page.

    All of one answer is one decision on record. Reasons are said once for all who share them.
    """
    caller = request.auth
    question = _question(caller, asked.use)
    persons, after = _persons(caller, asked)
    unknown = [ref for ref in dict.fromkeys(asked.persons or []) if ref not in set(persons)]
    if not persons:
        return DecidedMany(recorded=None, verdicts=[], findings=[], counts={}, unknown=unknown, next=None)
    decided = decide(question=question, persons=persons, staff=caller.staff, field_classes=[])
    findings = Findings(decided.answers)
    verdicts = [
        OfOne(person=person, verdict=answer.verdict.value, finding=findings.of[person])
        for person, answer in decided.answers.items()
    ]
    counts: dict[str, int] = {}
    for each in verdicts:
        counts[each.verdict] = counts.get(each.verdict, 0) + 1
    return DecidedMany(
        recorded=Asked(ref=decided.ref, day=decided.day), verdicts=verdicts, findings=findings.all, counts=counts,
        unknown=unknown, next=after,
    )  # fmt: skip


# ---------------------------------------------------------------- parts


def _question(caller: Caller, use: Use) -> Question:
    """Return the question; what its purpose says by its own meaning need not be said. Raises Problem."""
    caller.check_purpose(use.purpose)
    wrong = [name for name in use.more if name.partition(".")[0] not in OURS or name in _SAID]
    if wrong:
        known = ", ".join(sorted(f"{each}.…" for each in OURS))
        told = "here stand further facts of the use, the data and who acts"
        raise unfit([Wrong(pointer=f"/use/more/{name}", detail=f"{told}: {known}") for name in wrong])
    more: Mapping[str, Any] = {**GIVEN_BY_PURPOSE.get(use.purpose, {}), **use.more}
    return Question(
        operation=use.operation, purpose=use.purpose, channel=use.channel, recipient=use.recipient,
        entity=caller.entity.ref, more=more,
    )  # fmt: skip


_SAID: Final = frozenset({"use.operation", "use.purpose", "use.channel", "use.recipient"})


def _supposed(caller: Caller, question: Question, asked: OneDecision) -> Decided:
    demand(caller.staff, "law.view", caller.entity)
    if "law.view" not in caller.token.words:
        raise Problem("not-yours", "The token does not have the word law.view.", word="law.view")
    decision = suppose(question=question, told=asked.facts or {}, day=asked.day or timezone.localdate())
    return Decided(verdict=decision.verdict.value, ruling=None, recorded=None, decision=decision.as_json())


def _persons(caller: Caller, asked: ManyDecisions) -> tuple[list[UUID], str | None]:
    if asked.segment is None:
        return _seen(caller, asked.persons or []), None
    found = asked.segment.of(persons_seen_by(caller.staff, caller.entity))
    rows, after = page(
        found.only("ref", "added_at"), key=ORDERS["added"], down=False, cursor=asked.cursor, limit=MOST
    )  # fmt: skip
    return [row.ref for row in rows], after


def _seen(caller: Caller, refs: list[UUID]) -> list[UUID]:
    """Return those of these persons who may be seen, in the order in which they were named."""
    seen = set(persons_seen_by(caller.staff, caller.entity).filter(ref__in=refs).values_list("ref", flat=True))
    return [ref for ref in dict.fromkeys(refs) if ref in seen]
