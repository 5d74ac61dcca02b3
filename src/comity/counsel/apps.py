"""What Django needs to know of this room."""

from __future__ import annotations

from typing import Final

from django.apps import AppConfig

WORDS: Final = ("use.operation", "use.purpose", "use.channel", "use.recipient")
"""Facts whose choices are words of our own, so that the ledger may hold them."""
OF_DUTIES: Final = ("owed", "possible", "done", "not-owed")
SEALED, HISTORY = "sealed", "history"
"""Where the facts of a decision lie: sealed under the key of the one person, or in the history of plain facts."""


class CounselConfig(AppConfig):
    name = "comity.counsel"
    label = "counsel"

    def ready(self) -> None:
        """Let the words of questions, decisions and duties into the ledger."""
        from comity.counsel.asking import book
        from comity.ledger.bodies import declare_words

        vocabulary = book().vocabulary.facts
        declare_words(*(choice for fact in (*WORDS, "event.kind") for choice in vocabulary[fact].choices))
        declare_words(*vocabulary, *OF_DUTIES, SEALED, HISTORY)
