"""Sealing and opening: what names a person becomes a blob that only that person's key opens, and only where it belongs.

A person has one random key of 256 bits. It seals one blob for each record and field class with AES-256-GCM (NIST SP
800-38D); the label of the blob is associated data, so a blob that was moved to another person, record, class or schema
version does not open. The person's key lies beside the blobs, wrapped by the key of an epoch, which does not.

Keys are wrapped with AES-GCM too, not with AES-KWP (RFC 5649): KWP has no associated data, so a wrapped key could be
moved to another person unseen. Nonces are random; one epoch may wrap 2**32 keys before they come too near each other.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
STEP: Final = 32
"""Blobs are filled up to a multiple of so many bytes, so that their size does not tell the length of a short name."""
WORTH_DEFLATING: Final = 4_096
"""Bytes from which zlib is tried. Below it gains little and costs more than sealing does."""

PLAIN, DEFLATED = b"J", b"Z"

Value = str | int | float | bool | bytes | Sequence["Value"] | Mapping[str, "Value"] | None
Fields = Mapping[str, Value]
"""What one blob holds. Bytes may stand only as the value of a field itself, not deeper."""


class FieldClass(StrEnum):
    """The sorts of sealed fields. A decision permits each sort by itself."""

    NAME = "name"
    CONTACT = "contact"
    ADDRESS = "address"
    IDENTIFIER = "identifier"
    NOTE = "note"
    MESSAGE = "message"
    ATTACHMENT = "attachment"
    SPECIAL = "special"  # GDPR Art. 9 and 10, PIPL Art. 28 and their kin; never indexed


class Label(NamedTuple):
    """What stands on the outside of a blob: whose it is, of which sort, and which record it belongs to.

    A person's own data has the kind "person" and the person's ref as record.
    """

    person: UUID
    field_class: FieldClass
    kind: str
    record: UUID


class BrokenSeal(Exception):
    """A blob or a wrapped key does not open: the key is another one, it was changed, or it was moved."""


class Unsealable(TypeError):
    """Fields hold something that cannot be sealed as it is, so that opening would give something else."""


# ---------------------------------------------------------------- keys


def new_key() -> bytes:
    """Make a key of 256 random bits."""
    return os.urandom(KEY_BYTES)


def wrap(wrapping: AESGCM, person: UUID, key: bytes) -> bytes:
    """Wrap a person's key; 60 bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + wrapping.encrypt(nonce, key, b"comity key\0" + person.bytes)


def unwrap(wrapping: AESGCM, person: UUID, wrapped: bytes) -> bytes:
    """Unwrap a person's key. Raises BrokenSeal."""
    try:
        return wrapping.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], b"comity key\0" + person.bytes)
    except (InvalidTag, ValueError):
        raise BrokenSeal(
            f"the key of person {person} does not unwrap: it belongs to another epoch or person, or it was changed. "
            "Restore the row of vault_personkey from a backup of the same epoch."
        ) from None


# ---------------------------------------------------------------- blobs


def seal_blob(key: AESGCM, label: Label, schema: int, fields: Fields) -> bytes:
    """Seal fields under a person's key: nonce, then ciphertext with its tag. Raises Unsealable."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, pack(fields), _outside(label, schema))


def open_blob(key: AESGCM, label: Label, schema: int, blob: bytes) -> dict[str, Value]:
    """Give back what was sealed. Raises BrokenSeal if key, label, schema or blob is not what it was."""
    try:
        packed = key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _outside(label, schema))
    except (InvalidTag, ValueError):
        raise BrokenSeal(
            f"the {label.field_class} of person {label.person} in {label.kind} {label.record} (schema {schema}) does "
            "not open: another key, another place, or changed bytes. Restore the row of vault_sealed from a backup."
        ) from None
    return unpack(packed)


def _outside(label: Label, schema: int) -> bytes:
    """Write a label so that no two labels are written alike: parts of fixed size first, the free text last."""
    person, field_class, kind, record = label
    return b"comity blob\0%b%b%b%b\0%b" % (
        person.bytes, record.bytes, schema.to_bytes(2, "big"), field_class.encode(), kind.encode(),
    )  # fmt: skip


# ---------------------------------------------------------------- encoding

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # as decode, which looks for space around it


def pack(fields: Fields) -> bytes:
    """Encode fields: one letter for how, the length of the JSON, the JSON with sorted keys, raw bytes, filling.

    Bytes are taken out of the JSON and stand behind it; in it stands their length under "$bytes".
    """
    held, raw = _apart(fields)
    try:
        told = _encode(held).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        raise Unsealable(
            f"these fields cannot be sealed ({error}). A field is text, a number, a truth, null, or a list or mapping "
            "of such; or bytes."
        ) from None
    body = struct.pack(">I", len(told)) + told + raw
    if len(body) >= WORTH_DEFLATING and len(deflated := zlib.compress(body)) < len(body):
        return _filled(DEFLATED + struct.pack(">I", len(deflated)) + deflated)
    return _filled(PLAIN + body)


def unpack(packed: bytes) -> dict[str, Value]:
    """Decode what `pack` wrote."""
    body = packed[1:]
    if packed[:1] == DEFLATED:
        body = zlib.decompress(body[4 : 4 + int.from_bytes(body[:4], "big")])
    end = 4 + int.from_bytes(body[:4], "big")
    held: dict[str, Value] = _decode(body[4:end].decode("utf-8", "surrogatepass"), 0)[0]
    return _together(held, body[end:]) if "$bytes" in held else held


def _filled(packed: bytes) -> bytes:
    return packed + bytes(-len(packed) % STEP)


def _apart(fields: Fields) -> tuple[dict[str, Value], bytes]:
    """Take the bytes out of fields. Raises Unsealable for a key that is no text or that is ours."""
    if "$bytes" in fields:
        raise Unsealable("no field can be named $bytes: under that name stand the lengths of what is raw")
    raw = {key: value for key, value in fields.items() if isinstance(value, bytes)}
    if not raw:
        _check_keys(fields)
        return dict(fields), b""
    held = {key: value for key, value in fields.items() if key not in raw}
    _check_keys(held)
    return held | {"$bytes": {key: len(raw[key]) for key in sorted(raw)}}, b"".join(raw[key] for key in sorted(raw))


def _check_keys(value: object) -> None:
    """Refuse keys that JSON would turn into text in silence: 1 would come back as "1"."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Unsealable(f"{key!r} cannot be a key inside sealed fields; keys are text")
            if not isinstance(inner, str):
                _check_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            if not isinstance(inner, str):
                _check_keys(inner)


def _together(held: dict[str, Value], raw: bytes) -> dict[str, Value]:
    lengths = held.pop("$bytes")
    assert isinstance(lengths, dict)  # noqa: S101 - `pack` wrote it, and the seal proves that
    for key, length in lengths.items():
        held[key], raw = raw[:length], raw[length:]
    return held
