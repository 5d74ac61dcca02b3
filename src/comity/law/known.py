"""The law as it was known on a day: what had been announced by then, and nothing of what came later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from comity.law.lawbook import DatedParameter, Law, Lawbook, Span


def as_known(book: Lawbook, day: date) -> Lawbook:
    """Return the book without what was announced after `day`, and without the ends that nobody knew of then.

    What has no day of announcement is taken to have been known from the day it came into force. An end that lies after
    `day` was known if something that had been announced begins on it. So the answer for a later day is what somebody
    had to expect.
    """
    return replace(book, laws=tuple(_Known(law, day).law_then() for law in book.laws))


@dataclass(frozen=True, slots=True)
class _Known:
    """One law, looked at on one day."""

    law: Law
    day: date

    def law_then(self) -> Law:
        ends = self.ends()
        rules = (rule for rule in self.law.rules if (rule.announced or rule.span.start) <= self.day)
        return replace(
            self.law,
            span=self.span(self.law.span, ends),
            rules=tuple(replace(rule, span=self.span(rule.span, ends)) for rule in rules),
            definitions=tuple(replace(item, span=self.span(item.span, ends)) for item in self.law.definitions),
            parameters=tuple(self.parameter(item) for item in self.law.parameters),
        )

    def ends(self) -> frozenset[date]:
        """The days on which something was announced to begin."""
        return frozenset(
            rule.span.start for rule in self.law.rules if rule.announced is not None and rule.announced <= self.day
        )

    def span(self, span: Span, ends: frozenset[date]) -> Span:
        known = span.until is None or span.until <= self.day or span.until in ends
        return span if known else replace(span, until=None)

    def parameter(self, item: DatedParameter) -> DatedParameter:
        values = [value for value in item.values if (value.announced or value.span.start) <= self.day]
        ends = frozenset(value.span.start for value in values)
        known = tuple(replace(value, span=self.span(value.span, ends)) for value in values)
        return replace(item, values=known or item.values)
