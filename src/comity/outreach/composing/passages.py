"""What the law wants said, in plain sentences: one file of them in twelve languages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from comity.outreach.composing.content import nearest_language

FILE: Final = Path(__file__).with_name("passages.toml")
LANGUAGES: Final = ("en", "zh", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi")
FALLBACK: Final = "en"


@cache
def written() -> Mapping[str, Mapping[str, str]]:
    """Return every passage by its name, then by language."""
    with FILE.open("rb") as file:
        return tomllib.load(file)


class Passages:
    """The passages for one reader: in their language; else in English, and in the sender's own beside it."""

    def __init__(self, wanted: str, senders: str) -> None:
        ours = dict.fromkeys(LANGUAGES)
        found = nearest_language(wanted, ours)
        beside = nearest_language(senders, ours)
        self.languages = (found,) if found else tuple(dict.fromkeys(code for code in (FALLBACK, beside) if code))

    @property
    def language(self) -> str:
        """The language of the passages, the first if there are two."""
        return self.languages[0]

    def in_words(self, passage: str, **names: str) -> str:
        """Return a passage with its names put in. Names are text and are not looked at again."""
        return " / ".join(written()[passage][code].format_map(names) for code in self.languages)

    def label(self, passage: str) -> str:
        """Return a passage that is the words of a link: in the first language alone."""
        return written()[passage][self.language]
