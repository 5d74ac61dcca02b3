# ruff: noqa: INP001 - a script, not a package
"""Take the pictures of the README from a demo of one's own: `make screenshots`. Needs Chromium.

    python tools/screenshots.py [PAGE ...]       all of them, or those named

Starts `comity demo` in an empty folder, signs in as the staff member each picture is of, and writes docs/images/*.png.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGES: Final = ROOT / "docs" / "images"
PASSWORD: Final = "a-demo-for-everybody"  # noqa: S105 - the demo's own, said in its welcome
PORT: Final = 8765
LONGEST_START: Final = 240
"""Seconds: the first start fills the book."""
DESK, PHONE = (1280, 860), (390, 800)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: who looks, at what, and how."""

    name: str
    sees: str  # an address, or ">" and a CSS selector whose link is followed from the list of people
    who: str = "ada@demo.example"
    size: tuple[int, int] = DESK
    dark: bool = False
    language: str = "en"


PICTURES: Final = (
    Picture(name="people", sees="/people/"),
    Picture(name="person", sees=">tbody tr:nth-child(2) td a"),
    Picture(name="person-dark-phone", sees=">tbody tr:nth-child(2) td a", size=PHONE, dark=True),
    Picture(name="today", sees="/today/", who="vera@demo.example"),
    Picture(name="law", sees="/law/", who="vera@demo.example"),
    Picture(name="ledger", sees="/ledger/", who="vera@demo.example"),
    Picture(name="people-chinese", sees="/people/", who="lin@demo.example", language="zh-hans"),
)


def main() -> None:
    """Take them."""
    wanted = [picture for picture in PICTURES if not sys.argv[1:] or picture.name in sys.argv[1:]]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("No Chromium here (on Debian: apt-get install chromium)")
    IMAGES.mkdir(exist_ok=True)
    with demo() as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for picture in wanted:
            path = IMAGES / f"{picture.name}.png"
            path.write_bytes(taken(browser, base, picture))
            sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KB\n")
        browser.close()


@contextmanager
def demo() -> Iterator[str]:
    """Start a demo whose folder goes with it; give its address."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "from comity.cli import main; main()", "demo", "--port", str(PORT)]
        environ = {**os.environ, "COMITY_FOLDER": f"{folder}/book", "PYTHONPATH": str(ROOT / "src")}
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as running:  # noqa: S603 - our own
            try:
                yield answering(running)
            finally:
                running.send_signal(signal.SIGINT)
                running.wait(timeout=60)


def answering(running: subprocess.Popen[bytes]) -> str:
    """Wait until the demo answers; return its address."""
    base, end = f"http://127.0.0.1:{PORT}", time.monotonic() + LONGEST_START
    while time.monotonic() < end and running.poll() is None:
        try:
            with urlopen(f"{base}/sign-in/", timeout=5):  # noqa: S310 - http, and our own
                return base
        except (URLError, TimeoutError):
            time.sleep(0.3)
    sys.exit("The demo did not start; `comity demo` says why.")


def taken(browser: Browser, base: str, picture: Picture) -> bytes:
    """Return one picture as PNG."""
    width, height = picture.size
    context = browser.new_context(
        base_url=base, viewport={"width": width, "height": height}, color_scheme="dark" if picture.dark else "light",
        locale="zh-CN" if picture.language != "en" else "en-GB", reduced_motion="reduce",
    )  # fmt: skip
    page = context.new_page()
    sign_in(page, picture.who)
    context.add_cookies([{"name": "language", "value": picture.language, "url": base}])
    go(page, picture.sees)
    shot = page.screenshot()
    context.close()
    return shot


def sign_in(page: Page, who: str) -> None:
    page.goto("/sign-in/")
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in/" not in address)


def go(page: Page, sees: str) -> None:
    if sees.startswith(">"):
        page.goto("/people/")
        page.locator(sees[1:]).first.click()
    else:
        page.goto(sees)
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
