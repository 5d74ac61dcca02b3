"""Pages of the ledger: what was recorded, what is signed, and a proof that an outsider verifies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from playwright.sync_api import Page

from comity.book.opening import Look, names_of
from comity.ledger.actions import keep_cosignature
from comity.ledger.comity_verify import PublicKey, main
from comity.ledger.keys import LEDGER, make_key
from comity.ledger.models import Entry
from comity.ledger.notes import SigningKey
from comity.ledger.queries import Here, public_key
from comity.ledger.witness import begin_witness
from comity.ledger.witness import look as witness_look
from comity.refs import shown
from comity.staff.models import Staff
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.ledger.book import number

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def read(staff: Staff, address: str) -> str:
    answer = client_of(staff).get(address)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


@pytest.fixture
def key(folder: Path) -> SigningKey:
    """Make the key of a ledger."""
    del folder
    return make_key(settings.FOLDER / LEDGER, "example.com/ledger")


@pytest.fixture
def decided(look: Look, greta: UUID) -> Entry:
    """Give the entry of a decision about Greta."""
    with transaction.atomic():
        names_of(look, [greta])
    return Entry.objects.filter(kind="counsel.decided").latest("ref")


def test_the_last_entries_are_listed_with_who_did_it_and_how_many_it_is_about(olga: Staff, decided: Entry) -> None:
    told = read(olga, "/ledger/")
    assert f"/ledger/{decided.ref}/" in told
    assert "counsel.decided" in told
    assert "Ada Byrne" in told
    assert "pending" in told
    assert "Grünwald" not in told


def test_entries_are_found_by_kind_and_by_person(olga: Staff, decided: Entry, greta: UUID, oliver: UUID) -> None:
    assert f"/ledger/{decided.ref}/" in read(olga, f"/ledger/?kind=counsel.decided&person={shown(greta)}")
    assert f"/ledger/{decided.ref}/" not in read(olga, "/ledger/?kind=vault.opened")
    assert f"/ledger/{decided.ref}/" not in read(olga, f"/ledger/?person={oliver}")
    assert client_of(olga).get("/ledger/?person=nonsense").status_code == 400


def test_the_checkpoint_is_shown_and_can_be_taken(olga: Staff, decided: Entry, key: SigningKey) -> None:
    del decided
    assert client_of(olga).get("/ledger/checkpoint/").status_code == 409
    many = number(key)
    told = read(olga, "/ledger/")
    assert "by nobody yet" in told
    assert f"<b>{many}</b>" in told
    assert read(olga, "/ledger/checkpoint/").startswith("example.com/ledger\n")


def test_an_outsider_verifies_the_proof_of_an_entry(
    olga: Staff, decided: Entry, key: SigningKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pending = client_of(olga).get(f"/ledger/{decided.ref}/proof/")
    assert (pending.status_code, "is pending" in pending.content.decode()) == (409, True)
    number(key)
    answer = client_of(olga).get(f"/ledger/{decided.ref}/proof/")
    assert f'filename="{shown(decided.ref)}.tlog-proof"' in answer["Content-Disposition"]
    file = tmp_path / "answer.tlog-proof"
    file.write_bytes(answer.content)
    assert main(["--bundle", str(file), "--key", str(public_key(folder=settings.FOLDER))]) == 0
    assert "PROVEN" in capsys.readouterr().out


def test_an_entry_says_what_it_says_where_it_stands_and_how_to_verify_it(
    olga: Staff, decided: Entry, key: SigningKey, greta: UUID
) -> None:
    assert "pending" in read(olga, f"/ledger/{decided.ref}/")
    number(key)
    told = read(olga, f"/ledger/{decided.ref}/")
    assert "under a checkpoint" in told
    assert shown(greta) in told
    assert "comity_verify.py --bundle" in told
    assert PublicKey.read(str(key.public)).name in told


def test_a_witness_is_named(olga: Staff, decided: Entry, key: SigningKey, tmp_path: Path) -> None:
    del decided
    number(key)
    begin_witness(folder=tmp_path / "witness", name="witness.example/one", ledger=key.public)
    keep_cosignature(seen=witness_look(folder=tmp_path / "witness", source=Here(), at=datetime.now(UTC)))
    assert "witness.example/one" in read(olga, "/ledger/")


def test_an_entry_that_is_not_there_is_not_found(olga: Staff, greta: UUID) -> None:
    assert client_of(olga).get(f"/ledger/{greta}/").status_code == 404


@pytest.mark.parametrize("address", ["", "{ref}/", "{ref}/proof/", "checkpoint/"])
def test_who_may_not_read_the_ledger_gets_nothing(address: str, ada: Staff, decided: Entry) -> None:
    assert client_of(ada).get("/ledger/" + address.format(ref=decided.ref)).status_code == 403


def test_the_pages_are_accessible_and_fit_a_phone(
    signed_in: Callable[[Staff], Page], olga: Staff, decided: Entry, key: SigningKey
) -> None:
    page, wrong = signed_in(olga), []
    for address in ("/ledger/", f"/ledger/{decided.ref}/"):
        page.goto(address)
        wrong += found_by_axe(page)
    number(key)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    for address in ("/ledger/", f"/ledger/{decided.ref}/"):
        page.goto(address)
        wrong += found_by_axe(page)
        assert wider_than_screen(page) <= 0
    assert wrong == []
