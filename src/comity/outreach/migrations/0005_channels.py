"""Campaigns by every channel: variants of a content, templates in versions, and what staff sent to themselves."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import comity.outreach.campaigns.models
import comity.refs
from comity.staff.walls import ProtectByEntity

STANDS = """
CREATE FUNCTION outreach_refuse_template_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What a template said stays said: UPDATE of a row of % is refused', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Keep other words as a version of their own.';
END $$;
CREATE TRIGGER outreach_template_stands BEFORE UPDATE ON outreach_templateversion
    FOR EACH ROW EXECUTE FUNCTION outreach_refuse_template_change();
CREATE TRIGGER outreach_trial_final BEFORE UPDATE ON outreach_trial FOR EACH ROW
    WHEN (OLD.outcome <> '') EXECUTE FUNCTION outreach_refuse_template_change();
"""
STANDS_NOT = "DROP FUNCTION outreach_refuse_template_change() CASCADE"


class Migration(migrations.Migration):
    dependencies = [
        ("outreach", "0004_sequences"),
        ("post", "0004_channels"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="channel",
            field=models.CharField(db_default="email", default="email", max_length=20, verbose_name="channel"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="split",
            field=models.BinaryField(default=comity.outreach.campaigns.models.new_split, max_length=16),
        ),
        migrations.AddField(
            model_name="campaign",
            name="variants",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="imprint",
            name="mark",
            field=models.CharField(blank=True, max_length=30, verbose_name="signature of text messages"),
        ),
        migrations.AddField(
            model_name="imprint",
            name="stop_number",
            field=models.CharField(blank=True, max_length=20, verbose_name="number that takes STOP"),
        ),
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("channel", models.CharField(max_length=20, verbose_name="channel")),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
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
            ],
            options={
                "ordering": ["name", "ref"],
            },
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("variant", models.PositiveSmallIntegerField(default=0)),
                ("language", models.CharField(max_length=20)),
                ("tried_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("outcome", models.CharField(blank=True, db_default="", default="", max_length=9)),
                ("why", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("code", models.CharField(blank=True, db_default="", default="", max_length=20)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trials", to="outreach.campaign"
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="staff.entity"),
                ),
                (
                    "gateway",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="post.gateway"),
                ),
                (
                    "staff",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-tried_at"],
            },
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                (
                    "ref",
                    models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("content", models.JSONField()),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="outreach.template"
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("template"), models.F("number"), name="outreach_one_version_a_number"
                    )
                ],
            },
        ),
        ProtectByEntity("Template", "entity"),
        ProtectByEntity("TemplateVersion", "entity"),
        ProtectByEntity("Trial", "entity"),
        migrations.RunSQL(STANDS, STANDS_NOT),
    ]
