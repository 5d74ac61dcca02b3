"""The pages of a package in a real browser: from the plan to the letter, and from the link to the page of one's own."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.rights.packages.jobs import defer_package
from comity.rights.packages.making import delete_package, link_to
from comity.rights.packages.models import Fetch, Package
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.jobs import run_jobs, waiting_jobs
from tests.rights.packages.conftest import ask

pytestmark = pytest.mark.django_db(transaction=True)
Sign = Callable[[Staff], Page]
SHOTS = os.environ.get("COMITY_SHOTS", "")


@pytest.fixture(autouse=True)
def ready(live_server: LiveServer, settings: Settings) -> None:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"


def shot(page: Page, name: str) -> None:
    """Keep a picture for whoever looks at the pages, if they said where."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def for_everybody(page: Page, name: str) -> None:
    """Look whether a page is readable for everybody, light and dark, and fits a phone."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert found_by_axe(page) == []
        shot(page, f"{name}-{scheme}")
    size = page.viewport_size
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert wider_than_screen(page) == 0
    shot(page, f"{name}-phone")
    if size:
        page.set_viewport_size(size)
    page.emulate_media(color_scheme="light")


def make(firm: Entity) -> Package:
    with behind_wall(staff=None, entities=[firm.ref]):
        package = Package.objects.select_related("entity").get()
        if not waiting_jobs():
            defer_package(package=package)
    run_jobs()
    with behind_wall(staff=None, entities=[firm.ref]):
        return Package.objects.select_related("entity", "request").get()


def test_from_the_plan_to_the_letter(
    signed_in: Sign, olga: Staff, asked: Request, firm: Entity, live_server: LiveServer
) -> None:
    page = signed_in(olga)
    page.goto(f"{live_server.url}/requests/{asked.ref}/package/")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_text("It can be made once all that only a human can do is done.")).to_be_visible()
    page.get_by_label("Words that go").fill("Greta\n")
    page.get_by_role("button", name="Keep these words").click()
    for_everybody(page, "plan")
    for _ in range(2):
        page.get_by_role("button", name="Done", exact=True).first.click()
    page.get_by_role("button", name="Make the package").click()
    expect(page.get_by_text("It is being made.")).to_be_visible()
    make(firm)
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_text("/your-data/")).to_be_visible()
    for_everybody(page, "made")
    page.get_by_role("button", name="It was sent").click()
    expect(page.get_by_text("Sent on")).to_be_visible()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="See the page").click()
    expect(opened.value.get_by_text("A red kettle.")).to_be_visible()
    expect(opened.value.get_by_text("Oliver")).to_have_count(0)
    with behind_wall(staff=None, entities=[firm.ref]):
        assert list(Fetch.objects.values_list("what", "by")) == [("page", olga.ref)]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_the_link_to_the_page_of_ones_own(
    language: str, page: Page, signed_in: Sign, olga: Staff, mira: object, firm: Entity, live_server: LiveServer
) -> None:
    package = planned_and_made(ask_of(mira, firm, olga, language), firm, olga)
    with behind_wall(staff=None, entities=[firm.ref]):
        link = link_to(package)
    page.goto(f"{live_server.url}/your-data/{link}/?language={language}")
    for_everybody(page, f"link-{language}")
    page.get_by_role("button", name="Read it" if language == "en" else "阅读").click()
    expect(page.get_by_text("A red kettle.")).to_be_visible()
    shot(page, f"package-{language}")
    assert wider_than_screen(page) == 0
    del signed_in


def ask_of(mira: object, firm: Entity, olga: Staff, language: str) -> Request:
    from uuid import UUID

    assert isinstance(mira, UUID)
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        return ask(mira, firm, olga, language=language)


def planned_and_made(asked: Request, firm: Entity, olga: Staff) -> Package:
    from comity.rights.packages.making import begin_package, tick_chore
    from comity.rights.packages.planning import chores_of, plan_package

    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        package = plan_package(request=asked, reader=olga)
        for chore in chores_of(package):
            package = tick_chore(package=package, chore=chore.id, done=True, staff=olga)
        begin_package(package=package, reader=olga)
    return make(firm)


def test_the_page_itself_is_for_everybody(
    page: Page, asked: Request, firm: Entity, olga: Staff, tmp_path: Path
) -> None:
    from comity.rights.packages.making import hand_out

    package = planned_and_made(asked, firm, olga)
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        archive = zipfile.ZipFile(io.BytesIO(b"".join(hand_out(package=package).pieces)))
    archive.extractall(tmp_path)
    page.goto(f"file://{tmp_path}/index.html")
    for_everybody(page, "package")
    page.emulate_media(media="print")
    assert page.get_by_role("navigation").is_hidden()


def test_get_opens_nothing_and_a_link_of_nobodys_says_nothing(asked: Request, firm: Entity, olga: Staff) -> None:
    package = planned_and_made(asked, firm, olga)
    with behind_wall(staff=None, entities=[firm.ref]):
        link = link_to(package)
    client = Client()
    assert b"Mira" not in client.get(f"/your-data/{link}/").content
    assert client.get(f"/your-data/{link}/page/").status_code == 405
    shown = client.post(f"/your-data/{link}/page/")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"
    forged = link[:-3] + "AAA"
    assert client.post(f"/your-data/{forged}/page/").status_code == 404
    assert client.get(f"/your-data/{forged}/").status_code == 404
    with behind_wall(staff=None, entities=[firm.ref]):
        delete_package(package=package)
    for answer in (client.get(f"/your-data/{link}/"), client.post(f"/your-data/{link}/file/")):
        assert answer.status_code == 410
        assert b"Mira" not in answer.content
