"""Pages of the keys: how they stand, what backups remember, turning them over, and the end of one with four eyes."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest
from django.utils import formats, timezone
from playwright.sync_api import Page

from comity.book.opening import Look, names_of
from comity.staff.approvals import NotApproved, settle_approval
from comity.staff.models import Approval, Entity, Staff
from comity.vault import keyring, rotation
from comity.vault.epochs import KeyMissing, key_file
from comity.vault.horizon import keys
from comity.vault.models import Epoch, PersonKey
from comity.vault.turning import StillNeeded, ask_to_destroy, destroy_as_approved
from tests.book.people import add, firm, folder, greta, look, oliver
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.jobs import run_jobs
from tests.staff.people import ada, adam, client_of, dublin, make_staff, olga
from tests.web.conftest import no_second_factor

__all__ = ["ada", "adam", "add", "dublin", "firm", "folder", "greta", "look", "no_second_factor", "olga", "oliver"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def read(staff: Staff, address: str = "/keys/") -> str:
    answer = client_of(staff).get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


def send(staff: Staff, address: str, **told: str) -> str:
    answer = client_of(staff).post(address, told, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return unescape(answer.content.decode())


@pytest.fixture
def turned(firm: Entity, greta: UUID, oliver: UUID, adam: Staff) -> Epoch:
    """Turn the keys over and bring everybody along; give the old epoch, which nothing needs any more."""
    del firm, greta, oliver
    send(adam, "/keys/turn/")
    run_jobs()
    return Epoch.objects.get(number=1)


# ---------------------------------------------------------------- how they stand


@pytest.mark.usefixtures("greta", "oliver")
def test_the_page_counts_whose_keys_are_wrapped_in_which_epoch(adam: Staff) -> None:
    stand = keys()
    assert [(each.epoch.number, each.persons, each.current) for each in stand.kept] == [(1, 2, True)]
    told = read(adam)
    assert "All 2 people's keys are wrapped in the current epoch." in told
    assert "Every backup that was ever taken can still be opened" in told


@pytest.mark.usefixtures("greta")
def test_an_auditor_sees_the_keys_and_turns_nothing(firm: Entity) -> None:
    aud = make_staff("auditor", entity=firm)
    assert "Turn the keys over" not in read(aud)
    assert client_of(aud).post("/keys/turn/").status_code == 403
    assert Epoch.objects.count() == 1


@pytest.mark.usefixtures("greta")
def test_a_missing_file_is_named_with_its_cure(adam: Staff, folder: Path) -> None:
    epoch = Epoch.objects.get()
    path = key_file(folder, 1, bytes(epoch.check_value))
    path.unlink()
    keyring.forget()
    told = read(adam)
    assert "Epoch 1: the file is missing." in told
    assert str(path) in told
    assert "Put it back" in told


@pytest.mark.usefixtures("greta")
def test_a_file_that_others_may_reach_and_a_wrong_one_are_told_apart(adam: Staff, folder: Path) -> None:
    path = key_file(folder, 1, bytes(Epoch.objects.get().check_value))
    path.chmod(0o644)
    assert "Epoch 1: others may reach the file." in read(adam)
    path.chmod(0o600)
    path.write_text("0" * 64 + "\n", "ascii")
    assert "Epoch 1: the file holds another key." in read(adam)


def test_what_cannot_be_read_anew_is_in_trouble_though_this_process_still_holds_it(
    look: Look, greta: UUID, adam: Staff, folder: Path
) -> None:
    names_of(look, [greta])  # the key is loaded now
    key_file(folder, 1, bytes(Epoch.objects.get().check_value)).unlink()
    assert "the file is missing" in read(adam)
    keyring.forget()
    with pytest.raises(KeyMissing):
        names_of(look, [greta])


# ---------------------------------------------------------------- turning over


@pytest.mark.usefixtures("greta", "oliver")
def test_turning_over_begins_an_epoch_and_a_job_brings_everybody_into_it(adam: Staff) -> None:
    told = send(adam, "/keys/turn/")
    assert "2 of 2 people's keys are still wrapped in an earlier epoch." in told
    assert "being brought over" in told
    assert run_jobs() == ["vault.rewrap"]
    assert set(PersonKey.objects.values_list("epoch", flat=True)) == {2}
    assert "All 2 people's keys" in read(adam)


@pytest.mark.usefixtures("greta")
def test_a_job_that_waits_already_is_enough(adam: Staff) -> None:
    send(adam, "/keys/turn/")
    send(adam, "/keys/rewrap/")
    send(adam, "/keys/turn/")
    assert run_jobs() == ["vault.rewrap"]
    assert set(PersonKey.objects.values_list("epoch", flat=True)) == {3}


@pytest.mark.usefixtures("greta")
def test_a_job_that_failed_is_said_and_can_be_sent_again(adam: Staff, folder: Path) -> None:
    send(adam, "/keys/turn/")
    path = key_file(folder, 1, bytes(Epoch.objects.get(number=1).check_value))
    aside = path.rename(path.with_suffix(".aside"))
    keyring.forget()
    with pytest.raises(KeyMissing):
        run_jobs()
    assert "it stopped on a fault" in read(adam)
    aside.rename(path)
    send(adam, "/keys/rewrap/")
    run_jobs()
    assert keys().left == 0


# ---------------------------------------------------------------- the end of a key


def test_a_key_goes_only_when_a_second_person_approved_just_this(turned: Epoch, adam: Staff, olga: Staff) -> None:
    address = "/keys/1/destroy/"
    assert "Asked." in send(adam, address, reason="All backups of its time are gone.")
    assert "waits for a second person" in read(adam, address)
    send(adam, address)  # too early
    assert run_jobs() == []
    settle_approval(approval=Approval.objects.get(), approved=True, settled_by=olga)
    assert "Destroy it for ever" in read(adam, address)
    assert "The key is being destroyed." in send(adam, address)
    assert run_jobs() == ["vault.destroy_key"]
    turned.refresh_from_db()
    assert turned.destroyed_at is not None


def test_after_its_end_the_file_is_gone_and_the_horizon_is_said(
    turned: Epoch, adam: Staff, olga: Staff, folder: Path
) -> None:
    path = key_file(folder, 1, bytes(turned.check_value))
    assert path.exists()
    asked = ask_to_destroy(epoch=turned, reason="Gone.", asked_by=adam)
    settle_approval(approval=asked, approved=True, settled_by=olga)
    destroy_as_approved(epoch=turned, destroyed_by=adam)
    run_jobs()
    assert not path.exists()
    since = formats.date_format(timezone.localtime(Epoch.objects.get(number=2).begun_at), "DATETIME_FORMAT")
    assert "can no longer be opened by anyone" in read(adam)
    assert since[:6] in read(adam)


def test_an_approval_is_for_this_key_alone(turned: Epoch, adam: Staff, olga: Staff) -> None:
    asked = ask_to_destroy(epoch=turned, reason="Gone.", asked_by=adam)
    settle_approval(approval=asked, approved=True, settled_by=olga)
    Epoch.objects.filter(number=1).update(check_value=bytes(16))
    turned.refresh_from_db()
    with pytest.raises(NotApproved):
        destroy_as_approved(epoch=turned, destroyed_by=adam)


def test_a_refused_request_can_be_asked_anew(turned: Epoch, adam: Staff, olga: Staff) -> None:
    asked = ask_to_destroy(epoch=turned, reason="Gone.", asked_by=adam)
    settle_approval(approval=asked, approved=False, settled_by=olga)
    assert "Ask a second person" in read(adam, "/keys/1/destroy/")


@pytest.mark.usefixtures("greta")
def test_a_key_that_is_needed_cannot_even_be_asked_for(adam: Staff) -> None:
    assert client_of(adam).get("/keys/1/destroy/").status_code == 404
    rotation.rotate_epoch(staff=None)
    assert client_of(adam).get("/keys/1/destroy/").status_code == 404
    with pytest.raises(StillNeeded, match="still wrapped"):
        ask_to_destroy(epoch=Epoch.objects.get(number=1), reason="x", asked_by=adam)
    assert client_of(adam).get("/keys/9/destroy/").status_code == 404


@pytest.mark.usefixtures("greta")
def test_the_horizon_waits_for_the_oldest_key(adam: Staff) -> None:
    rotation.rotate_epoch(staff=None)
    rotation.rotate_epoch(staff=None)
    rotation.destroy_epoch(number=2, staff=None)  # the first still opens the backups of its time
    assert keys().unopenable_before is None
    rotation.rewrap(staff=None)
    rotation.destroy_epoch(number=1, staff=None)
    assert keys().unopenable_before == Epoch.objects.get(number=3).begun_at
    assert "can no longer be opened" in read(adam)


# ---------------------------------------------------------------- in a browser


@pytest.mark.django_db(transaction=True)
def test_the_pages_are_accessible_and_fit_a_phone(
    turned: Epoch, adam: Staff, folder: Path, signed_in: Callable[[Staff], Page]
) -> None:
    path = key_file(folder, 1, bytes(turned.check_value))
    page = signed_in(adam)
    for width, height in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for address in ("/keys/", "/keys/1/destroy/"):
            page.goto(address)
            assert "key" in page.title().lower()
            assert wider_than_screen(page) == 0
            assert found_by_axe(page) == []
    path.unlink()
    page.goto("/keys/")
    page.get_by_role("alert").wait_for()
    assert found_by_axe(page) == []


def test_a_page_that_needs_a_missing_key_says_so_and_opens_nothing(greta: UUID, ada: Staff, folder: Path) -> None:
    key_file(folder, 1, bytes(Epoch.objects.get().check_value)).unlink()
    keyring.forget()
    client = client_of(ada)
    client.raise_request_exception = False
    answer = client.get("/people/")
    assert answer.status_code == 503
    assert "A key cannot be used" in answer.content.decode()
    assert "Greta" not in answer.content.decode()
    del greta
