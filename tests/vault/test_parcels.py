"""A parcel opens whole, with its key, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comity.vault.parcels import PIECE, OpenParcel, Parcel
from comity.vault.sealing import TAG_BYTES, BrokenSeal

SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17)


def sealed(path: Path, data: bytes) -> bytes:
    parcel = Parcel(path)
    for start in range(0, len(data), 100_000):
        parcel.write(data[start : start + 100_000])
    parcel.close()
    return parcel.key


def opened(path: Path, key: bytes) -> bytes:
    return b"".join(OpenParcel(path.open("rb"), key))


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_comes_back(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    assert opened(tmp_path / "a", sealed(tmp_path / "a", data)) == data


def test_nothing_of_it_reaches_the_disk_unsealed(tmp_path: Path) -> None:
    sealed(tmp_path / "a", b"Greta" * PIECE)
    assert b"Greta" not in (tmp_path / "a").read_bytes()
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "how", ["cut at a piece", "cut within one", "a piece left out", "pieces swapped", "a bit", "none"]
)
def test_a_parcel_that_was_changed_does_not_open(tmp_path: Path, how: str) -> None:
    key = sealed(tmp_path / "a", os.urandom(3 * PIECE + 5))
    held, size = (tmp_path / "a").read_bytes(), PIECE + TAG_BYTES
    changed = {
        "cut at a piece": held[: 2 * size],
        "cut within one": held[: 2 * size + 9],
        "a piece left out": held[:size] + held[2 * size :],
        "pieces swapped": held[size : 2 * size] + held[:size] + held[2 * size :],
        "a bit": held[:7] + bytes([held[7] ^ 1]) + held[8:],
        "none": b"",
    }
    (tmp_path / "a").write_bytes(changed[how])
    with pytest.raises(BrokenSeal, match="does not open"):
        opened(tmp_path / "a", key)


def test_a_parcel_that_was_dropped_does_not_open(tmp_path: Path) -> None:
    parcel = Parcel(tmp_path / "a")
    parcel.write(bytes(2 * PIECE + 1))
    parcel.drop()
    with pytest.raises(BrokenSeal):
        opened(tmp_path / "a", parcel.key)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    sealed(tmp_path / "a", b"x")
    with pytest.raises(BrokenSeal):
        opened(tmp_path / "a", bytes(32))


def test_no_file_is_written_over(tmp_path: Path) -> None:
    sealed(tmp_path / "a", b"x")
    with pytest.raises(FileExistsError):
        Parcel(tmp_path / "a")
