"""Where a person stands in the database, by the data map: which rows of a table are theirs, what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from comity.vault.data_map import Link, Sensitivity, Table, data_map

if TYPE_CHECKING:
    from django.db.models import Model

THEIRS: Final = "%(persons)s::uuid[]"
"""In every statement: the refs of those who are erased."""
OURS: Final = "%(entity)s::uuid"
"""In statements about one entity of ours: its ref."""
SEALED: Final = "vault"
"""The room whose rows go with the keys."""
ENTITY: Final = ("entity_id", "entity")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A table in which a person may stand."""

    label: str  # book.Activity
    model: type[Model]
    declared: Table
    where: str  # which rows are theirs
    entity: str  # the column that holds the entity of ours whose row it is; nothing where rows are of none alone
    depth: int  # how many tables lie between the row and the person

    @property
    def table(self) -> str:
        """The name of the table in the database."""
        return self.model._meta.db_table  # noqa: SLF001 - Django's documented name for it

    @property
    def becomes(self) -> str:
        """What becomes of the rows: delete, unname or stay."""
        return self.declared.erased

    @property
    def refs(self) -> list[str]:
        """The columns by which blobs in the vault may be called after a row."""
        names = ["ref", "held"]
        return [name for name in names if name in self.declared.columns]

    @property
    def facts(self) -> list[str]:
        """The columns that say something and lead to nobody: what may be kept of a row."""
        kept = {Sensitivity.FACT, Sensitivity.NONE}
        return [name for name, column in self.declared.columns.items() if column.sensitivity in kept]

    def where_of(self, *, whole: bool) -> str:
        """Return which rows are meant: all of theirs, or those of one entity of ours alone."""
        if whole:
            return self.where
        return f"({self.where}) AND {self.entity} = {OURS}" if self.entity else "false"


@cache
def targets() -> tuple[Target, ...]:
    """Return all tables in which a person may stand, those first that are reached through others."""
    declared = data_map()
    found = [_target(table, declared) for table in declared.values() if table.persons and table.app != SEALED]
    return tuple(sorted(found, key=lambda target: (-target.depth, target.label)))


def target(label: str) -> Target:
    """Return one table by its label, such as book.Person."""
    return next(each for each in targets() if each.label == label)


def _target(table: Table, declared: Mapping[tuple[str, str], Table]) -> Target:
    model = apps.get_model(table.app, table.model)
    entity = next((name for name in ENTITY if name in table.columns), "")
    where, depth = _where(table, declared)
    return Target(
        label=f"{table.app}.{table.model}", model=model, declared=table, where=where, entity=entity, depth=depth
    )


def _where(table: Table, declared: Mapping[tuple[str, str], Table]) -> tuple[str, int]:
    model = apps.get_model(table.app, table.model)
    parts = [_reached_by(model, link, declared) for link in table.persons]
    return " OR ".join(part for part, _ in parts), max(depth for _, depth in parts)


def _reached_by(model: type[Model], link: Link, declared: Mapping[tuple[str, str], Table]) -> tuple[str, int]:
    if link.within is None:
        many = isinstance(_field(model, link.column), ArrayField)
        return (f"{link.column} && {THEIRS}" if many else f"{link.column} = ANY ({THEIRS})"), 0
    parent = apps.get_model(*link.within)
    meta = parent._meta  # noqa: SLF001 - as above
    where, depth = _where(declared[link.within], declared)
    assert meta.pk is not None  # noqa: S101 - every table of ours has one
    return f"{link.column} IN (SELECT {meta.pk.column} FROM {meta.db_table} WHERE {where})", depth + 1  # noqa: S608 - our own words


def _field(model: type[Model], column: str) -> models.Field[object, object]:
    return next(field for field in model._meta.concrete_fields if field.column == column)  # noqa: SLF001 - as above


def emptied(target: Target, column: str) -> str:
    """Return what empties a column of a person's ref: a list loses it, anything else is NULL."""
    if isinstance(_field(target.model, column), ArrayField):
        return f"{column} = ARRAY(SELECT unnest({column}) EXCEPT SELECT unnest({THEIRS}))"
    return f"{column} = NULL"
