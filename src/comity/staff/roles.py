"""Which role may do what: roles.toml, read and checked once, when the application starts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TypeVar

from comity.law.vocabulary import nearest

T = TypeVar("T")

SOURCE = Path(__file__).with_name("roles.toml")
READING = frozenset({"read", "view"})
"""How a word ends that changes nothing. The auditor has no other."""

OWN = "self"
"""Words about nobody but oneself."""

CHANGES_NOTHING = frozenset({"view"})
"""Operations that leave everything where it is."""

WORD = re.compile(r"[a-z-]+\.[a-z-]+")

Cell = tuple[str, str, str]
"""An operation, a purpose, a class of fields."""


class RolesError(ValueError):
    """roles.toml cannot be taken as it is; the message says where, and what to write."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """One thing that pages and actions ask leave for, and the roles that have it."""

    id: str
    says: str
    roles: frozenset[str]

    @property
    def reads(self) -> bool:
        """Whether whoever has this word alone can change nothing but what is their own."""
        namespace, _, verb = self.id.partition(".")
        return verb in READING or namespace == OWN


@dataclass(frozen=True, kw_only=True)
class Role:
    """What somebody is here to do, and the people's data that this takes."""

    id: str
    name: str
    says: str
    cells: frozenset[Cell]
    changes: bool = True
    second_factor: bool = False


@dataclass(frozen=True, kw_only=True)
class Roles:
    """roles.toml as a whole."""

    operations: tuple[str, ...]
    purposes: tuple[str, ...]
    field_classes: tuple[str, ...]
    roles: Mapping[str, Role]
    words: Mapping[str, Word]

    def with_word(self, word: str) -> frozenset[str]:
        """Return the roles that have a word. Raises RolesError for a word that the file does not have."""
        if word not in self.words:
            raise RolesError(f"{SOURCE.name} has no word {word!r}{nearest(word, self.words)}")
        return self.words[word].roles

    def with_cell(self, operation: str, purpose: str, field_class: str) -> frozenset[str]:
        """Return the roles that may do this with such fields for this purpose. Raises RolesError for unknown names."""
        for said, known in zip((operation, purpose, field_class), self._axes, strict=True):
            if said not in known:
                raise RolesError(f"{SOURCE.name} has no {said!r} among {', '.join(known)}{nearest(said, known)}")
        cell = (operation, purpose, field_class)
        return frozenset(role.id for role in self.roles.values() if cell in role.cells)

    @property
    def _axes(self) -> tuple[tuple[str, ...], ...]:
        return self.operations, self.purposes, self.field_classes


@cache
def roles() -> Roles:
    """Return what roles.toml says. Raises RolesError."""
    return read_roles(SOURCE.read_text("utf-8"))


def read_roles(text: str) -> Roles:
    """Read and check a text in the form of roles.toml. Raises RolesError, saying which entry is wrong and why."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RolesError(f"{SOURCE.name} is not TOML: {error}") from None
    _only(tables, {"operations", "purposes", "fields", "role", "word"}, "the file")
    axes = {key: tuple(_needed(tables, key, list, "the file")) for key in ("operations", "purposes", "fields")}
    known = {name: _role(name, table, axes) for name, table in _needed(tables, "role", dict, "the file").items()}
    words = {id_: _word(id_, table, known) for id_, table in _needed(tables, "word", dict, "the file").items()}
    _check_that_readers_only_read(known, words)
    return Roles(
        operations=axes["operations"],
        purposes=axes["purposes"],
        field_classes=axes["fields"],
        roles=known,
        words=words,
    )


def _role(name: str, table: Mapping[str, object], axes: Mapping[str, tuple[str, ...]]) -> Role:
    where = f"[role.{name}]"
    _only(table, {"name", "says", "may", "changes", "second-factor"}, where)
    rows = _needed(table, "may", list, where)
    return Role(
        id=name,
        name=_needed(table, "name", str, where),
        says=_needed(table, "says", str, where),
        cells=frozenset(cell for row in rows for cell in _cells(row, axes, where)),
        changes=table.get("changes") is not False,
        second_factor=table.get("second-factor") is True,
    )


def _cells(row: object, axes: Mapping[str, tuple[str, ...]], where: str) -> Iterable[Cell]:
    """Return all combinations of the operations, purposes and fields in one row of `may`; "all" stands for each."""
    if not isinstance(row, dict):
        raise RolesError(f"{where}: each row of may is a table: {{ operations = …, purposes = …, fields = … }}")
    _only(row, set(axes), f"{where} may")
    listed = [_listed(row, key, known, where) for key, known in axes.items()]
    return [(operation, purpose, field) for operation, purpose, field in product(*listed)]


def _listed(row: Mapping[str, object], key: str, known: tuple[str, ...], where: str) -> list[str]:
    given = row.get(key)
    if given == "all":
        return list(known)
    if not isinstance(given, list) or not given:
        raise RolesError(f'{where} may: {key} is "all" or a list of {", ".join(known)}; this one is {given!r}')
    for one in given:
        if one not in known:
            raise RolesError(f"{where} may: {key} has no {one!r}{nearest(str(one), known)}")
    return given


def _word(id_: str, table: object, known: Mapping[str, Role]) -> Word:
    where = f'[word] "{id_}"'
    if not WORD.fullmatch(id_) or not isinstance(table, dict):
        raise RolesError(f'{where}: a word is what and verb: "person.view" = {{ says = "…", roles = ["sales"] }}')
    _only(table, {"says", "roles"}, where)
    given = list(known) if table.get("roles") == "all" else _needed(table, "roles", list, where)
    for one in given:
        if one not in known:
            raise RolesError(f"{where}: there is no role {one!r}{nearest(str(one), known)}")
    return Word(id=id_, says=_needed(table, "says", str, where), roles=frozenset(given))


def _check_that_readers_only_read(known: Mapping[str, Role], words: Mapping[str, Word]) -> None:
    for role in known.values():
        if role.changes:
            continue
        changing = sorted(word.id for word in words.values() if role.id in word.roles and not word.reads)
        changing += sorted({cell[0] for cell in role.cells} - CHANGES_NOTHING)
        if changing:
            raise RolesError(
                f"[role.{role.id}] has changes = false and yet {', '.join(changing)}; take that away, "
                f"or let words that change nothing end in {' or '.join(sorted(READING))}"
            )


def _needed(table: Mapping[str, object], key: str, kind: type[T], where: str) -> T:
    if not isinstance(value := table.get(key), kind) or not value:
        raise RolesError(f"{where} needs {key}, a {kind.__name__} that is not empty")
    return value


def _only(table: Mapping[str, object], keys: set[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise RolesError(f"{where} has an unknown key {key!r}{nearest(key, keys)}")
