"""What the rooms below must know of what comes back when the application starts."""

from __future__ import annotations

from comity.outreach.inbound.acting import hear
from comity.outreach.inbound.remembering import remember
from comity.post.inbound.hearing import register_hearer
from comity.post.letters import register_guard


def begin() -> None:
    """Let what comes back be acted on, and keep to which address each message goes."""
    register_hearer(hear)
    register_guard("outreach.inbound", remember)
