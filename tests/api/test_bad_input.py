"""Bad input through every endpoint: naughty strings, and whatever the document lets a fuzzer think of. Never a 5xx."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings

from comity.api.examples import EXAMPLES, REF
from comity.staff.models import Entity, Staff
from tests.api.programs import Program, program_of
from tests.api.test_access import ENDS, PURPOSEFUL, End
from tests.conftest import lack

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
DATA = Path(os.environ.get("COMITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


def naughty() -> list[str]:
    path = DATA / "naughty-strings.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


NAUGHTY = naughty()
STEP = 8 if settings().max_examples <= 100 else 1
"""`make soak` sends every string to every endpoint; else each goes to one of eight, by turns."""


@pytest.fixture
def everything(olga: Staff, firm: Entity, settings: Settings) -> Program:
    """Give a program that may nearly all there is, as often as it likes."""
    from comity.staff.models import RoleGrant

    settings.API_REQUESTS_A_MINUTE = 10_000_000
    again = RoleGrant.objects.get(staff=olga)
    for role in ("sales", "support"):
        RoleGrant.objects.create(staff=olga, role=role, reason="tests", begins_at=again.begins_at)
    return program_of(olga, firm)


def test_the_naughty_strings_are_here() -> None:
    if not NAUGHTY:
        lack(f"No naughty strings: {DATA} has none (COMITY_TEST_DATA names the folder)")
    assert len(NAUGHTY) > 400


# ---------------------------------------------------------------- naughty strings


Place = tuple[str | int, ...]


def places(body: Any, at: Place = ()) -> Iterator[Place]:  # noqa: ANN401 - whatever JSON has
    """Give where a text stands in a body, for each."""
    if isinstance(body, str):
        yield at
    elif isinstance(body, dict | list):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from places(value, (*at, key))


def put(body: Any, at: Place, text: str) -> Any:  # noqa: ANN401 - as above
    """Return the body with another text in a place."""
    if not at:
        return text
    new = body.copy()
    new[at[0]] = put(body[at[0]], at[1:], text)
    return new


@pytest.mark.parametrize("end", [end for end in ENDS if end.id in EXAMPLES], ids=lambda end: end.id)
def test_naughty_strings_in_a_body_are_taken_or_refused_with_a_reason(
    end: End, everything: Program, greta: UUID
) -> None:
    purpose = "?purpose=service" if end.id in PURPOSEFUL else ""
    path = end.path.replace("{ref}", str(greta)) + purpose
    spots = [(example, at) for example in EXAMPLES[end.id].values() for at in places(example)]
    first = [each.id for each in ENDS].index(end.id) % STEP
    for number, text in enumerate(NAUGHTY[first::STEP]):
        example, at = spots[number % len(spots)]  # each string in one place, each place with many strings
        headers = {"If_Match": "*"} if end.method == "PATCH" else {}
        told = everything.ask(end.method, path, put(example, at, text), **headers)
        assert told.status_code < 500, (text, told.content)
        assert told.status_code < 300 or told["Content-Type"] == "application/problem+json"


def test_naughty_names_come_back_as_they_were_given(everything: Program) -> None:
    for text in [text for text in NAUGHTY if text and "\0" not in text and len(text) <= 200][:: 2 * STEP]:
        new = {
            "name": {"given": text, "family": "X"},
            "facts": {"home": ["IE"]},
            "relation": {"contract_running": True, "source": "published"},
        }
        made = everything.post("/persons?purpose=service", new)
        assert made.status_code == 201, (text, made.content)
        read = everything.get(f"/persons/{made.json()['ref']}?purpose=service").json()
        assert read["name"]["given"] == text


def test_naughty_strings_in_an_address_or_header_are_refused_or_find_nothing(everything: Program) -> None:
    for number, text in enumerate(NAUGHTY[:: max(1, STEP // 2)]):
        said = quote(text)
        address = (
            f"/persons?home={said}", f"/persons?{said}=1", f"/organisations?name={said}", f"/consents?person={said}",
            f"/persons/{said}", f"/persons?cursor={said}", f"/ledger/entries/{said}",
        )[number % 7]  # fmt: skip
        told = everything.get(address)
        assert told.status_code < 500, (address, told.content)
    for text in (text for text in NAUGHTY[::STEP] if text.isprintable()):
        headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": text, "If-Match": text}
        shut = Client(raise_request_exception=False).post("/api/v1/organisations", headers=headers)
        assert shut.status_code == 401, text
        mine = {"Idempotency_Key": text, "If_Match": text}
        told = everything.patch(f"/organisations/{REF}", {"trade": "x"}, **mine)
        assert told.status_code in {404, 422}, (text, told.content)


# ---------------------------------------------------------------- any JSON there is

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def fields() -> list[str]:
    names = {"person.home", "person.age", "consent.given_on", "use.in_notice", "data.categories"}
    for example in (one for some in EXAMPLES.values() for one in some.values()):
        names |= {*example, *(key for value in example.values() if isinstance(value, dict) for key in value)}
    return sorted(names)


BODY = st.dictionaries(st.sampled_from(fields()), JSON | st.dictionaries(st.sampled_from(fields()), JSON), max_size=5)


@pytest.mark.parametrize("end", [end for end in ENDS if end.id in EXAMPLES], ids=lambda end: end.id)
@settings(max_examples=12 if STEP > 1 else 2_000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=BODY)
def test_whatever_json_stands_in_the_body_it_is_taken_or_refused(
    end: End, everything: Program, more: dict[str, Any]
) -> None:
    example = next(iter(EXAMPLES[end.id].values()))
    path = end.path.replace("{ref}", REF) + ("?purpose=service" if end.id in PURPOSEFUL else "")
    for body in (more, example | more):
        told = everything.ask(end.method, path, body, If_Match="*")
        assert told.status_code < 500, (body, told.content)
