"""What forms say by themselves, in the languages that a form can be in: labels, errors, the message that confirms."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from comity.consent.notices.blocks import language_name

FILE: Final = Path(__file__).with_name("words.toml")
WRITTEN: Final = ("title", "intro", "button", "thanks")
"""What whoever builds a form writes, in the order in which it is read."""
DAYS: Final = 7
"""How long something waits to be confirmed. The link in the message lives as long (`comity.consent.preferences`)."""


@cache
def all_words() -> Mapping[str, Mapping[str, str]]:
    """Return every word, by language."""
    read: Mapping[str, Mapping[str, str]] = tomllib.loads(FILE.read_text("utf-8"))
    return read


def languages() -> list[str]:
    """Return the languages that a form can be in."""
    return list(all_words())


def language_choices() -> list[tuple[str, str]]:
    """Return them with what each calls itself."""
    return [(code, language_name(code)) for code in languages()]


def words_in(language: str) -> dict[str, str]:
    """Return what stands on pages in a language, with how long we wait."""
    return {key: text.replace("{days}", str(DAYS)) for key, text in all_words()[language].items()}


def begun_in(language: str) -> dict[str, str]:
    """Return what a new form says in a language until somebody writes better."""
    known = words_in(language)
    return {name: known.get(name, "") for name in WRITTEN}
