"""The tables of suppression; what PostgreSQL itself refuses of them, and what it takes away by itself."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

import comity.refs
from comity.staff.walls import ProtectByEntity

REACH = [("email", "E-mail"), ("phone", "Phone"), ("post", "Post"), ("messenger", "Messenger")]
SERVES = [("suppression", "Hashes addresses"), ("links", "Makes links")]
CAUSE = [
    ("opted-out", "Refused"),
    ("complained", "Reported as spam"),
    ("bounced", "Undeliverable"),
    ("listed", "From a list"),
]
SUBSCRIBER = [("", "Of anybody"), ("individual", "Of human beings"), ("corporate", "Of companies")]
NOW = django.db.models.functions.datetime.Now()


def ref() -> models.UUIDField[str, str]:
    return models.UUIDField(default=comity.refs.new_ref, editable=False, primary_key=True, serialize=False)


def entity(*, index: bool = True) -> models.ForeignKey[object, object]:
    return models.ForeignKey("staff.entity", models.PROTECT, related_name="+", db_index=index)


def staff() -> models.ForeignKey[object, object]:
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")


def pair(one: str, other: str) -> models.CompositePrimaryKey:
    return models.CompositePrimaryKey(one, other, blank=True, editable=False, primary_key=True, serialize=False)


# A refusal stays. It may come to hold for more uses, and a yes releases it, once.
STAYS = """
CREATE FUNCTION consent_suppressed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What stands here stays: % of a row of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'A fresh yes releases an address; a key is never another one.';
END $$;
CREATE TRIGGER consent_suppressed_delete BEFORE DELETE ON consent_suppressed FOR EACH ROW
    EXECUTE FUNCTION consent_suppressed_stays();
CREATE TRIGGER consent_suppressed_update BEFORE UPDATE ON consent_suppressed FOR EACH ROW
    WHEN (OLD.released_at IS NOT NULL OR NOT NEW.uses @> OLD.uses
          OR (OLD.ref, OLD.entity_id, OLD.reach, OLD.digest, OLD.cause, OLD.since, OLD.source, OLD.added_at)
             IS DISTINCT FROM (NEW.ref, NEW.entity_id, NEW.reach, NEW.digest, NEW.cause, NEW.since, NEW.source,
                               NEW.added_at))
    EXECUTE FUNCTION consent_suppressed_stays();
CREATE TRIGGER consent_key_stays BEFORE UPDATE OR DELETE ON consent_keptkey FOR EACH ROW
    EXECUTE FUNCTION consent_suppressed_stays();
"""

# A number that became another one was not looked for in any register, whichever of our entities had looked for it: so
# the walls between them stand aside for this one step.
FORGETS = """
CREATE FUNCTION consent_forget_looks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed text := current_setting('comity.entities', true);
BEGIN
    PERFORM set_config('comity.entities', (SELECT coalesce(string_agg(ref::text, ','), '') FROM staff_entity), true);
    DELETE FROM consent_looked WHERE point = OLD.record;
    PERFORM set_config('comity.entities', coalesce(allowed, ''), true);
    RETURN NULL;
END $$;
CREATE TRIGGER consent_forget_looks AFTER UPDATE OF ciphertext OR DELETE ON vault_sealed FOR EACH ROW
    WHEN (OLD.kind = 'point') EXECUTE FUNCTION consent_forget_looks();
"""

UNDO = """
DROP TRIGGER consent_forget_looks ON vault_sealed;
DROP FUNCTION consent_forget_looks();
DROP FUNCTION consent_suppressed_stays() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("consent", "0004_notices"),
        ("staff", "0001_initial"),
        ("vault", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations: ClassVar[list[Operation]] = [
        migrations.CreateModel(
            name="KeptKey",
            fields=[
                ("ref", ref()),
                ("serves", models.CharField(choices=SERVES, max_length=12)),
                ("number", models.PositiveSmallIntegerField()),
                ("check_value", models.BinaryField()),
                ("begun_at", models.DateTimeField(db_default=NOW)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(models.F("serves"), models.F("number"), name="consent_key_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("serves", "suppression"), _negated=True), ("number", 1), _connector="OR"
                        ),
                        name="consent_suppression_key_is_made_once",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Suppressed",
            fields=[
                ("ref", ref()),
                ("entity", entity()),
                ("reach", models.CharField(choices=REACH, max_length=10)),
                ("digest", models.BinaryField()),
                ("cause", models.CharField(choices=CAUSE, max_length=10)),
                (
                    "uses",
                    django.contrib.postgres.fields.ArrayField(models.CharField(max_length=61), size=None),
                ),
                ("since", models.DateTimeField()),
                ("source", models.CharField(blank=True, max_length=60)),
                ("added_at", models.DateTimeField(db_default=NOW)),
                ("added_by", staff()),
                ("released_at", models.DateTimeField(null=True)),
                ("released_by", models.UUIDField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        models.F("entity"),
                        models.F("digest"),
                        models.F("reach"),
                        models.F("cause"),
                        condition=models.Q(("released_at", None)),
                        name="consent_suppressed_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("released_at", None), ("released_by", None)),
                            models.Q(("released_at__isnull", False), ("released_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="consent_released_by_a_yes",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            name="Register",
            fields=[
                ("ref", ref()),
                ("entity", entity()),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("place", models.CharField(max_length=6, verbose_name="place")),
                ("reach", models.CharField(choices=REACH, max_length=10)),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(models.CharField(max_length=20), size=None),
                ),
                ("subscriber", models.CharField(blank=True, choices=SUBSCRIBER, default="", max_length=10)),
                ("version_on", models.DateField(null=True)),
                ("imported_at", models.DateTimeField(null=True)),
                ("imported_by", staff()),
                ("entries", models.PositiveIntegerField(default=0)),
                ("checked_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["place", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("entity"), models.F("place"), models.F("name"), name="consent_register_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Listed",
            fields=[
                ("pk", pair("register", "digest")),
                ("digest", models.BinaryField()),
                ("entity", entity(index=False)),
                (
                    "register",
                    models.ForeignKey("consent.register", models.PROTECT, related_name="listed", db_index=False),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Looked",
            fields=[
                ("pk", pair("point", "register")),
                ("point", models.UUIDField()),
                ("person", models.UUIDField()),
                ("version_on", models.DateField()),
                ("found", models.BooleanField()),
                ("looked_at", models.DateTimeField(db_default=NOW)),
                ("entity", entity(index=False)),
                ("register", models.ForeignKey("consent.register", models.PROTECT, related_name="+")),
            ],
        ),
        *(ProtectByEntity(model, "entity") for model in ("Suppressed", "Register", "Listed", "Looked")),
        migrations.RunSQL(STAYS, migrations.RunSQL.noop),
        migrations.RunSQL(FORGETS, UNDO),
    ]
