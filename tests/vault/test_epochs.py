"""Epoch keys lie in files that only we may read; whatever is wrong with one is said, with its file and its cure."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comity.vault.epochs import (
    EpochKey,
    KeyMissing,
    KeyTooOpen,
    KeyTrouble,
    WrongKey,
    destroy_epoch_key,
    key_file,
    load_epoch_key,
    make_epoch_key,
)


@pytest.fixture
def made(folder: Path) -> tuple[EpochKey, Path]:
    key = make_epoch_key(folder, 1)
    return key, key_file(folder, 1, key.check_value)


def test_a_key_is_read_as_it_was_made(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    assert load_epoch_key(folder, 1, key.check_value) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_derived_keys_differ_from_each_other_and_from_epoch_to_epoch() -> None:
    one, two = EpochKey(number=1, secret=bytes(32)), EpochKey(number=2, secret=bytes(32))
    assert len({one.exact, one.names, one.check_value, two.exact, two.names, two.check_value}) == 6


def test_a_key_does_not_show_itself() -> None:
    assert "123" not in repr(EpochKey(number=7, secret=b"123"))


def test_a_missing_file_is_named_with_its_cure(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    path.unlink()
    with pytest.raises(KeyMissing, match=f"{path} is missing.*Put it back"):
        load_epoch_key(folder, 1, key.check_value)


def test_another_key_in_the_file_is_noticed(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    path.write_text("ab" * 32)
    with pytest.raises(WrongKey, match="not the key of epoch 1"):
        load_epoch_key(folder, 1, key.check_value)


def test_the_key_of_another_epoch_is_noticed(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    path.rename(key_file(folder, 2, key.check_value))
    with pytest.raises(WrongKey):
        load_epoch_key(folder, 2, key.check_value)


@pytest.mark.parametrize("text", ["", "secret", "ab" * 31, "ab" * 33, "\xff" * 64])
def test_a_file_that_holds_no_key_is_refused(folder: Path, made: tuple[EpochKey, Path], text: str) -> None:
    key, path = made
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(WrongKey, match="does not hold a key"):
        load_epoch_key(folder, 1, key.check_value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_may_reach_is_refused(folder: Path, made: tuple[EpochKey, Path], mode: int) -> None:
    key, path = made
    path.chmod(mode)
    with pytest.raises(KeyTooOpen, match=rf"has mode {mode:o}.*chmod 600"):
        load_epoch_key(folder, 1, key.check_value)


@pytest.mark.parametrize("mode", [0o750, 0o705, 0o711])
def test_a_folder_that_others_may_enter_is_refused(folder: Path, made: tuple[EpochKey, Path], mode: int) -> None:
    key, path = made
    path.parent.chmod(mode)
    with pytest.raises(KeyTooOpen, match="chmod 700"):
        load_epoch_key(folder, 1, key.check_value)
    with pytest.raises(KeyTooOpen, match="chmod 700"):
        make_epoch_key(folder, 2)


def test_a_link_in_place_of_the_file_is_refused(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")
    with pytest.raises(KeyTrouble, match="plain file"):
        load_epoch_key(folder, 1, key.check_value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    os.chown(path, 65534, -1)
    with pytest.raises(KeyTooOpen, match="belongs to account 65534"):
        load_epoch_key(folder, 1, key.check_value)


def test_a_destroyed_key_is_gone_and_may_be_destroyed_again(folder: Path, made: tuple[EpochKey, Path]) -> None:
    key, path = made
    assert destroy_epoch_key(folder, 1, key.check_value)
    assert not path.exists()
    assert not destroy_epoch_key(folder, 1, key.check_value)
    with pytest.raises(KeyMissing):
        load_epoch_key(folder, 1, key.check_value)
