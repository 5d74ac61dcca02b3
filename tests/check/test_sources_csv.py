"""CSV files as people export them: which rows come through, and what is said of the others."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from comity.check.sources import BadFile, Source, delimited, open_source
from comity.check.sources.delimited import DelimitedReading
from comity.check.sources.surveying import LONGEST_LINE

Rows = list[tuple[int, list[str]]]

HEADER = "Name,Country,Email\n"


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def given(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> Iterator[Given]:
    sources = Given(tmp_path / "people.csv", duck)
    yield sources
    sources.close()


class Given:
    """Writes a file and opens it."""

    def __init__(self, path: Path, duck: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        self.duck = duck
        self.opened: list[Source] = []

    def __call__(self, content: str | bytes, *, headless: bool = False) -> Source:
        self.path.write_bytes(content.encode() if isinstance(content, str) else content)
        source = open_source(self.path, self.duck, headless=headless)
        self.opened.append(source)
        return source

    def close(self) -> None:
        for source in self.opened:
            source.close()

    def rows(self, source: Source) -> Rows:
        return fetched(self.duck, source.relation)

    def refused(self, content: str | bytes) -> str:
        with pytest.raises(BadFile) as refusal:
            self(content).load("refused", ["c0"])
        return str(refusal.value)


def fetched(duck: duckdb.DuckDBPyConnection, relation: str) -> Rows:
    found = duck.execute(f"SELECT * FROM {relation} ORDER BY row").fetchall()
    return [(row, [cell or "" for cell in cells]) for row, *cells in found]


def cells(rows: Rows) -> list[list[str]]:
    return [row for _, row in rows]


def why(source: Source) -> dict[int, str]:
    return {reject.row: reject.why for reject in source.rejects}


def loaded(duck: duckdb.DuckDBPyConnection, source: Source) -> Rows:
    """Return the rows as `load` gives them, which is the way of long files."""
    source.load("loaded", [f"c{number}" for number in range(len(source.columns))])
    return fetched(duck, "loaded")


@pytest.fixture
def everything_is_long(monkeypatch: pytest.MonkeyPatch, duck: duckdb.DuckDBPyConnection) -> None:
    """Let files of two rows be read as those of a million are, in three streams."""
    monkeypatch.setattr(delimited, "_LONG", 2)
    duck.execute("SET threads = 3")


# ---------------------------------------------------------------- plain files


def test_a_plain_file_is_read_where_it_lies(given: Given) -> None:
    source = given(HEADER + "Anna,DE,anna@example.com\nBob,FR,\n")
    assert (source.columns, source.kind, source.encoding) == (("Name", "Country", "Email"), "CSV", "UTF-8")
    assert given.rows(source) == [(1, ["Anna", "DE", "anna@example.com"]), (2, ["Bob", "FR", ""])]
    assert source.rejects == ()
    assert str(given.path) in source.relation


def test_load_numbers_the_rows_of_a_file_that_duckdb_reads_and_of_one_that_it_does_not(given: Given) -> None:
    for content in ("Name,Country\nAnna,DE\nBob,FR\n", "Name,Country\nAnna\nBob,FR\n"):
        given(content).load("people", ["lower(c0) AS name"])
        assert given.duck.execute("SELECT row, name FROM people").fetchall() == [(1, "anna"), (2, "bob")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends_are_found(given: Given, delimiter: str, end: str) -> None:
    lines = ["Name;Note", "Anna;one, two", "Bob;"]
    source = given(end.join(line.replace(";", delimiter).replace("one, two", "one") for line in lines) + end)
    assert source.columns == ("Name", "Note")
    assert cells(given.rows(source)) == [["Anna", "one"], ["Bob", ""]]


def test_the_line_by_which_excel_names_the_delimiter_is_no_row(given: Given) -> None:
    source = given("sep=;\r\nName;Country\r\nAnna, Dr.;DE\r\n")
    assert source.columns == ("Name", "Country")
    assert given.rows(source) == [(1, ["Anna, Dr.", "DE"])]


def test_quotes_enclose_delimiters_line_breaks_and_quotes(given: Given) -> None:
    source = given('Name,Note\n"Lee, Ann","said ""hi""\r\nand left"\nBob,5" pipe\n')
    assert cells(given.rows(source)) == [["Lee, Ann", 'said "hi"\r\nand left'], ["Bob", '5" pipe']]


def test_quotes_may_be_escaped_with_a_backslash(given: Given) -> None:
    source = given('Name,Note\nAnn,"said \\"hi, you\\" and left"\nBob,"C:\\\\x"\n')
    assert cells(given.rows(source)) == [["Ann", 'said "hi, you" and left'], ["Bob", "C:\\x"]]


def test_blank_lines_are_not_rows(given: Given) -> None:
    source = given("\n\nName,Country\n\nAnna,DE\n \nBob,FR\n\n\n")
    assert given.rows(source) == [(1, ["Anna", "DE"]), (2, ["Bob", "FR"])]


def test_an_empty_header_is_called_by_its_number(given: Given) -> None:
    assert given("Name,,Country,\nAnna,x,DE,\n").columns == ("Name", "column 2", "Country", "column 4")


def test_a_list_without_a_header_is_read_where_that_is_allowed_and_refused_elsewhere(given: Given) -> None:
    content = "anna@example.com\nbob@example.com\n"
    assert "the first row is already data" in given.refused(content)
    source = given(content, headless=True)
    assert source.columns == ("column 1",)
    assert cells(given.rows(source)) == [["anna@example.com"], ["bob@example.com"]]
    assert given("Email\nanna@example.com\n", headless=True).columns == ("Email",)


def test_a_name_that_duckdb_would_take_for_a_pattern_is_a_name(tmp_path: Path, duck: duckdb.DuckDBPyConnection) -> None:
    for name in ("a*.csv", "a[1].csv", "it's.csv", "people.csv.gz", "umläut\n.csv"):
        (tmp_path / name).write_text("Name,Country\nAnna,DE\n")
        with open_source(tmp_path / name, duck) as source:
            assert fetched(duck, source.relation) == [(1, ["Anna", "DE"])]


# ---------------------------------------------------------------- rows that cannot be read


def test_a_row_that_lacks_cells_at_its_end_has_empty_ones_and_the_report_says_so(given: Given) -> None:
    source = given(HEADER + "Anna,DE\nBob,FR,bob@example.com\n")
    assert given.rows(source) == [(1, ["Anna", "DE", ""]), (2, ["Bob", "FR", "bob@example.com"])]
    assert source.notes == ("Rows with fewer cells than the header, whose missing last cells count as empty: 1.",)


def test_surplus_cells_are_dropped_if_empty_and_else_reject_their_row(given: Given) -> None:
    source = given(HEADER + "Anna,DE,a@example.com,,\nBob,FR,b@example.com,x\nEve,IT,\n")
    assert given.rows(source) == [(1, ["Anna", "DE", "a@example.com"]), (3, ["Eve", "IT", ""])]
    assert why(source) == {2: "it has 4 cells, the header has 3"}
    assert source.rejects[0].text == "Bob,FR,b@example.com,x"


def test_a_row_torn_by_a_line_break_outside_quotes_is_rejected_line_by_line(given: Given) -> None:
    source = given("Name,Note,Country,Opt-out\nAnna,first\nsecond,DE,true\nBob,x,FR,\n")
    assert given.rows(source) == [(3, ["Bob", "x", "FR", ""])]
    assert set(why(source)) == {1, 2}


def test_a_row_at_which_the_file_was_cut_off_is_rejected(given: Given) -> None:
    source = given(HEADER + "Anna,DE,a@example.com\nBob,F")
    assert why(source) == {2: "the file ends in the middle of this row"}


def test_broken_quoting_costs_one_row_and_not_the_rest_of_the_file(given: Given) -> None:
    rows = [f'"Anna {number}",DE,a@example.com\n' for number in range(1, 21)]
    rows[7] = '"Anna 8,DE,a@example.com\n'
    rows[11] = '"Anna" 12,DE,a@example.com\n'
    source = given(HEADER + "".join(rows))
    assert why(source) == {
        8: "a quoted cell has text after its closing quote",
        12: "a quoted cell has text after its closing quote",
    }
    assert [row for row, _ in given.rows(source)] == [row for row in range(1, 21) if row not in {8, 12}]


def test_a_quote_that_is_never_closed_costs_its_row(given: Given) -> None:
    source = given(HEADER + 'Anna,DE,a@example.com\nBob,"FR,b@example.com\nEve,IT,e@example.com\n')
    assert why(source) == {2: "a quote is opened and never closed"}
    assert [row for row, _ in given.rows(source)] == [1, 3]


def test_of_the_lines_that_a_broken_quote_had_drawn_in_only_whole_rows_count(given: Given) -> None:
    source = given(HEADER + 'Anna,"DE,a@example.com\ntrue,\nEve,IT,e@example.com\n')
    assert set(why(source)) == {1, 2}
    assert [row for row, _ in given.rows(source)] == [3]


def test_lines_of_a_utf_8_file_that_are_not_utf_8_are_rejected(given: Given) -> None:
    lines = [f"Jürgen {number},DE,\n".encode() for number in range(20)]
    lines[4] = "Jürgen,DE,\n".encode("cp1252")
    source = given(HEADER.encode() + b"".join(lines))
    assert why(source) == {5: "it has characters that are not UTF-8"}
    assert source.rejects[0].text == r"J\xfcrgen,DE,"
    assert len(given.rows(source)) == 19


# ---------------------------------------------------------------- encodings

CHINESE = "姓名,手机号,国家/地区\n王伟,13800138000,中国\n李婷,13900139000,中国\n"


@pytest.mark.parametrize(
    ("text", "codec", "spelled"),
    [
        (CHINESE, "utf-8", "UTF-8"),
        (CHINESE, "utf-8-sig", "UTF-8 with BOM"),
        (CHINESE, "utf-16", "UTF-16 (little-endian)"),
        (CHINESE, "utf-16-le", "UTF-16 (little-endian)"),
        (CHINESE, "utf-16-be", "UTF-16 (big-endian)"),
        (CHINESE, "utf-32", "UTF-32 (little-endian)"),
        (CHINESE, "gb18030", "GB18030"),
        (CHINESE, "gbk", "GB18030"),
        ("姓名,電話,國家\n王小明,0912,台灣\n陳美玲,0913,台灣\n", "big5", "Big5"),
        ("氏名,国\n田中太郎,日本\nスズキ,日本\nさくら,日本\n", "shift_jis", "Shift_JIS"),
        ("氏名,国\n田中太郎,日本\nスズキ,日本\nさくら,日本\n", "euc_jp", "EUC-JP"),
        ("이름,국가\n김철수,대한민국\n박영희,대한민국\n", "euc_kr", "EUC-KR"),
        ("Name,Land\nJürgen Größe,Österreich\nFrançois,Liège\n", "cp1252", "Windows-1252"),
        ("Name,Price\nZoë “the voice”,5 €\n", "cp1252", "Windows-1252"),
        ("Jméno,Země\nJiří Dvořák,Česko\nPaweł,Łódź\n", "cp1250", "Windows-1250"),
        ("Jméno,Země\nŠťastný Žižka,Česko\nPaweł Wąs,Śląsk\n", "iso8859_2", "ISO 8859-2 (Latin-2)"),
        ("Имя,Страна\nИван,Россия\n", "cp1251", "Windows-1251"),
        ("Имя,Страна\nИван,Россия\n", "koi8_r", "KOI8-R"),
        ("Όνομα,Χώρα\nΓιώργος,Ελλάδα\n", "cp1253", "Windows-1253"),
        ("Adı,Ülke\nŞükrü Yılmaz,Türkiye\n", "cp1254", "Windows-1254"),
        ("Name,Land\nJürgen,Österreich\nJosé,Méjico\n", "mac_roman", "Mac Roman"),
    ],
)
def test_encodings_are_told_by_whether_their_words_make_sense(
    given: Given, text: str, codec: str, spelled: str
) -> None:
    source = given(text.encode(codec))
    assert source.encoding == spelled
    assert [list(source.columns), *cells(given.rows(source))] == list(csv.reader(io.StringIO(text)))


def test_a_character_that_is_not_of_the_encoding_rejects_its_row(given: Given) -> None:
    lines = [f"王伟,1380013{number:04},中国\n".encode("gb18030") for number in range(30)]
    lines[2] = lines[2][:1] + b"\xff" + lines[2][2:]
    source = given("姓名,手机号,国家\n".encode("gb18030") + b"".join(lines))
    assert why(source) == {3: "it has characters that are not GB18030"}
    assert len(given.rows(source)) == 29


# ---------------------------------------------------------------- files that are refused


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "people.csv: the file is empty"),
        (b" \r\n\n ", "the file is empty"),
        (b"\xef\xbb\xbf\n", "the file is empty"),
        (b"Name,Country\n", "a header and no rows"),
        (b"Name,Country\n\n \n", "a header and no rows"),
        (b"Name,Country,Name\nAnna,DE,x\n", "the header 'Name' stands twice, in columns 1 and 3"),
        (b"Name,Country\nAn\0na,DE\n", "people.csv, line 2: the file has NUL bytes"),
        (bytes(range(1, 32)) * 40, "not text"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x1f\x8b\x08\x00", "compressed (gzip)"),
        (b"<html><table><tr><td>Name", "a web page"),
        (b'"Name,Country\nAnna,DE\n', "the header cannot be read: a quote is opened and never closed"),
        (b"Name,City\n" + "Jürgen,Köln\n".encode() * 30 + "Jürgen,Köln\n".encode("cp1252") * 30, "mixes encodings"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place_and_the_cure(
    given: Given, content: bytes, says: str
) -> None:
    message = given.refused(content)
    assert says in message
    assert message.startswith("people.csv")
    assert message.count(". ") >= 1


def test_a_line_without_end_is_refused_before_it_is_read(given: Given) -> None:
    assert "a line is longer than 16 MB" in given.refused(b"Name,Note\nAnna," + b"x" * (LONGEST_LINE + 2**21))


def test_a_line_that_is_long_for_duckdb_is_read(given: Given) -> None:
    note = "x" * 3_000_000
    source = given(f"Name,Note\nAnna,{note}\nBob,\n")
    assert cells(given.rows(source)) == [["Anna", note], ["Bob", ""]]


def test_a_missing_file_a_folder_and_a_barred_file_are_refused(
    tmp_path: Path, duck: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadFile, match="there is no such file"):
        open_source(tmp_path / "none.csv", duck)
    with pytest.raises(BadFile, match="a folder, not a file"):
        open_source(tmp_path, duck)
    (tmp_path / "barred.csv").write_text("Name\nAnna\n")

    def barred(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", barred)  # root may read every file
    with pytest.raises(BadFile, match="you may not read this file"):
        open_source(tmp_path / "barred.csv", duck)


def test_a_full_disk_is_said(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("comity.check.sources.staging.Scratch.path", full)
    assert "the disk is full" in given.refused(CHINESE.encode("gb18030"))
    assert "the disk is full" in given.refused("Name,Country\nAnna\nBob,FR\n")


def test_temporary_copies_are_private_and_vanish(given: Given) -> None:
    source = given(CHINESE.encode("gb18030"))
    copy = Path(source.relation.split("'")[1])
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    source.close()
    assert not copy.parent.exists()


# ---------------------------------------------------------------- many files

BLOCKS = ["", "", "Anna", "DE", "x y", "王伟", "Müller", " lead", "trail ", "a,b", 'say "hi"', '"', '""', "line\nbreak"]
BLOCKS += [
    "a\r\nb",
    "\n",
    "a\n\nb",
    '"\n"',
    'x",\n"y',
    "\\",
    '\\"',
    "#c",
    "sep=;",
    "semi;colon",
    "pipe|",
    "tab\tx",
    "NULL",
]


def written(dice: random.Random) -> tuple[str, list[list[str]]]:
    """Return a CSV file as the csv module writes it, and its rows."""
    width = dice.randint(2, 6)
    rows = [[f"h{n}" for n in range(width)], *([dice.choice(BLOCKS) for _ in range(width)] for _ in range(20))]
    file = io.StringIO()
    end, delimiter = dice.choice(["\n", "\r\n"]), dice.choice(",;\t|")
    if dice.random() < 0.4:
        csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    else:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return file.getvalue() + end * dice.choice([0, 0, 2]), rows


@pytest.mark.parametrize("seed", range(60))
def test_duckdb_and_the_exact_path_read_what_the_csv_module_wrote(given: Given, seed: int) -> None:
    text, (columns, *rows) = written(random.Random(seed))
    source = given(text)
    assert list(source.columns) == columns
    assert given.rows(source) == list(enumerate(rows, 1))
    reading = source._reading
    if isinstance(reading, DelimitedReading):
        assert fetched(given.duck, reading._file.exact().relation()) == list(enumerate(rows, 1))


def reads_itself(given: Given, seed: int) -> bool:
    reading = given(written(random.Random(seed))[0])._reading
    return isinstance(reading, DelimitedReading) and reading._settled() is None


def test_duckdb_reads_most_well_formed_files_itself(given: Given) -> None:
    assert sum(reads_itself(given, seed) for seed in range(30)) >= 20


def spoilt(dice: random.Random, raw: bytes) -> bytes:
    """Return the bytes with a few mishaps."""
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(raw) + 1)
        mishap = dice.choice([b'"', b'"', b",", b"\n", b"\r", b"\\", b" ", b"\xff", b"\xe4", b"\x1a", b"", b"\x00"])
        lost = dice.choice([0, 1, 1, 5, len(raw)])
        raw = raw[:at] + mishap + raw[at + lost :]
    return raw


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_to_a_file_each_row_is_read_or_rejected_or_the_file_refused(given: Given, seed: int) -> None:
    dice = random.Random(seed)
    raw = written(dice)[0].encode(dice.choice(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
    for _ in range(4):
        try:
            source = given(spoilt(dice, raw))
        except BadFile:
            continue
        source.load("spoilt", ["c0"])
        loaded = given.duck.execute("SELECT row FROM spoilt ORDER BY row").fetchall()
        rows = [row for row, _ in given.rows(source)]
        assert [row for (row,) in loaded] == rows
        assert sorted([*rows, *why(source)]) == list(range(1, len(rows) + len(source.rejects) + 1))


# ---------------------------------------------------------------- long files


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.usefixtures("everything_is_long")
def test_a_file_read_in_several_streams_has_every_row_once_and_in_its_place(given: Given, seed: int) -> None:
    text, (columns, *rows) = written(random.Random(seed))
    source = given(text)
    assert list(source.columns) == columns
    assert loaded(given.duck, source) == list(enumerate(rows, 1))


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.usefixtures("everything_is_long")
def test_whatever_happens_to_a_long_file_it_is_read_as_a_short_one_would_be(
    given: Given, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    raw = spoilt(dice, written(dice)[0].encode())
    try:
        source = given(raw)
    except BadFile:
        return
    source.glimpse("glimpsed", ["c0"])
    rows, rejects = loaded(given.duck, source), source.rejects
    monkeypatch.setattr(delimited, "_LONG", 10**9)
    assert (rows, rejects) == (given.rows(given(raw)), given(raw).rejects)


@pytest.mark.usefixtures("everything_is_long")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("at", range(1, 9))
def test_blank_lines_in_a_long_file_move_no_row(given: Given, at: int, end: str) -> None:
    lines = [f"p{number},DE" for number in range(1, 9)]
    source = given(end.join(["Name,Country", *lines[:at], "", "", *lines[at:]]) + end)
    assert loaded(given.duck, source) == [(number, [f"p{number}", "DE"]) for number in range(1, 9)]


@pytest.mark.usefixtures("everything_is_long")
def test_a_paragraph_in_quotes_is_no_blank_line(given: Given) -> None:
    rows = [[f"p{number}", "one\n\ntwo"] for number in range(9)]
    source = given("Name,Note\n" + "".join(f'{name},"{note}"\n' for name, note in rows))
    assert isinstance(source._reading, DelimitedReading)
    assert source._reading._file.streams().count("UNION ALL") == 2
    assert loaded(given.duck, source) == list(enumerate(rows, 1))
    assert source._reading._settled() is None, "the sum of the streams was not the number of rows"


@pytest.mark.usefixtures("everything_is_long")
def test_the_beginning_of_a_broken_file_teaches_nothing(given: Given) -> None:
    assert given("Name,Country\n" + "Anna,DE\n" * 8).glimpse("glimpsed", ["c0", "c1"])
    assert given.duck.execute("SELECT * FROM glimpsed").fetchall() == [("Anna", "DE")] * 2
    assert not given("Name,Country\n" + "Anna\n" * 8).glimpse("glimpsed", ["c0", "c1"])


def test_a_row_keeps_its_place_when_its_cells_are_looked_up_elsewhere(given: Given) -> None:
    """DuckDB joins rows in any order, and reads a file of several megabytes in parts."""
    given.duck.execute("CREATE TABLE gone AS SELECT 'p' || (7 * i) AS name FROM range(60000) AS r(i)")
    count = 300_000
    source = given("Name,Note\n" + "".join(f"p{number},{'x' * 60}\n" for number in range(count)))
    source.load("looked_up", ["c0 AS name", "c0 IN (SELECT name FROM gone) AS is_gone"])
    moved = "SELECT COUNT(*) FROM looked_up WHERE name <> 'p' || (row - 1) OR is_gone <> ((row - 1) % 7 = 0)"
    assert given.duck.execute(moved).fetchone() == (0,)
