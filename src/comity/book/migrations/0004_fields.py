"""The tables of comity.book.fields."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import comity.refs
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [("book", "0003_editing"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("held", models.UUIDField(default=comity.refs.new_ref, editable=False)),
                ("size", models.PositiveIntegerField()),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attachments", to="book.person"
                    ),
                ),
            ],
            options={
                "ordering": ["-added_at", "-ref"],
            },
        ),
        migrations.CreateModel(
            name="CustomField",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80)),
                ("says", models.CharField(blank=True, max_length=200)),
                (
                    "sort",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("day", "Day"),
                            ("truth", "Yes or no"),
                            ("choice", "One of a list"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                (
                    "sensitivity",
                    models.CharField(
                        choices=[
                            ("plain", "Plain: it names nobody, and lists may filter by it"),
                            ("identifier", "Identifier: sealed, and found by search"),
                            ("contact", "E-mail or phone: sealed, and found by search"),
                            ("address", "Address: sealed"),
                            ("note", "Note: sealed"),
                            ("special", "Special category: sealed; health, belief, origin, sexual life, biometrics …"),
                        ],
                        max_length=10,
                    ),
                ),
                ("months", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("why", models.CharField(max_length=300)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={
                "ordering": ["name", "ref"],
            },
        ),
        migrations.CreateModel(
            name="FieldValue",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("plain", models.JSONField(blank=True, null=True)),
                ("set_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "field",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="values", to="book.customfield"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="field_values", to="book.person"
                    ),
                ),
                (
                    "set_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.UniqueConstraint(
                models.F("entity"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("retired_at", None)),
                name="book_field_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(("sensitivity", "plain"), ("sort", "text"), _negated=True),
                name="book_field_text_is_sealed",
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("choices__len__gt", 1), ("sort", "choice")),
                    models.Q(models.Q(("sort", "choice"), _negated=True), ("choices", [])),
                    _connector="OR",
                ),
                name="book_field_choices",
            ),
        ),
        migrations.AddConstraint(
            model_name="customfield",
            constraint=models.CheckConstraint(
                condition=models.Q(("months", None), ("months__range", (1, 1200)), _connector="OR"),
                name="book_field_clock",
            ),
        ),
        migrations.AddConstraint(
            model_name="fieldvalue",
            constraint=models.UniqueConstraint(models.F("person"), models.F("field"), name="book_one_value_a_field"),
        ),
        ProtectByEntity("CustomField", "entity"),
        ProtectByEntity("FieldValue", "entity"),
        ProtectByEntity("Attachment", "entity"),
    ]
