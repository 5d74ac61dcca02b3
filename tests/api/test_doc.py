"""docs/api.md is true: its examples are sent as they stand there, its tables have what there is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from comity.api.pace import MINUTE
from comity.api.problems import KINDS
from comity.api.sending import LEASE, WAITS
from comity.api.strict import DEEPEST, LARGEST
from comity.staff.models import Staff
from tests.api.programs import Program
from tests.api.test_access import ENDS

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_every_example_of_the_page_is_answered(live_server: Any, program: Program, greta: UUID, ada: Staff) -> None:  # noqa: ANN401 - pytest-django's
    del ada
    tag = program.get(f"/persons/{greta}")["ETag"]
    known = {
        "COMITY": live_server.url, "COMITY_TOKEN": program.secret, "PERSON": str(greta), "ETAG": tag,
        "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    assert len(EXAMPLES) >= 9
    for example in EXAMPLES:
        shown = example.replace("curl -s", "curl -s --noproxy '*' -w '\\n%{http_code}'")
        told = subprocess.run(["bash", "-c", shown], env=known, capture_output=True, check=True, text=True)
        body, _, code = told.stdout.rpartition("\n")
        assert code.startswith("2"), (example, body)
        if '"verdict"' in body and "/decisions " in example:
            assert re.search(r'"verdict":"(permit|deny|ask)"', body)


def rows() -> Iterator[tuple[str, str]]:
    for names, code in re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| (\d{3}) \|", PAGE, re.MULTILINE):
        for name in re.findall(r"`([a-z-]+)`", names):
            yield name, code


def test_the_page_has_every_problem_with_its_status_and_no_other() -> None:
    assert dict(rows()) == {kind: str(code) for kind, (code, _) in KINDS.items()}


def test_the_page_has_every_endpoint() -> None:
    for end in ENDS:
        asked = f"{end.method} {end.path}"
        path = end.path.replace("{ref}", "$PERSON")
        assert asked in PAGE or f"$COMITY/api/v1{path}" in PAGE, asked


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert (LARGEST, DEEPEST, MINUTE) == (1_000_000, 16, 60)
    hours = [wait.total_seconds() / 3600 for wait in WAITS]
    assert hours == [10 / 3600, 60 / 3600, 300 / 3600, 0.5, 2, 5, 8, 8]
    assert LEASE.total_seconds() > 15
