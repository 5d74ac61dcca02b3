from django.db import migrations


class Migration(migrations.Migration):
    """The cache that all processes share. It is not logged: after a crash it is empty, as a cache may be."""

    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            sql=[
                (
                    "CREATE UNLOGGED TABLE web_cache"
                    " (cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL)"
                ),
                "CREATE INDEX web_cache_expires ON web_cache (expires)",
            ],
            reverse_sql=["DROP TABLE web_cache"],
        )
    ]
