"""The copy that decisions about many people read, and what makes PostgreSQL keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models

from comity.book.known import FORGOTTEN, KEPT, WRITE
from comity.staff.walls import ProtectByEntity

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import StateApps


def copy_all(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Copy those who are in the book already, of all entities; triggers copy whoever comes later."""
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('comity.entities', string_agg(ref::text, ','), true) FROM staff_entity")
        cursor.execute(f"{WRITE} ORDER BY 1, 2")
        cursor.execute("SELECT set_config('comity.entities', '', true)")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("book", "0008_merging"), ("staff", "0002_walls_read_once")]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Known",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "person", "entity", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person", models.UUIDField()),
                ("entity", models.UUIDField()),
                ("home", models.CharField(max_length=120)),
                ("language", models.CharField(max_length=20)),
                ("birth_year", models.SmallIntegerField(null=True)),
                ("birth_month", models.SmallIntegerField(null=True)),
                ("capacity", models.CharField(max_length=10)),
                ("subscriber", models.CharField(max_length=10)),
                ("objected_at", models.DateTimeField(null=True)),
                ("opt_out_signal_at", models.DateTimeField(null=True)),
                ("restricted_at", models.DateTimeField(null=True)),
                ("deceased_at", models.DateTimeField(null=True)),
                ("protected_office", models.BooleanField(null=True)),
                ("relation", models.UUIDField(null=True)),
                ("customer_since", models.DateField(null=True)),
                ("contract_running", models.BooleanField(null=True)),
                ("address_from_sale", models.BooleanField(null=True)),
                ("refusal_offered", models.BooleanField(null=True)),
                ("last_purchase_on", models.DateField(null=True)),
                ("last_inquiry_on", models.DateField(null=True)),
                ("last_mailed_on", models.DateField(null=True)),
                ("source", models.CharField(max_length=12, null=True)),
                (
                    "opt_outs_known",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), null=True, size=None
                    ),
                ),
                ("email_impersonal", models.BooleanField(null=True)),
                ("email_mobile", models.BooleanField(null=True)),
                ("phone_impersonal", models.BooleanField(null=True)),
                ("phone_mobile", models.BooleanField(null=True)),
                ("messenger_impersonal", models.BooleanField(null=True)),
                ("messenger_mobile", models.BooleanField(null=True)),
                ("post_impersonal", models.BooleanField(null=True)),
                ("post_mobile", models.BooleanField(null=True)),
            ],
        ),
        ProtectByEntity("Known", "entity"),
        *(
            migrations.RunSQL(kept, forgotten)
            for kept, forgotten in zip(KEPT, (*FORGOTTEN, *[migrations.RunSQL.noop] * len(KEPT)), strict=False)
        ),
        migrations.RunPython(copy_all, migrations.RunPython.noop),
    ]
