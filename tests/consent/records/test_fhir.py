"""FHIR R4 Consent resources, held against the element list of the specification.

The list: hl7.org/fhir/R4/consent.html (StructureDefinition/Consent, release 4.0.1): names, cardinalities, required
value sets, the constraints ppc-1 and ppc-2; compared with the definitions of fhirclient 4.4.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from comity.consent.actions import About, give_consent, object_to_marketing, withdraw_consent
from comity.consent.models import Consent, Said
from comity.consent.records.fhir import consent_bundle
from comity.staff.models import Entity
from tests.book.people import Add, newcomer
from tests.consent.people import MONDAY, about, says_yes

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 17, tzinfo=UTC)
MANY = 10**6
TERMS = "http://terminology.hl7.org/CodeSystem"

ELEMENTS: dict[str, dict[str, tuple[int, int, str]]] = {
    "Consent": {
        "resourceType": (1, 1, "code"),
        "id": (0, 1, "id"),
        "meta": (0, 1, "Meta"),
        "identifier": (0, MANY, "Identifier"),
        "status": (1, 1, "ConsentState"),
        "scope": (1, 1, "CodeableConcept"),
        "category": (1, MANY, "CodeableConcept"),
        "patient": (0, 1, "Reference(Patient)"),
        "dateTime": (0, 1, "dateTime"),
        "performer": (0, MANY, "Reference(Organization|Patient|Practitioner|RelatedPerson|PractitionerRole)"),
        "organization": (0, MANY, "Reference(Organization)"),
        "sourceAttachment": (0, 1, "Attachment"),
        "sourceReference": (0, 1, "Reference(Consent|DocumentReference|Contract|QuestionnaireResponse)"),
        "policy": (0, MANY, "Policy"),
        "policyRule": (0, 1, "CodeableConcept"),
        "verification": (0, MANY, "Verification"),
        "provision": (0, 1, "Provision"),
    },
    "Provision": {
        "type": (0, 1, "ConsentProvisionType"),
        "period": (0, 1, "Period"),
        "actor": (0, MANY, "Actor"),
        "action": (0, MANY, "CodeableConcept"),
        "securityLabel": (0, MANY, "Coding"),
        "purpose": (0, MANY, "Coding"),
        "class": (0, MANY, "Coding"),
        "code": (0, MANY, "CodeableConcept"),
        "dataPeriod": (0, 1, "Period"),
        "data": (0, MANY, "Data"),
        "provision": (0, MANY, "Provision"),
    },
    "Meta": {"lastUpdated": (0, 1, "instant")},
    "Identifier": {"system": (0, 1, "uri"), "value": (0, 1, "string")},
    "CodeableConcept": {"coding": (0, MANY, "Coding"), "text": (0, 1, "string")},
    "Coding": {"system": (0, 1, "uri"), "code": (0, 1, "code"), "display": (0, 1, "string")},
    "Reference": {
        "reference": (0, 1, "string"),
        "type": (0, 1, "uri"),
        "identifier": (0, 1, "Identifier"),
        "display": (0, 1, "string"),
    },
    "Period": {"start": (0, 1, "dateTime"), "end": (0, 1, "dateTime")},
    "Bundle": {
        "resourceType": (1, 1, "code"),
        "type": (1, 1, "BundleType"),
        "timestamp": (0, 1, "instant"),
        "entry": (0, MANY, "Entry"),
    },
    "Entry": {"fullUrl": (0, 1, "uri"), "resource": (0, 1, "Consent")},
}
INSTANT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
SIMPLE = {
    "code": r"[^\s]+( [^\s]+)*",
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "uri": r"\S+",
    "string": r"(?s).+",
    "dateTime": INSTANT,
    "instant": INSTANT,
    "ConsentState": "draft|proposed|active|rejected|inactive|entered-in-error",
    "ConsentProvisionType": "deny|permit",
    "BundleType": "document|message|transaction|transaction-response|batch|batch-response|history|searchset|collection",
}
"""Primitive types as the specification's regular expressions have them, and the required value sets."""


def faults(node: Any, kind: str, at: str = "") -> Iterator[str]:  # noqa: ANN401 - whatever stands there
    """Give what is wrong with a node of a type: unknown elements, cardinalities, values."""
    targets = re.fullmatch(r"Reference\((.+)\)", kind)
    if kind in SIMPLE:
        if not isinstance(node, str) or not re.fullmatch(SIMPLE[kind], node):
            yield f"{at}: {node!r} is no {kind}"
        return
    elements = ELEMENTS["Reference" if targets else kind]
    if not isinstance(node, dict):
        yield f"{at}: {node!r} is no {kind}"
        return
    yield from (f"{at}.{name}: {kind} has no such element" for name in node.keys() - elements.keys())
    for name, (least, most, of) in elements.items():
        values = node.get(name, [])
        if (most == 1) == isinstance(values, list) and name in node:
            yield f"{at}.{name}: it must {'not ' if most == 1 else ''}be a list"
        values = values if isinstance(values, list) else [values]
        if not least <= len(values) <= most or (name in node and not values):
            yield f"{at}.{name}: {len(values)} of {least}..{most}"
        for value in values:
            yield from faults(value, of, f"{at}.{name}")
    if targets and node.get("type") not in targets[1].split("|"):
        yield f"{at}.type: {node.get('type')} is none of {targets[1]}"
    if targets and not {"reference", "identifier", "display"} & node.keys():
        yield f"{at}: a reference must say to what"  # ref: an element has a value or children


def wrong(bundle: dict[str, Any]) -> list[str]:
    found = list(faults(bundle, "Bundle", "Bundle"))
    for entry in bundle.get("entry", []):
        resource = entry["resource"]
        if not resource.get("policy") and not resource.get("policyRule"):
            found.append("ppc-1: either a policy or a policyRule")
        if "patient" not in resource:
            found.append("ppc-2: of the scope privacy there must be a patient")
    return found


def resources(person: UUID, firm: Entity) -> list[dict[str, Any]]:
    bundle = consent_bundle(person, firm, at=NOW)
    assert wrong(bundle) == []
    return [entry["resource"] for entry in bundle["entry"]]


def test_a_consent_of_hl7s_own_shape_has_no_faults_and_a_wrong_one_has() -> None:
    good: dict[str, Any] = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/f001", "type": "Patient", "display": "P. van de Heuvel"},
        "dateTime": "2016-05-11T00:00:00Z",
        "organization": [{"reference": "Organization/f001", "type": "Organization"}],
        "policyRule": {"coding": [{"system": f"{TERMS}/v3-ActCode", "code": "OPTIN"}]},
        "provision": {"period": {"start": "1964-01-01T00:00:00Z", "end": "2016-01-01T00:00:00Z"}},
    }
    assert list(faults(good, "Consent")) == []
    for name, value in [
        ("status", "given"), ("category", []), ("scope", None), ("dateTime", "yesterday"), ("purpose", []),
        ("patient", {"type": "Person", "display": "x"}), ("provision", {"type": "maybe"}),
    ]:  # fmt: skip
        bad = {**good, name: value} if value is not None else {k: v for k, v in good.items() if k != name}
        assert list(faults(bad, "Consent")), name


def test_a_yes_is_an_active_permission(greta: UUID, firm: Entity) -> None:
    consent = says_yes(greta, firm)
    (resource,) = resources(greta, firm)
    assert (resource["id"], resource["status"], resource["provision"]["type"]) == (str(consent.ref), "active", "permit")
    assert resource["policyRule"]["coding"][0]["code"] == "OPTIN"
    assert resource["provision"]["period"] == {"start": "2026-11-16T10:00:00Z"}
    assert resource["sourceReference"]["display"] == "Newsletter v3; Website form"
    assert resource["organization"][0]["display"] == firm.name
    assert resource["patient"]["identifier"]["value"] == f"urn:uuid:{greta}"


def test_only_what_was_said_last_is_to_be_followed(greta: UUID, firm: Entity) -> None:
    says_yes(greta, firm)
    withdraw_consent(about=about(greta, firm), said_at=MONDAY + HOUR, source="by phone", heard_by=None)
    given, withdrawn = resources(greta, firm)
    assert (given["status"], withdrawn["status"]) == ("inactive", "active")
    assert given["provision"]["period"]["end"] == withdrawn["provision"]["period"]["start"]
    assert (withdrawn["provision"]["type"], withdrawn["policyRule"]["coding"][0]["code"]) == ("deny", "OPTOUT")


def test_nothing_is_to_be_followed_where_a_yes_ran_out(greta: UUID, firm: Entity) -> None:
    says_yes(greta, firm)
    Consent.objects.create(
        person=greta, entity=firm, purpose="marketing", channel="email", said=Said.EXPIRED, said_at=MONDAY + HOUR
    )
    assert [each["status"] for each in resources(greta, firm)] == ["inactive", "inactive"]
    assert "performer" not in resources(greta, firm)[1]


def test_purposes_that_hl7_knows_are_said_in_its_words(greta: UUID, firm: Entity) -> None:
    for purpose in ("care", "fundraising"):
        of_it = About(person=greta, entity=firm, purpose=purpose, channel="email")
        give_consent(about=of_it, said_at=MONDAY, notice="n", source="s", heard_by=None, parental=True)
    care, fundraising = resources(greta, firm)
    by_mail = {"system": "urn:comity:channel", "code": "email"}
    assert care["provision"]["purpose"] == [{"system": f"{TERMS}/v3-ActReason", "code": "TREAT"}, by_mail]
    assert fundraising["provision"]["purpose"] == [{"system": "urn:comity:purpose", "code": "fundraising"}, by_mail]
    assert care["performer"] == [{"type": "RelatedPerson", "display": "Parent or guardian"}]


def test_a_bundle_is_of_one_entity_and_names_nobody(add: Add, firm: Entity, shanghai: Entity) -> None:
    ref = add(newcomer("Zoltán", "Quellfeld", "DE"))
    says_yes(ref, firm)
    says_yes(ref, shanghai)
    object_to_marketing(person=ref, entity=firm, said_at=MONDAY, source="letter", heard_by=None)
    told = json.dumps(resources(ref, firm), ensure_ascii=False)
    assert len(resources(ref, firm)) == 2
    assert "Zolt" not in told
    assert "Quellfeld" not in told


def test_who_said_nothing_has_an_empty_bundle(greta: UUID, firm: Entity) -> None:
    bundle = consent_bundle(greta, firm, at=NOW)
    assert wrong(bundle) == []
    assert "entry" not in bundle
