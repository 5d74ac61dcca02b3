"""The law's tests as SQL, so that millions of people get their signature where their data lies.

Only tests are translated, never the logic over them: a query computes each person's signature (two bits a test:
certainly true, possibly true), and `finding_for` decides each distinct signature once. The SQL is two-valued: NULL is
settled inside each test, so that it never reaches a NOT. This is the only file of `law` that needs SQLGlot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from sqlglot import exp

from comity.law.conditions import Test
from comity.law.folding import TESTS_A_WORD, Plan, test_truth
from comity.law.vocabulary import OPEN_AGE, Value

_BITS = (0, 2, 3)


@dataclass(frozen=True, slots=True)
class Column:
    """The column that holds a fact; an age has a second one for its upper bound.

    `null_is_absent`: a NULL was never recorded, and means what the vocabulary says; otherwise it is unknown.
    """

    name: str
    upper: str = ""
    null_is_absent: bool = True


def signature_words(plan: Plan, columns: Mapping[str, Column]) -> list[exp.Expr]:
    """Return one BIGINT expression for every 31 tests of the plan, lowest word first.

    A fact that no column holds counts as never recorded. Word w holds tests 31w … 31w+30 of the plan's index.
    """
    tests = sorted(plan.index or {test: plan.position(test) for test in plan.tests}, key=plan.index.__getitem__)
    words = [tests[start : start + TESTS_A_WORD] for start in range(0, len(tests), TESTS_A_WORD)] or [[]]
    return [_word(plan, word, columns) for word in words]


def signature(words: Sequence[int]) -> int:
    """Join the words of one row to its signature."""
    return sum(word << (2 * TESTS_A_WORD * number) for number, word in enumerate(words))


def _word(plan: Plan, tests: Sequence[Test], columns: Mapping[str, Column]) -> exp.Expr:
    constant, terms = 0, []
    for number, test in enumerate(tests):
        column = columns.get(test.fact)
        if column is None:
            constant |= _BITS[test_truth(test, plan.absent[test.fact])] << (2 * number)
        else:
            terms.append(_term(plan, test, column, 2 * number))
    total: exp.Expr = _big(constant)
    for term in terms:
        total = exp.Add(this=total, expression=term)
    return total


def _big(number: int) -> exp.Expr:
    return exp.cast(exp.Literal.number(number), exp.DataType.Type.BIGINT)


def _term(plan: Plan, test: Test, column: Column, shift: int) -> exp.Expr:
    fallback = plan.absent[test.fact] if column.null_is_absent else None
    certain, possible = _compared(test, column, fallback)
    return exp.Paren(this=exp.Case().when(certain, _big(3 << shift)).when(possible, _big(2 << shift)).else_(_big(0)))


def _compared(test: Test, column: Column, fallback: Value) -> tuple[exp.Expr, exp.Expr]:
    """Return two conditions that are never NULL: the test is certainly true, it is possibly true."""
    if column.upper:
        return _aged(test, column, fallback)
    plain = _comparison(exp.column(column.name), test)
    if fallback is None:
        return _settled(plain, otherwise=False), _settled(plain, otherwise=True)
    absent = test_truth(test, fallback) > 0
    return _settled(plain, otherwise=absent), _settled(plain, otherwise=absent)


def _aged(test: Test, column: Column, fallback: Value) -> tuple[exp.Expr, exp.Expr]:
    low_end, high_end = fallback if isinstance(fallback, tuple) else (0, OPEN_AGE)
    both = exp.column(column.name), exp.column(column.upper)
    missing = exp.and_(*(end.is_(exp.null()) for end in both))
    low = (
        exp.Case()
        .when(missing, exp.Literal.number(low_end))
        .else_(exp.func("COALESCE", both[0], exp.Literal.number(0)))
    )
    high = (
        exp.Case()
        .when(missing, exp.Literal.number(high_end))
        .else_(exp.func("COALESCE", both[1], exp.Literal.number(OPEN_AGE)))
    )
    at_low, at_high = _comparison(exp.paren(low), test), _comparison(exp.paren(high), test)
    if test.operator == "==":
        around = exp.and_(
            exp.paren(low.copy()) <= _literal(test.operand), exp.paren(high.copy()) >= _literal(test.operand)
        )
        return exp.and_(at_low, at_high), around
    return exp.and_(at_low, at_high), exp.or_(at_low.copy(), at_high.copy())


def _comparison(left: exp.Expr, test: Test) -> exp.Expr:
    match test.operator:
        case "is":
            return left
        case "in":
            return left.isin(*(_literal(word) for word in sorted(cast("frozenset[str]", test.operand))))
        case "==":
            return left.eq(_literal(test.operand))
        case "<":
            return left < _literal(test.operand)
        case "<=":
            return left <= _literal(test.operand)
        case ">":
            return left > _literal(test.operand)
    return left >= _literal(test.operand)


def _settled(condition: exp.Expr, *, otherwise: bool) -> exp.Expr:
    return exp.func("COALESCE", condition, exp.true() if otherwise else exp.false())


def _literal(value: object) -> exp.Expr:
    if isinstance(value, date):
        return exp.cast(exp.Literal.string(value.isoformat()), exp.DataType.Type.DATE)
    if isinstance(value, str):
        return exp.Literal.string(value)
    return exp.Literal.number(value)
