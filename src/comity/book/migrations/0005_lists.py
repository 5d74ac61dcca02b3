"""Saved views, what is done with many at once, and the indexes by which lists of a million people are quick."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import comity.refs
from comity.staff.walls import NOW_ALLOWED, ProtectByEntity

WALL = "entities && " + NOW_ALLOWED
QUICK_WALL = f"CASE WHEN {WALL} THEN true ELSE false END"
"""The same wall in other words. Of `&&` with what is known only later the planner thinks that one row in a hundred
passes, and then reads and sorts whole tables; of a CASE, that every second one does."""


class Migration(migrations.Migration):
    dependencies: ClassVar = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("book", "0004_fields")]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(blank=True, max_length=2000)),
                ("shared", models.BooleanField(default=False, verbose_name="shared with all who act for this entity")),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="staff.entity"),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name", "ref"],
                "constraints": [models.UniqueConstraint("owner", "entity", "name", name="book_view_named_once")],
            },
        ),
        migrations.CreateModel(
            name="FirstView",
            fields=[
                (
                    "staff",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="book.savedview"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Together",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("add-tag", "Put a tag on them"),
                            ("remove-tag", "Take a tag off them"),
                            ("set-language", "Set their language"),
                        ],
                        max_length=20,
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=60)),
                ("many", models.PositiveIntegerField()),
                ("done_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-done_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(deed__in=["add-tag", "remove-tag", "set-language"]),
                        name="book_together_deed",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Before",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "together", "person", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("value", models.CharField(blank=True, max_length=60)),
                (
                    "person",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="book.person"),
                ),
                (
                    "together",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="before", to="book.together"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                condition=models.Q(("merged_into", None)), fields=["language", "ref"], name="book_person_language"
            ),
        ),
        ProtectByEntity("SavedView", "entity"),
        ProtectByEntity("Together", "entity"),
        migrations.RunSQL(
            f"ALTER POLICY by_entity ON book_person USING ({QUICK_WALL})",
            f"ALTER POLICY by_entity ON book_person USING ({WALL})",
        ),
        # By the entity whose people they are, for one that has few: of array operators none is leakproof, so that behind
        # a wall no index serves them; of what is equal, each is.
        migrations.RunSQL(
            [
                "CREATE INDEX book_person_entity ON book_person ((entities[1])) WHERE merged_into_id IS NULL",
                "CREATE INDEX book_person_several ON book_person (ref) WHERE entities[2] IS NOT NULL",
                "CREATE STATISTICS book_person_entities ON (entities[1]), (entities[2]) FROM book_person",
            ],
            [
                "DROP STATISTICS book_person_entities",
                "DROP INDEX book_person_several",
                "DROP INDEX book_person_entity",
            ],
        ),
    ]
