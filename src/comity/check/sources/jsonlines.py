"""JSON: one object a line, or one array of objects in a file of moderate size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from comity.check.sources.badfile import BadFile, empty, shown
from comity.check.sources.staging import MOST_COLUMNS, Progress, Rejects, Scratch, StagedRows, Table, header
from comity.check.sources.texts import Text, open_text

_LARGEST_ARRAY = 256 * 2**20  # bytes of a file that is one JSON value and so must be read as a whole
_DEEPEST = 8  # objects in objects; what is nested deeper stays JSON
_UNDECODABLE = "it has characters that are not {encoding}"

Cells = dict[str, str]


class Malformed(ValueError):
    """A line is no JSON object; the text says why."""


def read_json(
    path: Path, connection: duckdb.DuckDBPyConnection, *, scratch: Scratch, progress: Progress | None
) -> Table:
    """Open JSON lines, or one JSON array. Nested objects become columns with dots in their names: address.city."""
    text = open_text(path, scratch, progress)
    whole = None if _by_line(text) else _whole(path, text)
    names = _names(path, _objects(text, whole))
    if not names:
        raise BadFile("no line of it is a JSON object with a value", where=shown(path), cure="Export one object a line")
    columns = header(names, path)
    rejects = Rejects(shown(path))
    with StagedRows(path=path, width=len(names), scratch=scratch) as staged:
        for row, (cells, line) in enumerate(_objects(text, whole), 1):
            if isinstance(cells, Malformed):
                rejects.add(row=row, why=str(cells), text=line)
            else:
                staged.add(row, [cells.get(name, "") for name in names])
    reading = staged.reading(connection, rejects=rejects.rows)
    return Table(columns=columns, kind="JSON", encoding=text.encoding, reading=reading)


def _by_line(text: Text) -> bool:
    """Tell whether the first line, or the second if that is broken, is an object by itself."""
    for number, line in enumerate(line for line in text.lines() if line.strip()):
        try:
            _object(line, text.encoding)
        except Malformed:
            if number:
                return False
        else:
            return True
    return False


def _names(path: Path, objects: Iterable[tuple[Cells | Malformed, str]]) -> list[str]:
    names: dict[str, None] = {}
    for row, (cells, _) in enumerate(objects, 1):
        if isinstance(cells, dict):
            names.update(dict.fromkeys(cells))
        if len(names) > MOST_COLUMNS:
            raise BadFile(
                f"its objects have more than {MOST_COLUMNS:,} different names",
                where=f"{shown(path)}, object {row:,}",
                cure="Export the same fields for each person",
            )
    return list(names)


def _objects(text: Text, whole: list[Any] | None) -> Iterator[tuple[Cells | Malformed, str]]:
    """Yield each object's cells, or what is wrong with it, and its text."""
    if whole is not None:
        for value in whole:
            yield (_cells(value) if isinstance(value, dict) else Malformed("it is not a JSON object")), ""
        return
    for line in text.lines():
        if line.strip():
            try:
                yield _object(line, text.encoding), ""
            except Malformed as fault:
                yield fault, line.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _object(line: bytes, encoding: str) -> Cells:
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError:
        raise Malformed(_UNDECODABLE.format(encoding=encoding)) from None
    except json.JSONDecodeError as fault:
        raise Malformed(f"it is not JSON: {fault.msg} at character {fault.pos + 1}") from None
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON that can be read: nested too deeply, or a number too long") from None
    if not isinstance(value, dict):
        raise Malformed("it is not a JSON object")
    return _cells(value)


def _whole(path: Path, text: Text) -> list[Any]:
    """Return the objects of a file that is one JSON value: an array, or an object that holds one."""
    if text.path.stat().st_size > _LARGEST_ARRAY:
        raise BadFile(
            f"the file is one JSON value of more than {_LARGEST_ARRAY // 2**20} MB",
            where=shown(path),
            cure="Export it as JSON lines, one object a line",
        )
    try:
        value = json.loads(text.path.read_bytes()[text.start :].decode())
    except (ValueError, RecursionError) as fault:
        at = f", line {fault.lineno:,}" if isinstance(fault, json.JSONDecodeError) else ""
        why = fault.msg if isinstance(fault, json.JSONDecodeError) else "it cannot be decoded"
        cure = "Export it again as JSON lines, one object a line"
        raise BadFile(f"the file is not JSON ({why})", where=shown(path) + at, cure=cure) from fault
    if isinstance(value, dict):
        value = next((held for held in value.values() if _is_table(held)), [value])
    if not value:
        raise empty(path)
    return list(value)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _cells(value: Mapping[str, Any]) -> Cells:
    """Return an object's values by their names. HubSpot keeps a person's fields in `properties`: they are taken out."""
    properties = value.get("properties")
    cells = dict(_flat({name: held for name, held in value.items() if held is not properties or name != "properties"}))
    if isinstance(properties, Mapping):
        for name, text in _flat(properties):
            cells[name if name not in cells else f"properties.{name}"] = text
    elif properties is not None:
        cells["properties"] = _text(properties)
    return cells


def _flat(value: Mapping[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    for name, held in value.items():
        if isinstance(held, Mapping) and depth < _DEEPEST:
            yield from _flat(held, f"{before}{name}.", depth + 1)
        else:
            yield f"{before}{name}", _text(held)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return ";".join(_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False)
