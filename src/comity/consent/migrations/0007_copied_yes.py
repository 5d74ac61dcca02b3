"""What the law asks of a yes stands on the standing row, too; PostgreSQL keeps it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import migrations, models

from comity.consent.copying import ALL, COPY, FORGET

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import StateApps


def copy_all(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Copy what stands already, for all entities."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('comity.entities', string_agg(ref::text, ','), true) FROM staff_entity")
        cursor.execute(ALL)
        cursor.execute("SELECT set_config('comity.entities', '', true)")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("consent", "0006_journal")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField("Standing", "given_on", models.DateField(editable=False, null=True)),
        migrations.AddField("Standing", "express", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "separate", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "written", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "parental", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "names_caller", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "wording_kept", models.BooleanField(editable=False, null=True)),
        migrations.AddField("Standing", "source_kept", models.BooleanField(editable=False, null=True)),
        migrations.RunPython(copy_all, migrations.RunPython.noop),
        migrations.RunSQL(COPY, FORGET),
    ]
