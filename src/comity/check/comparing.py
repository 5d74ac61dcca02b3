"""Whose verdict changes when the law does: the people of one file, asked under two plans."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from comity.law import finding_for
from comity.law.asking import signature_anywhere

if TYPE_CHECKING:
    from comity.check.checking import Check
    from comity.law import Plan


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """From what verdict to what, and the rules that decide afterwards."""

    before: str
    after: str
    because: tuple[str, ...]


def turns(check: Check, other: Plan) -> Counter[Turn]:
    """Count the people of a decided check by what they come to under `other`, a plan among its `beside`."""
    found: Counter[Turn] = Counter()
    for group in check.groups:
        signature = signature_anywhere(other, group.facts)
        then = finding_for(other, group.decision.homes, signature)
        found[Turn(group.finding.verdict.value, then.verdict.value, then.because)] += group.people
    return found
