"""Services over HTTP: asked signed, believed only in form, reached only where something may be sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from comity.rights.connectors.remotes import Remote, erase, find, how_far
from comity.rights.connectors.stores import StoreError
from tests.rights.connectors.loyalty import SECRET, Loyalty, loyalty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

KNOWN = {"email": ["greta@kettle.example"], "phone_number": []}


@pytest.fixture
def there(settings: Settings) -> Iterator[Loyalty]:
    settings.WEBHOOK_PLAIN, settings.WEBHOOK_NETWORKS = True, ["127.0.0.1/32"]
    with loyalty() as here:
        yield here


def at(there: Loyalty, secret: str = SECRET) -> Remote:
    return Remote(system="loyalty", address=there.address, secret=secret)


def test_somebody_is_found_erased_and_found_no_more(there: Loyalty) -> None:
    held = find(at(there), KNOWN, ["user"])
    assert held.rows == {"members": [{"email": "Greta@kettle.example", "points": 7}]}
    run = uuid4()
    went = erase(at(there), KNOWN, ["user"], run=run, mark=held.mark)
    assert (went.state, went.erased, went.left) == ("done", {"members": 1}, {"invoices": "the tax office wants them"})
    assert how_far(at(there), run=run) == went
    assert find(at(there), KNOWN, ["user"]).many == 0
    assert [each["email"] for each in there.members] == ["oliver@kettle.example"]


def test_what_is_sent_is_what_the_page_describes(there: Loyalty) -> None:
    run = uuid4()
    erase(at(there), KNOWN, ["user"], run=run, mark="m")
    [(what, said, headers)] = there.asked
    assert what == "erase"
    assert said == {
        "version": 1, "run": str(run), "mark": "m", "categories": ["user"],
        "known": {"email": ["greta@kettle.example"]},
    }  # fmt: skip
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= headers.keys()


def test_a_run_that_is_asked_for_twice_is_done_once(there: Loyalty) -> None:
    run = uuid4()
    first = erase(at(there), KNOWN, ["user"], run=run, mark="")
    assert erase(at(there), KNOWN, ["user"], run=run, mark="") == first


def test_a_service_with_another_secret_lets_nobody_in(there: Loyalty) -> None:
    other = "whsec_" + SECRET[6:][::-1].replace("=", "A")
    with pytest.raises(StoreError, match="loyalty: it answered 401 to find"):
        find(at(there, other), KNOWN, ["user"])
    with pytest.raises(StoreError, match="its secret is none"):
        find(at(there, "whsec_no base64"), KNOWN, ["user"])


@pytest.mark.parametrize("said", [
    b"", b"[]", b"nothing", b'{"found": []}', b'{"found": {"a": {}}}', b'{"found": {"a": [1]}}', b'{"mark": 1}',
    b'{"found": {"a": [{}]}, "mark": "two\\nlines"}', b"[" * 10_000, b'{"found": {"' + b"a" * 300 + b'": []}}',
    json.dumps({"found": {"a": [{}] * 10_001}}).encode(),
])  # fmt: skip
def test_an_answer_that_is_none_is_refused(there: Loyalty, said: bytes) -> None:
    there.says = said
    with pytest.raises(StoreError, match="loyalty: "):
        find(at(there), KNOWN, ["user"])


@pytest.mark.parametrize("said", [
    b"{}", b'{"state": "perhaps"}', b'{"state": "done", "erased": {"a": -1}}',
    b'{"state": "done", "erased": {"a": true}}',
    b'{"state": "done", "left": {"a": 1}}',
])  # fmt: skip
def test_an_account_of_erasing_that_is_none_is_refused(there: Loyalty, said: bytes) -> None:
    there.says = said
    with pytest.raises(StoreError, match=r"is not as docs/connectors\.md describes it"):
        erase(at(there), KNOWN, ["user"], run=uuid4(), mark="")


def test_an_answer_too_long_is_not_read(there: Loyalty) -> None:
    there.says = b"{" + b" " * 9_000_000 + b"}"
    with pytest.raises(StoreError, match="answered with more than 8,000,000 bytes"):
        find(at(there), KNOWN, ["user"])


def test_redirects_and_errors_are_no_answers(there: Loyalty) -> None:
    for code in (302, 404, 500):
        there.code = code
        with pytest.raises(StoreError, match=f"it answered {code} to find"):
            find(at(there), KNOWN, ["user"])


def test_a_service_that_is_away_is_said_to_be(there: Loyalty) -> None:
    away = Remote(system="away", address="http://127.0.0.1:9/", secret=SECRET)
    with pytest.raises(StoreError, match=r"away: 127\.0\.0\.1 does not listen"):
        find(away, KNOWN, ["user"])
    del there


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "https://10.0.0.8/", "https://[::1]/", "https://169.254.169.254/"]
)
def test_nothing_is_asked_of_ourselves_or_our_neighbours(settings: Settings, address: str) -> None:
    settings.WEBHOOK_PLAIN, settings.WEBHOOK_NETWORKS = True, []
    with pytest.raises(StoreError, match="is not a public address"):
        find(Remote(system="inside", address=address, secret=SECRET), KNOWN, ["user"])


def test_nothing_is_asked_in_the_clear(settings: Settings) -> None:
    settings.WEBHOOK_PLAIN = False
    with pytest.raises(StoreError, match="https:// alone"):
        find(Remote(system="plain", address="http://shop.example/", secret=SECRET), KNOWN, ["user"])


def test_its_secret_is_not_shown_by_accident(there: Loyalty) -> None:
    assert SECRET not in repr(at(there))
