"""The tables of notices: a published version never changes, and consents say which one they are about."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import comity.refs
from comity.consent.notices.unchangeable import REFUSE, UNDO
from comity.staff.walls import ProtectByEntity

KIND = [
    ("notice", "Privacy notice: they give us the data"),
    ("indirect-notice", "Privacy notice: we have the data from elsewhere"),
    ("consent-wording", "Wording of a consent"),
    ("separate-consent", "Wording of a separate consent (单独同意)"),
]
NOW = django.db.models.functions.datetime.Now()
REF = models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False)
ENTITY = models.ForeignKey("staff.entity", models.PROTECT, related_name="+")
STAFF = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
VERSION = models.ForeignKey("consent.noticeversion", models.PROTECT, null=True, related_name="+", db_index=False)
WHOLE = models.CheckConstraint(
    condition=models.Q(
        models.Q(("begins_at", None), ("fingerprint", None), ("published_at", None)),
        models.Q(("begins_at__isnull", False), ("fingerprint__isnull", False), ("published_at__isnull", False)),
        _connector="OR",
    ),
    name="consent_version_whole",
)
ENDS_WHY = models.CheckConstraint(
    condition=models.Q(("ends_for", []), models.Q(("ends_why", ""), _negated=True), _connector="OR"),
    name="consent_version_ends_why",
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("consent", "0003_objection"),
        ("staff", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            "Notice",
            [
                ("ref", REF),
                ("kind", models.CharField(choices=KIND, max_length=20)),
                ("name", models.CharField(max_length=48)),
                ("made_at", models.DateTimeField(db_default=NOW)),
                ("entity", ENTITY),
                ("made_by", STAFF),
            ],
            {"ordering": ["name", "ref"]},
        ),
        migrations.CreateModel(
            "NoticeVersion",
            [
                ("ref", REF),
                ("number", models.PositiveSmallIntegerField()),
                ("languages", ArrayField(models.CharField(max_length=20))),
                ("texts", models.JSONField(default=dict)),
                ("places", ArrayField(models.CharField(max_length=12), blank=True, default=list)),
                ("purpose", models.CharField(blank=True, max_length=40)),
                ("channels", ArrayField(models.CharField(max_length=20), blank=True, default=list)),
                ("recipient", models.CharField(blank=True, max_length=200)),
                ("drafted_at", models.DateTimeField(db_default=NOW)),
                ("changed_at", models.DateTimeField(db_default=NOW)),
                ("published_at", models.DateTimeField(null=True)),
                ("begins_at", models.DateTimeField(null=True)),
                ("fingerprint", models.BinaryField(max_length=32, null=True)),
                ("ticked", models.JSONField(blank=True, default=list)),
                ("ends_for", ArrayField(models.CharField(max_length=20), blank=True, default=list)),
                ("ends_why", models.CharField(blank=True, max_length=500)),
                ("drafted_by", STAFF),
                ("entity", ENTITY),
                ("notice", models.ForeignKey("consent.notice", models.PROTECT, related_name="versions")),
                ("published_by", STAFF),
            ],
            {"ordering": ["-number"]},
        ),
        migrations.AddField("consent", "notice_version", VERSION),
        migrations.AddField(
            "consent", "notice_language", models.CharField(blank=True, db_default="", default="", max_length=20)
        ),
        migrations.AddIndex(
            "consent",
            models.Index(
                fields=["notice_version"],
                condition=models.Q(notice_version__isnull=False),
                name="consent_by_notice_version",
            ),
        ),
        migrations.AddConstraint(
            "notice",
            models.UniqueConstraint(
                models.F("entity"), django.db.models.functions.text.Lower("name"), name="consent_notice_name"
            ),
        ),
        migrations.AddConstraint(
            "noticeversion",
            models.UniqueConstraint(models.F("notice"), models.F("number"), name="consent_version_number"),
        ),
        migrations.AddConstraint(
            "noticeversion",
            models.UniqueConstraint(
                models.F("notice"), condition=models.Q(("published_at", None)), name="consent_one_draft"
            ),
        ),
        migrations.AddConstraint("noticeversion", WHOLE),
        migrations.AddConstraint("noticeversion", ENDS_WHY),
        ProtectByEntity("Notice", "entity"),
        ProtectByEntity("NoticeVersion", "entity"),
        migrations.RunSQL(REFUSE, UNDO),
    ]
