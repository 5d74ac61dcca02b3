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
        import_module("comity.book.known")

    def ready(self) -> None:
        """Tell counsel what this room knows about persons."""
        from comity.book.exports.beginning import begin as exports_begin
        from comity.book.facts import KNOWN, facts_as_of, facts_of
        from comity.book.facts import columns_of as facts_columns
        from comity.book.lists.beginning import begin as lists_begin
        from comity.book.models import Source
        from comity.book.queries import everybody_of
        from comity.counsel.asking_many import people_are_in
        from comity.counsel.facts import Copy, register, register_copy
        from comity.counsel.past import register_past
        from comity.ledger.bodies import declare_words

        register("book", facts_of, facts_columns)
        register_copy(Copy(persons=KNOWN, everybody=everybody_of))
        register_past("book", facts_as_of)
        people_are_in("book_person")
        exports_begin()
        lists_begin()
        declare_words(*Source.values)
