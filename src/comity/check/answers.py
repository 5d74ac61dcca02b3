"""What a check found: people alike are one group, and all that is shown or written is counted from the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from comity.law import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from comity.law import Decision, Finding, Plan, Reason
    from comity.law.vocabulary import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that could not be read: its number in the file (the first data row is 1), why, and its text."""

    row: int
    why: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRead:
    """What was understood of one column."""

    header: str
    role: str  # "home.country", "fact", …; "ignored" where it plays no part
    says: str  # in words: what it was read as, or why it was ignored
    fact: str = ""
    unreadable: int = 0  # rows whose cell could not be read
    example: str = ""  # one such cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """People whom the law cannot tell apart: the same candidate homes, the same truth of every test."""

    homes: str  # 'DE', 'DE|FR'; '' where nothing is known
    conflict: bool  # the evidence of where they live disagrees
    hint: str  # a place that only weak evidence points to
    decision: Decision  # of one of them
    facts: Facts  # what its cells say, without the home
    signature: int  # of these facts
    people: int
    first_row: int
    freed: Mapping[str, int] = field(default_factory=dict)  # by cure: how many of them it would turn to permit

    @property
    def finding(self) -> Finding:
        """What the law answers for all of them."""
        return self.decision.finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """How many people a cure would turn to permit."""

    cure: str
    says: str
    people: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The whole answer for one file and one intended use."""

    file: str  # the file's name as it was given, without its folder
    dialect: str  # "HubSpot contact export"
    columns: tuple[ColumnRead, ...]
    plan: Plan
    use: str  # "Marketing by e-mail"
    headline: str  # the assumption about who we are, or what --we-are or --org said
    groups: tuple[Group, ...]
    rejects: tuple[Reject, ...]
    freed: Mapping[str, Freed]  # by cure
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    unresolved_places: Mapping[str, int] = field(default_factory=dict)  # text of a country cell -> rows

    @cached_property
    def people(self) -> int:
        """Rows that were read and decided."""
        return sum(group.people for group in self.groups)

    @cached_property
    def rows(self) -> int:
        """All rows: permitted, denied, asked about; a row that could not be read is asked about."""
        return self.people + len(self.rejects)

    @cached_property
    def by_verdict(self) -> Mapping[Verdict, int]:
        """People by verdict; unread rows count as ask."""
        counted = Counter(dict.fromkeys(Verdict, 0))
        for group in self.groups:
            counted[group.finding.verdict] += group.people
        counted[Verdict.ASK] += len(self.rejects)
        return counted

    @cached_property
    def laws_asked(self) -> tuple[str, ...]:
        """The ids of the laws that governed, or possibly governed, somebody."""
        return tuple(sorted({answer.law for group in self.groups for answer in group.finding.laws}))

    def against(self) -> Iterator[tuple[Reason, Group]]:
        """Yield each reason against, with the group it concerns; a reason counts once a group."""
        for group in self.groups:
            for reason in group.finding.reasons:
                if reason.weight is not Verdict.PERMIT:
                    yield reason, group
