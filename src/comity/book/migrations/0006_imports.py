"""The tables of imports, seen only by whoever acts for their entity."""

import comity.refs
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [
        ("book", "0005_lists"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("begun_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "stage",
                    models.CharField(
                        choices=[
                            ("mapping", "Columns to check"),
                            ("looking", "Being looked over"),
                            ("ready", "Ready to bring in"),
                            ("running", "Being brought in"),
                            ("stopped", "Stopped half-way"),
                            ("done", "In the book"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                            ("dropped", "Dropped"),
                        ],
                        default="mapping",
                        max_length=10,
                    ),
                ),
                ("key", models.BinaryField(null=True)),
                ("told_key", models.BinaryField(null=True)),
                ("dialect", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=10)),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("rows", models.PositiveIntegerField()),
                ("mapping", models.JSONField(default=dict)),
                ("purpose", models.CharField(default="marketing", max_length=40)),
                ("asked_purpose", models.CharField(default="marketing", max_length=40)),
                ("asked_channel", models.CharField(default="email", max_length=20)),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person", "From the person"),
                            ("published", "From a public source"),
                            ("third-party", "From somebody else"),
                        ],
                        max_length=12,
                    ),
                ),
                ("notice", models.CharField(blank=True, max_length=60)),
                ("notice_on", models.DateField(blank=True, null=True)),
                ("home", models.CharField(blank=True, max_length=8)),
                ("dates", models.CharField(default="auto", max_length=4)),
                (
                    "for_known",
                    models.CharField(
                        choices=[
                            ("skip", "Leave the row out"),
                            ("fill", "Fill what is empty in the book"),
                            ("add", "Add as another person"),
                        ],
                        default="skip",
                        max_length=4,
                    ),
                ),
                (
                    "for_broken",
                    models.CharField(
                        choices=[("leave", "Leave the row out"), ("bring", "Bring it in without what cannot be read")],
                        default="leave",
                        max_length=5,
                    ),
                ),
                ("tells_all", models.BooleanField(default=False)),
                ("settled_at", models.DateTimeField(null=True)),
                ("because", models.TextField(blank=True)),
                ("found", models.JSONField(default=dict)),
                ("seen_rows", models.PositiveIntegerField(default=0)),
                ("persons", models.PositiveIntegerField(default=0)),
                ("stopped_by", models.CharField(blank=True, max_length=200)),
                ("done_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "begun_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "ordering": ["-begun_at", "-ref"],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("first", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
                (
                    "persons",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("salt", models.BinaryField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "imported",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="book.import"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="ImportFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField()),
                (
                    "says",
                    models.CharField(
                        choices=[
                            ("broken", "Cannot be read"),
                            ("held", "Held back by the law"),
                            ("open", "Left open by the law"),
                            ("repeated", "Twice in the file"),
                            ("known", "In the book already"),
                            ("likely", "Probably in the book already"),
                            ("namesake", "Somebody of this name is in the book"),
                            ("changed", "Changed since, and kept"),
                        ],
                        max_length=10,
                    ),
                ),
                ("cell", models.PositiveIntegerField(null=True)),
                ("why", models.CharField(blank=True, max_length=200)),
                ("person", models.UUIDField(null=True)),
                ("alike", models.PositiveIntegerField(null=True)),
                (
                    "choice",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("skip", "Leave the row out"),
                            ("fill", "Fill what is empty in the book"),
                            ("add", "Add as another person"),
                        ],
                        max_length=4,
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "imported",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="book.import"
                    ),
                ),
            ],
            options={
                "ordering": ["row", "pk"],
            },
        ),
        migrations.CreateModel(
            name="RememberedColumn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dialect", models.CharField(max_length=40)),
                ("header", models.CharField(max_length=100)),
                ("meaning", models.CharField(max_length=40)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="staff.entity"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="import",
            index=models.Index(fields=["entity", "-begun_at"], name="book_import_begun"),
        ),
        migrations.AddConstraint(
            model_name="importbatch",
            constraint=models.UniqueConstraint(models.F("imported"), models.F("number"), name="book_import_batch_once"),
        ),
        migrations.AddIndex(
            model_name="importfinding",
            index=models.Index(fields=["imported", "says", "row"], name="book_import_finding"),
        ),
        migrations.AddConstraint(
            model_name="rememberedcolumn",
            constraint=models.UniqueConstraint(
                models.F("entity"), models.F("dialect"), models.F("header"), name="book_remembered_column_once"
            ),
        ),
        ProtectByEntity("Import", "entity"),
        ProtectByEntity("ImportBatch", "entity"),
        ProtectByEntity("ImportFinding", "entity"),
        ProtectByEntity("RememberedColumn", "entity"),
    ]
