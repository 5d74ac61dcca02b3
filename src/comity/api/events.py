"""Of what webhooks can be told: kinds of ledger entries, and the trigger that puts each in their way as it is recorded.

The trigger works in the transaction of the entry, whoever records it: what is rolled back is told to nobody, and what
is committed is told to all who asked, or tried for a day. The rooms below know nothing of it.

INVARIANT: an entity is told of nobody but its own people. An entry is of the entities that it names; else of those in
whose book its organisation or persons are. Of who was erased the book may say nothing any more: there the entry alone
counts, and one that names no entity is told to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

KINDS: Final[Mapping[str, str | Promise]] = {
    "book.person-added": _("Somebody came into the book."),
    "book.person-changed": _("What is kept about a person changed."),
    "book.relation-changed": _("What there is between a person and us changed."),
    "book.point-added": _("A way to reach a person was added."),
    "book.point-changed": _("A way to reach a person changed."),
    "book.point-removed": _("A way to reach a person was taken away."),
    "consent.said": _("A person agreed, refused, or took a consent back."),
    "consent.corrected": _("What was recorded of a person was a mistake: they never said it."),
    "consent.signal-honoured": _("A person's browser said that their data must not be sold or shared."),
    "vault.person-key-destroyed": _("A person was erased."),
    "counsel.decided": _("The law was asked about persons."),
    "book.organisation-added": _("An organisation came into the book."),
    "book.organisation-changed": _("An organisation changed."),
}
"""The same words as in the ledger, so that a receiver can ask for the entry, and for its proof."""

PING: Final = "api.ping"
"""The kind of what is sent to try a webhook out."""

TRIGGER: Final = """
CREATE FUNCTION api_tell() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE many bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM api_webhook WHERE off_at IS NULL AND kinds && (SELECT array_agg(kind) FROM recorded)
    ) THEN
        RETURN NULL; -- nobody asked for any of it, and each change of Comity's pays for what follows
    END IF;
    INSERT INTO api_delivery (ref, webhook_id, entry, kind, tries, trouble)
    SELECT gen_random_uuid(), hook.ref, entry.ref, entry.kind, 0, ''
    FROM recorded AS entry JOIN api_webhook AS hook ON entry.kind = ANY (hook.kinds) AND hook.off_at IS NULL
    CROSS JOIN LATERAL (SELECT convert_from(entry.body, 'UTF8')::jsonb -> 'body' AS body) AS told
    CROSS JOIN LATERAL (
        SELECT told.body ->> 'entity' AS entity, (told.body ->> 'organisation')::uuid AS organisation
    ) AS said
    WHERE CASE WHEN said.entity IS NOT NULL THEN said.entity = hook.entity_id::text
          WHEN told.body ? 'entities' THEN told.body -> 'entities' ? hook.entity_id::text
          WHEN entry.kind LIKE 'vault.person-key%' THEN false -- an entity that never knew them must not learn of them
          WHEN said.organisation IS NOT NULL THEN EXISTS (
              SELECT FROM book_organisation WHERE ref = said.organisation AND hook.entity_id = ANY (entities))
          ELSE EXISTS (SELECT FROM book_person WHERE ref = ANY (entry.persons) AND hook.entity_id = ANY (entities)) END;
    GET DIAGNOSTICS many = ROW_COUNT;
    IF many > 0 THEN
        BEGIN
            INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('api', 'api.deliver');
        EXCEPTION WHEN undefined_table OR undefined_column OR not_null_violation OR check_violation THEN
            NULL; -- another version of procrastinate: the sweep tells it some minutes later, and nobody's write fails
        END;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER api_tell AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS recorded
    FOR EACH STATEMENT EXECUTE FUNCTION api_tell();
"""
UNDO: Final = "DROP TRIGGER api_tell ON ledger_entry; DROP FUNCTION api_tell();"
