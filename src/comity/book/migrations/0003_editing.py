"""The tables of comity.book.editing."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("book", "0002_walls")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField(
            model_name="relation",
            name="opt_outs_known",
            field=ArrayField(base_field=models.CharField(max_length=20), blank=True, null=True, size=None),
        ),
    ]
