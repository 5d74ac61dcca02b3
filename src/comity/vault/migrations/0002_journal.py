"""That somebody's key was destroyed is a line of the journal, whoever destroys it."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

ERASED = """
CREATE FUNCTION vault_journal_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_journal('vault.erased', jsonb_build_object('persons', persons)) FROM (
        SELECT array_agg(person) AS persons
        FROM (SELECT person, (row_number() OVER () - 1) / 500 AS part FROM gone) AS parts GROUP BY part
    ) AS many;
    RETURN NULL;
END $$;
CREATE TRIGGER vault_journal_erased AFTER DELETE ON vault_personkey REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION vault_journal_erased();
"""
UNDO = "DROP TRIGGER vault_journal_erased ON vault_personkey; DROP FUNCTION vault_journal_erased();"


class Migration(migrations.Migration):
    dependencies: ClassVar = [("vault", "0001_initial"), ("ledger", "0002_journal")]
    operations: ClassVar[list[Operation]] = [migrations.RunSQL([ERASED], UNDO)]
