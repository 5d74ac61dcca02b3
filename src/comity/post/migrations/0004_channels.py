"""Lists: files that are made of rows, after everybody on them was asked about once more."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import comity.refs
from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [
        ("post", "0003_pacing"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ClosedList",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("rows", models.PositiveIntegerField()),
                ("struck", models.PositiveIntegerField()),
                ("closed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("deleted_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "dispatch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lists", to="post.dispatch"
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
            ],
            options={"ordering": ["closed_at", "ref"]},
        ),
        migrations.CreateModel(
            name="Struck",
            fields=[
                ("message", models.UUIDField(primary_key=True, serialize=False)),
                ("why", models.CharField(max_length=20)),
                (
                    "entity",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"
                    ),
                ),
                (
                    "closed",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="taken_out", to="post.closedlist"
                    ),
                ),
            ],
        ),
        ProtectByEntity("ClosedList", "entity"),
        ProtectByEntity("Struck", "entity"),
    ]
