"""What a refusal ends, as the list of addresses writes it: purposes by channels."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from comity.book.facts import REACHED_BY
from comity.counsel.questions import ADVERTISING


def uses_of(reach: str, purposes: Iterable[str] = ADVERTISING, channels: Collection[str] | None = None) -> list[str]:
    """Return purposes by channels, as the list writes them; by every channel that such an address serves."""
    by = [channel for channel, known in REACHED_BY.items() if known == reach and (not channels or channel in channels)]
    return sorted(f"{purpose}/{channel}" for purpose in purposes for channel in by)
