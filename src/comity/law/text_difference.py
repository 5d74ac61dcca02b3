"""What changes in the rules about texts between two days, each shown by a story whose text is judged otherwise."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from comity.law.difference import Change, How, Witness
from comity.law.text_cases import TextCase
from comity.law.texts import TextBook, TextRule, lint_text


@dataclass(frozen=True, slots=True)
class TextSide:
    """The text rules on one side of a comparison, and the day on which they are asked."""

    book: TextBook
    day: date

    def rules(self) -> dict[str, TextRule]:
        """Return the rules in force, by id."""
        return {rule.id: rule for rule in self.book.rules if rule.span.holds(self.day)}


def text_changes(
    before: TextSide, after: TextSide, cases: Sequence[TextCase], names: Collection[str] = ()
) -> Iterator[Change]:
    """Yield every text rule that is another one on the later day; of the packs or laws named, or of all."""
    old, new = before.rules(), after.rules()
    for rule_id in sorted(old.keys() | new.keys()):
        one, other = old.get(rule_id), new.get(rule_id)
        known = other or one
        if known is None or (one is not None and other is not None and _shown(one) == _shown(other)):
            continue
        if names and not {known.law.id, known.source.file.partition("/")[0]} & set(names):
            continue
        yield Change(
            kind="text", id=rule_id, law=known.law.id, how=_how(one, other), before=_says(one), after=_says(other),
            cite=known.source.cite, witness=_witness(rule_id, known.law.id, before, after, cases),
        )  # fmt: skip


def _shown(rule: TextRule) -> tuple[object, ...]:
    return (*_core(rule), rule.says, rule.source.cite)


def _core(rule: TextRule) -> tuple[object, ...]:
    return rule.look, rule.level, rule.forms, rule.places, rule.wants


def _how(one: TextRule | None, other: TextRule | None) -> How:
    if one is None or other is None:
        return "begins" if one is None else "ends"
    return "is cited anew" if _core(one) == _core(other) else "changes"


def _says(rule: TextRule | None) -> str:
    return f"{rule.says} ({rule.source.cite})" if rule else ""


def _witness(rule_id: str, law: str, before: TextSide, after: TextSide, cases: Sequence[TextCase]) -> Witness | None:
    for case in (case for case in cases if case.law == law):
        told = [_found(side, case, rule_id) for side in (before, after)]
        if told[0] != told[1]:
            return Witness(facts={}, before=told[0], after=told[1], text=case.name)
    return None


def _found(side: TextSide, case: TextCase, rule_id: str) -> str:
    """Return in words what a rule finds in the text of a story."""
    own = TextBook(tuple(rule for rule in side.book.rules if rule.id == rule_id), side.book.places)
    places = side.book.expanded(case.places, side.day)
    looked = lint_text(own, case.document, form=case.form, places=places, day=side.day)
    told = {f"{one.rule.level} “{one.words}” ({one.rule.source.cite})" for one in looked.findings}
    return "; ".join(sorted(told)) or "nothing found"
