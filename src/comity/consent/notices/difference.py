"""What changed between two versions of a notice: sentence by sentence, block by block, in each language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final, Literal

from comity.consent.notices.blocks import LABELS, blocks_of, language_name
from comity.consent.notices.looking import shown

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.consent.notices.models import NoticeVersion

SENTENCE: Final = re.compile(r"[^.!?。!?\n]*[.!?。!?]+[\"'”’)]*\s*|[^.!?。!?\n]+\n*|\n+")
"""A sentence with what ends it; a line is one, too."""
SCOPE: Final = ("places", "purpose", "channels", "recipient", "languages")

Kept = Literal["same", "gone", "new"]


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One block of which something changed: pieces of text that stayed, went, or came."""

    language: str
    block: str
    pieces: Sequence[tuple[Kept, str]]

    @property
    def title(self) -> _StrPromise | str:
        """The name of the block."""
        return LABELS[self.block]

    @property
    def in_language(self) -> str:
        """The name of the language."""
        return language_name(self.language)


def changed_texts(old: NoticeVersion, new: NoticeVersion) -> list[Changed]:
    """Return the blocks that read otherwise, in the order of the notice."""
    languages = [*new.languages, *(each for each in old.languages if each not in new.languages)]
    return [each for language in languages for each in _in_language(old, new, language)]


def changed_scope(old: NoticeVersion, new: NoticeVersion) -> list[tuple[str, Any, Any]]:
    """Return what else changed: its name in the table, what it was, and what it is."""
    both = [(name, getattr(old, name), getattr(new, name)) for name in SCOPE]
    return [(name, was, now) for name, was, now in both if was != now]


def _in_language(old: NoticeVersion, new: NoticeVersion, language: str) -> Iterator[Changed]:
    was, now = shown(old, language), shown(new, language)
    for block in blocks_of(new.notice.kind):
        if was.get(block, "") != now.get(block, ""):
            pieces = list(_pieces(was.get(block, ""), now.get(block, "")))
            yield Changed(language=language, block=block, pieces=pieces)


def _pieces(was: str, now: str) -> Iterator[tuple[Kept, str]]:
    before, after = SENTENCE.findall(was), SENTENCE.findall(now)
    for what, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "equal":
            yield "same", "".join(before[i:j])
            continue
        if i < j:
            yield "gone", "".join(before[i:j])
        if k < m:
            yield "new", "".join(after[k:m])
