"""People's own pages: codes, visits, and what was typed to stop."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import comity.refs
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("post", "0004_channels"),
        ("rights", "0002_requests_more"),
        ("staff", "0002_walls_read_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="Portal",
            fields=[
                (
                    "entity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="staff.entity",
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "gateway",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="post.gateway",
                        verbose_name="way out",
                    ),
                ),
                (
                    "sender",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Code",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("mark", models.BinaryField(max_length=16)),
                ("client", models.BinaryField(max_length=16)),
                ("language", models.CharField(max_length=20)),
                ("asked_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["mark", "-asked_at"], name="rights_code_mark"),
                    models.Index(fields=["client", "-asked_at"], name="rights_code_client"),
                    models.Index(fields=["entity", "-asked_at"], name="rights_code_entity"),
                    models.Index(fields=["ends_at"], name="rights_code_ends"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Stop",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("mark", models.BinaryField(max_length=16)),
                ("client", models.BinaryField(max_length=16)),
                (
                    "what",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=20), size=None),
                ),
                (
                    "requests",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("signal", models.BooleanField(default=False)),
                ("language", models.CharField(max_length=20)),
                ("said_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["client", "-said_at"], name="rights_stop_client"),
                    models.Index(fields=["entity", "-said_at"], name="rights_stop_entity"),
                    models.Index(condition=models.Q(("done_at", None)), fields=["said_at"], name="rights_stop_waits"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("mark", models.BinaryField(max_length=16)),
                (
                    "persons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("shared", models.BooleanField(default=False)),
                ("begun_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["ends_at"], name="rights_visit_ends")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("persons__len", 1), ("persons", []), ("shared", True), _connector="OR"),
                        name="rights_visit_of_several_is_shared",
                    )
                ],
            },
        ),
        ProtectByEntity("Portal", "entity"),
        ProtectByEntity("Code", "entity"),
        ProtectByEntity("Stop", "entity"),
        ProtectByEntity("Visit", "entity"),
    ]
