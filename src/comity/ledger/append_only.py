"""What PostgreSQL itself refuses: to change or take away what was recorded, numbered, hashed or signed.

Triggers hold for everybody who uses the tables, whatever was granted; only who owns them can switch the triggers off,
and what is done then the verifier finds. The application's role may besides do only what recording and numbering need.
"""

from __future__ import annotations

APPLICATION_ROLE = "comity_app"

REFUSAL = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % of a row of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Record a further entry that says what is different now.';
END $$;

CREATE FUNCTION ledger_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        RAISE EXCEPTION 'The ledger is append-only: TRUNCATE of % is refused', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""

# An entry is inserted without a number and changes once: it gets one.
ENTRIES = """
ALTER TABLE ledger_entry
    ADD CONSTRAINT ledger_entry_size CHECK (octet_length(body) BETWEEN 1 AND 65535),
    ADD CONSTRAINT ledger_entry_index CHECK (leaf_index >= 0);
CREATE TRIGGER ledger_refuse_insert BEFORE INSERT ON ledger_entry FOR EACH ROW
    WHEN (NEW.leaf_index IS NOT NULL) EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_refuse_update BEFORE UPDATE ON ledger_entry FOR EACH ROW
    WHEN (OLD.leaf_index IS NOT NULL OR NEW.leaf_index IS NULL
          OR (OLD.ref, OLD.recorded_at, OLD.kind, OLD.staff, OLD.persons, OLD.body)
             IS DISTINCT FROM (NEW.ref, NEW.recorded_at, NEW.kind, NEW.staff, NEW.persons, NEW.body))
    EXECUTE FUNCTION ledger_refuse();
"""

# A tile only grows, to the right, until it is full.
TILES = """
ALTER TABLE ledger_tile
    ADD CONSTRAINT ledger_tile_size CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
    ADD CONSTRAINT ledger_tile_place CHECK (level BETWEEN 0 AND 7 AND index >= 0),
    ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE TRIGGER ledger_refuse_update BEFORE UPDATE ON ledger_tile FOR EACH ROW
    WHEN ((OLD.level, OLD.index) IS DISTINCT FROM (NEW.level, NEW.index)
          OR octet_length(NEW.hashes) <= octet_length(OLD.hashes)
          OR substr(NEW.hashes, 1, octet_length(OLD.hashes)) <> OLD.hashes)
    EXECUTE FUNCTION ledger_refuse();
"""

CHECKPOINTS = """
ALTER TABLE ledger_checkpoint
    ADD CONSTRAINT ledger_checkpoint_size CHECK (size > 0 AND octet_length(root) = 32);
CREATE TRIGGER ledger_refuse_update BEFORE UPDATE ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_refuse_update BEFORE UPDATE ON ledger_cosignature FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
"""

ALL = "\n".join(
    f"""
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION ledger_refuse_truncate();
"""
    for table in ("ledger_entry", "ledger_tile", "ledger_checkpoint", "ledger_cosignature")
)

# Roles belong to the whole server: two databases may be made at once, and who makes this one may not be allowed to.
ROLE = f"""
DO $$
BEGIN
    CREATE ROLE {APPLICATION_ROLE} NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
END $$;
"""

GRANTS = f"""
DO $$
BEGIN
    REVOKE ALL ON ledger_entry, ledger_tile, ledger_checkpoint, ledger_cosignature FROM {APPLICATION_ROLE};
    GRANT SELECT, INSERT ON ledger_entry, ledger_tile, ledger_checkpoint, ledger_cosignature TO {APPLICATION_ROLE};
    GRANT UPDATE (leaf_index) ON ledger_entry TO {APPLICATION_ROLE};
    GRANT UPDATE (hashes) ON ledger_tile TO {APPLICATION_ROLE};
EXCEPTION WHEN undefined_object THEN NULL;
END $$;
"""
"""To be said again after any wider grant; nothing where the role is not there."""

STEPS = (REFUSAL, ENTRIES, TILES, CHECKPOINTS, ALL, ROLE, GRANTS)

# A line of the journal is inserted without a place and changes once: it gets one. Whoever replays the journal brings
# lines in with their places, and says so; the triggers that make lines are silent meanwhile: they would make others.
JOURNAL = f"""
CREATE TRIGGER ledger_refuse_update BEFORE UPDATE ON ledger_journalline FOR EACH ROW
    WHEN (OLD.number IS NOT NULL OR NEW.number IS NULL
          OR (OLD.ref, OLD.kind, OLD.at, OLD.said) IS DISTINCT FROM (NEW.ref, NEW.kind, NEW.at, NEW.said))
    EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger_journalline FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger_journalline EXECUTE FUNCTION ledger_refuse_truncate();
CREATE FUNCTION ledger_journal(kind text, said jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ledger_journalline (ref, kind, at, said)
    SELECT gen_random_uuid(), kind, clock_timestamp(), said
    WHERE current_setting('comity.replaying', true) IS DISTINCT FROM 'on'
$$;
DO $$
BEGIN
    REVOKE ALL ON ledger_journalline FROM {APPLICATION_ROLE};
    GRANT SELECT, INSERT ON ledger_journalline TO {APPLICATION_ROLE};
    GRANT UPDATE (number, seal) ON ledger_journalline TO {APPLICATION_ROLE};
EXCEPTION WHEN undefined_object THEN NULL;
END $$;
"""  # noqa: S608 - our own words
"""Rooms call `ledger_journal` in triggers of theirs, which see every no, whoever writes it down and however."""
