"""Every no becomes a line of the journal, in the transaction that takes it down, whoever does that and however."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations
from django.db.migrations.operations.base import Operation

# A yes that was recorded by mistake does not count any more: that is a no, too. Of many that are taken down together, as
# an import does, some hundreds stand in one line.
SAID = """
CREATE FUNCTION consent_journal_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_journal('consent.said', jsonb_build_object('noes', noes)) FROM (
        SELECT jsonb_agg(jsonb_build_object(
            'consent', ref, 'person', person, 'entity', entity_id, 'purpose', purpose, 'channel', channel,
            'said', said, 'said_at', said_at)) AS noes
        FROM (
            SELECT *, (row_number() OVER () - 1) / 500 AS part FROM added
            WHERE said IN ('refused', 'withdrawn', 'objected') OR said = 'mistaken'
                AND EXISTS (SELECT FROM consent_consent WHERE ref = added.corrects_id AND said = 'given')
        ) AS parts GROUP BY part
    ) AS many;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_journal_said AFTER INSERT ON consent_consent REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION consent_journal_said();
"""

# What stops more than one purpose stands in the person's own row. An objection that somebody took down is above.
STOPPED = """
CREATE FUNCTION consent_journal_stopped() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    objected timestamptz := CASE WHEN NEW.objected_at IS DISTINCT FROM OLD.objected_at THEN NEW.objected_at END;
    signal timestamptz := CASE WHEN NEW.opt_out_signal_at IS DISTINCT FROM OLD.opt_out_signal_at
        THEN NEW.opt_out_signal_at END;
    restricted timestamptz := CASE WHEN NEW.restricted_at IS DISTINCT FROM OLD.restricted_at THEN NEW.restricted_at END;
    deceased timestamptz := CASE WHEN NEW.deceased_at IS DISTINCT FROM OLD.deceased_at THEN NEW.deceased_at END;
BEGIN
    IF EXISTS (SELECT FROM consent_consent WHERE person = NEW.ref AND said = 'objected' AND said_at = objected) THEN
        objected := NULL;
    END IF;
    IF coalesce(objected, signal, restricted, deceased) IS NOT NULL THEN
        PERFORM ledger_journal('consent.stopped', jsonb_strip_nulls(jsonb_build_object(
            'person', NEW.ref, 'objected_at', objected, 'opt_out_signal_at', signal, 'restricted_at', restricted,
            'deceased_at', deceased)));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_journal_stopped
    AFTER UPDATE OF objected_at, opt_out_signal_at, restricted_at, deceased_at ON book_person FOR EACH ROW
    WHEN ((NEW.objected_at, NEW.opt_out_signal_at, NEW.restricted_at, NEW.deceased_at)
          IS DISTINCT FROM (OLD.objected_at, OLD.opt_out_signal_at, OLD.restricted_at, OLD.deceased_at))
    EXECUTE FUNCTION consent_journal_stopped();
"""

# What is said of one of two who are the same person since counts for both, should they be two again.
MERGED = """
CREATE FUNCTION consent_journal_merged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_journal('consent.merged', jsonb_build_object('gone', NEW.ref, 'kept', NEW.merged_into_id));
    RETURN NULL;
END $$;
CREATE TRIGGER consent_journal_merged AFTER UPDATE OF merged_into_id ON book_person FOR EACH ROW
    WHEN (NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id AND NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION consent_journal_merged();
"""

SUPPRESSED = """
CREATE FUNCTION consent_journal_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ledger_journal('consent.suppressed', jsonb_build_object(
        'entity', entity_id, 'reach', reach, 'cause', cause, 'uses', uses, 'since', since, 'digests', digests))
    FROM (
        SELECT entity_id, reach, cause, uses, since, array_agg(encode(digest, 'hex')) AS digests
        FROM (SELECT *, (row_number() OVER () - 1) / 500 AS part FROM added) AS parts
        WHERE released_at IS NULL GROUP BY entity_id, reach, cause, uses, since, part
    ) AS many;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_journal_suppressed AFTER INSERT ON consent_suppressed REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION consent_journal_suppressed();
CREATE TRIGGER consent_journal_suppressed_more AFTER UPDATE ON consent_suppressed REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION consent_journal_suppressed();
"""

UNDO = """
DROP FUNCTION consent_journal_said() CASCADE;
DROP FUNCTION consent_journal_stopped() CASCADE;
DROP FUNCTION consent_journal_merged() CASCADE;
DROP FUNCTION consent_journal_suppressed() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("consent", "0005_suppression"), ("ledger", "0002_journal"), ("book", "0008_merging"),
    ]  # fmt: skip
    operations: ClassVar[list[Operation]] = [migrations.RunSQL([SAID, STOPPED, MERGED, SUPPRESSED], UNDO)]
