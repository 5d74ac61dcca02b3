"""Epoch keys: the few secrets that lie outside the database, each in a file of its own that only we may read.

The key of an epoch wraps the keys of people and makes the tokens of the blind index. It lies as `keys/epoch-N-….key` in
the folder given (mode 0600 in a folder of mode 0700). The database keeps its number and a check value: enough to know
the right key when it is seen, and nothing that helps to find it. Destroying the file is what makes backups forget.
"""

from __future__ import annotations

import hmac
import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from comity.vault.sealing import KEY_BYTES, new_key

CHECK_BYTES: Final = 16
SHOWN: Final = 8
"""Hexadecimal digits of the check value in a file's name, so that no two keys ever want the same name."""


class KeyTrouble(Exception):
    """The key of an epoch cannot be had. Nothing is opened, sealed or searched until that is mended."""


class KeyMissing(KeyTrouble):
    """The file of an epoch's key is not there."""


class KeyTooOpen(KeyTrouble):
    """Others than the owner may read the key, or somebody else owns it."""


class WrongKey(KeyTrouble):
    """The file holds another key than the one that the database knows."""


@dataclass(frozen=True, kw_only=True)
class EpochKey:
    """The secret of one epoch and what is derived from it; each derived key serves one thing."""

    number: int
    secret: bytes = field(repr=False)

    @cached_property
    def wrapping(self) -> AESGCM:
        """Wraps the keys of people."""
        return AESGCM(self._derived("wrap", KEY_BYTES))

    @cached_property
    def exact(self) -> bytes:
        """Makes tokens of e-mail addresses, phone numbers and other identifiers."""
        return self._derived("exact index", KEY_BYTES)

    @cached_property
    def names(self) -> bytes:
        """Makes tokens of names."""
        return self._derived("name index", KEY_BYTES)

    @cached_property
    def check_value(self) -> bytes:
        """What the database keeps, to know this key again."""
        return self._derived("check value", CHECK_BYTES)

    def _derived(self, purpose: str, length: int) -> bytes:
        """HKDF with SHA-256 (RFC 5869) over the secret; the purpose keeps the derived keys apart."""
        info = f"comity vault 1: {purpose} of epoch {self.number}".encode()
        return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(self.secret)


def make_epoch_key(folder: Path, number: int) -> EpochKey:
    """Make the key of a new epoch and put its file on the disk before returning. Raises KeyTooOpen."""
    key = EpochKey(number=number, secret=new_key())
    write_secret(key_file(folder, number, key.check_value), key.secret)
    return key


def load_epoch_key(folder: Path, number: int, check_value: bytes) -> EpochKey:
    """Read the key of an epoch and compare it with what the database knows. Raises KeyTrouble, naming file and cure."""
    path = key_file(folder, number, check_value)
    secret = read_secret(path, without="nothing that was sealed in its epoch can be opened or found")
    key = EpochKey(number=number, secret=secret)
    if not hmac.compare_digest(key.check_value, check_value):
        raise WrongKey(
            f"{path} is not the key of epoch {number} that this database was sealed with. Put back the file that "
            "belongs to this database, or restore the database that belongs to this file. Nothing is opened until then."
        )
    return key


def destroy_epoch_key(folder: Path, number: int, check_value: bytes) -> bool:
    """Overwrite and remove the file of an epoch's key; return whether there was one.

    BLIND SPOT: a disk that copies on write, or a copy of the folder, may keep the old bytes: docs/threats.md.
    """
    path = key_file(folder, number, check_value)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _keep_entry(path.parent)
    return True


def key_file(folder: Path, number: int, check_value: bytes) -> Path:
    """Where the key of an epoch lies."""
    return folder / "keys" / f"epoch-{number}-{check_value.hex()[:SHOWN]}.key"


# ---------------------------------------------------------------- the files of keys, these and those of other rooms


def write_secret(path: Path, secret: bytes) -> None:
    """Put a new key's file on the disk before returning, in a folder that only we may enter. Raises KeyTooOpen."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _refuse_open(path.parent, path.parent.stat())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secret.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    _keep_entry(path.parent)


def read_secret(path: Path, *, without: str) -> bytes:
    """Return the secret in a key's file. `without` says what cannot be done while it is away. Raises KeyTrouble."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise KeyMissing(
            f"{path} is missing. Without it {without}. Put it back "
            "from the copy of the keys that you keep apart from the database; COMITY_FOLDER says where it is sought."
        ) from None
    except OSError as error:
        raise KeyTrouble(
            f"{path} cannot be read ({error.strerror}). It must be a plain file of the account that runs Comity."
        ) from None
    with os.fdopen(descriptor, "r", encoding="ascii", errors="replace") as file:
        _refuse_open(path.parent, path.parent.stat())
        _refuse_open(path, os.fstat(file.fileno()))
        return _read(path, file.read(1_000))


def _refuse_open(path: Path, found: os.stat_result) -> None:
    """Refuse what somebody else owns or may look into. Root may own it: it can read everything anyway."""
    want = "700" if stat.S_ISDIR(found.st_mode) else "600"
    if found.st_uid not in {os.geteuid(), 0}:
        raise KeyTooOpen(f"{path} belongs to account {found.st_uid}, not to the one that runs Comity. Run: chown it.")
    if stat.S_IMODE(found.st_mode) & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        raise KeyTooOpen(
            f"{path} has mode {mode}: others may reach the key. Run `chmod {want} {path}`, then turn the key "
            "over (an epoch is rotated), because somebody may have read it."
        )


def _read(path: Path, text: str) -> bytes:
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise WrongKey(f"{path} does not hold a key (64 hexadecimal digits). Put it back from your copy of the keys.")
    return secret


def _keep_entry(folder: Path) -> None:
    """Make sure that a folder's entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
