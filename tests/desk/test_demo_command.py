"""`comity demo` as a stranger runs it: one command, a browser, Ctrl-C, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from comity.desk.demo import PASSWORD
from comity.server.postgres import PrivatePostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

LONGEST: Final = 240  # seconds, the most that a first start may take on two cores
ASKING: Final = re.compile(r"Comity is at +(http://\S+)")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def demo(folder: Path, port: int) -> Iterator[tuple[str, float]]:
    """Run the command; give the address it prints and the seconds until it answers there; then press Ctrl-C."""
    environ = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "COMITY_SECRET_KEY"}}
    begun = time.monotonic()
    running = subprocess.Popen(
        [sys.executable, "-c", "from comity.cli import main; main()", "demo", "--port", str(port)],
        env=environ | {"COMITY_FOLDER": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = address_of(running)
        wait_for(port, running)
        yield address, time.monotonic() - begun
    finally:
        running.send_signal(signal.SIGINT)
        told, _ = running.communicate(timeout=30)
        assert "Traceback" not in told, told[-4000:]


def address_of(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    for line in running.stdout:
        if found := ASKING.search(line):
            return found[1]
    raise AssertionError(f"it ended with exit code {running.wait()}")


def wait_for(port: int, running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline and running.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing answers at port {port}")


def test_from_one_command_to_the_page_of_a_person_with_the_law_s_answer(
    chromium: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port, folder = free_port(), tmp_path / "a folder with spaces"
    with demo(folder, port) as (address, first):
        page = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 900}).new_page()
        page.goto("/")
        page.fill("input[name=login]", "ada@demo.example")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/today/")
        page.click("nav a[href='/people/']")
        page.click("tbody a:not(:has(.soft))")
        page.click("a.may-card >> nth=1")
        assert page.locator(".may-card .verdict").count() == 4
        page.wait_for_selector("#why .cite, #why .reasons")
        page.context.close()
    with demo(folder, port) as (_, second):
        pass
    with socket.socket() as one:
        assert one.connect_ex(("127.0.0.1", port)) != 0
    left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True, check=False).stdout
    assert left == ""
    PrivatePostgres(folder).remove()
    with capsys.disabled():
        print(f"\ncomity demo: first start {first:.1f} s, second start {second:.1f} s")  # noqa: T201 - the figure
