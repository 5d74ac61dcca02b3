"""The lines of the journal as this database knows them, and what PostgreSQL itself refuses of them."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from comity.ledger.append_only import JOURNAL

Q = models.Q
LINE = migrations.CreateModel(
    name="JournalLine",
    fields=[
        ("ref", models.UUIDField(primary_key=True, serialize=False)),
        ("kind", models.CharField(max_length=40)),
        ("at", models.DateTimeField()),
        ("said", models.JSONField()),
        ("number", models.BigIntegerField(null=True)),
        ("seal", models.BinaryField(null=True)),
    ],
    options={
        "indexes": [models.Index(condition=Q(("number", None)), fields=["at"], name="ledger_journal_waits")],
        "constraints": [
            models.UniqueConstraint(
                condition=Q(("number__isnull", False)), fields=("number",), name="ledger_journal_number"
            ),
            models.CheckConstraint(
                condition=Q(
                    Q(("number", None), ("seal", None)),
                    Q(("number__isnull", False), ("seal__isnull", False)),
                    _connector="OR",
                ),
                name="ledger_journal_place",
            ),
        ],
    },
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("ledger", "0001_initial")]
    operations: ClassVar[list[Operation]] = [
        LINE,
        migrations.RunSQL([JOURNAL], "DROP FUNCTION ledger_journal(text, jsonb)"),
    ]
