"""Consent records and receipts as ISO/IEC TS 27560 has them: JSON-LD in the terms of the W3C's Data Privacy Vocabulary.

A record is about one person, entity, purpose and channel; what was said of it are its events, in their order. A receipt
wraps records for whoever keeps it. Neither names the person: a ref stands for them. What the standard wants and we do
not hold is left out and listed under comity:notRecorded, so that nobody takes a gap for a no.

Terms are those of DPV 2.2 and its extension for personal data; how they hang together, the W3C's guide says, whose
fields are in wanted_fields.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import groupby
from typing import Any, Final
from uuid import UUID, uuid5

from comity.consent.models import Consent, Said
from comity.consent.records.wanted_fields import lacking
from comity.law.dpv import PREFIXES, Terms, read_terms
from comity.staff.facts import vocabulary
from comity.staff.models import Entity

Node = dict[str, Any]

SCHEMA: Final = "https://w3id.org/dpv/schema/dpv-27560"
LINKS: Final = tuple(
    "dpv:hasDataSubject dpv:hasDataController dpv:hasPurpose dpv:hasPersonalData dpv:hasJurisdiction dpv:hasLegalBasis "
    "dpv:isIndicatedBy dpv:isExercisedAt dct:conformsTo dct:publisher schema:recipient".split()
)
CONTEXT: Final[Node] = {
    **{name: PREFIXES[name] for name in ("dpv", "pd", "loc", "dct", "xsd", "comity")},
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "schema": "https://schema.org/",
    **{name: {"@type": "@id"} for name in LINKS},
    **{name: {"@type": "xsd:dateTime"} for name in ("dct:created", "dct:date", "dpv:isIndicatedAtTime")},
}

DATA: Final = {
    "email": "pd:EmailAddress", "sms": "pd:TelephoneNumber", "call": "pd:TelephoneNumber", "fax": "pd:TelephoneNumber",
    "autocall": "pd:TelephoneNumber", "messenger": "pd:Contact", "post": "pd:PhysicalAddress",
}  # fmt: skip
"""The data that a channel takes; of others we hold only that they are about the person."""
STATES: Final = {
    Said.GIVEN: "dpv:ConsentGiven",
    Said.REFUSED: "dpv:ConsentRefused",
    Said.WITHDRAWN: "dpv:ConsentWithdrawn",
    Said.EXPIRED: "dpv:ConsentExpired",
    Said.OBJECTED: "dpv:ConsentRefused",
}
LASTS: Final = {
    Said.GIVEN: "Until it is withdrawn, or runs out under the law or the notice",
    Said.REFUSED: "Until the person says yes",
    Said.WITHDRAWN: "Until the person says yes",
    Said.EXPIRED: "Until the person says yes",
    Said.OBJECTED: "Until the person takes the objection back",
}
EVIDENCE: Final = ("separate", "written", "parental", "names_caller", "double_opt_in")


# ---------------------------------------------------------------- for one consent


def record_of(consent: Consent, *, withdraw_at: str = "") -> Node:
    """Return the record that one thing said belongs to, with all that was said about the same until now.

    `withdraw_at` is the address of the page on which the person can take it back.
    """
    return {"@context": CONTEXT, **_record(_same(consent), withdraw_at)}


def receipt_of(consent: Consent, *, at: datetime, withdraw_at: str = "") -> Node:
    """Return the receipt of one thing said, made at that moment, for the person to keep."""
    record = _record(_same(consent), withdraw_at)
    return _receipt(consent.ref, consent.entity, [record], at)


# ---------------------------------------------------------------- for all that somebody said


def records_of(person: UUID, entity: Entity, *, withdraw_at: str = "") -> Node:
    """Return every record of a person with one of our entities."""
    return {"@context": CONTEXT, "@graph": list(_records(person, entity, withdraw_at))}


def receipt_of_all(person: UUID, entity: Entity, *, at: datetime, withdraw_at: str = "") -> Node:
    """Return one receipt of everything that a person said to one of our entities."""
    number = uuid5(entity.ref, f"{person} {at.astimezone(UTC).isoformat()}")
    return _receipt(number, entity, list(_records(person, entity, withdraw_at)), at)


def said_by(person: UUID, entity: Entity) -> list[Consent]:
    """Return what counts of what a person said to an entity, by what it is about, the earliest first."""
    rows = Consent.objects.counting().select_related("entity", "notice_version").filter(person=person, entity=entity)
    return list(rows.order_by("purpose", "channel", "said_at", "ref"))


def _records(person: UUID, entity: Entity, withdraw_at: str) -> Iterator[Node]:
    for _, rows in groupby(said_by(person, entity), key=lambda row: (row.purpose, row.channel)):
        yield _record(list(rows), withdraw_at)


def _same(consent: Consent) -> list[Consent]:
    """Return all that was said about the same; what was recorded by mistake was never said."""
    rows = [
        row for row in said_by(consent.person, consent.entity)
        if (row.purpose, row.channel) == (consent.purpose, consent.channel)
    ]  # fmt: skip
    if not any(row.ref == consent.ref for row in rows):
        raise LookupError(f"consent {consent.ref} does not count: it was recorded by mistake, or says which one was")
    return rows


# ---------------------------------------------------------------- the nodes


def _receipt(number: UUID, entity: Entity, records: Sequence[Node], at: datetime) -> Node:
    return {
        "@context": CONTEXT,
        "@id": _urn(number),
        "@type": "dpv:ConsentReceipt",
        "dct:conformsTo": f"{SCHEMA}#receipt",
        "dct:identifier": str(number),
        "dpv:hasIdentifier": str(number),
        "dct:created": _instant(at),
        "dct:publisher": _urn(entity.ref),
        "schema:recipient": "dpv:DataSubject",
        "dpv:hasRecordOfActivity": list(records),
    }


def _record(said: Sequence[Consent], withdraw_at: str) -> Node:
    first = said[0]
    number = uuid5(first.entity.ref, f"{first.person} {first.purpose} {first.channel}")
    record: Node = {
        "@id": _urn(number),
        "@type": "dpv:ConsentRecord",
        "dct:identifier": str(number),
        "dct:conformsTo": f"{SCHEMA}#record",
        "dpv:hasDataSubject": _urn(first.person),
        "dpv:hasDataController": _urn(first.entity.ref),
        **_jurisdiction(first.entity),
        "dpv:hasNotice": list(_notices(said)),
        "dpv:hasProcess": {"@type": "dpv:Process", **_process(said)},
        "dpv:hasConsentControl": _control(withdraw_at),
        "dpv:hasRight": _right(withdraw_at),
        "dpv:hasEntity": _parties(first),
        "dpv:hasConsentStatus": list(_events(said)),
    }
    record = {name: value for name, value in record.items() if value != []}
    return record | {"comity:notRecorded": lacking(record)}


def _process(said: Sequence[Consent]) -> Node:
    first = said[0]
    kinds = [_kind(row) for row in said if row.said == Said.GIVEN]
    recipients = {row.notice_version.recipient for row in said if row.notice_version and row.notice_version.recipient}
    told = {
        "dpv:hasPurpose": _purpose(first.purpose),
        "dpv:hasPersonalData": DATA.get(first.channel, "dpv:PersonalData"),
        "dpv:hasLegalBasis": kinds[-1] if kinds else "dpv:Consent",
        "dpv:hasStorageCondition": [_kept()],
        "dpv:hasRecipient": [{"@type": "dpv:Recipient", "dpv:hasName": name} for name in sorted(recipients)],
        "comity:channel": first.channel,
    }
    return {name: value for name, value in told.items() if value != []}


def _purpose(purpose: str) -> str | Node:
    """Return DPV's term for a purpose, or one of ours under its broadest."""
    terms = [term for term in vocabulary().fact("use.purpose").terms.get(purpose, ()) if term.startswith("dpv:")]
    return terms[0] if terms else {"@id": f"comity:purpose:{purpose}", "@type": "dpv:Purpose", "dct:title": purpose}


def _kept() -> Node:
    """Return how long the data is kept: a consent goes with its person (data_map.toml)."""
    until = {"@type": "dpv:UntilEventDuration", "rdf:value": "Erasure of what is kept about the person"}
    return {"@type": "dpv:StorageDuration", "dpv:hasDuration": until}


def _notices(said: Iterable[Consent]) -> Iterator[Node]:
    """Give each wording that was shown, once, with its language and fingerprint where we published it."""
    shown: dict[tuple[str, str], Consent] = {}
    for row in said:
        if row.notice:
            shown.setdefault((row.notice, row.notice_language), row)
    for (name, language), row in shown.items():
        notice: Node = {"@type": "dpv:ConsentNotice", "dct:identifier": name}
        if version := row.notice_version:
            print_of_it = bytes(version.fingerprint or b"").hex()
            notice |= {"@id": _urn(version.ref), "comity:sha256": print_of_it}
            notice |= {"dct:date": _instant(version.begins_at)} if version.begins_at else {}
        yield notice | ({"dct:language": language} if language else {})


def _control(withdraw_at: str) -> Node:
    """Return how the yes can be taken back: on the page, or by telling us."""
    if withdraw_at:
        return {"@type": ["dpv:ProvideConsent", "dpv:WithdrawConsent"], "dpv:isExercisedAt": withdraw_at}
    return {"@type": "dpv:WithdrawConsent", "dct:description": "Tell the controller, in any way."}


def _right(withdraw_at: str) -> Node:
    right: Node = {"@type": "dpv:DataSubjectRight", "dct:title": "Right to withdraw consent"}
    return right | ({"dpv:isExercisedAt": withdraw_at} if withdraw_at else {})


def _parties(consent: Consent) -> list[Node]:
    """Return who is who. BLIND SPOT: no address and no contact of our entities is kept yet; the record says so."""
    entity = consent.entity
    ours = {
        "@id": _urn(entity.ref), "@type": "dpv:DataController", "dpv:hasIdentifier": str(entity.ref),
        "dpv:hasName": entity.name,
    }  # fmt: skip
    return [ours, {"@id": _urn(consent.person), "@type": "dpv:DataSubject", "dct:identifier": str(consent.person)}]


def _jurisdiction(entity: Entity) -> Node:
    place = _terms().place(entity.place)
    return {"dpv:hasJurisdiction": place} if place else {}


def _events(said: Sequence[Consent]) -> Iterator[Node]:
    """Give what happened, in its order; a yes while a yes stands renews it."""
    stands = False
    for row in said:
        yes = row.said == Said.GIVEN
        state = "dpv:RenewedConsentGiven" if yes and stands else STATES[Said(row.said)]
        yield _event(row, state)
        stands = yes


def _event(row: Consent, state: str) -> Node:
    said = Said(row.said)
    kind = {Said.GIVEN: [_kind(row)], Said.OBJECTED: ["dpv:ObjectingToProcess"]}.get(said, [])
    event: Node = {
        "@id": _urn(row.ref),
        "@type": [state, *kind],
        "dpv:isIndicatedAtTime": _instant(row.said_at),
        "dpv:hasDuration": {"@type": "dpv:UntilEventDuration", "rdf:value": LASTS[said]},
        "dpv:isIndicatedBy": _speaker(row),
        "dpv:hasIndicationMethod": row.source,
        "comity:recordedAt": _instant(row.recorded_at),
        "comity:evidence": [name.replace("_", "-") for name in EVIDENCE if getattr(row, name)],
    }
    return {name: value for name, value in event.items() if value not in ("", [])}


def _kind(row: Consent) -> str:
    """Return the kind of a yes: explicit is what was said by itself about this alone."""
    if row.express is None:
        return "dpv:Consent"
    if not row.express:
        return "dpv:ImpliedConsent"
    return "dpv:ExplicitlyExpressedConsent" if row.separate else "dpv:ExpressedConsent"


def _speaker(row: Consent) -> str | Node:
    """Return who said so. Nobody lets a yes run out: our entity's record says that it did."""
    if row.said == Said.EXPIRED:
        return _urn(row.entity.ref)
    return {"@type": "dpv:GuardianOfDataSubject"} if row.parental else "dpv:DataSubject"


def _urn(ref: UUID) -> str:
    return f"urn:uuid:{ref}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@cache
def _terms() -> Terms:
    return read_terms()
