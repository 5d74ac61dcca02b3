"""The tables of exports, seen only by whoever acts for their entity."""

import comity.book.exports.marking
import comity.refs
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [
        ("book", "0006_imports"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "code",
                    models.CharField(
                        default=comity.book.exports.marking.new_code, editable=False, max_length=8, unique=True
                    ),
                ),
                ("asked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("purpose", models.CharField(max_length=40)),
                ("recipient", models.CharField(default="none", max_length=20)),
                ("recipient_place", models.CharField(blank=True, max_length=6)),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("csv", "CSV"),
                            ("xlsx", "Excel (.xlsx)"),
                            ("vcard", "vCard 4"),
                            ("json", "JSON lines"),
                        ],
                        max_length=5,
                    ),
                ),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), size=None),
                ),
                ("asked", models.PositiveIntegerField()),
                ("approval", models.UUIDField(null=True)),
                ("permitted", models.PositiveIntegerField(default=0)),
                ("denied", models.PositiveIntegerField(default=0)),
                ("asking", models.PositiveIntegerField(default=0)),
                ("mark_key", models.BinaryField(default=comity.book.exports.marking.new_mark_key, max_length=16)),
                ("file_key", models.BinaryField(max_length=32, null=True)),
                ("file_sha256", models.BinaryField(max_length=32, null=True)),
                ("file_salt", models.BinaryField(max_length=16, null=True)),
                ("file_bytes", models.PositiveBigIntegerField(default=0)),
                ("begun_at", models.DateTimeField(null=True)),
                ("made_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("entry", models.UUIDField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={
                "ordering": ["-asked_at", "-ref"],
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("persons", django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), size=1000)),
                (
                    "exported",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("decision", models.UUIDField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="book.export"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["made_at"], name="book_export_to_delete"
            ),
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("file_key", None), models.Q(("deleted_at", None), ("made_at__isnull", False)), _connector="OR"
                ),
                name="book_export_key_of_a_file",
            ),
        ),
        migrations.AddIndex(
            model_name="exportpart",
            index=django.contrib.postgres.indexes.GinIndex(fields=["exported"], name="book_export_of_whom"),
        ),
        migrations.AddConstraint(
            model_name="exportpart",
            constraint=models.UniqueConstraint(models.F("export"), models.F("number"), name="book_export_part_once"),
        ),
        ProtectByEntity("Export", "entity"),
        ProtectByEntity("ExportPart", "entity"),
    ]
