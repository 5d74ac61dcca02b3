"""What was said to an entity is seen only by whoever acts for it."""

from django.db import migrations

from comity.staff.walls import ProtectByEntity


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]
    operations = [ProtectByEntity("Consent", "entity"), ProtectByEntity("Standing", "entity")]
