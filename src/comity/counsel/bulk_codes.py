"""A person's facts as one number, in SQL: values that the law cannot tell apart are one class, a row is its classes.

Of each fact that the law tests, SQL finds the class; the classes of a row are the digits of a number. So a million
people come in some hundreds or thousands of numbers, and each number is turned into a signature of the law, once, in
Python. What a value says to a test is the law's own to say (`Plan.bits`): no rule and no truth table stands here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from comity.counsel.facts import Column, Columns, columns_for
from comity.law.folding import HOME

if TYPE_CHECKING:
    from comity.counsel.questions import Question
    from comity.law import Plan
    from comity.law.vocabulary import Value

LARGEST: Final = 2**62
"""Numbers stay below this, so that they fit into a BIGINT and no sign is taken for a digit."""
STRANGE: Final = -1
"""Instead of the bits of a class: its values are none that the vocabulary has."""
READ_TOGETHER: Final = 5
"""Digits of a number that are looked up at once."""
BORN_ON: Final = "person.born_on"


class NotInSql(ValueError):
    """The law asks for something that SQL cannot give here: these people can only be asked about one at a time."""


class StrangeValue(ValueError):
    """A column holds a word that the vocabulary does not have, so nothing can be decided by it."""


@dataclass(frozen=True, kw_only=True)
class Digit:
    """The classes of one column: SQL for the number of a row's class, times a weight, and the bits each class sets."""

    facts: tuple[str, ...]
    sql: Callable[[int], str]
    bits: tuple[int, ...]


class Places(dict[int, int]):
    """Some digits of a number, read together: what all of them set in a signature, remembered by their number."""

    def __init__(self, digits: Sequence[Digit]) -> None:
        super().__init__()
        self.digits = digits
        self.size = math.prod(len(digit.bits) for digit in digits)

    def __missing__(self, number: int) -> int:
        rest, found = number, 0
        for digit in self.digits:
            rest, place = divmod(rest, len(digit.bits))
            if digit.bits[place] == STRANGE:
                raise StrangeValue(f"{', '.join(digit.facts)}: somebody has a word that the vocabulary does not have")
            found |= digit.bits[place]
        self[number] = found
        return found


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How rows become numbers for one question: what to select and join, and what the numbers mean."""

    plan: Plan
    question: Question
    home: str  # SQL: candidate places joined by "|", "" where nothing is known
    words: tuple[tuple[Digit, ...], ...]
    joins: tuple[str, ...]
    quick: tuple[str, ...]  # the same joins, where persons are read from their copy
    constant: int  # the bits of facts that nobody ever records

    def sql(self) -> list[str]:
        """Return an expression for each number of a row."""
        return [_sum(word) for word in self.words]

    @property
    def key(self) -> str:
        """The columns by which rows are alike: the homes and the numbers."""
        return ", ".join(["home", *(f"word{number}" for number in range(len(self.words)))])

    def signature(self, numbers: Iterable[int]) -> int:
        """Return the signature of the people who have these numbers. Raises StrangeValue."""
        found = self.constant
        for parts, number in zip(self.places, numbers, strict=True):
            rest = number
            for places in parts:
                rest, number_of_them = divmod(rest, places.size)
                found |= places[number_of_them]
        return found

    @cached_property
    def places(self) -> list[list[Places]]:
        """The digits of each number, some at a time: quicker to look up than one by one."""
        return [
            [Places(word[start : start + READ_TOGETHER]) for start in range(0, len(word), READ_TOGETHER)]
            for word in self.words
        ]


def coding_of(plan: Plan, question: Question, day: date) -> Coding:
    """Return how to number people for a question. Raises NotInSql, and Contradiction."""
    rooms = columns_for(question, day)
    known = {fact: column for columns in rooms.values() for fact, column in columns.facts.items()}
    _refuse_what_sql_lacks(plan, rooms, known)
    tested = [fact for fact in plan.tests_of if fact in known]
    digits = [found for held in _by_column(tested, known) if (found := _digit(plan, held, known[held[0]]))]
    bits = (plan.bits[fact, plan.absent[fact]] for fact in plan.tests_of if fact not in known)
    needed = [*(known[fact] for digit in digits for fact in digit.facts), *([known[HOME]] if HOME in known else ())]
    joins = _joins(rooms.values(), needed)
    copies = {name: sql for columns in rooms.values() for name, sql in columns.quick.items()}
    return Coding(
        plan=plan,
        question=question,
        home=f"coalesce({known[HOME].sql}, '')" if HOME in known else "''",
        words=_words(digits),
        joins=tuple(joins.values()),
        quick=tuple(copies.get(name, sql) for name, sql in joins.items()),
        constant=reduce(int.__or__, [*bits, *_alike(plan, tested, digits)], 0),
    )


def _refuse_what_sql_lacks(plan: Plan, rooms: Mapping[str, Columns], known: Mapping[str, Column]) -> None:
    wanted = {*plan.tests_of, HOME}
    for room, columns in rooms.items():
        if lacking := sorted(columns.only_singly & {*wanted, BORN_ON}):
            raise NotInSql(f"{room} gives {', '.join(lacking)} for one person at a time only, and the law asks for it")
    if BORN_ON in known:
        raise NotInSql(f"{BORN_ON} stands for an age, and SQL does not count ages from it: give person.age as SQL")


def _by_column(facts: Iterable[str], known: Mapping[str, Column]) -> list[tuple[str, ...]]:
    """Put facts together that are one column: both ages are the same years."""
    held: dict[tuple[str, str], list[str]] = {}
    for fact in facts:
        held.setdefault((known[fact].sql, known[fact].upper), []).append(fact)
    return [tuple(facts) for facts in held.values()]


def _alike(plan: Plan, tested: Iterable[str], digits: Iterable[Digit]) -> Iterable[int]:
    """Return the bits of facts that say the same to every test whatever they are, and so need no digit."""
    numbered = {fact for digit in digits for fact in digit.facts}
    return (plan.bits[fact, plan.absent[fact]] for fact in tested if fact not in numbered)


def _words(digits: Sequence[Digit]) -> tuple[tuple[Digit, ...], ...]:
    """Share digits out over as few numbers as hold them; one number at least."""
    words: list[list[Digit]] = [[]]
    size = 1
    for digit in digits:
        if size * len(digit.bits) >= LARGEST:
            words.append([])
            size = 1
        words[-1].append(digit)
        size *= len(digit.bits)
    return tuple(map(tuple, words))


def _sum(word: Sequence[Digit]) -> str:
    terms, weight = ["0::bigint"], 1
    for digit in word:
        terms.append(digit.sql(weight))
        weight *= len(digit.bits)
    return " + ".join(terms)


def _joins(rooms: Iterable[Columns], needed: Iterable[Column]) -> dict[str, str]:
    """Return the joins that the columns need by their names, in the order in which rooms and columns name them.

    Each comes once. Rooms may share a join: it has one name and the same words in both.
    """
    wanted = {name for column in needed for name in column.joins}
    found: dict[str, str] = {}
    for columns in rooms:
        for name, sql in columns.joins.items():
            if name in wanted and found.get(name) != sql:
                if name in found:
                    raise NotInSql(f"two rooms join a table as {name}: one of them must call it otherwise")
                found[name] = sql
    if lacking := wanted - found.keys():
        raise NotInSql(f"a column needs {', '.join(sorted(lacking))}, which no room joins")
    return found


# ---------------------------------------------------------------- the classes of one column


def _digit(plan: Plan, facts: tuple[str, ...], column: Column) -> Digit | None:
    """Return the classes of a column; None where the law can tell none of its values apart."""
    kinds = {plan.book.vocabulary.facts[fact].kind for fact in facts}
    make = _MAKERS.get(kinds.pop()) if len(kinds) == 1 else None
    if make is None:
        raise NotInSql(f"{', '.join(facts)}: a fact of this type has no form in SQL")
    digit = make(plan, facts, column)
    return digit if len(set(digit.bits)) > 1 else None


def _bits(plan: Plan, facts: Iterable[str], value: Value) -> int:
    """Return the bits of a signature that a value sets; None was never recorded, and means what the vocabulary says."""
    return sum(plan.bits[fact, plan.absent[fact] if value is None else value] for fact in facts)


def _of_flag(plan: Plan, facts: tuple[str, ...], column: Column) -> Digit:
    never, no, yes = (_bits(plan, facts, value) for value in (None, False, True))
    classes = tuple(dict.fromkeys((never, no, yes)))

    def sql(weight: int) -> str:
        at = {bits: weight * number for number, bits in enumerate(classes)}
        whens = "".join(f" WHEN {word} THEN {at[bits]}" for word, bits in (("true", yes), ("false", no)) if at[bits])
        return f"CASE ({column.sql}){whens} ELSE 0 END" if never != no or never != yes else "0"

    return Digit(facts=facts, sql=sql, bits=classes)


def _of_choice(plan: Plan, facts: tuple[str, ...], column: Column) -> Digit:
    """Number the words; a row with a word that the vocabulary lacks is in a class of its own, and refused later."""
    (choices,) = {plan.book.vocabulary.facts[fact].choices for fact in facts}
    bits = {word: _bits(plan, facts, word) for word in choices}
    never = _bits(plan, facts, None)
    classes = (*dict.fromkeys((never, *bits.values())), STRANGE)

    def sql(weight: int) -> str:
        whens = "".join(f" WHEN {_text(word)} THEN {weight * classes.index(bits[word])}" for word in choices)
        strange = weight * classes.index(STRANGE)
        return f"CASE WHEN ({column.sql}) IS NULL THEN 0 ELSE CASE ({column.sql}){whens} ELSE {strange} END END"

    return Digit(facts=facts, sql=sql, bits=classes)


def _of_day(plan: Plan, facts: tuple[str, ...], column: Column) -> Digit:
    """Number the spans of days between those that a test compares with."""
    cuts: list[date] = _cuts(plan, facts, timedelta(days=1))
    examples = [cuts[0] - timedelta(days=1), *cuts]
    bits = tuple(_bits(plan, facts, value) for value in (None, *examples))

    def sql(weight: int) -> str:
        return f"CASE WHEN ({column.sql}) IS NULL THEN 0{_steps(column.sql, cuts, weight, first=1)} END"

    return Digit(facts=facts, sql=sql, bits=bits)


def _of_age(plan: Plan, facts: tuple[str, ...], column: Column) -> Digit:
    """Number the pairs of spans in which the two bounds lie."""
    if not column.upper:
        raise NotInSql(f"{', '.join(facts)}: an age has two bounds, and the column has one")
    cuts: list[int] = _cuts(plan, facts, 1)
    examples = [cuts[0] - 1, *cuts]
    pairs = ((low, max(low, high)) for low in examples for high in examples)
    bits = (_bits(plan, facts, None), *(_bits(plan, facts, pair) for pair in pairs))

    def sql(weight: int) -> str:
        low = _steps(column.sql, cuts, weight * len(examples), first=0)
        high = _steps(column.upper, cuts, weight, first=0)
        return f"CASE WHEN ({column.sql}) IS NULL THEN 0 ELSE {weight} + (CASE{low} END) + (CASE{high} END) END"

    return Digit(facts=facts, sql=sql, bits=bits)


_MAKERS: Final[Mapping[str, Callable[[Plan, tuple[str, ...], Column], Digit]]] = {
    "bool": _of_flag, "choice": _of_choice, "date": _of_day, "age": _of_age,
}  # fmt: skip


def _cuts(plan: Plan, facts: Iterable[str], one: Any) -> list[Any]:  # noqa: ANN401 - days and timedelta, or years and int
    """Return where, going up, the answer of some test can change, in order."""
    cuts = set()
    for test in (test for fact in facts for test in plan.tests_of[fact]):
        after = {"<": (0,), ">=": (0,), "<=": (1,), ">": (1,), "==": (0, 1)}[test.operator]
        cuts |= {test.operand + one if later else test.operand for later in after}
    return sorted(cuts)


def _steps(sql: str, cuts: Sequence[date | int], weight: int, *, first: int) -> str:
    whens = (f" WHEN ({sql}) < {_literal(cut)} THEN {weight * number}" for number, cut in enumerate(cuts, first))
    return f"{''.join(whens)} ELSE {weight * (first + len(cuts))}"


def _literal(value: date | int) -> str:
    return str(value) if isinstance(value, int) else f"date '{value.isoformat()}'"


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"


def parameters(question: Question) -> dict[str, str | UUID]:
    """Return what the SQL of rooms may use of a question."""
    return {
        "entity": question.entity, "operation": question.operation, "purpose": question.purpose,
        "channel": question.channel,
    }  # fmt: skip
