"""Walls of a book that stands read the entities of a transaction once a query, no longer for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import migrations

from comity.staff.walls import NOW_ALLOWED

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import StateApps

BEFORE = (
    "(( SELECT string_to_array(NULLIF(current_setting('comity.entities'::text, true), ''::text), ','::text) "
    "AS string_to_array))::uuid[]"
)
"""What the walls asked before, as PostgreSQL writes it."""
WALLS = """
    SELECT tablename, policyname, qual, with_check FROM pg_policies
    WHERE schemaname = current_schema() AND strpos(qual, %s) > 0 ORDER BY tablename, policyname
"""


def read_once(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Let every wall that stands ask in the new words; those that are built later have them from the start."""
    quoted = editor.connection.ops.quote_name
    with editor.connection.cursor() as cursor:
        cursor.execute(WALLS, [BEFORE])
        for table, policy, seen, written in cursor.fetchall():
            new = [f"({(words or seen).replace(BEFORE, NOW_ALLOWED)})" for words in (seen, written)]
            cursor.execute(f"ALTER POLICY {quoted(policy)} ON {quoted(table)} USING {new[0]} WITH CHECK {new[1]}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("staff", "0001_initial")]
    operations: ClassVar[list[Operation]] = [migrations.RunPython(read_once, migrations.RunPython.noop)]
