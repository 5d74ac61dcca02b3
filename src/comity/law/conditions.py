"""Conditions of rules: a small subset of Python's expressions, read into a typed tree and never executed.

The truth of a condition is Kleene's: 0 false, 1 unknown, 2 true. So `and` is min, `or` is max and `not x` is 2 - x.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from comity.law.vocabulary import FactError, Value, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from comity.law.vocabulary import Fact, Vocabulary

Truth = int
FALSE: Truth = 0
UNKNOWN: Truth = 1
TRUE: Truth = 2

LONGEST_TEXT = 4_000
LONGEST_NUMBER = 15
MOST_TOKENS = 600
DEEPEST_NESTING = 40

Operator = Literal["is", "==", "<", "<=", ">", ">=", "in"]
Span = Literal["", "days", "months", "years"]


class ConditionError(ValueError):
    """A condition is not in the subset; the message says where in it, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the same law that changes with time or place, by its short name."""

    name: str


@dataclass(frozen=True, slots=True)
class GroupName:
    """A group of places, such as EEA, resolved on the day of the decision."""

    name: str


Operand = bool | str | int | float | date | frozenset[str] | Parameter | GroupName


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of one fact, the only thing in a condition that looks at the world.

    `span` says that a date fact is compared by the whole days, months or years from it to the day of the decision.
    """

    fact: str
    operator: Operator
    operand: Operand
    span: Span = ""


@dataclass(frozen=True, slots=True)
class Constant:
    """Something settled: true, false, or a truth that folding found."""

    truth: Truth
    missing: str = ""  # the fact for want of which the truth is unknown


@dataclass(frozen=True, slots=True)
class Named:
    """A definition of the same law, by its short name."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene's not."""

    part: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Kleene's and."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Kleene's or."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Same:
    """True if every part is, false if none may be: the same test in each place the person may live in."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Capped:
    """Something unconfirmed where its truth would loosen the verdict: possible at best, never certain."""

    part: Condition


@dataclass(frozen=True, slots=True)
class ByPlace:
    """A test whose parameter depends on where the person lives: the test of each place, and of all others."""

    own: tuple[tuple[str, Condition], ...]
    general: Condition


Condition = Test | Constant | Named | Not | All | Some | Same | Capped | ByPlace

ALWAYS = Constant(TRUE)
NEVER = Constant(FALSE)


def parse(text: str, vocabulary: Vocabulary) -> Condition:
    """Read a condition. Raises ConditionError; `text` is bounded and scanned before Python's own parser sees it."""
    _scan(text)
    text = " ".join(text.split())  # a condition may run over several lines of its TOML file
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise ConditionError(f"it does not read as an expression: {error.msg} at character {error.offset}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ConditionError(f"it does not read as an expression: {str(error) or type(error).__name__}") from None
    return _Reader(text, vocabulary).condition(tree.body)


_TOKEN = re.compile(
    r"\s+|(?P<name>[A-Za-z_]\w*)|(?P<number>\d+(?:_\d+)*(?:\.\d+)?)(?![\w.])|(?P<string>'[^'\\\n]*'|\"[^\"\\\n]*\")"
    r"|(?P<operator>==|!=|<=|>=|[<>(){},.])",
    re.ASCII,  # Python would read full-width letters as plain ones
)


def _scan(text: str) -> None:
    """Bound length, tokens and nesting, and let only known kinds of token through."""
    if len(text) > LONGEST_TEXT:
        raise ConditionError(
            f"it has {len(text):,} characters; {LONGEST_TEXT:,} are allowed. Name parts of it with [[define]]"
        )
    position = tokens = depth = negations = 0
    before, ended = "", 0  # the kind of the last word and where it ended
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ConditionError(
                f"character {position + 1}, {text[position]!r}, is not allowed; conditions have names, literals, "
                "comparisons, 'in', 'and', 'or', 'not' and brackets"
            )
        position = token.end()
        if token.lastgroup is None:
            continue
        word = token.group()
        tokens += 1
        depth += (word in "({") - (word in ")}")
        negations = negations + 1 if word == "not" else 0
        if token.lastgroup == "string" and (before == "string" or (before == "name" and token.start() == ended)):
            raise ConditionError(
                f"{word[:60]} stands right after another word; quoted words have no prefix and are not joined"
            )
        before, ended = token.lastgroup, token.end()
        if token.lastgroup == "number" and len(word) > LONGEST_NUMBER:
            raise ConditionError(f"the number {word[:20]}… is too long; {LONGEST_NUMBER} digits are allowed")
        if "__" in word and token.lastgroup == "name":
            raise ConditionError(f"the name {word!r} is not one of the vocabulary; names have no double underscores")
        if tokens > MOST_TOKENS or depth > DEEPEST_NESTING or negations > DEEPEST_NESTING:
            raise ConditionError(
                f"it is too large or too deep (at most {MOST_TOKENS} words and {DEEPEST_NESTING} levels); "
                "name parts of it with [[define]]"
            )


_OPERATORS: dict[type[ast.cmpop], Operator] = {
    ast.Eq: "==", ast.NotEq: "==", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.In: "in", ast.NotIn: "in",
}  # fmt: skip
_MIRRORED: dict[Operator, Operator] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SPANS: dict[str, Span] = {"days_since": "days", "months_since": "months", "years_since": "years"}


class _Reader:
    """Turns Python's syntax tree into ours, refusing whatever is not in the subset."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary

    def condition(self, node: ast.expr) -> Condition:
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = tuple(self.condition(value) for value in values)
                return All(parts) if isinstance(op, ast.And) else Some(parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.condition(operand))
            case ast.Constant(value=bool(value)):
                return ALWAYS if value else NEVER
            case ast.Attribute(value=ast.Name(id="define"), attr=name):
                return Named(name)
            case ast.Attribute():
                return self.flag(node)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self.comparison([left, *comparators], ops)
        raise self.refusal(node, "a condition is made of facts, comparisons, 'and', 'or' and 'not'")

    def flag(self, node: ast.Attribute) -> Test:
        fact = self.fact(node)
        if fact.kind != "bool":
            raise self.refusal(node, f"{fact.name} is a {fact.kind}; compare it with something")
        return Test(fact.name, "is", operand=True)

    def comparison(self, terms: list[ast.expr], ops: list[ast.cmpop]) -> Condition:
        pairs = zip(terms, ops, terms[1:], strict=False)
        parts = tuple(self.one_comparison(left, op, right) for left, op, right in pairs)
        return parts[0] if len(parts) == 1 else All(parts)

    def one_comparison(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Condition:
        if type(op) not in _OPERATORS:
            raise self.refusal(left, "compare with ==, !=, <, <=, >, >=, in or not in")
        operator = _OPERATORS[type(op)]
        if not self.is_fact(left) and operator != "in":
            left, right, operator = right, left, _MIRRORED[operator]
        fact, span = self.measured(left)
        test = Test(fact.name, operator, self.operand(fact, span, operator, right), span)
        if fact.kind == "place" and operator == "==":
            test = Test(fact.name, "in", frozenset({str(test.operand)}))
        return Not(test) if isinstance(op, (ast.NotEq, ast.NotIn)) else test

    def is_fact(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Call):
            return True
        return isinstance(node, ast.Attribute) and not (isinstance(node.value, ast.Name) and node.value.id == "param")

    def measured(self, node: ast.expr) -> tuple[Fact, Span]:
        """Return the fact on the left of a comparison, and the unit in which a date is measured."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[ast.Attribute() as argument], keywords=[]) if name in _SPANS:
                fact = self.fact(argument)
                if fact.kind != "date":
                    raise self.refusal(node, f"{name}() measures from a date; {fact.name} is a {fact.kind}")
                return fact, _SPANS[name]
            case ast.Attribute():
                fact = self.fact(node)
                if fact.kind in {"date", "bool"}:
                    say = (
                        "use days_since(), months_since() or years_since()" if fact.kind == "date" else "write it alone"
                    )
                    raise self.refusal(node, f"{fact.name} is a {fact.kind}; {say}")
                return fact, ""
            case ast.Call():
                raise self.refusal(node, "the only calls are days_since(x), months_since(x) and years_since(x)")
        raise self.refusal(node, "a comparison has a fact on one side")

    def operand(self, fact: Fact, span: Span, operator: Operator, node: ast.expr) -> Operand:
        numeric = fact.kind in {"number", "age"} or bool(span)
        match node:
            case ast.Attribute(value=ast.Name(id="param"), attr=name) if numeric and operator != "in":
                return Parameter(name)
            case ast.Constant(value=int() | float() as value) if (
                numeric and operator != "in" and not isinstance(value, bool)
            ):
                return value
            case ast.Name(id=name) if fact.kind == "place" and operator == "in":
                if name not in self.vocabulary.places.groups:
                    raise ConditionError(
                        f"no group of places is called {name}{nearest(name, self.vocabulary.places.groups)}"
                    )
                return GroupName(name)
            case ast.Constant(value=str(value)) if not numeric and operator == "==":
                return self.word(fact, value)
            case ast.Set(elts=elements) if operator == "in" and not numeric:
                return frozenset(self.element(fact, element) for element in elements)
        raise self.refusal(node, f"{fact.name} is a {fact.kind}, which is not compared like this")

    def element(self, fact: Fact, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.word(fact, node.value)
        raise self.refusal(node, "a set holds quoted words")

    def word(self, fact: Fact, value: str) -> str:
        try:
            checked: Value = self.vocabulary.value(fact, value)
        except FactError as error:
            raise ConditionError(str(error)) from None
        if checked is None:
            raise ConditionError(
                f"{fact.name} is compared with 'unknown'; unknown is not a value, the engine sees to it"
            )
        return value

    def fact(self, node: ast.Attribute) -> Fact:
        if not isinstance(node.value, ast.Name):
            raise self.refusal(node, "names have two parts, such as person.home")
        try:
            return self.vocabulary.fact(f"{node.value.id}.{node.attr}")
        except FactError as error:
            raise ConditionError(str(error)) from None

    def refusal(self, node: ast.AST, cure: str) -> ConditionError:
        shown = (ast.get_source_segment(self.text, node) or type(node).__name__)[:60]
        return ConditionError(f"{shown!r} is not allowed here: {cure}")


def tests(condition: Condition) -> Iterator[Test]:
    """Yield every test in the condition, definitions not followed."""
    match condition:
        case Test():
            yield condition
        case Not(part=part) | Capped(part=part):
            yield from tests(part)
        case ByPlace(own=own, general=general):
            for part in (general, *(part for _, part in own)):
                yield from tests(part)
        case All(parts=parts) | Some(parts=parts) | Same(parts=parts):
            for part in parts:
                yield from tests(part)


def names(condition: Condition) -> Iterator[str]:
    """Yield the definitions the condition uses."""
    match condition:
        case Named(name=name):
            yield name
        case Not(part=part) | Capped(part=part):
            yield from names(part)
        case All(parts=parts) | Some(parts=parts) | Same(parts=parts):
            for part in parts:
                yield from names(part)


def all_of(parts: list[Condition]) -> Condition:
    """Kleene's and, settled as far as its parts are."""
    open_parts: list[Condition] = []
    for part in parts:
        if part == NEVER:
            return NEVER
        open_parts += part.parts if isinstance(part, All) else [] if part == ALWAYS else [part]
    return _joined(All, open_parts, ALWAYS)


def some_of(parts: list[Condition]) -> Condition:
    """Kleene's or, settled as far as its parts are."""
    open_parts: list[Condition] = []
    for part in parts:
        if part == ALWAYS:
            return ALWAYS
        open_parts += part.parts if isinstance(part, Some) else [] if part == NEVER else [part]
    return _joined(Some, open_parts, NEVER)


def same_of(parts: list[Condition]) -> Condition:
    """One truth for all places the person may live in: unknown where they differ."""
    distinct = tuple(dict.fromkeys(parts))
    if len(distinct) == 1:
        return distinct[0]
    return Constant(UNKNOWN, "person.home") if all(isinstance(part, Constant) for part in distinct) else Same(distinct)


def not_of(part: Condition) -> Condition:
    """Kleene's not, settled where its part is."""
    match part:
        case Constant(truth=truth, missing=missing):
            return Constant(TRUE - truth, missing)
        case Not(part=inner):
            return inner
    return Not(part)


def capped(part: Condition) -> Condition:
    """Cap a truth at possible."""
    match part:
        case Constant(truth=truth, missing=missing):
            return Constant(min(truth, UNKNOWN), missing)
        case Capped():
            return part
    return Capped(part)


def truth(condition: Condition, known: Mapping[Test, Truth]) -> Truth:
    """Return the truth of a folded condition, given the truth of its tests."""
    match condition:
        case Test():
            return known[condition]
        case Constant(truth=settled):
            return settled
        case Not(part=part):
            return TRUE - truth(part, known)
        case All(parts=parts):
            return _nearest(FALSE, parts, known)
        case Some(parts=parts):
            return _nearest(TRUE, parts, known)
        case Capped(part=part):
            return min(truth(part, known), UNKNOWN)
        case Same(parts=parts):
            found = {truth(part, known) for part in parts}
            return found.pop() if len(found) == 1 else UNKNOWN
    raise AssertionError(condition)


def _nearest(end: Truth, parts: tuple[Condition, ...], known: Mapping[Test, Truth]) -> Truth:
    """Return the truth of the parts that is nearest to `end`, and ask no further once one has reached it."""
    found = TRUE - end
    for part in parts:
        one = truth(part, known)
        if one == end:
            return end
        if one == UNKNOWN:
            found = UNKNOWN
    return found


def wanting(condition: Condition, known: Mapping[Test, Truth]) -> frozenset[str]:
    """Return the facts for want of which a folded condition is unknown."""
    if truth(condition, known) != UNKNOWN:
        return frozenset()
    match condition:
        case Test(fact=fact):
            return frozenset({fact})
        case Constant(missing=missing):
            return frozenset({missing} if missing else ())
        case Not(part=part) | Capped(part=part):
            return wanting(part, known)
        case All(parts=parts) | Some(parts=parts):
            return frozenset().union(*(wanting(part, known) for part in parts))
        case Same(parts=parts):
            return frozenset({"person.home"}).union(*(wanting(part, known) for part in parts))
    raise AssertionError(condition)


def _joined(kind: type[All | Some], parts: list[Condition], empty: Constant) -> Condition:
    distinct = tuple(dict.fromkeys(parts))
    if not distinct:
        return empty
    return distinct[0] if len(distinct) == 1 else kind(distinct)
