"""Looking through a text for what the law bans and demands: the one place where a text is asked about.

A campaign is looked through before anybody gets it, a notice before it is published, a form before it is shown. Places
are those of the people who will read it. No finding is no proof: words and structure are looked at, truth is not.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cache

from comity.counsel.asking import book
from comity.law.pages import Document, read_document
from comity.law.texts import Form, Looked, TextBook, TextRule, lint_text, read_texts


@cache
def text_book() -> TextBook:
    """Return the text rules of all packs, read once a process."""
    return read_texts(book())


def look_through(
    document: bytes | Document, form: Form, places: Collection[str], day: date, *, language: str = ""
) -> Looked:
    """Look through a message, page or text for what the law of `places` says about such a text on `day`.

    Places are codes and groups ("DE", "US-CA", "EEA"). `language`, where it is known, leaves rules unjudged whose words
    are in other languages alone. Raises UnknownPlace for what is no place, and `comity.law.pages.UnreadableText` for
    bytes that are no text.
    """
    texts = text_book()
    read = read_document(document, mail=form == "email") if isinstance(document, bytes) else document
    return lint_text(texts, read, form=form, places=texts.expanded(places, day), day=day, language=language)


def places_of(rule: TextRule, places: Collection[str], day: date) -> frozenset[str]:
    """Return those of `places` whose people this rule protects on `day`; a group is named where any place of it is."""
    texts = text_book()
    reach = texts.reach(rule, day)
    return frozenset(place for place in places if texts.expanded([place], day) & reach)


def without_rules(form: Form, places: Collection[str], day: date) -> frozenset[str]:
    """Return those of `places` for which the packs have no rule about such a text: nothing was looked for there."""
    texts = text_book()
    covered = frozenset(
        place for rule in texts.applying(form=form, places=texts.expanded(places, day), day=day)
        for place in places_of(rule, places, day)
    )  # fmt: skip
    return frozenset(places) - covered
