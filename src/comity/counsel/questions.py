"""A question to the law: what we want to do, why, by which channel, and which entity of ours wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from comity.law.vocabulary import Facts

ADVERTISING: Final = frozenset({"marketing", "targeted-advertising", "fundraising", "ask-consent"})
"""Purposes that advertise: a refusal of one ends them all, and our own restraints hold them back."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this entity of ours do this? Of whom is said when it is asked.

    `more` are further facts of the use, of the data or of who acts ("use.contract_needs_it"), as TOML would write them.
    """

    operation: str
    purpose: str
    entity: UUID
    channel: str = "none"
    recipient: str = "none"
    more: Mapping[str, Any] = field(default_factory=dict)

    def facts(self) -> Facts:
        """Return the facts of the use, not yet read by the vocabulary."""
        use = {
            "operation": self.operation,
            "purpose": self.purpose,
            "channel": self.channel,
            "recipient": self.recipient,
        }
        return {f"use.{name}": value for name, value in use.items()} | dict(self.more)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Question:
        """Return the question that `as_json` wrote."""
        return cls(**{**told, "entity": UUID(told["entity"])})

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; nothing in it is about a person."""
        return {
            "operation": self.operation, "purpose": self.purpose, "channel": self.channel,
            "recipient": self.recipient, "entity": str(self.entity), "more": dict(sorted(self.more.items())),
        }  # fmt: skip
