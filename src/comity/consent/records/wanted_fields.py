"""Which fields ISO/IEC TS 27560 wants in a consent record and a receipt, and which of them one lacks.

Source: "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV", final report of the W3C's data privacy
vocabularies group of 1 August 2024 (w3id.org/dpv/guides/consent-27560), sections 8.2, 9 and 10. Names are those of the
standard as the guide gives them; fields that it calls optional are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = Mapping[str, Any]

RECORD: Final[Mapping[str, tuple[str, ...]]] = {
    "schema_version": ("dct:conformsTo",),
    "record_id": ("dct:identifier",),
    "pii_principal_id": ("dpv:hasDataSubject",),
    "privacy_notice": ("dpv:hasNotice",),
    "language": ("dpv:hasNotice dct:language",),
    "purpose": ("dpv:hasProcess* dpv:hasPurpose",),
    "pii_type": ("dpv:hasProcess* dpv:hasPersonalData",),
    "pii_controllers": ("dpv:hasDataController", "dpv:hasProcess* dpv:hasDataController"),
    "storage_locations": ("dpv:hasProcess* dpv:hasStorageCondition dpv:hasLocation",),
    "retention_period": ("dpv:hasProcess* dpv:hasStorageCondition dpv:hasDuration",),
    "jurisdiction": ("dpv:hasJurisdiction", "dpv:hasProcess* dpv:hasJurisdiction"),
    "recipient_third_parties": ("dpv:hasRecipient", "dpv:hasProcess* dpv:hasRecipient"),
    "withdrawal_method": ("dpv:hasConsentControl", "dpv:hasProcess* dpv:hasConsentControl"),
    "privacy_rights": ("dpv:hasRight", "dpv:hasProcess* dpv:hasRight"),
    "party_id": ("dpv:hasEntity* dpv:hasIdentifier", "dpv:hasEntity* dct:identifier"),
    "party_name": ("dpv:hasEntity* dpv:hasName", "dpv:hasEntity* dpv:hasLegalName"),
    "party_type": ("dpv:hasEntity* @type",),
    "party_contact": ("dpv:hasEntity* schema:contactPoint", "dpv:hasEntity* dpv:hasContact"),
    "party_address": ("dpv:hasEntity* schema:address", "dpv:hasEntity* dpv:hasAddress"),
    "event_state": ("dpv:hasConsentStatus* @type",),
    "event_time": ("dpv:hasConsentStatus* dpv:isIndicatedAtTime",),
    "validity_duration": ("dpv:hasConsentStatus* dpv:hasDuration",),
    "entity_id": ("dpv:hasConsentStatus* dpv:isIndicatedBy",),
}
"""Each field with where it may stand: properties from node to node. With *, every node there must have the next one."""

KINDS_OF_CONSENT: Final = frozenset(
    "dpv:Consent dpv:InformedConsent dpv:UninformedConsent dpv:ImpliedConsent dpv:ExpressedConsent "
    "dpv:ExplicitlyExpressedConsent eu-gdpr:A6-1-a eu-gdpr:A9-2-a".split()
)
STATES: Final = frozenset(
    "dpv:ConsentGiven dpv:RenewedConsentGiven dpv:ConsentUnknown dpv:ConsentRequested dpv:ConsentRequestDeferred "
    "dpv:ConsentRefused dpv:ConsentWithdrawn dpv:ConsentExpired dpv:ConsentTerminated dpv:ConsentInvalidated "
    "dpv:ConsentRevoked".split()
)

RECEIPT: Final[Mapping[str, tuple[str, ...]]] = {
    "schema_version": ("dct:conformsTo",),
    "receipt_id": ("dpv:hasIdentifier", "dct:identifier"),
    "created": ("dct:created",),
    "record": ("dpv:hasRecordOfActivity",),
}


def lacking(record: Node) -> list[str]:
    """Return the names of the fields that a record must have and has not."""
    found = [name for name, paths in RECORD.items() if not any(_stands(record, path.split()) for path in paths)]
    bases = [*_values(record, "dpv:hasLegalBasis"), *_types(record, "dpv:hasConsentStatus")]
    bases += [basis for process in _values(record, "dpv:hasProcess") for basis in _values(process, "dpv:hasLegalBasis")]
    if not KINDS_OF_CONSENT & set(map(str, bases)):
        found.append("event_type")
    if "event_state" not in found and not all(STATES & set(_of_type(event)) for event in _events(record)):
        found.append("event_state")
    return sorted(found)


def lacking_in_receipt(receipt: Node) -> list[str]:
    """Return the names of the fields that a receipt must have and has not, those of its records among them."""
    found = {name for name, paths in RECEIPT.items() if not any(_stands(receipt, path.split()) for path in paths)}
    for record in _values(receipt, "dpv:hasRecordOfActivity"):
        found |= set(lacking(record if isinstance(record, Mapping) else {}))
    return sorted(found)


def _stands(node: object, path: list[str]) -> bool:
    """Tell whether a property is there, at the end of a path of them."""
    first, rest = path[0], path[1:]
    found = list(_values(node, first.removesuffix("*")))
    if first.startswith("dpv:hasEntity"):
        found = [each for each in found if "dpv:DataSubject" not in _of_type(each)]
    if not rest:
        return bool(found)
    each_has = [_stands(each, rest) for each in found]
    return bool(each_has) and (all(each_has) if first.endswith("*") else any(each_has))


def _values(node: object, name: str) -> Iterator[object]:
    """Give the values of a property, of which there may be one, several, or none."""
    found = node.get(name) if isinstance(node, Mapping) else None
    if isinstance(found, list):
        yield from found
    elif found is not None and found != "":
        yield found


def _of_type(node: object) -> list[str]:
    return [str(each) for each in _values(node, "@type")]


def _types(record: Node, name: str) -> list[str]:
    return [each for node in _values(record, name) for each in _of_type(node)]


def _events(record: Node) -> Iterator[object]:
    yield from _values(record, "dpv:hasConsentStatus")
