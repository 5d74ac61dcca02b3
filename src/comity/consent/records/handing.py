"""Handing out what a person said as a file: which files there are, and that it was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from comity.consent.models import Consent
from comity.consent.records.fhir import consent_bundle
from comity.consent.records.receipts import receipt_of, receipt_of_all, record_of, records_of
from comity.ledger.actions import record
from comity.ledger.bodies import JSON, declare_words
from comity.staff.models import Entity, Staff

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Node = dict[str, Any]
JSON_LD, FHIR = "application/ld+json", "application/fhir+json"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One of the files: how it is called, what it is, and how it is made of one consent or of all."""

    title: _StrPromise
    media: str
    of_one: Callable[[Consent, datetime], Node] | None
    of_all: Callable[[UUID, Entity, datetime], Node]

    @property
    def is_of_one(self) -> bool:
        """Whether it can be had of one consent."""
        return self.of_one is not None


FORMS: Final = {
    "receipt": Form(
        title=_("Receipt"), media=JSON_LD, of_one=lambda one, at: receipt_of(one, at=at),
        of_all=lambda person, entity, at: receipt_of_all(person, entity, at=at),
    ),
    "record": Form(
        title=_("Record"), media=JSON_LD, of_one=lambda one, _at: record_of(one),
        of_all=lambda person, entity, _at: records_of(person, entity),
    ),
    "fhir": Form(
        title=_("FHIR, for patients' records"), media=FHIR, of_one=None,
        of_all=lambda person, entity, at: consent_bundle(person, entity, at=at),
    ),
}  # fmt: skip
"""What can be handed out, by its word in addresses and in the ledger."""

declare_words(*FORMS)


@transaction.atomic
def hand_out(
    *, form: str, person: UUID, entity: Entity, consent: Consent | None, handed_by: Staff, at: datetime
) -> Node:
    """Return a file of one consent, or of all that a person said to an entity, and record that it was handed out.

    It names nobody, so nothing is opened for it. Raises LookupError for a consent that does not count.
    """
    chosen = FORMS[form]
    if consent is None:
        made = chosen.of_all(person, entity, at)
    elif chosen.of_one is None:
        raise LookupError(f"there is no {form} of one consent")
    else:
        made = chosen.of_one(consent, at)
    body: dict[str, JSON] = {"form": form, "entity": entity.ref, "consent": consent.ref if consent else None}
    record(kind="consent.handed-out", staff=handed_by.ref, persons=[person], body=body)
    return made
