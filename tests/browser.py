"""A real Chromium for tests of any room: tests/conftest.py gives its fixtures to all."""

from __future__ import annotations

import os
import shutil
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from comity.staff.models import Staff

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LONGEST_WAIT = 30_000  # milliseconds; machines may be busy
PHONE, DESK = (390, 844), (1280, 900)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the Chromium of this machine, started once for all tests."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        from tests.conftest import lack

        lack("No Chromium here (on Debian: apt-get install chromium)")
    expect.set_options(timeout=LONGEST_WAIT)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright keeps an event loop in the thread of the tests
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Give an empty page of a browser that nobody used, whose addresses are those of the server under test.

    What the page breaks of its own security policy, or throws, fails the test.
    """
    context = chromium.new_context(base_url=live_server.url, viewport={"width": DESK[0], "height": DESK[1]})
    context.set_default_timeout(LONGEST_WAIT)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
    yield opened
    context.close()
    assert complaints == []


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer) -> Callable[[Staff], Page]:
    """Give a function that signs somebody in and returns the page."""

    def sign_in(staff: Staff) -> Page:
        client = Client()
        client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": live_server.url}])
        return page

    return sign_in


def found_by_axe(page: Page, *, rules: list[str] | None = None) -> list[str]:
    """Return what axe-core finds wrong with a page, by all its rules (WCAG 2.2 AA and good practice) or by some."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text("utf-8"))
    how = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found: dict[str, Any] = page.evaluate("how => axe.run(document, how)", how | ({"runOnly": rules} if rules else {}))
    return [
        f"{page.url} {one['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def wider_than_screen(page: Page) -> int:
    """Return by how many pixels a page is wider than its window: none, or one has to scroll sideways to read."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
