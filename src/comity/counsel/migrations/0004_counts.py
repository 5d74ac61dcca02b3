"""A decision about many people may only count them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import migrations, models

if TYPE_CHECKING:
    from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    dependencies: ClassVar = [("counsel", "0003_segments")]
    operations: ClassVar[list[Operation]] = [
        migrations.AddField("SegmentDecision", "counted", models.BooleanField(db_default=False, default=False)),
        migrations.AddField(
            "SegmentDecision",
            "kinds",
            models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
