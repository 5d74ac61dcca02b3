"""Answers of the law, each said once: many persons share a position, and its reasons are long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from comity.api.shapes import Finding

if TYPE_CHECKING:
    from comity.counsel.asking import Answer


class Findings:
    """The distinct findings among the answers, and which person has which."""

    def __init__(self, answers: Mapping[UUID, Answer]) -> None:
        self.all: list[Finding] = []
        self.of: dict[UUID, int] = {}
        known: dict[tuple[int, UUID | None], int] = {}
        for person, answer in answers.items():
            key = (id(answer.decision.finding), answer.ruling.ref if answer.ruling else None)
            if key not in known:
                known[key] = self._number(finding_of(answer))
            self.of[person] = known[key]

    def _number(self, finding: Finding) -> int:
        if finding not in self.all:  # people in different places may be told the same
            self.all.append(finding)
        return self.all.index(finding)


def finding_of(answer: Answer) -> Finding:
    """Return what was found, without the facts of the person."""
    told: dict[str, Any] = answer.decision.as_json()
    parts = ("because", "reasons", "obligations", "missing", "cures")
    return Finding(
        verdict=answer.verdict.value, ruling=answer.ruling.ref if answer.ruling else None,
        **{part: told[part] for part in parts},
    )  # fmt: skip
