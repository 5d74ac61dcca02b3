"""Rows whose time is over go: in short transactions of a few hundred, which wait for nobody and hold up nobody.

What goes is what the data maps declare: of each table with "<n> units after <column>" the rows past their clock, with
the rows of other tables that are there as long as they are ("parent"), and with what is sealed under their refs. A row
stays while somebody holds its person, or restricted them, and while a row that does not go with it refers to it.

Killed anywhere, what was committed is done and the next run goes on. The ledger has the counts of each run, by table.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.cache import cache as shared
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import ForeignKey, Model, UUIDField
from django.utils import timezone

from comity.ledger.actions import record
from comity.retention.holds.queries import let_no_hold_come
from comity.retention.own_keys import own_keys_of
from comity.retention.schedule.categories import schedule
from comity.staff.models import Entity
from comity.staff.walls import behind_wall
from comity.vault.data_map import Clock, Sensitivity, Table, data_map
from comity.vault.destroying import destroy_person_keys

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON

log = logging.getLogger(__name__)

LEFT: Final = "retention.overdue"
AT_ONCE: Final = 500
"""Rows of a table that go in one transaction, and of each table that goes with it."""
STILL: Final[Mapping[str, str]] = {
    "staff.RoleGrant": "revoked_at IS NULL AND (ends_at IS NULL OR ends_at > now())",
    "api.Token": "revoked_at IS NULL AND expires_at > now()",
    "book.Merge": "undone_at IS NULL AND final_at IS NULL",
}
"""Rows that are in use however old they are: roles that somebody has, tokens that open, merges that can be undone."""


PLACE: Final = "ctid"
"""PostgreSQL's own name for where a row lies; it holds while the row is locked."""
ON_ONE: Final = (
    "EXISTS (SELECT FROM retention_hold AS h WHERE h.lifted_at IS NULL AND (h.person = {row}.{column} OR h.person IS "
    "NULL AND EXISTS (SELECT FROM book_person AS p WHERE p.ref = {row}.{column} AND h.entity_id = ANY (p.entities))))"
)
ON_SOME: Final = (
    "EXISTS (SELECT FROM retention_hold AS h WHERE h.lifted_at IS NULL AND h.person = ANY ({row}.{column}))"
)
RESTRICTED: Final = "EXISTS (SELECT FROM book_person AS p WHERE p.ref = t.{column} AND p.restricted_at IS NOT NULL)"
ON_ENTITY: Final = (
    "EXISTS (SELECT FROM retention_hold AS h WHERE h.lifted_at IS NULL AND h.person IS NULL AND h.entity_id = "
    "t.entity_id)"
)
"""What keeps a row though its time is over: a hold on its person, one of its persons, its entity; a restriction."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What a run did to one table."""

    table: str  # "book.Activity"
    gone: int = 0  # rows of this table
    along: int = 0  # rows of other tables that went with them
    refused: bool = False  # a trigger of the database lets none of them go


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A table that goes with another, and the column by which its rows refer to that."""

    table: str
    column: str
    key: str  # its own
    branches: tuple[Branch, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How the rows of one table go."""

    name: str
    table: str
    key: str
    past: str  # the SQL condition under which a row is past its clock and nothing keeps it
    overdue: str  # past its clock, whatever keeps it
    branches: tuple[Branch, ...] = ()
    sealed_by: str = ""  # the column of the person under whose key something is sealed under the row's ref
    parts: tuple[tuple[str, str], ...] = field(default=())  # columns with a clock of their own, and its condition


def word_of(table: str) -> str:
    """Return a table as the ledger names it: book.activity."""
    return table.lower().replace("_", "-")


# ---------------------------------------------------------------- the run


def clean_all(*, at_once: int = AT_ONCE) -> list[Cleaned]:
    """Let everything go whose time is over, of every table; return what was done, of tables where something was."""
    done = [each for plan in plans().values() if (each := clean(plan, at_once=at_once)).gone or each.refused]
    if done:
        _record(done)
    return done


def clean(plan: Plan, *, at_once: int = AT_ONCE) -> Cleaned:
    """Let the rows of one table go, batch by batch; each is a transaction of its own."""
    gone = along = 0
    try:
        for column, condition in plan.parts:
            while _empty_some(plan, column, condition, at_once):
                pass
        while (step := _clean_some(plan, at_once)) is not None:
            gone, along = gone + step[0], along + step[1]
    except OperationalError:
        raise  # the database itself is in trouble: the job comes again
    except DatabaseError:
        log.exception("Rows of %s are past their time, and the database does not let them go", plan.table)
        return Cleaned(table=plan.name, gone=gone, along=along, refused=True)
    return Cleaned(table=plan.name, gone=gone, along=along)


def _clean_some(plan: Plan, at_once: int) -> tuple[int, int] | None:
    """Let some rows go, or first some of those that go with them; return how many, none where nothing is left."""
    with behind_wall(staff=None, entities=_everybody()), connection.cursor() as cursor:
        let_no_hold_come()
        cursor.execute(
            f"SELECT {plan.key} FROM {plan.table} AS t WHERE {plan.past} LIMIT %s FOR UPDATE SKIP LOCKED", [at_once]
        )
        keys = [key for (key,) in cursor.fetchall()]
        if not keys:
            return None
        along = 0
        for branch in plan.branches:
            went = _branch_goes(cursor, branch, keys, at_once)
            along += went
            if went >= at_once:  # the rows themselves go with the last of what is theirs
                return 0, along
        if plan.sealed_by:
            along += _sealed_goes(cursor, plan, keys)
        if plan.key == "ref" and (own := own_keys_of(keys)):
            destroy_person_keys(persons=own, staff=None)
        cursor.execute(f"DELETE FROM {plan.table} WHERE {plan.key} = {_any(plan.key)}", [keys])
        return cursor.rowcount, along


def _branch_goes(cursor: Any, branch: Branch, keys: list[Any], at_once: int) -> int:  # noqa: ANN401 - Django's cursor has no type of its own
    """Let at most so many rows of a table go that refer to these; first what refers to them in turn."""
    cursor.execute(
        f"SELECT {branch.key} FROM {branch.table} WHERE {branch.column} = ANY(%s) LIMIT %s FOR UPDATE", [keys, at_once]
    )
    own = [key for (key,) in cursor.fetchall()]
    went = 0
    for further in branch.branches if own else ():
        went += _branch_goes(cursor, further, own, at_once)
        if went >= at_once:
            return went
    if own:
        cursor.execute(f"DELETE FROM {branch.table} WHERE {branch.key} = {_any(branch.key)}", [own])
        went += cursor.rowcount
    return went


def _any(key: str) -> str:
    """Return the keys of a statement as PostgreSQL takes them."""
    return "ANY(%s::tid[])" if key == PLACE else "ANY(%s)"


def _sealed_goes(cursor: Any, plan: Plan, keys: list[Any]) -> int:  # noqa: ANN401 - as above
    cursor.execute(
        f"DELETE FROM vault_sealed AS s USING {plan.table} AS t "
        f"WHERE t.{plan.key} = ANY(%s) AND s.person = t.{plan.sealed_by} AND s.record = t.{plan.key}",
        [keys],
    )
    return int(cursor.rowcount)


def _empty_some(plan: Plan, column: str, condition: str, at_once: int) -> int:
    """Empty a column with a clock of its own, of some rows."""
    with behind_wall(staff=None, entities=_everybody()), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {plan.table} SET {column} = NULL WHERE {plan.key} IN (SELECT {plan.key} FROM {plan.table} AS t "
            f"WHERE {column} IS NOT NULL AND {condition} LIMIT %s FOR UPDATE SKIP LOCKED)",
            [at_once],
        )
        return int(cursor.rowcount)


@transaction.atomic
def _record(done: Iterable[Cleaned]) -> None:
    tables: list[JSON] = [
        {"table": word_of(one.table), "rows": one.gone, "along": one.along, "refused": one.refused} for one in done
    ]
    record(kind="retention.cleaned", body={"tables": tables})


def overdue() -> dict[str, int]:
    """Count the rows past their clock that are still there: held, restricted, referred to, or refused to go."""
    found = {}
    with behind_wall(staff=None, entities=_everybody()), connection.cursor() as cursor:
        for plan in plans().values():
            cursor.execute(f"SELECT count(*) FROM {plan.table} AS t WHERE {plan.overdue}")
            ((many,),) = cursor.fetchall()
            if many:
                found[plan.name] = int(many)
    return found


def count_what_stays() -> None:
    """Count what is overdue and keep the numbers for the page: counting reads whole tables, and a page may not."""
    shared.set(LEFT, (timezone.now(), overdue()), timeout=None)


def what_stays() -> tuple[datetime, dict[str, int]] | None:
    """Return what was overdue after the last run, and when that was; none where none was yet."""
    kept: tuple[datetime, dict[str, int]] | None = shared.get(LEFT)
    return kept


def _everybody() -> list[UUID]:
    return list(Entity.objects.values_list("ref", flat=True))


# ---------------------------------------------------------------- how each table goes


@cache
def plans() -> Mapping[str, Plan]:
    """Return how the rows of each table with a clock of its own go, by its name."""
    declared, own_job = data_map(), schedule().own_job
    timed = [one for one in declared.values() if one.clock.until == "after"]
    return {name: _plan(one) for one in timed if (name := f"{one.app}.{one.model}") not in own_job}


def _plan(table: Table) -> Plan:
    model = apps.get_model(table.app, table.model)
    name, key = f"{table.app}.{table.model}", _key(model)
    overdue = _after(table.clock)
    kept = [*_kept(table, model), *_referred(model)]
    if name in STILL:
        kept.append(f"({STILL[name]})")
    past = " AND ".join([overdue, *(f"NOT {one}" for one in kept)])
    return Plan(
        name=name, table=_table(model), key=key, past=past, overdue=overdue, branches=tuple(_branches(model)),
        sealed_by=_person_column(table) if key == "ref" else "",
        parts=tuple((column, _after(each.clock)) for column, each in _own_clocks(table, model)),
    )  # fmt: skip


def _after(clock: Clock) -> str:
    return f"t.{clock.column} < now() - interval '{clock.count} {clock.unit}'"


def _own_clocks(table: Table, model: type[Model]) -> Iterator[tuple[str, Any]]:
    """Give the columns that go before their rows; one that cannot be empty is its room's own to deal with."""
    empty = {one.column for one in model._meta.concrete_fields if one.null}  # noqa: SLF001 - it is documented
    for column, each in table.columns.items():
        if each.clock != table.clock and each.clock.until == "after" and column in empty:
            yield column, each


def _key(model: type[Model]) -> str:
    """Return what tells a row from all others; where the key has several columns, the row's place."""
    return str(model._meta.pk.column or PLACE)  # noqa: SLF001 - it is documented


def _table(model: type[Model]) -> str:
    return str(connection.ops.quote_name(model._meta.db_table))  # noqa: SLF001 - it is documented


def _kept(table: Table, model: type[Model]) -> Iterator[str]:
    """Give what keeps a row though its time is over; a held person in a row that goes along keeps it too."""
    yield from _held(table, model, "t")
    if person := _person_column(table):
        yield RESTRICTED.format(column=person)
    if "entity_id" in table.columns:
        yield ON_ENTITY
    for other, column in _referring(model):
        if _goes_along(other) and not column.null:
            declared = data_map()[other._meta.app_label, other.__name__]  # noqa: SLF001 - it is documented
            for held in _held(declared, other, "o"):
                yield f"EXISTS (SELECT FROM {_table(other)} AS o WHERE o.{column.column} = t.{_key(model)} AND {held})"


def _held(table: Table, model: type[Model], row: str) -> Iterator[str]:
    """Give what is true of a row in which somebody stands who is held."""
    if person := _person_column(table):
        yield ON_ONE.format(row=row, column=person)
    for one in model._meta.concrete_fields:  # noqa: SLF001 - it is documented
        of_refs = isinstance(one, ArrayField) and isinstance(one.base_field, UUIDField)
        if of_refs and table.columns[str(one.column)].sensitivity is Sensitivity.REF:
            yield ON_SOME.format(row=row, column=one.column)


def _person_column(table: Table) -> str:
    """Return the column that holds the ref of the person a row is about, if it has one."""
    refs = [name for name, one in table.columns.items() if one.sensitivity is Sensitivity.REF]
    return next((name for name in ("person", "person_id") if name in refs), "")


def _referring(model: type[Model]) -> Iterator[tuple[type[Model], Any]]:
    """Give the tables that refer to this one, each with the field by which it does; not the table itself."""
    for other in apps.get_models(include_auto_created=True):
        for one in other._meta.concrete_fields:  # noqa: SLF001 - it is documented
            if isinstance(one, ForeignKey) and one.remote_field.model is model and other is not model:
                yield other, one


def _goes_along(other: type[Model]) -> bool:
    declared = data_map().get((other._meta.app_label, other.__name__))  # noqa: SLF001 - it is documented
    return declared is not None and declared.clock.until == "parent"


def _branches(model: type[Model]) -> Iterator[Branch]:
    for other, column in _referring(model):
        if _goes_along(other) and not column.null:
            branches = tuple(_branches(other))
            yield Branch(table=_table(other), column=column.column, key=_key(other), branches=branches)


def _referred(model: type[Model]) -> Iterator[str]:
    """Give what keeps a row: others that refer to it and are not there only for its sake."""
    for other, column in _referring(model):
        if not _goes_along(other) or column.null:
            yield f"EXISTS (SELECT FROM {_table(other)} AS o WHERE o.{column.column} = t.{_key(model)})"
    for one in model._meta.concrete_fields:  # noqa: SLF001 - it is documented
        if isinstance(one, ForeignKey) and one.remote_field.model is model:
            yield f"EXISTS (SELECT FROM {_table(model)} AS o WHERE o.{one.column} = t.{_key(model)})"
