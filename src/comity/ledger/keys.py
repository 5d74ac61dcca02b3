"""The keys that sign: one line in a file of mode 0600, made when somebody says so and never otherwise."""

from __future__ import annotations

import os
from pathlib import Path

from comity.ledger.comity_verify import COSIGNATURE, ED25519, Checkpoint, NotProven, PublicKey, verified_head
from comity.ledger.notes import SigningKey
from comity.refs import new_ref, shown

LEDGER = Path("keys/ledger.key")
"""Where in Comity's folder the ledger's key lies."""


class KeyProblem(RuntimeError):
    """A signing key is missing or is not the right one. Nothing is signed until that is mended."""


def new_name() -> str:
    """Return a name that no other ledger has."""
    return f"comity.invalid/ledger/{shown(new_ref()).lower()}"


def make_key(path: Path, name: str, kind: int = ED25519) -> SigningKey:
    """Make a key and write it to `path`, with its folder if need be; refuse to write over any file."""
    key = SigningKey.make(name, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise KeyProblem(
            f"{path} is there already. A key is never written over; move it away if it is not wanted."
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(key.write())
        file.flush()
        os.fsync(file.fileno())
    return key


def read_key(path: Path, kind: int = ED25519) -> SigningKey:
    """Read the key at `path`. Raises KeyProblem where there is none, it is not whole, or others could read it."""
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8")
        key = SigningKey.read(text)
    except FileNotFoundError:
        raise KeyProblem(
            f"{path} is missing. Put it back from its backup; a new ledger's key is made by set-up."
        ) from None
    except (NotProven, OSError, UnicodeDecodeError) as error:
        raise KeyProblem(f"{path} cannot be used: {error}. Put it back from its backup.") from None
    if mode & 0o077:
        raise KeyProblem(f"{path} can be read or written by others (mode {mode & 0o777:o}). Say: chmod 600 '{path}'")
    if key.type != kind:
        wanted = "cosigns as a witness" if kind == COSIGNATURE else "signs a ledger"
        raise KeyProblem(f"{path} holds a key of type {key.type}, not one that {wanted}.")
    return key


def signed_by(key: PublicKey, note: str) -> Checkpoint:
    """Return the ledger's last checkpoint. Raises KeyProblem where it was signed by another key than this one."""
    try:
        return verified_head(note, key).checkpoint
    except NotProven as error:
        raise KeyProblem(
            f"The key {key.name} did not sign the ledger's last checkpoint: {error}. Put back the key that did."
        ) from None
