"""Consent records and receipts, compared field by field with what the W3C's guide to ISO/IEC TS 27560 calls mandatory.

The guide: w3c/dpv, guides/consent-27560.html at commit 2c6ad3e (final report of 1 August 2024). guide_27560.json is its
example 46, a receipt with the required fields of a record; properties that the example writes twice stand in one list.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.mistakes import correct_mistake
from comity.consent.models import Consent, Said, Why
from comity.consent.records import wanted_fields
from comity.consent.records.receipts import (
    CONTEXT,
    DATA,
    LASTS,
    STATES,
    receipt_of,
    receipt_of_all,
    record_of,
    records_of,
)
from comity.consent.records.wanted_fields import RECEIPT, RECORD, lacking, lacking_in_receipt
from comity.staff.models import Entity, Staff
from tests.book.people import Add, newcomer
from tests.consent.people import MONDAY, about, says_yes
from tests.staff.people import make_staff

HERE = Path(__file__).parent
HOUR = timedelta(hours=1)
TUESDAY = datetime(2026, 11, 17, 9, 30, tzinfo=UTC)
PAGE = "https://book.example/preferences/"

MANDATORY = set(
    # section 8.2 of the guide, "required?" for ISO/IEC 27560:2023, in its order
    "schema_version record_id pii_principal_id privacy_notice language purpose pii_type pii_controllers "
    "storage_locations retention_period jurisdiction recipient_third_parties withdrawal_method party_id party_address "
    "party_name party_contact party_type event_time validity_duration entity_id event_type event_state".split()
)
ALSO_IN_THE_PROFILE = {"privacy_rights"}  # section 9.3: optional in the standard, 1..* in dpv-27560
NOT_HELD = ["party_address", "party_contact", "recipient_third_parties", "storage_locations"]
"""What we hold of no consent yet."""

pytestmark = pytest.mark.django_db


def guide() -> dict[str, Any]:
    told: dict[str, Any] = json.loads((HERE / "guide_27560.json").read_text("utf-8"))
    return told


def states(record: dict[str, Any]) -> list[str]:
    return [event["@type"][0].removeprefix("dpv:") for event in record["dpv:hasConsentStatus"]]


# ---------------------------------------------------------------- the checker, and the guide's own example


def test_the_checker_looks_for_every_field_that_the_guide_calls_mandatory() -> None:
    assert RECORD.keys() | {"event_type"} == MANDATORY | ALSO_IN_THE_PROFILE
    assert RECEIPT.keys() == {"schema_version", "receipt_id", "created", "record"}


def test_the_guides_own_example_has_all_but_what_it_leaves_to_other_examples() -> None:
    assert lacking_in_receipt(guide()) == [
        "party_address", "party_contact", "party_id", "party_name", "party_type", "validity_duration",
    ]  # fmt: skip


def test_the_guides_examples_put_together_lack_nothing() -> None:
    whole = guide()
    record = whole["dpv:hasRecordOfActivity"]
    for event in record["dpv:hasConsentStatus"]:
        event["dpv:hasDuration"] = {"@type": "dpv:TemporalDuration", "rdf:value": "P6M"}  # example 36
    party = {"@type": "dpv:DataController", "@id": "ex:Acme", "dpv:hasName": "Example Inc."}  # examples 25 and 27
    record["dpv:hasEntity"] = [
        party | {
            "dpv:hasIdentifier": "https://example.com/AcmeInc",  # example 26
            "schema:contactPoint": {"@type": "schema:contactPoint", "schema:contactType": "DM"},  # example 28
            "schema:address": {"@type": "schema:PostalAddress"},  # example 29
        },
        {"@id": "0760c9ba", "@type": "dpv:DataSubject"},  # of whom the guide wants neither contact nor address
    ]  # fmt: skip
    assert lacking_in_receipt(whole) == []
    for name in ("dct:identifier", "dpv:hasDataSubject", "dpv:hasNotice", "dpv:hasProcess", "dpv:hasConsentStatus"):
        less = deepcopy(record)
        del less[name]
        assert lacking(less) != [], name


@pytest.mark.parametrize(
    ("without", "missing"),
    [
        ("dpv:isIndicatedAtTime", "event_time"),
        ("dpv:isIndicatedBy", "entity_id"),
        ("@type", "event_state"),
    ],
)
def test_every_event_must_have_its_fields(without: str, missing: str) -> None:
    record = guide()["dpv:hasRecordOfActivity"]
    del record["dpv:hasConsentStatus"][1][without]
    assert missing in lacking(record)


# ---------------------------------------------------------------- our records


def test_a_record_has_all_that_we_hold_and_says_what_it_lacks(greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    Consent.objects.filter(pk=consent.pk).update(notice_language="de")
    record = record_of(Consent.objects.get(pk=consent.pk), withdraw_at=PAGE)
    assert record["comity:notRecorded"] == lacking(record) == NOT_HELD
    assert record["dpv:hasProcess"]["dpv:hasPurpose"] == "dpv:Marketing"
    assert record["dpv:hasProcess"]["dpv:hasPersonalData"] == "pd:EmailAddress"
    assert record["dpv:hasJurisdiction"] == "loc:IE"
    assert record["dpv:hasNotice"] == [
        {"@type": "dpv:ConsentNotice", "dct:identifier": "Newsletter v3", "dct:language": "de"}
    ]
    assert record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == PAGE
    (event,) = record["dpv:hasConsentStatus"]
    assert event["@type"] == ["dpv:ConsentGiven", "dpv:ExplicitlyExpressedConsent"]
    assert event["dpv:isIndicatedAtTime"] == "2026-11-16T10:00:00Z"
    assert (event["dpv:isIndicatedBy"], event["comity:evidence"]) == ("dpv:DataSubject", ["separate"])


def test_a_field_that_this_consent_lacks_is_named_too(greta: UUID, firm: Entity) -> None:
    no = withdraw_consent(about=about(greta, firm), said_at=MONDAY, source="by phone", heard_by=None)
    assert record_of(no)["comity:notRecorded"] == sorted([*NOT_HELD, "language", "privacy_notice"])


def test_the_history_stands_in_the_record_in_its_order(greta: UUID, firm: Entity) -> None:
    first = says_yes(greta, firm, MONDAY)
    says_yes(greta, firm, MONDAY + HOUR)
    withdraw_consent(about=about(greta, firm), said_at=MONDAY + 2 * HOUR, source="by phone", heard_by=None)
    last = withdraw_consent(about=about(greta, firm), said_at=MONDAY + 3 * HOUR, source="by phone", heard_by=None)
    other = About(person=greta, entity=firm, purpose="marketing", channel="sms")
    give_consent(about=other, said_at=MONDAY, notice="Texts v1", source="form", heard_by=None)
    record = record_of(last)
    assert states(record) == ["ConsentGiven", "RenewedConsentGiven", "ConsentWithdrawn", "ConsentRefused"]
    assert record_of(first) == record
    assert len(records_of(greta, firm)["@graph"]) == 2


def test_what_was_recorded_by_mistake_is_in_no_record(greta: UUID, firm: Entity) -> None:
    mistaken = says_yes(greta, firm)
    true = withdraw_consent(about=about(greta, firm), said_at=MONDAY + HOUR, source="by phone", heard_by=None)
    officer = make_staff("privacy-officer", entity=firm)
    correct_mistake(mistaken=mistaken, why=Why.CLICK, source="the log", corrected_by=officer)
    assert states(record_of(true)) == ["ConsentWithdrawn"]
    with pytest.raises(LookupError, match="does not count"):
        record_of(mistaken)


def test_an_objection_is_a_no_of_its_own(greta: UUID, firm: Entity) -> None:
    consent = object_to_marketing(person=greta, entity=firm, said_at=MONDAY, source="letter", heard_by=None)
    (event,) = record_of(consent)["dpv:hasConsentStatus"]
    assert event["@type"] == ["dpv:ConsentRefused", "dpv:ObjectingToProcess"]


def test_a_parent_speaks_for_a_child_and_nobody_for_a_yes_that_ran_out(greta: UUID, firm: Entity) -> None:
    give_consent(
        about=about(greta, firm), said_at=MONDAY, notice="n", source="s", heard_by=None, express=True, parental=True
    )
    ran_out = Consent.objects.create(
        person=greta, entity=firm, purpose="marketing", channel="email", said=Said.EXPIRED, said_at=TUESDAY
    )
    given, expired = record_of(ran_out)["dpv:hasConsentStatus"]
    assert given["dpv:isIndicatedBy"] == {"@type": "dpv:GuardianOfDataSubject"}
    assert given["@type"] == ["dpv:ConsentGiven", "dpv:ExpressedConsent"]
    assert (expired["@type"], expired["dpv:isIndicatedBy"]) == (["dpv:ConsentExpired"], f"urn:uuid:{firm.ref}")


@pytest.mark.parametrize(
    ("express", "separate", "kind"),
    [(None, True, "Consent"), (False, False, "ImpliedConsent"), (True, False, "ExpressedConsent"),
     (True, True, "ExplicitlyExpressedConsent")],
)  # fmt: skip
def test_the_kind_of_a_yes_is_no_more_than_is_known(
    express: bool | None, separate: bool, kind: str, greta: UUID, firm: Entity
) -> None:
    consent = give_consent(
        about=about(greta, firm), said_at=MONDAY, notice="n", source="s", heard_by=None, express=express,
        separate=separate,
    )  # fmt: skip
    record = record_of(consent)
    assert record["dpv:hasConsentStatus"][0]["@type"] == ["dpv:ConsentGiven", f"dpv:{kind}"]
    assert record["dpv:hasProcess"]["dpv:hasLegalBasis"] == f"dpv:{kind}"


# ---------------------------------------------------------------- receipts


def test_a_receipt_wraps_the_record_and_is_dated(greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    receipt = receipt_of(consent, at=TUESDAY, withdraw_at=PAGE)
    assert lacking_in_receipt(receipt) == sorted([*NOT_HELD, "language"])
    assert receipt["dct:created"] == "2026-11-17T09:30:00Z"
    assert receipt["dct:identifier"] == str(consent.ref)
    (record,) = receipt["dpv:hasRecordOfActivity"]
    assert "@context" not in record
    assert {"@context": CONTEXT, **record} == record_of(consent, withdraw_at=PAGE)


def test_one_receipt_can_be_of_everything(greta: UUID, firm: Entity, shanghai: Entity) -> None:
    says_yes(greta, firm)
    says_yes(greta, shanghai)
    object_to_marketing(person=greta, entity=firm, said_at=TUESDAY, source="letter", heard_by=None)
    receipt = receipt_of_all(greta, firm, at=TUESDAY)
    assert [states(record) for record in receipt["dpv:hasRecordOfActivity"]] == [["ConsentGiven"], ["ConsentRefused"]]
    assert "record" in lacking_in_receipt(receipt_of_all(firm.ref, firm, at=TUESDAY))


def test_neither_record_nor_receipt_names_the_person_or_whoever_heard_them(add: Add, firm: Entity, ada: Staff) -> None:
    ref = add(newcomer("Zoltán", "Quellfeld", "DE"))
    consent = withdraw_consent(about=about(ref, firm), said_at=MONDAY, source="by phone", heard_by=ada)
    told = json.dumps([receipt_of(consent, at=TUESDAY), records_of(ref, firm)], ensure_ascii=False)
    for name in ("Zolt", "Quellfeld", "kettle.example", "5550199", ada.name, ada.email):
        assert name not in told


def test_every_prefix_of_a_term_is_in_the_context(greta: UUID, firm: Entity) -> None:
    def terms(node: object) -> set[str]:
        if isinstance(node, dict):
            return {key for key in node if not key.startswith("@")} | set().union(*map(terms, node.values()))
        if isinstance(node, list):
            return set().union(set(), *map(terms, node))
        return {node} if isinstance(node, str) and node.startswith(("dpv:", "pd:", "loc:")) else set()

    record = record_of(says_yes(greta, firm), withdraw_at=PAGE)
    used = {
        term.partition(":")[0] for key, value in record.items() if key != "@context" for term in terms({key: value})
    }
    assert used <= CONTEXT.keys()


def test_every_term_is_one_of_the_vocabularys() -> None:
    known = set((HERE / "dpv_terms.txt").read_text("utf-8").split())
    code = "".join(
        (Path(wanted_fields.__file__).parent / name).read_text("utf-8") for name in ("receipts.py", "wanted_fields.py")
    )
    assert set(re.findall(r"\b(?:dpv|pd):[A-Za-z]+", code)) <= known
    assert set(DATA.values()) | set(STATES.values()) <= known
    assert LASTS.keys() == STATES.keys() == set(Said) - {Said.MISTAKEN}
