"""The files themselves, read by other people's programs."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

import jsonschema
import pytest
from python_calamine import CalamineWorkbook

from comity.book.exports.columns import COLUMNS, Cell, Column
from comity.book.exports.formats import OCTETS, WRITERS, About, card
from comity.book.exports.models import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

ABOUT = About(
    code="7Q2M9K4T", entity="Comity <Dublin> & Co", purpose="service", recipient="none", asked_by="Ada",
    asked_at=datetime(2026, 11, 22, tzinfo=UTC),
)  # fmt: skip
BY_ID = {column.id: column for column in COLUMNS}
TRICKY = ["=1+1", "<b>&amp;", "a\x00\x0bb", "_x000D_", " led by a space", "多行\n地址", "😀", "'=1"]


def written(format_: Format, columns: Sequence[Column], cells: Sequence[Sequence[Cell]]) -> bytes:
    out = io.BytesIO()
    writer = WRITERS[format_](out, columns, ABOUT)
    writer.people(cells)
    writer.end([("7ZZ", "ask", "no-law:JP", "")])
    return out.getvalue()


def test_an_excel_file_is_read_as_it_was_written_and_has_those_left_out_on_a_sheet() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(written(Format.XLSX, [BY_ID["given"]], [TRICKY])))
    assert book.sheet_names == ["People", "Left out", "About"]
    rows = book.get_sheet_by_name("People").to_python()
    assert rows[0] == ["Given name"]
    assert [row[0] for row in rows[1:]][:2] == ["=1+1", "<b>&amp;"]
    assert [row[0] for row in rows[1:]][4:] == TRICKY[4:]
    assert book.get_sheet_by_name("Left out").to_python()[1][:3] == ["7ZZ", "ask", "no-law:JP"]
    assert ["Export", "comity-7Q2M9K4T"] in book.get_sheet_by_name("About").to_python()


def test_every_line_of_json_keeps_to_the_schema() -> None:
    schema = json.loads((files("comity.book.exports") / "export.schema.json").read_text("utf-8"))
    cells: dict[str, Cell] = {
        "ref": "01" + "A" * 24, "mark": "7Q2M9K4T-01234567", "given": "=Greta", "email": ["g@kettle.example"],
        "birth-year": "1980", "met-as": "consumer", "customer-since": "2024-03-18", "tags": [], "home": "DE|FR",
        "objected": "2026-05-04T10:00:00Z", "source": "person",
    }  # fmt: skip
    text = written(Format.JSON, [BY_ID[name] for name in cells], [[cell] for cell in cells.values()]).decode()
    line = json.loads(text)
    jsonschema.Draft202012Validator(schema).validate(line)
    assert line["Given name"] == "=Greta"
    assert "Tags" not in line
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(line | {"Met as": "dog"})


def test_the_schema_has_every_column() -> None:
    schema = json.loads((files("comity.book.exports") / "export.schema.json").read_text("utf-8"))
    assert {column.header for column in COLUMNS} <= schema["properties"].keys()


def test_a_card_says_who_it_is_and_breaks_no_rule() -> None:
    told = card(
        {
            "given": "Jo;hn", "family": "O'Brien, Jr.", "email": ["a@b.example", "c@d.example"], "phone": ["+49 30 1"],
            "address": ["1 Road\nTown"], "birth-year": "980", "birth-month": "4", "tags": ["VIP", "a,b"],
            "organisation": ["康睦（上海）有限公司" * 4], "ref": "01X",
        },
        code="7Q2M9K4T",
    )  # fmt: skip
    lines = told.split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:4.0"]
    assert lines[-2:] == ["END:VCARD", ""]
    assert "FN:Jo\\;hn O'Brien\\, Jr." in lines
    assert "N:O'Brien\\, Jr.;Jo\\;hn;;;" in lines
    assert "ADR:;;1 Road\\nTown;;;;" in lines
    assert "BDAY:0980-04" in lines
    assert "CATEGORIES:VIP,a\\,b" in lines
    assert all(len(line.encode()) <= OCTETS for line in lines)
    assert "康睦（上海）有限公司" * 4 in told.replace("\r\n ", "")


def test_a_card_without_a_name_has_one_nevertheless() -> None:
    assert "FN:a@b.example\r\n" in card({"email": ["a@b.example"]})
    assert "FN:01X\r\n" in card({"ref": "01X"})
