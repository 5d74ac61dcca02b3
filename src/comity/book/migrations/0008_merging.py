"""The tables of merging, seen only by whoever acts for their entity."""

import comity.refs
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [
        ("book", "0007_exports"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Merge",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("kept", models.UUIDField()),
                ("gone", models.UUIDField()),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("moved", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict)),
                ("rooms", models.JSONField(default=dict)),
                ("sealed", models.JSONField(default=list)),
                ("undone_at", models.DateTimeField(null=True)),
                ("final_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-made_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kept", models.F("gone")), _negated=True), name="book_merge_of_two"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("undone_at", None), ("final_at", None), _connector="OR"),
                        name="book_merge_undone_or_final",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pair",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("one", models.UUIDField()),
                ("other", models.UUIDField()),
                ("score", models.PositiveSmallIntegerField()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None),
                ),
                ("found_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "judged",
                    models.CharField(
                        blank=True,
                        choices=[("", "Not looked at"), ("same", "The same"), ("others", "Not the same")],
                        max_length=6,
                    ),
                ),
                ("judged_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "judged_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-score", "ref"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("entity"), models.F("one"), models.F("other"), name="book_pair_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("one__lt", models.F("other"))), name="book_pair_in_order"
                    ),
                ],
            },
        ),
        ProtectByEntity("Pair", "entity"),
        ProtectByEntity("Merge", "entity"),
    ]
