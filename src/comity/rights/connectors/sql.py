"""A database as a store: rows found, masked and deleted over SQLAlchemy, with bound values and quoted names alone.

Whoever reads does so in a read-only transaction; whoever erases does all of one database in one transaction, and each
row only if the value by which it was found still stands in it. PostgreSQL and SQLite are here; for MySQL its driver
(PyMySQL) must be installed beside. No error says a value: those of databases quote the rows that they are about.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event, types
from sqlalchemy.exc import DBAPIError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from comity.rights.connectors.datasets import Collection, Field, Key
from comity.rights.connectors.masking import Erased, NoMask, ToErase, masked_fields, put, stand_in, still_says
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.walking import MOST_ROWS, PHONES, Cells, Value, Via

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.sql.elements import ColumnElement

CONNECTS: Final = 5
LONGEST: Final = 30
"""Seconds that one statement may take."""
AT_ONCE: Final = 500
"""Values in one statement."""
ALLOWED: Final = frozenset({"host", "port", "sslmode", "sslrootcert"})
"""What may stand behind the question mark of an address: a socket instead of a host, and how TLS is checked."""
DRIVERS: Final = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite"}
INTEGERS: Final = ((types.SmallInteger, 15), (types.BigInteger, 63), (types.Integer, 31))


class SqlStore:
    """The collections of one dataset, in one connection."""

    def __init__(self, connection: Connection, system: str) -> None:
        self.connection, self.system = connection, system
        self.tables: dict[Key, sa.Table] = {}

    # ------------------------------------------------------------ finding

    def find(
        self, collection: Collection, field: str, values: Several[Value], *, identity: str = ""
    ) -> Iterator[Cells]:
        """Give the rows that have one of these values in a field. Raises StoreError."""
        table = self.table(collection)
        column = self._column(collection, field)
        shown = [table.c[name] for name in self._columns(collection)]
        for some in _some(sorted(set(self._fitting(column, values, identity)), key=str)):
            wanted = sa.func.lower(column) if identity == "email" else column
            statement = sa.select(*shown).where(wanted.in_(some)).limit(MOST_ROWS + 1)
            for row in self._run(statement):
                yield _clean(row._mapping)  # noqa: SLF001 - SQLAlchemy's name for what everybody uses

    def others(
        self, collection: Collection, field: str, values: Several[Value], but: Several[tuple[Value, ...]]
    ) -> set[Value]:
        """Return which of these values rows have in a field that are none of those whose ids are given."""
        column, found = self._column(collection, field), set[Value]()
        fitting = {fit: each for each in values for fit in self._fitting(column, [each], "")}
        for some in _some(sorted(fitting, key=str)):
            ours = self._with(collection, column, some, but)
            counted = sa.select(column, sa.func.count()).where(column.in_(some)).group_by(column)
            found |= {fitting[value] for value, many in self._run(counted) if many > ours.get(value, 0)}
        return found

    def _with(
        self, collection: Collection, column: sa.Column[Any], values: Sequence[Value], ids: Several[tuple[Value, ...]]
    ) -> Mapping[Value, int]:
        """Count how many rows with each value are among those whose ids are given."""
        count: dict[Value, int] = {}
        for some in _some(sorted(ids, key=str), AT_ONCE // max(1, len(self._key(collection)))):
            one_of = sa.or_(*(self._is(collection, each) for each in some))
            asked = sa.select(column, sa.func.count()).where(column.in_(values), one_of).group_by(column)
            for value, many in self._run(asked):
                count[value] = count.get(value, 0) + many
        return count

    def id_of(self, collection: Collection, cells: Cells) -> tuple[Value, ...]:
        """Return the key of a row; where there is none, all of it that can be compared."""
        return tuple(cells[name] for name in self._key(collection))

    # ------------------------------------------------------------ erasing

    def erase(self, wanted: Sequence[ToErase], categories: Several[str]) -> Sequence[Erased]:
        """Mask or delete rows, in the order in which they are given. Raises StoreError; then nothing was erased."""
        return [self._erase(each, categories) for each in wanted]

    def _erase(self, wanted: ToErase, categories: Several[str]) -> Erased:
        collection, many = wanted.collection, 0
        table = self.table(collection)
        shown = [table.c[name] for name in self._columns(collection)]
        for row_id, via in wanted.rows:
            there = sa.and_(self._is(collection, row_id), self._still(collection, via))
            row = self._run(sa.select(*shown).where(there).limit(1).with_for_update()).first()
            if row is None or not still_says(collection, cells := _clean(row._mapping), categories):  # noqa: SLF001 - as above
                continue  # it went before, or is somebody else's by now
            if collection.deleted:
                many += self._changed(sa.delete(table).where(there))
            elif values := self._masks(collection, categories, cells):
                many += self._changed(sa.update(table).where(there).values(values))
        return Erased(key=collection.key, rows=many, deleted=collection.deleted)

    def _masks(self, collection: Collection, categories: Several[str], cells: Cells) -> dict[str, Any]:
        table, found = self.table(collection), dict[str, Any]()
        for each in masked_fields(collection, categories):
            column = table.c[each.path[0]]
            if each.nested:
                held = found.get(column.name, cells[column.name])
                found[column.name] = put(held, each.path[1:], stand_in(each, str, nullable=True))
            elif (
                column.nullable or not each.references
            ):  # what may not be empty and leads elsewhere, leads to nobody then
                found[column.name] = self._stand_in(collection, each, column)
        return found

    def _stand_in(self, collection: Collection, field: Field, column: sa.Column[Any]) -> object:
        size = getattr(column.type, "length", None)
        try:
            return stand_in(field, _kind(column), nullable=bool(column.nullable), longest=size)
        except NoMask as error:
            raise StoreError(f"{self.system}: {collection.key}.{field.name}: {error}") from None

    def _still(self, collection: Collection, via: Via) -> ColumnElement[bool]:
        """Return the condition that the value by which a row was found stands in it still."""
        if "." in via.field:
            return sa.true()
        return self._column(collection, via.field) == via.value

    def _changed(self, statement: sa.Delete | sa.Update) -> int:
        return max(0, self._run(statement).rowcount)

    # ------------------------------------------------------------ tables

    def table(self, collection: Collection) -> sa.Table:
        """Return a table as the database has it. Raises StoreError if it is not there, or a column of it."""
        if (known := self.tables.get(collection.key)) is None:
            known = self.tables[collection.key] = self._reflected(collection)
        return known

    def _reflected(self, collection: Collection) -> sa.Table:
        with _told(self.system):
            try:
                table = sa.Table(collection.key.name, sa.MetaData(), autoload_with=self.connection, resolve_fks=False)
            except NoSuchTableError:
                what = (
                    f"{self.system}: there is no table {collection.key.name!r}, which {collection.place.file} describes"
                )
                raise StoreError(what) from None
        for each in collection.fields:
            if each.path[0] not in table.c:
                raise StoreError(f"{self.system}: the table {collection.key.name!r} has no column {each.path[0]!r}")
            if each.nested and (each.identity or each.primary_key or each.references):
                what = f"{self.system}: {collection.key}.{each.name} lies in a column; nobody can be sought by it there"
                raise StoreError(what)
        return table

    def _columns(self, collection: Collection) -> list[str]:
        return list(dict.fromkeys([*collection.columns, *self._key(collection)]))

    def _key(self, collection: Collection) -> Sequence[str]:
        if collection.primary:
            return collection.primary
        table = self.table(collection)
        if table.primary_key.columns:
            return [column.name for column in table.primary_key.columns]
        return [name for name in collection.columns if not isinstance(table.c[name].type, types.JSON | types.ARRAY)]

    def _column(self, collection: Collection, field: str) -> sa.Column[Any]:
        column = self.table(collection).c[field.split(".", maxsplit=1)[0]]
        if "." in field or isinstance(column.type, types.ARRAY | types.JSON):
            what = f"{collection.key}.{field} is a list or an object; nobody can be sought by it"
            raise StoreError(f"{self.system}: {what}")
        return column

    def _is(self, collection: Collection, row_id: tuple[Value, ...]) -> ColumnElement[bool]:
        table = self.table(collection)
        pairs = zip(self._key(collection), row_id, strict=True)
        return sa.and_(*(table.c[name] == value for name, value in pairs))  # SQLAlchemy writes IS NULL for None

    def _fitting(self, column: sa.Column[Any], values: Several[Value], identity: str) -> Iterator[Value]:
        """Give the values that can stand in a column, as it has them: a text that is no number is no number."""
        kind = _kind(column)
        for value in values:
            for each in _spellings(value, identity, untyped=kind is object):
                if (fit := _as(kind, each, column.type)) is not None:
                    yield fit

    def _run(self, statement: sa.Executable) -> sa.CursorResult[*tuple[Any, ...]]:
        with _told(self.system):
            return self.connection.execute(statement)


def _clean(row: Mapping[Any, Any]) -> Cells:
    return {
        str(name): bytes(value) if isinstance(value, memoryview | bytearray) else value for name, value in row.items()
    }


def _some(values: Sequence[Any], many: int = AT_ONCE) -> Iterator[Sequence[Any]]:
    return (values[start : start + many] for start in range(0, len(values), max(1, many)))


def _kind(column: sa.Column[Any]) -> type[object]:
    try:
        return column.type.python_type
    except NotImplementedError:  # SQLite has columns of no type
        return object


def _spellings(value: Value, identity: str, *, untyped: bool) -> Iterator[Value]:
    """Give a value as databases may write it: an address in small letters, a number with and without its plus."""
    if identity == "email":
        yield str(value).strip().lower()
    elif identity in PHONES:
        digits = "".join(each for each in str(value) if each.isdigit())
        yield from dict.fromkeys([value, f"+{digits}", digits, f"00{digits}"])
    else:
        yield value
        if untyped and isinstance(value, int):
            yield str(value)
        elif untyped and isinstance(value, str) and value.isascii() and value.isdigit():
            yield int(value[:18])


def _as(kind: type[object], value: Value, column: types.TypeEngine[Any]) -> Value | None:
    """Return a value as a column of this kind has it, or nothing where it cannot stand there."""
    try:
        if kind is str:
            text = str(value)
            return None if "\0" in text else text.encode() and text
        if kind is int:
            number = int(str(value))
            bits = next((bits for type_, bits in INTEGERS if isinstance(column, type_)), 63)
            return number if -(2**bits) <= number < 2**bits else None
        if kind is UUID:
            return value if isinstance(value, UUID) else UUID(str(value))
        if kind in {float, Decimal}:
            return Decimal(str(value))
        if kind in {date, datetime}:
            return value if isinstance(value, date) else kind.fromisoformat(str(value))
    except (ValueError, InvalidOperation):
        return None
    return value if isinstance(value, kind) else None


# ---------------------------------------------------------------- connecting


def url_of(address: str, password: str) -> URL:
    """Return where a database is: its address, and the password that stands in a file of its own. Raises StoreError."""
    try:
        url = sa.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError("this is no address of a database; write it like postgresql://app@db.example/shop") from None
    if url.password is not None:
        raise StoreError("the address holds a password; give the password by itself, so that it is kept apart")
    if url.drivername not in DRIVERS:
        raise StoreError(f"{url.drivername} is not known here; there are {', '.join(DRIVERS)}")
    if unknown := set(url.query) - ALLOWED:
        raise StoreError(f"leave out {', '.join(sorted(unknown))} behind the question mark")
    url = url.set(drivername=DRIVERS[url.drivername])
    return url.set(password=password) if password and url.drivername != "sqlite" else url


def _engine(url: URL, *, writes: bool) -> Engine:
    given: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True}
    if url.drivername == "sqlite":
        return _sqlite(url, writes=writes, given=given)
    if url.drivername.startswith("postgresql"):
        options = f"-c statement_timeout={LONGEST * 1000} -c lock_timeout={CONNECTS * 1000}"
        given["connect_args"] = {"connect_timeout": CONNECTS, "options": options, "application_name": "comity"}
        given["isolation_level"] = "REPEATABLE READ"
        return sa.create_engine(url, execution_options={"postgresql_readonly": not writes}, **given)
    given["connect_args"] = {"connect_timeout": CONNECTS, "read_timeout": LONGEST, "write_timeout": LONGEST}
    engine = sa.create_engine(url, isolation_level="REPEATABLE READ", **given)
    if not writes:
        event.listen(engine, "connect", lambda line, _: line.cursor().execute("SET SESSION TRANSACTION READ ONLY"))
    return engine


def _sqlite(url: URL, *, writes: bool, given: dict[str, Any]) -> Engine:
    path = f"file:{quote(url.database or '')}?mode={'rw' if writes else 'ro'}"

    def connect() -> sqlite3.Connection:
        line = sqlite3.connect(path, uri=True, timeout=CONNECTS, isolation_level=None)
        until = time.monotonic() + LONGEST
        line.set_progress_handler(lambda: int(time.monotonic() > until), 10_000)
        line.execute("PRAGMA foreign_keys = ON")
        line.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
        line.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten in the file
        return line

    engine = sa.create_engine("sqlite://", creator=connect, **given)
    event.listen(engine, "begin", lambda line: line.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN"))
    return engine


@contextmanager
def opened(url: URL, system: str, *, writes: bool = False) -> Iterator[SqlStore]:
    """Open a database for one transaction: read-only unless it `writes`, undone if anything is raised.

    Raises StoreError.
    """
    with _told(system):
        engine = _engine(url, writes=writes)
        with engine.begin() as connection:
            yield SqlStore(connection, system)


@contextmanager
def _told(system: str) -> Iterator[None]:
    """Turn what a database says into what may be shown and kept: its kind and code, never its text."""
    try:
        yield
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", "") or ""
        what = _meaning(str(code), error)
        raise StoreError(f"{system}: {what} ({type(error.orig).__name__} {code})".replace(" )", ")")) from None
    except ModuleNotFoundError as error:
        raise StoreError(f"{system}: the driver {error.name} is not installed here") from None
    except (SQLAlchemyError, sqlite3.Error, ValueError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{system}: the database was not understood ({type(error).__name__})") from None


MEANINGS: Final = {
    "08": "it is not reached", "28": "it does not let us in: look at name and password",
    "3D": "there is no such database",
    "42501": "it does not let us do that: the account lacks a right", "57014": "it took too long",
    "55P03": "somebody else holds the rows", "40": "somebody else changed the rows; try again",
    "23": "other rows depend on it: describe them too, or erase them first", "25006": "it can only be read",
}  # fmt: skip


def _meaning(code: str, error: DBAPIError) -> str:
    for begins, meaning in MEANINGS.items():
        if code.startswith(begins):
            return meaning
    if "CONSTRAINT" in code:
        return MEANINGS["23"]
    if not code or "CANTOPEN" in code or error.connection_invalidated:
        return "it is not reached"
    return "it refused"
