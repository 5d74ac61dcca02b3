"""Merge what several laws want to accompany the same use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from comity.law.lawbook import Obligation, ObligationKind, ObligationParameter


@dataclass(frozen=True, slots=True)
class Wanted:
    """An obligation, the rule that wants it, and whether it certainly does."""

    obligation: Obligation
    rule: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """One kind of obligation as all laws together want it."""

    kind: str
    says: str
    parameters: Mapping[str, object]
    rules: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """Obligations that cannot be met together."""

    kind: str
    parameter: str
    rules: tuple[str, ...]


def merge(
    wanted: Sequence[Wanted], kinds: Mapping[str, ObligationKind]
) -> tuple[tuple[Merged, ...], tuple[Clash, ...]]:
    """Merge obligations kind by kind; what cannot be met together comes back as clashes."""
    merged, clashes = [], []
    for kind in dict.fromkeys(item.obligation.kind for item in wanted):
        same = [item for item in wanted if item.obligation.kind == kind]
        rules = tuple(dict.fromkeys(item.rule for item in same))
        parameters = {}
        for name, parameter in kinds[kind].parameters.items():
            values = [item.obligation.parameters[name] for item in same if name in item.obligation.parameters]
            if values:
                parameters[name] = joined = _join(parameter, values)
                if joined is None:
                    clashes.append(Clash(kind, name, rules))
        if _closed(parameters):
            clashes.append(Clash(kind, "from", rules))
        merged.append(Merged(kind, kinds[kind].says, parameters, rules, any(item.certain for item in same)))
    return tuple(merged), tuple(clashes)


def _closed(parameters: Mapping[str, object]) -> bool:
    """Tell whether hours were merged down to nothing."""
    opens, closes = parameters.get("from"), parameters.get("until")
    return isinstance(opens, str) and isinstance(closes, str) and opens >= closes


def _join(parameter: ObligationParameter, values: Sequence[object]) -> object | None:
    """Join the values of one parameter; None where nothing satisfies all."""
    match parameter.merge:
        case "any":
            return any(values)
        case "least":
            return min(values)  # type: ignore[type-var]
        case "most":
            return max(values)  # type: ignore[type-var]
        case "union":
            return tuple(dict.fromkeys(word for value in values for word in value))  # type: ignore[attr-defined]
        case "intersect":
            shared = set(values[0]).intersection(*values[1:])  # type: ignore[call-overload]
            return tuple(word for word in values[0] if word in shared) or None  # type: ignore[attr-defined]
        case "same":
            return values[0] if all(value == values[0] for value in values) else None
