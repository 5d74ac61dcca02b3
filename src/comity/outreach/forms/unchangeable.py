"""What PostgreSQL itself refuses: to change or take away a form that was published, whoever asks."""

from __future__ import annotations

from typing import Final

REFUSE: Final = """
CREATE FUNCTION outreach_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'A published form never changes: % of a row of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Draft a new version and publish that.';
END $$;

CREATE TRIGGER outreach_form_stands BEFORE UPDATE OR DELETE ON outreach_formversion FOR EACH ROW
    WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION outreach_refuse_change();
CREATE TRIGGER outreach_forms_stand BEFORE TRUNCATE ON outreach_formversion
    EXECUTE FUNCTION outreach_refuse_change();
"""
"""The owner may empty the table as a whole, as tests do; the application's role is no owner."""

UNDO: Final = """
DROP TRIGGER outreach_forms_stand ON outreach_formversion;
DROP TRIGGER outreach_form_stands ON outreach_formversion;
DROP FUNCTION outreach_refuse_change();
"""
