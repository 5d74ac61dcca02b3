"""Who wishes a campaign to be sent while a worker decides about its list, and why it was not sent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns of a wish, beside the dispatch that follows from it."""

    dependencies = [("outreach", "0005_channels"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField("Campaign", "asked_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "Campaign",
            "asked_by",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField("Campaign", "unsent", models.TextField(blank=True, db_default="", default="")),
    ]
