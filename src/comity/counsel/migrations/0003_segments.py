"""Decisions about many people at once, and the second wall around them."""

import comity.refs
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from comity.staff.walls import ProtectByEntity

VERDICTS = [("permit", "permit"), ("deny", "deny"), ("ask", "ask")]

WITH_ITS_DECISION = """
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
    CREATE POLICY by_segment ON {table}
        USING (segment_id IN (SELECT ref FROM counsel_segmentdecision))
        WITH CHECK (segment_id IN (SELECT ref FROM counsel_segmentdecision))
"""
"""What belongs to a decision is seen and written by whoever sees the decision."""

FOR_EVERYBODY = """
    DROP POLICY by_segment ON {table};
    ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE {table} DISABLE ROW LEVEL SECURITY
"""


class Migration(migrations.Migration):
    dependencies = [
        ("counsel", "0002_duties"),
        ("ledger", "0001_initial"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SegmentDecision",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("question", models.JSONField()),
                ("day", models.DateField()),
                ("packs", models.JSONField()),
                ("people", models.PositiveIntegerField()),
                ("permitted", models.PositiveIntegerField()),
                ("denied", models.PositiveIntegerField()),
                ("asked", models.PositiveIntegerField()),
                ("digest", models.BinaryField(max_length=32)),
                ("salt", models.BinaryField(max_length=16)),
                ("decided_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "entry",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.entry"),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(people=models.F("permitted") + models.F("denied") + models.F("asked")),
                        name="segment_verdicts_add_up",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SegmentFinding",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "segment", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("verdict", models.CharField(choices=VERDICTS, max_length=6)),
                ("because", django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None)),
                ("told", models.JSONField()),
                ("people", models.PositiveIntegerField()),
                (
                    "segment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="counsel.segmentdecision",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SegmentRow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "person", "segment", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("person", models.UUIDField()),
                ("finding", models.PositiveIntegerField()),
                ("verdict", models.CharField(choices=VERDICTS, max_length=6)),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="counsel.segmentdecision",
                    ),
                ),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.BrinIndex(
                        fields=["segment"], autosummarize=True, name="counsel_segment_rows"
                    )
                ],
            },
        ),
        ProtectByEntity("SegmentDecision", "entity"),
        *(
            migrations.RunSQL(WITH_ITS_DECISION.format(table=table), FOR_EVERYBODY.format(table=table))
            for table in ("counsel_segmentfinding", "counsel_segmentrow")
        ),
    ]
