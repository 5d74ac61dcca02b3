"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class BookConfig(AppConfig):
    name = "comity.book"
    label = "book"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("editing", "fields", "lists", "imports", "exports", "merging"):
            import_module(f"comity.book.{part}.models")

    def ready(self) -> None:
        """Tell counsel what this room knows about persons."""
        from comity.book.facts import facts_of
        from comity.counsel.facts import register

        register("book", facts_of)
