"""Saying from whom people's data came, and telling these people: by a notice of its own, or by whatever comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from comity.book.imports.models import Import
from comity.counsel.models import AskedDecision
from comity.ledger.actions import record
from comity.outreach.campaigns.actions import change_campaign, make_campaign
from comity.outreach.composing.content import Content, Wording
from comity.outreach.composing.passages import FALLBACK, LANGUAGES, written
from comity.outreach.origins.models import Came, Origin
from comity.staff.guards import demand
from comity.staff.once import rows_of
from comity.vault.models import RecordedDecision

if TYPE_CHECKING:
    from comity.ledger.bodies import JSON
    from comity.outreach.campaigns.models import Campaign
    from comity.post.models import Dispatch, Message
    from comity.staff.models import Entity, Staff

WORD: Final = "origin.edit"
PURPOSE: Final = "legal-duty"
"""Of a notice that says where data came from: a law obliges us to it, so no objection to advertising stops it."""
ORIGIN: Final = "origin-notice"


class NotNoted(ValidationError):
    """It is not noted from whom data came; the message says why."""


CAME: Final = """
    INSERT INTO outreach_came (ref, person, entity_id, origin_id)
    SELECT gen_random_uuid(), person, %s, %s
    FROM (SELECT DISTINCT unnest(persons) FROM book_importbatch
          WHERE imported_id = %s AND undone_at IS NULL) AS came (person)
    JOIN book_relation AS relation ON relation.person_id = came.person AND relation.entity_id = %s
    ON CONFLICT DO NOTHING
"""


@transaction.atomic
def note_origin(*, imported: Import, source: str, by: Staff) -> Origin:
    """Say from whom the people of an import came, in words that they will read. Raises NotYours, NotNoted.

    Once somebody was told, the words stay as they were told.
    """
    demand(by, WORD, imported.entity)
    if not source.strip():
        raise NotNoted(_("Say from whom the data came: a name, and where they are."))
    origin = Origin.objects.select_for_update(of=("self",)).filter(entity=imported.entity, about=imported.ref).first()
    if origin is None:
        origin = Origin(entity=imported.entity, about=imported.ref, used_for=imported.purpose, noted_by=by)
    elif origin.source != source.strip() and Came.objects.filter(origin=origin, told_at__isnull=False).exists():
        raise NotNoted(_("People were told of this source already, in the words that stand."))
    origin.source = source.strip()
    origin.save()
    rows_of(CAME, [imported.entity.ref, origin.ref, imported.ref, imported.entity.ref])
    body: dict[str, JSON] = {"origin": origin.ref, "import": imported.ref, "entity": imported.entity.ref}
    record(kind="outreach.origin-noted", staff=by.ref, body=body)
    return origin


@transaction.atomic
def note_origin_of(*, persons: Sequence[UUID], entity: Entity, source: str, used_for: str, by: Staff) -> Origin:
    """Say from whom single people's data came. Raises NotYours, NotNoted."""
    demand(by, WORD, entity)
    if not source.strip():
        raise NotNoted(_("Say from whom the data came: a name, and where they are."))
    origin = Origin.objects.create(entity=entity, source=source.strip(), used_for=used_for, noted_by=by)
    Came.objects.bulk_create(Came(person=person, entity=entity, origin=origin) for person in persons)
    record(kind="outreach.origin-noted", staff=by.ref, persons=persons, body={
        "origin": origin.ref, "entity": entity.ref,
    })  # fmt: skip
    return origin


# ---------------------------------------------------------------- a notice of its own


@transaction.atomic
def begin_notice(*, imported: Import, source: str, name: str, by: Staff) -> Campaign:
    """Make a campaign that tells the people of an import where we have their data from; its words stand ready.

    Raises NotYours, NotNoted, NotSent.
    """
    note_origin(imported=imported, source=source, by=by)
    query = f"entity={imported.entity.ref}&import={imported.ref}&told=no"
    campaign = make_campaign(entity=imported.entity, name=name, purpose=PURPOSE, query=query, made_by=by)
    return change_campaign(campaign=campaign, by=by, content=words().as_json())


def words() -> Content:
    """Return the words of such a notice, in every language in which the law's passages stand."""
    said = written()
    wordings = {
        _code(each): Wording(subject=said["notice-subject"][each], body=said["notice-words"][each].format())
        for each in LANGUAGES
    }
    return Content(language=FALLBACK, wordings=wordings)


def _code(language: str) -> str:
    return "zh-hans" if language == "zh" else language


# ---------------------------------------------------------------- who was told


def keep_told(dispatch: Dispatch, messages: Sequence[Message], at: datetime) -> None:
    """Write down who was told from whom we have their data: those whose message had to say so, and so did."""
    had_to_be = _had_to_be_told(messages)
    told = [message.person for message in messages if message.person in had_to_be]
    if told:
        Came.objects.filter(person__in=told, entity=dispatch.entity_id, told_at=None).update(
            told_at=at, told_by=dispatch.ref
        )


def _had_to_be_told(messages: Iterable[Message]) -> set[UUID]:
    decisions = {message.decision for message in messages if message.decision}
    asked: dict[UUID, Any] = {one.ref: one for one in AskedDecision.objects.filter(ref__in=decisions)}
    found: set[UUID] = set()
    for ref, persons in RecordedDecision.objects.filter(ref__in=decisions).values_list("ref", "persons"):
        wants = [any(one["kind"] == ORIGIN for one in each["obligations"]) for each in asked[ref].findings]
        found |= {person for person, number in zip(persons, asked[ref].of, strict=True) if wants[number]}
    return found
