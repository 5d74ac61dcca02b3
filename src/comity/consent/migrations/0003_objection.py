"""Objections to advertising are among what people say, and what was recorded by mistake says so."""

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
    ("mistaken", "Recorded by mistake"),
]
WHY = [
    ("wrong-person", "It was somebody else who said so"),
    ("misheard", "They said something else"),
    ("wrong-button", "Nobody said anything: it was recorded by accident"),
    ("twice", "It is on record already"),
]
MISTAKE = models.OneToOneField("consent.consent", models.DO_NOTHING, null=True, related_name="correction")
NAMES_ITS_ROW = models.CheckConstraint(
    condition=models.Q(
        models.Q(("corrects__isnull", False), ("said", "mistaken"), models.Q(("why", ""), _negated=True)),
        models.Q(models.Q(("said", "mistaken"), _negated=True), ("corrects", None), ("why", "")),
        _connector="OR",
    ),
    name="consent_mistake_names_its_row",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("consent", "0002_walls")]
    operations: ClassVar[list[Operation]] = [
        migrations.AlterField("consent", "said", models.CharField(choices=SAID, max_length=10)),
        migrations.AddField("consent", "corrects", MISTAKE),
        migrations.AddField(
            "consent", "why", models.CharField(blank=True, choices=WHY, db_default="", default="", max_length=12)
        ),
        migrations.AddConstraint("consent", NAMES_ITS_ROW),
    ]
