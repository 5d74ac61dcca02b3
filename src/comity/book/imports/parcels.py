"""Where a file lies until its people are in the book: sealed, beside the database, seven days at most.

An upload names people whom no law was asked about yet. So it is turned into one table at once, whatever kind of file it
was, and that table is kept as a parcel of the vault, whose key stands in the import's row: the folder alone, or the
database alone, shows nothing. Plain it lies only in a folder of our own while somebody works on it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import duckdb
from django.conf import settings

from comity.check.sources import BadFile, open_source
from comity.check.sources.staging import quoted
from comity.vault.parcels import OpenParcel, Parcel

if TYPE_CHECKING:
    from comity.book.imports.models import Import

KEPT: Final = timedelta(days=7)
LARGEST: Final = 200 * 2**20
"""Bytes of a file that is brought."""
SAMPLE: Final = 20
MOST_REJECTS: Final = 10_000
PIECE: Final = 2**20


class TooLarge(BadFile):
    """The file is larger than we take in one go."""

    def __init__(self) -> None:
        cure = "Split it into several files, or bring it as Parquet, which is a tenth as large"
        super().__init__(f"the file has more than {LARGEST // 2**20} MB", where="the upload", cure=cure)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is known of a file without reading it again."""

    name: str
    headers: list[str]
    notes: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)
    rejects: list[tuple[int, str, str]] = field(default_factory=list)  # row, why, the row's text


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A file as it was put away, with the keys of its two parcels."""

    contents: Contents
    kind: str
    encoding: str
    rows: int
    key: bytes
    told_key: bytes


def pack(*, ref: UUID, name: str, pieces: Iterable[bytes]) -> Packed:
    """Read whatever kind of file this is, and put it away as one table. Raises BadFile."""
    with _workshop() as workshop:
        plain = workshop / f"upload{Path(name).suffix[:8]}"
        _save(plain, pieces)
        with (
            duck_beside(plain) as connection,
            open_source(plain, connection, headless=True, within=workshop) as source,
        ):
            table = workshop / "rows.parquet"
            cells = ", ".join(f"c{number}" for number in range(len(source.columns)))
            held = f"SELECT row, {cells} FROM {source.relation}"  # noqa: S608 - our own words
            connection.execute(f"COPY ({held}) TO {_sql(table)} (FORMAT parquet, ROW_GROUP_SIZE 10240)")
            rows = _one(connection, f"SELECT COUNT(*) FROM {_sql(table)}") + len(source.rejects)  # noqa: S608 - as above
            first = f"SELECT {cells} FROM {_sql(table)} ORDER BY row LIMIT {SAMPLE}"  # noqa: S608 - as above
            sample = connection.execute(first).fetchall()
            contents = Contents(
                name=name, headers=list(source.columns), notes=list(source.notes),
                sample=[[str(cell or "") for cell in row] for row in sample],
                rejects=[(one.row, one.why, one.text[:2_000]) for one in source.rejects[:MOST_REJECTS]],
            )  # fmt: skip
            kind, encoding = source.kind, source.encoding
        told_key = _seal(_told_path(ref), [json.dumps(asdict(contents)).encode()])
        key = _seal(_path(ref), _read(table))
    return Packed(contents=contents, kind=kind, encoding=encoding, rows=rows, key=key, told_key=told_key)


def contents_of(one: Import) -> Contents | None:
    """Return what is known of an import's file; nothing where the file is gone."""
    if one.told_key is None or not (_told_path(one.ref).exists() and _path(one.ref).exists()):
        return None
    told = json.loads(b"".join(OpenParcel(_told_path(one.ref).open("rb"), bytes(one.told_key))))
    return Contents(**{**told, "rejects": [tuple(each) for each in told["rejects"]]})


@contextmanager
def unpacked(one: Import) -> Iterator[Path]:
    """Give the table of an import as a plain file, for as long as somebody works on it. Raises FileNotFoundError."""
    with _workshop() as workshop:
        table = workshop / "rows.parquet"
        assert one.key is not None  # noqa: S101 - whoever works on it has made sure
        _save(table, OpenParcel(_path(one.ref).open("rb"), bytes(one.key)))
        yield table


def duck_beside(file: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection that puts what does not fit into memory beside this file, where nobody else looks."""
    connection = duckdb.connect()
    connection.execute(f"SET temp_directory = {_sql(file.parent / 'spilled')}")
    return connection


def throw_away(ref: UUID) -> None:
    """Delete the parcels of an import. Its keys go with its row."""
    _path(ref).unlink(missing_ok=True)
    _told_path(ref).unlink(missing_ok=True)


def distinct(connection: duckdb.DuckDBPyConnection, table: Path, column: int) -> list[str]:
    """Return the different texts of a column."""
    sql = f"SELECT DISTINCT c{column:d} FROM {_sql(table)} WHERE c{column:d} <> '' LIMIT 100000"  # noqa: S608 - our own words
    rows = connection.execute(sql).fetchall()
    return [text for (text,) in rows]


def rows_of(
    connection: duckdb.DuckDBPyConnection, table: Path, select: Sequence[str], *, first: int, last: int
) -> list[tuple[object, ...]]:
    """Return what is wanted of these rows, in their order."""
    sql = f"SELECT {', '.join(select)} FROM {_sql(table)} WHERE row BETWEEN {first:d} AND {last:d} ORDER BY row"  # noqa: S608 - our own words
    return connection.execute(sql).fetchall()


def these_rows(
    connection: duckdb.DuckDBPyConnection, table: Path, select: Sequence[str], rows: Iterable[int]
) -> list[tuple[object, ...]]:
    """Return what is wanted of single rows, in their order."""
    numbers = ", ".join(f"{row:d}" for row in rows)
    sql = f"SELECT {', '.join(select)} FROM {_sql(table)} WHERE row IN ({numbers}) ORDER BY row"  # noqa: S608 - our own words
    return connection.execute(sql).fetchall()


def last_row(connection: duckdb.DuckDBPyConnection, table: Path) -> int:
    """Return the number of the last row."""
    return _one(connection, f"SELECT COALESCE(MAX(row), 0) FROM {_sql(table)}")  # noqa: S608 - our own words


def clear_workshops(older_than: float) -> None:
    """Remove what work that was killed has left lying; `older_than` is an instant in seconds since 1970."""
    for left in _folder().glob("work-*"):
        if left.stat().st_mtime < older_than:
            shutil.rmtree(left, ignore_errors=True)


# ---------------------------------------------------------------- the folder


def _folder() -> Path:
    folder: Path = settings.FOLDER / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _path(ref: UUID) -> Path:
    return _folder() / f"{ref}.rows"


def _told_path(ref: UUID) -> Path:
    return _folder() / f"{ref}.told"


@contextmanager
def _workshop() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="work-", dir=_folder(), ignore_cleanup_errors=True) as workshop:
        yield Path(workshop)


def _save(path: Path, pieces: Iterable[bytes]) -> None:
    size = 0
    with path.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > LARGEST and path.name.startswith("upload"):
                raise TooLarge
            file.write(piece)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _seal(path: Path, pieces: Iterable[bytes]) -> bytes:
    parcel = Parcel(path)
    for piece in pieces:
        parcel.write(piece)
    parcel.close()
    return parcel.key


def _sql(path: Path) -> str:
    return quoted(str(path))


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    (number,) = connection.execute(sql).fetchone() or (0,)
    return int(number)
