"""TOML tables of packs with the place they stand at, and checked access to their keys."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from comity.law.lawbook import PackError, Source, Span
from comity.law.vocabulary import nearest


class Files:
    """TOML files under one root, read once, with the line on which each id stands."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: Path) -> dict[str, Any]:
        name = self.name(path)
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            raise PackError(f"the file is missing in {self.root}; is that a folder of packs?", file=name) from None
        except OSError as error:
            raise PackError(f"it cannot be read: {error.strerror}", file=name) from None
        except UnicodeDecodeError as error:
            raise PackError(f"it is not UTF-8 (byte {error.start}); save it as UTF-8", file=name) from None
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            raise PackError(f"it is not TOML: {error}", file=name, line=int(found[1]) if found else 0) from None
        except RecursionError:
            what = "it is nested too deeply; a pack has tables in lists, and lists in tables"
            raise PackError(what, file=name) from None

    def name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def lines(self, path: Path, table: str) -> list[int]:
        """Return the line of each `[[table]]` header, in order."""
        return headers(path.read_text("utf-8", errors="replace"), table)


def headers(text: str, table: str) -> list[int]:
    """Return the lines of a TOML text on which a `[[table]]` begins."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(table)}\s*\]\]")
    return [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of a pack file with its place, and checked access to its keys."""

    table: Mapping[str, Any]
    file: str
    line: int
    kind: str

    @property
    def id(self) -> str:
        return str(self.table.get("id", ""))

    def wrong(self, what: str) -> PackError:
        return PackError(what, file=self.file, line=self.line, rule=self.id or self.kind)

    def only(self, keys: Iterable[str]) -> None:
        for key in self.table:
            if key not in keys:
                raise self.wrong(f"unknown key {key!r}{nearest(key, keys)}")

    def text(self, key: str, *, needed: bool = True) -> str:
        value = self.table.get(key, "")
        if not isinstance(value, str) or (needed and not value.strip()):
            cure = "every rule names its source" if key == "cite" else "write it as text in quotes"
            raise self.wrong(f"it has no {key!r}; {cure}")
        return value

    def day(self, key: str, *, needed: bool = False) -> date | None:
        value = self.table.get(key)
        if value is None and not needed:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(f"{key!r} must be a day, such as 2026-11-21 (without quotes)")
        return value

    def span(self, default: Span | None = None) -> Span:
        start = self.day("from", needed=default is None) or cast("Span", default).start
        until = self.day("until")
        if until is not None and until <= start:
            raise self.wrong(
                f"'until' ({until}) is not after 'from' ({start}); until is the first day no longer in force"
            )
        return Span(start=start, until=until)

    def words(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.wrong(f"{key!r} must be a list of quoted words")
        return tuple(value)

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        value = self.table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(f"{key!r} must be a list of tables: {key} = [{{ … }}]")
        return value

    def inner(self, key: str, example: str) -> Mapping[str, Any] | None:
        value = self.table.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.wrong(f"{key!r} must be a table: {key} = {{ {example} }}")
        return value

    def confirmed(self) -> bool:
        value = self.table.get("confidence", "confirmed")
        if value not in {"confirmed", "unconfirmed"}:
            raise self.wrong("'confidence' is \"unconfirmed\" or left out")
        return bool(value == "confirmed")

    def source(self) -> Source:
        return Source(
            file=self.file,
            line=self.line,
            cite=self.text("cite"),
            url=self.text("url", needed=False),
            row=self.text("row", needed=False),
        )
