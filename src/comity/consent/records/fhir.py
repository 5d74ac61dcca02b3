"""Consents as FHIR R4 has them (HL7, release 4.0.1, resource Consent), for those who keep patients' records.

Each thing said is a resource of its own. The one that is to be followed now is active, a yes as a permission and a no
as a denial; what it replaced, and a yes that ran out, is inactive. No name stands in it: a ref does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, zip_longest
from typing import Any, Final
from uuid import UUID

from comity.consent.models import Consent, Said
from comity.consent.records.receipts import said_by
from comity.staff.models import Entity

Node = dict[str, Any]

TERMS: Final = "http://terminology.hl7.org/CodeSystem"
URIS: Final = "urn:ietf:rfc:3986"
SCOPE: Final = {"coding": [{"system": f"{TERMS}/consentscope", "code": "patient-privacy"}]}
CATEGORY: Final = {"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}  # consent document
REASONS: Final = {"care": "TREAT", "marketing": "HMARKT"}
"""Purposes that HL7 has a reason for (v3-ActReason); of others, the word is ours."""
PERMIT, DENY = "permit", "deny"


def consent_bundle(person: UUID, entity: Entity, *, at: datetime) -> Node:
    """Return all that somebody said to one of our entities, as a collection made at that moment."""
    rows = groupby(said_by(person, entity), key=lambda row: (row.purpose, row.channel))
    resources = [resource for _, same in rows for resource in consent_resources(list(same))]
    bundle: Node = {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(at)}
    entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources]
    return bundle | ({"entry": entries} if entries else {})  # an empty list is no list in FHIR


def consent_resources(said: Sequence[Consent]) -> Iterator[Node]:
    """Give what was said about one purpose and channel, in its order, as resources."""
    for row, later in zip_longest(said, said[1:]):
        active = later is None and row.said != Said.EXPIRED
        yield {
            "resourceType": "Consent",
            "id": str(row.ref),
            "meta": {"lastUpdated": _instant(row.recorded_at)},
            "identifier": [_identifier(row.ref)],
            "status": "active" if active else "inactive",
            "scope": SCOPE,
            "category": [CATEGORY],
            "patient": _patient(row),
            "dateTime": _instant(row.said_at),
            **_performer(row),
            "organization": [{**_logical("Organization", row.entity.ref), "display": row.entity.name}],
            **_source(row),
            "policyRule": {"coding": [{"system": f"{TERMS}/v3-ActCode", "code": _policy(row)}]},
            "provision": _provision(row, later),
        }


def _identifier(ref: UUID) -> Node:
    return {"system": URIS, "value": f"urn:uuid:{ref}"}


def _logical(kind: str, ref: UUID) -> Node:
    """Return a reference to something that is not sent along, by its identifier."""
    return {"type": kind, "identifier": _identifier(ref)}


def _patient(row: Consent) -> Node:
    return _logical("Patient", row.person)


def _performer(row: Consent) -> Node:
    """Return who said so; nobody lets a yes run out."""
    if row.said == Said.EXPIRED:
        return {}
    return {
        "performer": [{"type": "RelatedPerson", "display": "Parent or guardian"} if row.parental else _patient(row)]
    }


def _source(row: Consent) -> Node:
    """Return what was shown and how it was said, as far as it is on record."""
    told = "; ".join(filter(None, [row.notice, row.source]))
    if not told:
        return {}
    version = {"identifier": _identifier(row.notice_version_id)} if row.notice_version_id else {}
    return {"sourceReference": {"type": "DocumentReference", **version, "display": told}}


def _policy(row: Consent) -> str:
    return "OPTIN" if row.said == Said.GIVEN else "OPTOUT"


def _provision(row: Consent, later: Consent | None) -> Node:
    """Return what is permitted or denied, for which purpose, and from when until when."""
    period = {"start": _instant(row.said_at)} | ({"end": _instant(later.said_at)} if later else {})
    reason = REASONS.get(row.purpose)
    purpose = (
        {"system": f"{TERMS}/v3-ActReason", "code": reason}
        if reason else {"system": "urn:comity:purpose", "code": row.purpose}
    )  # fmt: skip
    by = [] if row.channel == "none" else [{"system": "urn:comity:channel", "code": row.channel}]
    return {"type": PERMIT if row.said == Said.GIVEN else DENY, "period": period, "purpose": [purpose, *by]}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
