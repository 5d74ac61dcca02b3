"""What PostgreSQL itself refuses: to change or take away a notice that was published, whoever asks."""

from __future__ import annotations

from typing import Final

REFUSE: Final = """
CREATE FUNCTION consent_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
            RETURN NULL;
        END IF;
    END IF;
    RAISE EXCEPTION 'A published notice never changes: % of a row of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Draft a new version and publish that.';
END $$;

CREATE TRIGGER consent_version_stands BEFORE UPDATE OR DELETE ON consent_noticeversion FOR EACH ROW
    WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION consent_refuse_change();
CREATE TRIGGER consent_versions_stand BEFORE TRUNCATE ON consent_noticeversion
    EXECUTE FUNCTION consent_refuse_change();
CREATE TRIGGER consent_notice_stands BEFORE UPDATE ON consent_notice FOR EACH ROW
    EXECUTE FUNCTION consent_refuse_change();
"""
"""The owner may empty the table as a whole, as tests do; the application's role is no owner."""

UNDO: Final = """
DROP TRIGGER consent_notice_stands ON consent_notice;
DROP TRIGGER consent_versions_stand ON consent_noticeversion;
DROP TRIGGER consent_version_stands ON consent_noticeversion;
DROP FUNCTION consent_refuse_change();
"""
