"""May we? The one question, for one person at a time, as fast as a dictionary look-up allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from comity.law.conditions import TRUE, UNKNOWN
from comity.law.deciding import Finding, find, permits
from comity.law.decisions import Decision
from comity.law.folding import FIXED_NAMESPACES, HOME, LocalPlan, Plan, fold, test_truth
from comity.law.vocabulary import Facts, Value, aged

if TYPE_CHECKING:
    from comity.law.conditions import Test
    from comity.law.lawbook import Lawbook

_BITS = (0, 2, 3)  # false, unknown, true as the two bits of a signature

FEW = 16
"""Askings after which it pays to compile: many combinations of places are rare."""

Asker = Callable[[Facts], Decision]


def may(book: Lawbook, facts: Mapping[str, object], *, day: date) -> Decision:
    """Decide one case. `facts` are of the use, of us and of the person, by name. Raises FactError."""
    read = aged(book.vocabulary.read(facts), day)
    about_use = {name: value for name, value in read.items() if name.partition(".")[0] in FIXED_NAMESPACES}
    return decide(fold(book, about_use, day), read)


def decide(plan: Plan, facts: Facts) -> Decision:
    """Decide for one person whose facts were read by the vocabulary."""
    home = facts.get(HOME)
    return asker(plan, home if isinstance(home, frozenset) else None)(facts)


def finding_for(plan: Plan, homes: frozenset[str] | None, signature: int) -> Finding:
    """Return what the law answers for everybody with these candidate homes and this signature."""
    local = plan.at(homes)
    key = signature & local.care
    memory = _memory(local)
    if key not in memory:
        memory[key] = find(local, key)
    return memory[key]


def permitted(plan: Plan, homes: frozenset[str] | None, signature: int) -> bool:
    """Tell whether the law permits for everybody with these homes and this signature; quicker than to tell why."""
    local = plan.at(homes)
    key = signature & local.care
    memory: dict[int, bool] = local.__dict__.setdefault("permitted", {})
    if key not in memory:
        memory[key] = permits(local, key)
    return memory[key]


def asker(plan: Plan, homes: frozenset[str] | None) -> Asker:
    """Return the function that decides for people who may live in `homes`; after a few people, a compiled one."""
    local = plan.at(homes)
    memory = local.__dict__
    if "asker" not in memory:
        memory["times"] = memory.get("times", 0) + 1
        if memory["times"] <= FEW:
            return lambda facts: Decision(
                plan, finding_for(plan, homes, signature_of(plan, local, facts)), facts, homes
            )
        memory["asker"] = _compiled(plan, local, homes)
    compiled: Asker = memory["asker"]
    return compiled


def _memory(local: LocalPlan) -> dict[int, Finding]:
    memory: dict[int, Finding] = local.__dict__.setdefault("memory", {})
    return memory


def signature_of(plan: Plan, local: LocalPlan, facts: Facts) -> int:
    """Return the signature of one person's facts, fact by fact: the plain form of what `asker` compiles."""
    return _signature(plan, local.facts_tested, facts) & local.care


def signature_anywhere(plan: Plan, facts: Facts) -> int:
    """Return the signature of facts wherever the person lives; each place cares about some of its bits."""
    return _signature(plan, plan.tests_of, facts)


def _signature(plan: Plan, tested: Iterable[str], facts: Facts) -> int:
    bits, absent, signature = plan.bits, plan.absent, 0
    for fact in tested:
        signature |= bits[fact, facts[fact] if fact in facts else absent[fact]]
    return signature


def _compiled(plan: Plan, local: LocalPlan, homes: frozenset[str] | None) -> Asker:
    """Compile the signature into one Python function: a look-up for each flag or choice, comparisons for the rest.

    The source is made from our own typed tests, never from the text of a pack.
    """
    by_fact: dict[str, list[tuple[Test, int]]] = {}
    for test, position in zip(local.tests, local.positions, strict=True):
        by_fact.setdefault(test.fact, []).append((test, position))
    names: dict[str, object] = {
        "memory": _memory(local), "Decision": Decision, "plan": plan, "find": find, "local": local, "homes": homes,
    }  # fmt: skip
    lines, terms = [], []
    for number, (fact, tests) in enumerate(by_fact.items()):
        names[f"absent{number}"] = plan.absent[fact]
        got = f"get({fact!r}, absent{number})"
        kind = plan.book.vocabulary.facts[fact]
        if kind.kind in {"bool", "choice"}:
            names[f"table{number}"] = _table(
                tests, (True, False, None) if kind.kind == "bool" else (*kind.choices, None)
            )
            terms.append(f"table{number}[{got}]")
        else:
            unknown = sum(2 << (2 * position) for _, position in tests)
            compared = " + ".join(_compared(f"v{number}", kind.kind, test, position, names) for test, position in tests)
            lines.append(f"    v{number} = {got}")
            terms.append(f"({unknown} if v{number} is None else {compared})")
    source = "\n".join(
        [
            "def ask(facts):",
            "    get = facts.get",
            *lines,
            f"    key = {' + '.join(terms) or '0'}",
            "    finding = memory.get(key)",
            "    if finding is None:",
            "        finding = memory[key] = find(local, key)",
            "    return Decision(plan, finding, facts, homes)",
        ]
    )
    exec(compile(source, "<asker>", "exec"), names)  # noqa: S102  (our own source, see above)
    return names["ask"]  # type: ignore[return-value]


def _table(tests: list[tuple[Test, int]], values: tuple[Value, ...]) -> dict[Value, int]:
    return {
        value: sum(_BITS[test_truth(test, value)] << (2 * position) for test, position in tests) for value in values
    }


def _compared(name: str, kind: str, test: Test, position: int, names: dict[str, object]) -> str:
    operand = f"operand{position}"
    names[operand] = test.operand
    yes, maybe = TRUE + 1 << (2 * position), UNKNOWN + 1 << (2 * position)
    operator = test.operator
    if kind != "age":
        return f"({yes} if {name} {operator} {operand} else 0)"
    if operator == "==":
        names[f"whole{position}"] = lambda value: _BITS[test_truth(test, value)] << (2 * position)
        return f"whole{position}({name})"
    weak, strong = (0, 1) if operator in {"<", "<="} else (1, 0)
    return (
        f"({yes} if {name}[{strong}] {operator} {operand} else {maybe} if {name}[{weak}] {operator} {operand} else 0)"
    )
