"""Values that somebody typed to find who has exactly them, and the index by which lists ask what happened."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation
from django.db.models import Q

import comity.refs
from comity.staff.walls import ProtectByEntity

PARTS = [
    ("email", "E-mail address"), ("phone", "Phone number"), ("family", "Family name"), ("given", "Given name"),
    ("field", "A field of our own"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("book", "0009_known"),
        ("staff", "0002_walls_read_once"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="ExactValue",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("part", models.CharField(choices=PARTS, max_length=6)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("forgotten_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="staff.entity"),
                ),
                (
                    "field",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="book.customfield",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["made_by", "made_at"], name="book_exact_value_by")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(part="field", field__isnull=False) | Q(~Q(part="field"), field=None),
                        name="book_exact_value_field",
                    ),
                    models.CheckConstraint(
                        condition=Q(part__in=["email", "phone", "family", "given", "field"]),
                        name="book_exact_value_part",
                    ),
                ],
            },
        ),
        ProtectByEntity("ExactValue", "entity"),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["entity", "doing", "at"], include=("person",), name="book_activity_happened"),
        ),
    ]
