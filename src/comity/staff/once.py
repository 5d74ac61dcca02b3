"""A query that every page asks: it is written once and planned once, and afterwards only the values in it change.

Django takes longer to put such a query into SQL, and PostgreSQL to plan it, than it takes to answer it. The words stay
Django's, and the answer is read from the database each time.

    STANDING = Once(lambda staff, at: RoleGrant.objects.standing(at).filter(staff=staff), new_ref(), timezone.now())
    grants = STANDING(viewer.ref, timezone.now())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models.query import ModelIterable
from psycopg.pq import Format

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet
    from psycopg import Connection, Cursor

Row = TypeVar("Row")


def rows_of(statement: str, parameters: Sequence[object] | Mapping[str, object], *, binary: bool = False) -> list[Any]:
    """Ask a statement that is asked often, in the same words: PostgreSQL keeps it as long as the connection lasts.

    Return its rows; none of one that has none. `binary` is quicker for refs and bytes.
    """
    ours = connections[DEFAULT_DB_ALIAS]  # itself: `connection` looks for it at each word
    ours.close_if_health_check_failed()
    ours.ensure_connection()
    cursor = _cursor_of(ours.connection)
    cursor.format = Format.BINARY if binary else Format.TEXT
    ours._prepare_cursor(cursor).execute(statement, parameters)  # type: ignore[attr-defined]  # noqa: SLF001 - as its own cursor() does
    return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []


def _cursor_of(held: Connection) -> Cursor[Any]:
    """Return the one cursor of a connection by which such statements are asked: to make it takes longer than to ask.

    All rows are read before the next statement comes, so there is never a second one at work.
    """
    if (cursor := vars(held).get("comity_cursor")) is None:
        cursor = vars(held)["comity_cursor"] = ServerBindingCursor(held)  # type: ignore[call-arg]  # psycopg's own
    return cast("Cursor[Any]", cursor)


def plan_once(connection: BaseDatabaseWrapper, **_sent: object) -> None:
    """Let PostgreSQL plan such statements for any values, as a connection begins: else it plans some of them each time.

    None of them is worth another plan for other values: they go by keys and tokens, whatever these are.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")


@dataclass(frozen=True)
class _Given:
    """Stands in a list of parameters for the value of that number."""

    number: int


@dataclass(frozen=True)
class _Written:
    """The SQL of a query, its parameters, and what makes the rows of Python from those of the database."""

    sql: str
    parameters: Sequence[object]
    read: Callable[[Iterable[Sequence[Any]]], Iterable[Any]]


class Once(Generic[Row]):
    """A query by the values it is asked with, each of which stands in it as a parameter."""

    def __init__(self, make: Callable[..., QuerySet[Any, Row]], *like: object) -> None:
        """`make` returns the query for such values as `like`: rows of one table, or tuples (`values_list`)."""
        self._make, self._like = make, like

    def __call__(self, *values: object) -> list[Row]:
        """Ask the database with these values."""
        written = self._written
        asked = [values[each.number] if isinstance(each, _Given) else each for each in written.parameters]
        return cast("list[Row]", list(written.read(rows_of(written.sql, asked))))

    @cached_property
    def _written(self) -> _Written:
        query = self._make(*self._like)
        compiler = query.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        given = [self._given(each) for each in parameters]
        self._check(sql, given)
        converters = compiler.get_converters([column for column, *_ in compiler.select])

        def read(rows: Iterable[Sequence[Any]]) -> Iterable[Any]:
            converted = compiler.apply_converters(rows, converters) if converters else rows
            return map(made, converted)

        made = _maker(query)
        return _Written(sql, given, read)

    def _check(self, sql: str, given: Sequence[object]) -> None:
        """Refuse a query into which a value went in another form: it would be asked with the example for ever."""
        rest = [str(each) for each in given if not isinstance(each, _Given)]
        for number, like in enumerate(self._like):
            if _Given(number) not in given or any(str(like) in each for each in rest):
                raise ValueError(f"value {number} is not a parameter of {sql}: Django made something else of it")

    def _given(self, parameter: object) -> object:
        return next((_Given(number) for number, like in enumerate(self._like) if like is parameter), parameter)


def _maker(query: QuerySet[Any, Any]) -> Callable[[Sequence[Any]], object]:
    """Return what makes one row: an object of the table's, or a tuple."""
    if query._iterable_class is not ModelIterable:  # noqa: SLF001 - it alone tells which rows were asked for
        return tuple
    model = query.model
    names = [field.attname for field in model._meta.concrete_fields]  # noqa: SLF001 - Django's documented name for it
    return lambda row: model.from_db(connection.alias, names, row)
