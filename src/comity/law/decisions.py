"""A decision: the verdict on one use of one person's data, with everything it rests on, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from comity.law.lawbook import Verdict
from comity.law.vocabulary import OPEN_AGE, Facts, Value

if TYPE_CHECKING:
    from comity.law.deciding import Finding, Reason
    from comity.law.folding import Plan

SCHEMA = "comity.decision/1"
"""The version of the JSON form; docs and tests hold decision.schema.json to it."""


class Decision:
    """What the law answered for one person, and why.

    `finding` is shared by all people in the same position; `facts` are this person's, as they were given.
    """

    __slots__ = ("__dict__", "facts", "finding", "homes", "plan")

    def __init__(self, plan: Plan, finding: Finding, facts: Facts, homes: frozenset[str] | None) -> None:
        self.plan = plan
        self.finding = finding
        self.facts = facts
        self.homes = homes

    def __repr__(self) -> str:
        return f"<Decision {self.verdict.value}: {', '.join(self.because) or 'nothing speaks against it'}>"

    @property
    def verdict(self) -> Verdict:
        """permit, deny or ask."""
        return self.finding.verdict

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason, the weightiest first."""
        return self.finding.reasons

    @property
    def because(self) -> tuple[str, ...]:
        """The ids of the rules that decided, sorted."""
        return self.finding.because

    @property
    def missing(self) -> tuple[str, ...]:
        """The facts that would settle what is open."""
        return self.finding.missing

    @cached_property
    def absent(self) -> dict[str, Value]:
        """The facts that were read, that nobody recorded, and what their absence was taken to mean."""
        plan = self.plan
        taken = {
            name: plan.absent[name]
            for name in self.finding.facts_read
            if name in plan.absent and name not in self.facts
        }
        return {name: value for name, value in taken.items() if value is not None}

    def as_json(self) -> dict[str, Any]:
        """Return the decision as JSON values; the same from the library, the command line, the API and a bulk run."""
        plan, finding = self.plan, self.finding
        vocabulary = plan.book.vocabulary.facts
        read = {name: self.facts[name] for name in finding.facts_read if name in self.facts}
        fixed = {
            name: value for name, value in plan.fixed.items() if value is not None and value != vocabulary[name].absent
        }
        laws = {answer.law for answer in finding.laws}
        packs = {law.pack for law in plan.book.laws if law.id in laws}
        return {
            "schema": SCHEMA,
            "day": plan.day.isoformat(),
            "verdict": finding.verdict.value,
            "because": list(finding.because),
            "facts": {name: shown(value) for name, value in sorted({**read, **fixed}.items())},
            "absent": [
                {"fact": name, "taken_as": shown(value), "why": vocabulary[name].why_absent or "declared by the source"}
                for name, value in sorted(self.absent.items())
            ],
            "assumed": [{"fact": name, "says": says} for name, says in sorted(plan.assumed.items())],
            "missing": [{"fact": name, "means": vocabulary[name].means} for name in finding.missing],
            "laws": [
                {"law": a.law, "name": a.name, "governs": "yes" if a.certain else "maybe", "verdict": a.verdict.value}
                for a in finding.laws
            ],
            "reasons": [_reason(reason) for reason in finding.reasons],
            "obligations": [
                {
                    "kind": item.kind,
                    "says": item.says,
                    "parameters": {name: shown(value) for name, value in item.parameters.items()},
                    "rules": list(item.rules),
                    "certain": item.certain,
                }
                for item in finding.obligations
            ],
            "cures": [{"cure": name, "says": plan.book.cures[name].says} for name in finding.cures],
            "packs": [
                {"pack": pack.id, "version": pack.version, "sha256": pack.sha256}
                for pack in plan.book.packs
                if pack.id in packs
            ],
        }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "law": reason.law, "rule": reason.rule, "kind": reason.kind, "weight": reason.weight.value, "says": reason.says,
        "cite": reason.cite, "url": reason.url, "confidence": "confirmed" if reason.confirmed else "unconfirmed",
        "cures": list(reason.cures), "missing": list(reason.missing),
    }  # fmt: skip


def shown(value: object) -> Any:  # noqa: ANN401  (a JSON value)
    """Return a fact's value as JSON shows it."""
    match value:
        case frozenset() | set():
            return sorted(value)
        case date():
            return value.isoformat()
        case (int(low), int(high)):
            return {"min": low} if high == OPEN_AGE else {"min": low, "max": high}
        case tuple() | list():
            return list(value)
        case Mapping():
            return {key: shown(item) for key, item in value.items()}
    return value
