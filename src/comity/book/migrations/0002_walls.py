"""Rows of people and organisations are seen only by whoever acts for an entity of theirs."""

from django.db import migrations

from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [("book", "0001_initial")]
    operations = [
        ProtectByEntity("Person", "entities", many=True),
        ProtectByEntity("Organisation", "entities", many=True),
        ProtectByEntity("Relation", "entity"),
        ProtectByEntity("Activity", "entity"),
    ]
