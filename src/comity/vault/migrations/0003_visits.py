"""A decision may be for the person themself, who visits their own pages: then nobody of the staff looks."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("vault", "0002_journal")]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterField("recordeddecision", "staff", models.UUIDField(null=True)),
        migrations.AddField("recordeddecision", "visit", models.UUIDField(null=True)),
        migrations.AddConstraint(
            "recordeddecision",
            models.CheckConstraint(
                name="vault_decision_is_for_staff_or_a_visit",
                condition=models.Q(
                    models.Q(("staff__isnull", False), ("visit", None)),
                    models.Q(("staff", None), ("visit__isnull", False)),
                    _connector="OR",
                ),
            ),
        ),
        migrations.AddConstraint(
            "recordeddecision",
            models.CheckConstraint(
                name="vault_decision_of_a_visit_views_oneself",
                condition=models.Q(
                    ("visit", None),
                    models.Q(
                        ("channel", "none"), ("operation", "view"), ("persons__len", 1), ("purpose", "legal-duty")
                    ),
                    _connector="OR",
                ),
            ),
        ),
    ]
