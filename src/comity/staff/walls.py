"""The second wall: PostgreSQL itself shows a transaction only the rows of the entities it was opened for.

The first wall are the queries of each room, which take the viewer. Should one of them forget, these policies still
hold: a table that `ProtectByEntity` protects has no rows for a transaction that did not say who looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection, transaction
from django.db.migrations.operations.base import Operation

from comity.staff.once import rows_of

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState

STAFF, ENTITIES = "comity.staff", "comity.entities"
NOW_ALLOWED = f"(SELECT string_to_array(nullif(current_setting('{ENTITIES}', true), ''), ',')::uuid[])::uuid[]"
"""The entities of the transaction; NULL, which is no row, where nobody said. They are read within the SELECT, once a
query: outside it each row would read them again, which took five times as long as all the rest. The second cast does
nothing but tell PostgreSQL that this is one array, not a column of them."""


@contextmanager
def behind_wall(*, staff: UUID | None, entities: Iterable[UUID]) -> Iterator[None]:
    """Open a transaction that sees rows of these entities alone, in the name of one of the staff, or of none: a job."""
    before = _said() if connection.in_atomic_block else None
    with transaction.atomic():
        _say(str(staff or ""), ",".join(map(str, entities)))
        yield
        if before is not None:
            _say(*before)


def acting() -> str:
    """Return the ref of the one in whose name this transaction goes on; empty where it is nobody's."""
    staff, _entities = _said()
    return staff


def _said() -> tuple[str, str]:
    ((staff, entities),) = rows_of("SELECT current_setting(%s, true), current_setting(%s, true)", [STAFF, ENTITIES])
    return staff or "", entities or ""


def _say(staff: str, entities: str) -> None:
    rows_of("SELECT set_config(%s, %s, true), set_config(%s, %s, true)", [STAFF, staff, ENTITIES, entities])


class ProtectByEntity(Operation):
    """A migration's step: rows of this model are seen and written only within `behind_wall` of their entity.

    `column` holds the entity's ref, or, with `many`, an array of refs of which one must be among the allowed. The owner
    of the table is held to it too; only a superuser is not.
    """

    reversible = True

    def __init__(self, model: str, column: str, *, many: bool = False) -> None:
        self.model, self.column, self.many = model, column, many

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return type(self).__name__, [self.model, self.column], {"many": True} if self.many else {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change nothing in the models: only the database knows of the wall."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        del from_state
        table, column = self._names(app_label, schema_editor, to_state)
        seen = f"{column} && {NOW_ALLOWED}" if self.many else f"{column} = ANY ({NOW_ALLOWED})"
        schema_editor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        schema_editor.execute(f"CREATE POLICY by_entity ON {table} USING ({seen}) WITH CHECK ({seen})")

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        del to_state
        table, _ = self._names(app_label, schema_editor, from_state)
        schema_editor.execute(f"DROP POLICY by_entity ON {table}")
        schema_editor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        schema_editor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

    def describe(self) -> str:
        return f"Show rows of {self.model} only to those who act for their {self.column}"

    def _names(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState) -> tuple[str, str]:
        options = state.apps.get_model(app_label, self.model)._meta  # noqa: SLF001 - Django's documented name for it
        quote = schema_editor.connection.ops.quote_name
        return quote(options.db_table), quote(options.get_field(self.column).column)
