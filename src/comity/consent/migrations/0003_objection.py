"""Objections to advertising are among what people say."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

SAID = [
    ("given", "Said yes"),
    ("refused", "Said no"),
    ("withdrawn", "Took it back"),
    ("expired", "Ran out"),
    ("objected", "Objected to advertising"),
]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("consent", "0002_walls")]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterField("consent", "said", models.CharField(choices=SAID, max_length=10))
    ]
