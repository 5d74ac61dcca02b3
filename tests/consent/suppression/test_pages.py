"""Pages of the addresses that are left alone and of registers: nobody reads the list, and files are hashed at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Register, Suppressed
from comity.consent.suppression.queries import is_suppressed
from comity.staff.models import Entity, Staff
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
GRETA = "greta@kettle.example"


def file(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("list.csv", text.encode())


def test_an_address_is_added_tried_and_never_shown(ada: Staff, firm: Entity, mark: Mark) -> None:
    browser = client_of(ada)
    told = {"entity": str(firm.ref), "address": GRETA, "cause": "opted-out", "source": "letter of 3 May"}
    added = browser.post("/suppressed/add/", told, follow=True).content.decode()
    assert "It is left alone from now on." in added
    assert GRETA not in added
    tried = browser.post(
        "/suppressed/try/", {"entity": str(firm.ref), "address": "Greta@Kettle.example"}
    ).content.decode()
    assert "letter of 3 May" in tried
    assert "kettle" not in tried.lower()
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
    other = browser.post("/suppressed/try/", {"entity": str(firm.ref), "address": "o@kettle.example"}).content.decode()
    assert "It does not stand on the list" in other


def test_a_file_is_hashed_line_by_line_and_what_is_no_address_is_counted(ada: Staff, firm: Entity, mark: Mark) -> None:
    told: dict[str, Any] = {"entity": str(firm.ref), "source": "old newsletter tool", "place": "GB"}
    text = f"mail\n{GRETA}\nnobody\n020 7946 0018\n"
    page = client_of(ada).post("/suppressed/bring/", told | {"file": file(text)}, follow=True).content.decode()
    assert "2 addresses came onto the list." in page
    assert "1 line was not understood: 3." in page
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
    assert {row.reach for row in Suppressed.objects.all()} == {"email", "phone"}


@pytest.mark.parametrize("told", [{"address": "greta"}, {"address": ""}, {"cause": "bounced"}, {"source": ""}])
def test_what_is_wrong_is_said_and_nothing_is_kept(ada: Staff, firm: Entity, told: dict[str, str]) -> None:
    given = {"entity": str(firm.ref), "address": GRETA, "cause": "opted-out", "source": "letter"} | told
    assert client_of(ada).post("/suppressed/add/", given).status_code == 200
    assert not Suppressed.objects.exists()


def test_nobody_adds_for_an_entity_for_which_they_do_not_act(ada: Staff, shanghai: Entity) -> None:
    given = {"entity": str(shanghai.ref), "address": GRETA, "cause": "opted-out", "source": "letter"}
    assert client_of(ada).post("/suppressed/add/", given).status_code == 200
    assert not Suppressed.objects.exists()


def kept(browser: Any, firm: Entity) -> UUID:  # noqa: ANN401 - a test client
    told = {"entity": str(firm.ref), "name": "TPS", "place": "GB", "reach": "phone", "channels": ["call"]}
    assert browser.post("/registers/new/", told).status_code == 302
    return Register.objects.get().ref


def test_a_register_is_kept_filled_compared_and_ended(olga: Staff, firm: Entity) -> None:
    browser = client_of(olga)
    ref = kept(browser, firm)
    today = timezone.localdate()
    told = {"file": file("020 7946 0018\n"), "version_on": today.isoformat()}
    page = browser.post(f"/registers/{ref}/version/", told, follow=True).content.decode()
    assert "1 entry is in." in page
    assert "not everybody yet" in page
    assert ProcrastinateJob.objects.filter(task_name="consent.check_register").count() == 1
    assert browser.post(f"/registers/{ref}/check/").status_code == 302
    assert "says nothing of anybody" in browser.post(f"/registers/{ref}/end/", follow=True).content.decode()


def test_a_version_that_is_refused_says_why(olga: Staff, firm: Entity) -> None:
    browser = client_of(olga)
    ref = kept(browser, firm)
    told = {"file": file("nobody\nnobody\n"), "version_on": timezone.localdate().isoformat()}
    assert "hold no number" in browser.post(f"/registers/{ref}/version/", told).content.decode()


def test_a_register_may_be_there_once_and_keeps_from_what_its_addresses_serve(olga: Staff, firm: Entity) -> None:
    browser = client_of(olga)
    kept(browser, firm)
    told = {"entity": str(firm.ref), "name": "TPS", "place": "GB", "reach": "email", "channels": ["call"]}
    page = browser.post("/registers/new/", told).content.decode()
    assert "Bring a new version in there." in page
    assert "such an address or number serves" in page


def test_only_who_has_the_word_brings_a_register_in(ada: Staff, olga: Staff, firm: Entity, shanghai: Entity) -> None:
    ref = kept(client_of(olga), firm)
    assert client_of(ada).get("/registers/").status_code == 200
    assert client_of(ada).get("/registers/new/").status_code == 403
    other = make_staff("privacy-officer", entity=shanghai, name="Lin Xiao")
    assert client_of(other).post(f"/registers/{ref}/end/").status_code == 404


def test_a_file_that_is_too_large_is_said_so_and_nothing_of_it_is_kept(
    ada: Staff, firm: Entity, settings: Settings
) -> None:
    settings.LARGEST_UPLOAD = 1_000
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 10
    told = {"entity": str(firm.ref), "source": "old tool", "file": file(f"{GRETA}\n" * 1_000)}
    page = client_of(ada).post("/suppressed/bring/", told).content.decode()
    assert "larger than 200 MB" in page
    assert not Suppressed.objects.exists()
