"""roles.toml as a matrix that people can read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from comity.staff.roles import Role, Roles, Word, roles


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Roles across; down go the words by what they are about, and the operations with their fields and purposes."""

    roles: list[Role]
    words: list[tuple[str, list[tuple[Word, list[bool]]]]]
    cells: list[tuple[str, list[tuple[str, list[list[str]]]]]]


def matrix(told: Roles | None = None) -> Matrix:
    """Return the matrix of roles.toml."""
    told = told or roles()
    across = list(told.roles.values())
    about = groupby(told.words.values(), key=lambda word: word.id.partition(".")[0])
    return Matrix(
        roles=across,
        words=[(name, [(word, [role.id in word.roles for role in across]) for word in words]) for name, words in about],
        cells=[(operation, _rows(told, across, operation)) for operation in told.operations],
    )


def _rows(told: Roles, across: list[Role], operation: str) -> list[tuple[str, list[list[str]]]]:
    """Return, for each class of fields, the purposes for which each role may do this, where any may."""
    rows = [
        (field, [[p for p in told.purposes if (operation, p, field) in role.cells] for role in across])
        for field in told.field_classes
    ]
    return [(field, purposes) for field, purposes in rows if any(purposes)]
