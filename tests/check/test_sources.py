"""Excel, Parquet, JSON and vCard files: what becomes of their cells, and which files are refused."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from comity.check.sources import BadFile, Source, open_source

EXCEL_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_NS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_NS = "http://schemas.openxmlformats.org/package/2006"
DATE, MOMENT = 1, 2  # styles of cells
YES = True


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def read(path: Path, duck: duckdb.DuckDBPyConnection) -> tuple[Source, list[tuple[int, list[str]]]]:
    with open_source(path, duck) as source:
        found = duck.execute(f"SELECT * FROM {source.relation} ORDER BY row").fetchall()
        source.load("people", ["c0"])
        assert duck.execute("SELECT row, c0 FROM people ORDER BY row").fetchall() == [row[:2] for row in found]
        assert source.rejects is source.rejects
    return source, [(row, [cell or "" for cell in cells]) for row, *cells in found]


def cells(path: Path, duck: duckdb.DuckDBPyConnection) -> list[dict[str, str]]:
    """Return each row's cells that are not empty, by column."""
    source, rows = read(path, duck)
    return [{name: cell for name, cell in zip(source.columns, row, strict=True) if cell} for _, row in rows]


def refused(path: Path, duck: duckdb.DuckDBPyConnection) -> str:
    with pytest.raises(BadFile) as refusal:
        read(path, duck)
    return str(refusal.value)


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---------------------------------------------------------------- Excel


def cell(place: str, value: object, style: int = 0) -> str:
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    kind = ' t="b"' if isinstance(value, bool) else ""
    return f'<c r="{place}" s="{style}"{kind}><v>{int(value) if isinstance(value, bool) else value}</v></c>'


def row(number: int, *values: object) -> str:
    """Return a row from column A on; (value, style) is a dated number."""
    listed = [value if isinstance(value, tuple) else (value,) for value in values]
    body = "".join(cell(f"{chr(65 + n)}{number}", *value) for n, value in enumerate(listed) if value[0] is not None)
    return f'<row r="{number}">{body}</row>'


def workbook(path: Path, sheets: dict[str, str], *, hidden: Sequence[str] = ()) -> Path:
    """Write the least that is an Excel file."""
    state = dict.fromkeys(hidden, ' state="hidden"')
    named = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"{state.get(name, "")}/>' for n, name in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE_NS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = f'<Relationship Id="styles" Type="{OFFICE_NS}/styles" Target="styles.xml"/>'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE_NS}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE_NS}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE_NS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{EXCEL_NS}" xmlns:r="{OFFICE_NS}"><sheets>{named}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE_NS}/relationships">{related}{styles}'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{EXCEL_NS}"><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/>'
        '<xf numFmtId="22"/></cellXfs></styleSheet>',
    }
    for n, body in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{EXCEL_NS}"><sheetData>{body}</sheetData></worksheet>'
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return path


PEOPLE = row(1, "Name", "Country") + row(2, "Anna", "DE") + row(3, "Bob", "FR")


def test_a_sheet_is_read_with_dates_as_iso_and_whole_numbers_without_a_fraction(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    rows = row(1, "Name", "Phone", "Born", "Seen", "Opt-out", "Score", "") + row(
        2, "Anna", 4930123456789, (45000, DATE), (45000.5, MOMENT), YES, 1.5, "x"
    )
    source, found = read(workbook(tmp_path / "people.xlsx", {"People": rows}), duck)
    assert (source.kind, source.columns[-1]) == ("Excel", "column 7")
    assert found == [(1, ["Anna", "4930123456789", "2023-03-15", "2023-03-15 12:00:00", "true", "1.5", "x"])]


def test_the_first_shown_sheet_with_a_table_is_read_and_the_others_are_named(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    sheets = {"Secret": PEOPLE, "Cover": "", "Title": row(1, "Our people"), "People": PEOPLE, "Other": PEOPLE}
    source, found = read(workbook(tmp_path / "people.xlsx", sheets, hidden=["Secret"]), duck)
    assert [name for _, (name, _) in found] == ["Anna", "Bob"]
    assert source.notes == (
        "Of the workbook, only the sheet 'People' was read; not 'Cover', 'Title', 'Other', 'Secret'.",
    )


def test_titles_above_the_header_empty_rows_and_an_empty_margin_are_passed_over(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    rows = (
        row(2, None, "Export of 2026")
        + row(4, None, "Name", "Country", "City")
        + row(6, None, "Anna", "DE", "Ulm")
        + row(9, None, "Bob", None, "Lyon")
    )
    source, found = read(workbook(tmp_path / "people.xlsx", {"People": rows}), duck)
    assert source.columns == ("Name", "Country", "City")
    assert found == [(1, ["Anna", "DE", "Ulm"]), (2, ["Bob", "", "Lyon"])]
    assert source.notes == ("Rows above the sheet's header, which were not read: 1.",)


def test_excel_files_that_cannot_be_read_are_refused(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> None:
    book = workbook(tmp_path / "book.xlsx", {"People": row(1, "Name", "Country")})
    assert "a header and no rows" in refused(book, duck)
    assert "no sheet of it has a table" in refused(workbook(book, {"People": ""}), duck)
    twice = row(1, "Name", "Name") + row(2, "Anna", "DE")
    assert "the header 'Name' stands twice" in refused(workbook(book, {"People": twice}), duck)
    raw = workbook(book, {"People": PEOPLE}).read_bytes()
    assert "damaged" in refused(written(book, raw[: len(raw) // 2]), duck)
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000)
    assert "an old Excel file (.xls)" in refused(written(book, ole), duck)
    sealed = ole + "EncryptedPackage".encode("utf-16-le")
    assert "encrypted with a password" in refused(written(book, sealed), duck)


def test_other_zip_files_are_called_what_they_are(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "book.xlsx"
    for part, says in (("xl/workbook.bin", ".xlsb"), ("content.xml", "OpenDocument"), ("a.csv", "a zip archive")):
        with zipfile.ZipFile(path, "w") as book:
            book.writestr(part, "x")
        assert says in refused(path, duck)


def test_a_workbook_that_would_fill_the_memory_is_refused_before_it_is_opened(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    wide = PEOPLE + '<row r="1048576"><c t="n" r="XFD1048576"><v>1</v></c></row>'
    message = refused(workbook(tmp_path / "wide.xlsx", {"People": wide}), duck)
    assert "sheet1.xml: its cells reach over 1,048,576 rows and 16,384 columns" in message
    bomb = workbook(tmp_path / "bomb.xlsx", {"People": PEOPLE})
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as book, book.open("xl/media.xml", "w") as part:
        for _ in range(220):
            part.write(bytes(2**20))
    assert "as only a zip bomb does" in refused(bomb, duck)
    raw = bomb.read_bytes()
    lie = raw.replace((220 * 2**20).to_bytes(4, "little"), (220).to_bytes(4, "little"))
    assert "damaged" in refused(written(bomb, lie), duck)


# ---------------------------------------------------------------- Parquet


def test_parquet_is_read_as_text_by_the_row_s_place_in_the_file(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    path = tmp_path / "people.parquet"
    duck.execute(
        """COPY (SELECT 'Anna' AS "First ""Name\""", 49301234::DOUBLE AS phone, DATE '2020-02-29' AS born, true AS yes,
        ['a', 'b'] AS tags, NULL::VARCHAR AS country, 1.5::DOUBLE AS score FROM range(3)) TO '"""
        f"{path}'"
    )
    source, found = read(path, duck)
    assert (source.columns[0], source.kind) == ('First "Name"', "Parquet")
    assert found == [(n, ["Anna", "49301234", "2020-02-29", "true", "[a, b]", "", "1.5"]) for n in (1, 2, 3)]


def test_a_parquet_column_may_have_duckdb_s_own_name_for_the_row(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    duck.execute(f"COPY (SELECT i + 7 AS file_row_number FROM range(2) AS r(i)) TO '{tmp_path / 'odd[1].parquet'}'")
    assert read(tmp_path / "odd[1].parquet", duck)[1] == [(1, ["7"]), (2, ["8"])]


def test_parquet_files_that_cannot_be_read_are_refused(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "people.parquet"
    duck.execute(f"COPY (SELECT 'Anna' || i AS name FROM range(5000) AS r(i)) TO '{path}'")
    raw = path.read_bytes()
    for damaged in (raw[:-20], raw[:8], b"PAR1" + raw[400:], raw[:300] + bytes(300) + raw[600:]):
        assert "damaged" in refused(written(path, damaged), duck)
    duck.execute(f"COPY (SELECT 'Anna' AS name WHERE false) TO '{path}'")
    assert "a header and no rows" in refused(path, duck)


# ---------------------------------------------------------------- JSON


def test_json_lines_are_flattened_and_hubspot_s_properties_taken_out(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    lines = [
        {
            "id": "1",
            "properties": {"email": "anna@example.com", "id": "x"},
            "address": {"city": "Ulm", "geo": {"lat": 1.0}},
        },
        {"id": 2, "tags": ["a", "b"], "optOut": True, "none": None},
    ]
    path = written(tmp_path / "people.jsonl", "\n\n".join(map(json.dumps, lines)))
    assert cells(path, duck) == [
        {"id": "1", "email": "anna@example.com", "properties.id": "x", "address.city": "Ulm", "address.geo.lat": "1"},
        {"id": "2", "tags": "a;b", "optOut": "true"},
    ]


@pytest.mark.parametrize("form", ["[{people}]", '{{"results": [{people}], "paging": {{}}}}'])
def test_one_array_of_objects_is_read_too(tmp_path: Path, duck: duckdb.DuckDBPyConnection, form: str) -> None:
    path = written(tmp_path / "people.json", form.format(people='{"name": "Anna"},\n {"name": "Bob"}'))
    assert cells(path, duck) == [{"name": "Anna"}, {"name": "Bob"}]


def test_lines_that_are_not_json_objects_are_rejected_with_their_number(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    lines = [
        '{"name": "Ännä"}'.encode(),
        b'{"name": ',
        b"[1]",
        b'{"name": "\xff"}',
        b"[" * 100_000,
        b'{"name": "Bob\\u0000\\ud800"}',
    ]
    with open_source(written(tmp_path / "people.jsonl", b"\n".join(lines)), duck) as source:
        assert {reject.row: reject.why for reject in source.rejects} == {
            2: "it is not JSON: Expecting value at character 11",
            3: "it is not a JSON object",
            4: "it has characters that are not UTF-8",
            5: "it is not JSON that can be read: nested too deeply, or a number too long",
        }
        assert duck.execute(f"SELECT row FROM {source.relation}").fetchall() == [(1,), (6,)]


@pytest.mark.parametrize("content", ["{", "[1, 2]", "[]", '{"a', '[{"a": 1}', "{}\n{}", "[" * 100_000])
def test_json_that_holds_no_table_is_refused(tmp_path: Path, duck: duckdb.DuckDBPyConnection, content: str) -> None:
    assert refused(written(tmp_path / "people.json", content), duck).startswith("people.json")


def test_a_csv_header_may_begin_with_a_bracket(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> None:
    assert cells(written(tmp_path / "people.csv", "[Name],Country\nAnna,DE\n"), duck) == [
        {"[Name]": "Anna", "Country": "DE"}
    ]


# ---------------------------------------------------------------- vCard

CARDS = """BEGIN:VCARD\r
VERSION:3.0\r
N:Weiß;Anna;;Dr.;\r
FN:Dr. Anna Weiß\r
item1.EMAIL;TYPE=INTERNET:work@example.com\r
EMAIL;TYPE=INTERNET,PREF:anna@example.com\r
TEL;TYPE=CELL:+49 30 1234\r
ADR;TYPE=HOME;LABEL="A: B":;;Hauptstr. 1;Ulm;BW;89073;Germany\r
BDAY:19850412T000000Z\r
CATEGORIES:friends,newsletter\r
NOTE:No mail\\, please\\nShe sa\r
 id so\r
PHOTO;ENCODING=b:AAAA\r
END:VCARD\r
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E7=8E=8B;=
=E4=BC=9F
TEL;CELL:13800138000
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Cut Off
BEGIN:VCARD
VERSION:4.0
FN:Bob
TEL;VALUE=uri;TYPE="voice,home":tel:+33-1-23
END:VCARD
"""


def test_cards_of_every_version_become_rows_and_one_that_was_cut_off_is_rejected(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection
) -> None:
    path = written(tmp_path / "people.vcf", CARDS)
    anna, wang, bob = cells(path, duck)
    assert anna == {
        "Full Name": "Dr. Anna Weiß",
        "First Name": "Anna",
        "Last Name": "Weiß",
        "Email": "anna@example.com",
        "Other Emails": "work@example.com",
        "Phone": "+49 30 1234",
        "Street": "Hauptstr. 1",
        "City": "Ulm",
        "State": "BW",
        "Postal Code": "89073",
        "Country": "Germany",
        "Birthday": "1985-04-12",
        "Categories": "friends,newsletter",
        "Notes": "No mail, please\nShe said so",
    }
    assert wang == {"Full Name": "伟 王", "First Name": "伟", "Last Name": "王", "Phone": "13800138000"}
    assert bob == {"Full Name": "Bob", "Phone": "+33-1-23"}
    with open_source(path, duck) as source:
        assert [(reject.row, reject.why) for reject in source.rejects] == [
            (3, "the card has no END:VCARD, or is longer than 16 MB")
        ]


# ---------------------------------------------------------------- whatever the bytes


@pytest.mark.parametrize("seed", range(30))
def test_a_spoilt_file_of_any_kind_is_read_or_refused(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection, seed: int
) -> None:
    dice = random.Random(seed)
    duck.execute(f"COPY (SELECT 'Anna' || i AS name, i AS n FROM range(100) AS r(i)) TO '{tmp_path / 'p.parquet'}'")
    whole = [
        workbook(tmp_path / "p.xlsx", {"People": PEOPLE}).read_bytes(),
        (tmp_path / "p.parquet").read_bytes(),
        b'{"name": "Anna", "at": {"city": "Ulm"}}\n' * 5,
        CARDS.encode(),
    ]
    for number, raw in enumerate(whole):
        spoilt = bytearray(raw)
        for _ in range(dice.randint(1, 8)):
            spoilt[dice.randrange(4, len(spoilt))] = dice.randrange(256)
        path = written(
            tmp_path / f"spoilt{number}", bytes(spoilt[: dice.choice([None, None, dice.randrange(len(raw))])])
        )
        with suppress(BadFile):
            read(path, duck)
