"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class BookConfig(AppConfig):
    name = "comity.book"
    label = "book"

    def ready(self) -> None:
        """Tell counsel what this room knows about persons."""
        from comity.book.facts import facts_of
        from comity.counsel.facts import register

        register("book", facts_of)
