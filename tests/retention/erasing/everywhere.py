"""A person in every table that can name one, whatever else those rows say; and where in the database a text stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from comity.refs import new_ref
from comity.retention.erasing.targets import Target, targets
from comity.staff.models import Entity

OTHERWISE: Final[dict[str, dict[str, Any]]] = {
    "outreach.Call": {"outcome": "", "ended_at": None},
}
"""What a table's own checks want."""
MADE_ELSEWHERE: Final = frozenset({"book.Person", "book.Known"})


def put_everywhere(person: UUID, entity: UUID, refs: dict[str, UUID]) -> list[str]:
    """Write a row that names a person into every table of which rows go; return these. No foreign key is looked at."""
    put = []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for target in reversed(targets()):  # those that others lead through first
            if target.becomes != "stay" and target.label not in MADE_ELSEWHERE:
                _put(cursor, target, person, entity, refs)
                put.append(target.label)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return put


def _put(cursor: Any, target: Target, person: UUID, entity: UUID, refs: dict[str, UUID]) -> None:  # noqa: ANN401 - a cursor
    row = _needed_row(target.model)
    row |= {name: entity for name in ("entity_id", "entity") if name in target.declared.columns}
    for link in target.declared.persons:
        field = next(each for each in target.model._meta.concrete_fields if each.column == link.column)
        if link.within:
            row[link.column] = refs[".".join(link.within)]
        elif link.column != "ref":
            row[link.column] = [person] if isinstance(field, ArrayField) else person
    if target.label in {"book.Pair", "book.Merge"}:  # of two different people
        first, second = (link.column for link in target.declared.persons)
        row |= {first: person, second: UUID(int=(1 << 128) - 1)}
    row |= OTHERWISE.get(target.label, {})
    if target.becomes == "unname":  # such a row stays, so what it is about must be there
        row |= {
            name: _parent(cursor, model)
            for name, model in _parents(target.model)
            if name in row and model is not Entity
        }
    row = {name: value for name, value in row.items() if name in target.declared.columns or name == "id"}
    if "ref" in row:
        refs[target.label] = row["ref"]
    _insert(cursor, target.table, row)


def _insert(cursor: Any, table: str, row: dict[str, Any]) -> None:  # noqa: ANN401 - a cursor
    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join(["%s"] * len(row))
    cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", list(row.values()))


def _parents(model: type[models.Model]) -> Iterator[tuple[str, type[models.Model]]]:
    for field in model._meta.concrete_fields:
        if field.remote_field and not field.null:
            yield str(field.column), field.remote_field.model


def _parent(cursor: Any, model: type[models.Model]) -> Any:  # noqa: ANN401 - as above
    """Write a row that others are about; return its key."""
    row = _needed_row(model)
    _insert(cursor, model._meta.db_table, row)
    return row["ref"]


def _needed_row(model: type[models.Model]) -> dict[str, Any]:
    return {str(field.column): _value(field) for field in model._meta.concrete_fields if _needed(field)}


def _needed(field: Any) -> bool:  # noqa: ANN401 - any field
    generated = isinstance(field, models.GeneratedField | models.AutoField | models.BigAutoField)
    return bool(field.column) and not field.null and not generated


def _value(field: Any) -> Any:  # noqa: ANN401 - as above
    kind = field.target_field if field.remote_field else field
    match kind:
        case ArrayField():
            return []
        case models.UUIDField():
            return new_ref()
        case models.BooleanField():
            return False
        case models.JSONField():
            return "{}"
        case models.DateTimeField():
            return "2026-11-20T09:00:00Z"
        case models.DateField():
            return "2026-11-20"
        case models.BinaryField():
            return b"\x01" * 16
        case models.IntegerField():
            return 1
    return ""


def tables_with(text: str) -> Iterator[str]:
    """Give every table of the database in a row of which a text stands, however deep."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" AS row WHERE row::text LIKE %s)', [f"%{text}%"])
            ((there,),) = cursor.fetchall()
            if there:
                yield table
