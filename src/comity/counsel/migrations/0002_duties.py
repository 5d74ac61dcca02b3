"""What an event makes us owe; and the second wall around this room: rows of an entity, for whoever acts for it."""

import comity.refs
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from comity.staff.walls import ProtectByEntity


ONLY_WITH_ITS_QUESTION = """
    ALTER TABLE counsel_concerned ENABLE ROW LEVEL SECURITY;
    ALTER TABLE counsel_concerned FORCE ROW LEVEL SECURITY;
    CREATE POLICY by_question ON counsel_concerned
        USING (EXISTS (SELECT 1 FROM counsel_openquestion WHERE ref = question_id)) WITH CHECK (true)
"""
"""Whom a question is about is seen by whoever sees the question. A row is written in one statement with its question,
which that statement cannot see yet: so writing asks nothing."""

FOR_EVERYBODY = """
    DROP POLICY by_question ON counsel_concerned;
    ALTER TABLE counsel_concerned NO FORCE ROW LEVEL SECURITY;
    ALTER TABLE counsel_concerned DISABLE ROW LEVEL SECURITY
"""


class Migration(migrations.Migration):
    dependencies = [
        ("counsel", "0001_initial"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="askeddecision",
            name="entity",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Cast(
                    django.db.models.fields.json.KeyTextTransform("entity", "question"), models.UUIDField()
                ),
                output_field=models.UUIDField(),
            ),
        ),
        migrations.CreateModel(
            name="DutyEvent",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("about", models.UUIDField()),
                ("kind", models.CharField(max_length=40)),
                ("on", models.DateField()),
                ("law_of", models.DateField()),
                ("facts", models.JSONField()),
                ("homes", models.JSONField()),
                ("persons", models.PositiveIntegerField()),
                (
                    "named",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("packs", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("salt", models.BinaryField(max_length=16)),
                ("noted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="OwedDuty",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("rule", models.CharField(max_length=120)),
                ("act", models.CharField(max_length=20)),
                ("to", models.CharField(max_length=20)),
                ("standing", models.BooleanField()),
                ("state", models.CharField(choices=[("owed", "Owed"), ("possible", "Possible")], max_length=8)),
                (
                    "timing",
                    models.CharField(
                        choices=[("due", "Due"), ("at-once", "At Once"), ("earliest", "Earliest")], max_length=8
                    ),
                ),
                ("day", models.DateField()),
                (
                    "places",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=8), default=list, size=None
                    ),
                ),
                ("persons", models.PositiveIntegerField()),
                ("doubtful", models.PositiveIntegerField(default=0)),
                ("told", models.JSONField()),
                ("learnt", models.JSONField(default=dict)),
                (
                    "settled",
                    models.CharField(blank=True, choices=[("done", "Done"), ("not-owed", "Not Owed")], max_length=8),
                ),
                ("settled_on", models.DateField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("words", models.TextField(blank=True, verbose_name="reason")),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="duties", to="counsel.dutyevent"
                    ),
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
            ],
        ),
        migrations.CreateModel(
            name="DutyStep",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("did", models.CharField(max_length=20)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("words", models.TextField(blank=True)),
                ("facts", models.JSONField(default=dict)),
                ("day_before", models.DateField(null=True)),
                ("day_after", models.DateField(null=True)),
                (
                    "by",
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
                    "duty",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="counsel.owedduty"
                    ),
                ),
            ],
            options={
                "ordering": ["ref"],
            },
        ),
        migrations.AddIndex(
            model_name="dutyevent",
            index=models.Index(fields=["about"], name="counsel_duty_event_about"),
        ),
        migrations.AddConstraint(
            model_name="dutyevent",
            constraint=models.UniqueConstraint(models.F("entity"), models.F("digest"), name="counsel_event_noted_once"),
        ),
        migrations.AddIndex(
            model_name="owedduty",
            index=models.Index(
                condition=models.Q(("settled", "")), fields=["entity", "day", "ref"], name="counsel_duty_open"
            ),
        ),
        migrations.AddIndex(
            model_name="owedduty",
            index=models.Index(fields=["entity", "rule"], name="counsel_duty_rule"),
        ),
        migrations.AddConstraint(
            model_name="owedduty",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("settled", ""), ("settled_at", None), ("settled_on", None)),
                    models.Q(
                        models.Q(("settled", ""), _negated=True),
                        models.Q(("words", ""), _negated=True),
                        ("settled_at__isnull", False),
                        ("settled_on__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="duty_settled_with_day_and_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="owedduty",
            constraint=models.UniqueConstraint(
                models.F("event"), models.F("rule"), models.F("day"), name="counsel_duty_a_rule_and_day"
            ),
        ),
        *(
            ProtectByEntity(model, "entity")
            for model in ("AskedDecision", "Ruling", "OpenQuestion", "DutyEvent", "OwedDuty", "DutyStep")
        ),
        migrations.RunSQL(ONLY_WITH_ITS_QUESTION, FOR_EVERYBODY),
    ]
