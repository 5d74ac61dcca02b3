"""What the law asks of a yes, copied by PostgreSQL onto the standing row of which it is the one that counts."""

from __future__ import annotations

from typing import Final

FROM: Final = {
    "given_on": "(said.said_at AT TIME ZONE 'UTC')::date", "wording_kept": "said.notice <> ''",
    "source_kept": "said.source <> ''",
} | {name: f"said.{name}" for name in ("express", "separate", "written", "parental", "names_caller")}  # fmt: skip
"""Each column of a standing row, and what it says of the yes."""
COPY: Final = f"""
    CREATE FUNCTION consent_copy_yes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        SELECT {", ".join(FROM.values())} INTO {", ".join(f"NEW.{name}" for name in FROM)}
        FROM consent_consent AS said WHERE said.ref = NEW.given_id;
        IF NEW.given_id IS NOT NULL AND NOT FOUND THEN
            RAISE foreign_key_violation USING
                MESSAGE = 'consent ' || NEW.given_id || ' is not there, or another entity''s: write it first';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER consent_yes_of_new BEFORE INSERT ON consent_standing
        FOR EACH ROW
        WHEN (num_nonnulls(NEW.given_id, {", ".join(f"NEW.{name}" for name in FROM)}) > 0)
        EXECUTE FUNCTION consent_copy_yes();
    CREATE TRIGGER consent_yes_of_changed BEFORE UPDATE ON consent_standing FOR EACH ROW
        WHEN ((NEW.given_id, {", ".join(f"NEW.{name}" for name in FROM)}) IS DISTINCT FROM
              (OLD.given_id, {", ".join(f"OLD.{name}" for name in FROM)}))
        EXECUTE FUNCTION consent_copy_yes()
"""  # noqa: S608 - our own words
FORGET: Final = "DROP FUNCTION consent_copy_yes() CASCADE"
ALL: Final = f"""
    UPDATE consent_standing AS standing SET ({", ".join(FROM)}) = ROW({", ".join(FROM.values())})
    FROM consent_consent AS said WHERE said.ref = standing.given_id
"""  # noqa: S608 - our own words
