"""Bodies and addresses as we take them: JSON that means one thing, text that can be stored and shown.

Refused are numbers that are none, a name twice in one object, what is nested too deep, NUL, and halves of surrogate
pairs: each is read differently by different programs, or not at all by PostgreSQL.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ninja.parser import Parser

from comity.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.datastructures import MultiValueDict

LARGEST: Final = 1_000_000
"""Bytes of a body. A thousand refs take 40,000."""
DEEPEST: Final = 16
UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
JSON_TYPE: Final = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)


def read_json(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return what a body says. Raises Problem."""
    try:
        text = body.decode("utf-8")
        said = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number, parse_float=_float)
    except UnicodeDecodeError as error:
        raise Problem("not-json", f"It is not UTF-8: the byte at {error.start} is none.") from None
    except (ValueError, RecursionError) as error:
        raise Problem("not-json", f"{error}.") from None
    _check(said)
    return said


def check_body(request: HttpRequest) -> None:
    """Refuse a body by its size and type, before it is read. Raises Problem."""
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > LARGEST or len(request.body) > LARGEST:
        raise Problem("too-big", f"{LARGEST:,} bytes are the most.")
    if not JSON_TYPE.fullmatch(request.headers.get("Content-Type", "")):
        raise Problem("media-type", "Send Content-Type: application/json, in UTF-8.")


def check_text(text: str, where: str) -> None:
    """Refuse text that cannot be kept. Raises Problem."""
    if found := UNSTORABLE.search(text):
        what = "NUL" if found[0] == "\0" else "half of a surrogate pair"
        raise Problem("bad-request", f"{where} has {what} at position {found.start()}; no text has that.")


class Strict(Parser):
    """How django-ninja reads bodies and addresses here."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - whatever JSON has
        return read_json(request.body)

    def parse_querydict(
        self, data: MultiValueDict[str, str], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        for name, values in data.lists():
            check_text(name, "the name of a parameter")
            for value in values:
                check_text(value, f"the parameter {name}")
            if len(values) > 1 and name not in list_fields:
                raise Problem("bad-request", f"The parameter {name} stands there {len(values)} times.")
        return super().parse_querydict(data, list_fields, request)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"An object has {twice[:60]!r} twice")
    return told


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is larger than a number can be")
    return number


def _check(said: object) -> None:
    """Walk through what was said, level by level."""
    level = [said]
    for _ in range(DEEPEST):
        below: list[object] = []
        for each in level:
            if isinstance(each, str):
                check_text(each, "A text in the body")
            elif isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
        level = below
        if not level:
            return
    raise Problem("not-json", f"It is nested more than {DEEPEST} deep.")
