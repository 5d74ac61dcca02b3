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
import zlib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import repeat
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple
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

    __hash__ = str.__hash__  # as the text that it equals, and written in C: labels are looked up by the thousand


class Label(NamedTuple):
    """What stands on the outside of a blob: whose it is, of which sort, and which record it belongs to.

    A person's own data has the kind "person" and the person's ref as record.
    """

    person: UUID
    field_class: FieldClass
    kind: str
    record: UUID


def labels(persons: Iterable[UUID], field_class: FieldClass, kind: str, records: Iterable[UUID]) -> list[Label]:
    """Return the labels of many records of one sort, in half the time it takes to make them one by one."""
    return list(map(Label._make, zip(persons, repeat(field_class), repeat(kind), records, strict=False)))


class BrokenSeal(Exception):
    """A blob or a wrapped key does not open: the key is another one, it was changed, or it was moved."""


class Unsealable(TypeError):
    """Fields hold something that cannot be sealed as it is, so that opening would give something else."""


# ---------------------------------------------------------------- keys


def new_key() -> bytes:
    """Make a key of 256 random bits."""
    return os.urandom(KEY_BYTES)


def wrap(wrapping: AESGCM, person: UUID, key: bytes, *, nonce: bytes = b"") -> bytes:
    """Wrap a person's key; 60 bytes. A nonce that is given was drawn for this alone."""
    nonce = nonce or os.urandom(NONCE_BYTES)
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


def seal_blob(key: AESGCM, label: Label, schema: int, fields: Fields, *, nonce: bytes = b"") -> bytes:
    """Seal fields under a person's key: nonce, then ciphertext with its tag. Raises Unsealable.

    A nonce that is given was drawn for this blob alone.
    """
    nonce = nonce or os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, pack(fields), _outside(label, schema))


def open_blob(key: AESGCM, label: Label, schema: int, blob: bytes) -> dict[str, Value]:
    """Give back what was sealed. Raises BrokenSeal if key, label, schema or blob is not what it was."""
    try:
        packed = key.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], _outside(label, schema))
    except (InvalidTag, ValueError):
        raise broken(label, schema) from None
    (fields,) = unpack([packed])
    return fields


def broken(label: Label, schema: int) -> BrokenSeal:
    """Return what is raised where a blob does not open."""
    return BrokenSeal(
        f"the {label.field_class} of person {label.person} in {label.kind} {label.record} (schema {schema}) does "
        "not open: another key, another place, or changed bytes. Restore the row of vault_sealed from a backup."
    )


def _outside(label: Label, schema: int) -> bytes:
    person, field_class, kind, record = label
    return b"".join((BLOB, person.bytes, record.bytes, sort_of(schema, field_class, kind)))


BLOB: Final = b"comity blob\0"
"""With this, the person and the record begins what a blob is bound to: no two labels are written alike, since parts of
fixed size come first, and last `sort_of` with its free text."""


@lru_cache(maxsize=1_024)
def sort_of(schema: int, field_class: FieldClass, kind: str) -> bytes:
    """Return what a blob is bound to beside its person and record."""
    return b"%b%b\0%b" % (schema.to_bytes(2, "big"), field_class.encode(), kind.encode())


# ---------------------------------------------------------------- encoding

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_decode = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # as decode, which looks for space around it


def pack(fields: Fields) -> bytes:
    """Encode fields: one letter for how, the length of the JSON, the JSON with sorted keys, raw bytes, filling.

    Bytes are taken out of the JSON and stand behind it; in it stands their length under "$bytes".
    """
    if "$bytes" in fields:
        raise Unsealable("no field can be named $bytes: under that name stand the lengths of what is raw")
    if {*map(type, fields), *map(type, fields.values())} == TEXTS_ALONE:
        told, raw = _texts(fields), b""
    else:
        held, raw = _apart(fields)
        told = _json(held)
    body = len(told).to_bytes(4, "big") + told + raw
    if len(body) >= WORTH_DEFLATING and len(deflated := zlib.compress(body)) < len(body):
        return _filled(DEFLATED + len(deflated).to_bytes(4, "big") + deflated)
    return _filled(PLAIN + body)


TEXTS_ALONE: Final = frozenset({str})


def _texts(held: Mapping[str, Any]) -> bytes:
    """Return texts, which are all that names and addresses hold, as `_json` writes them, at a fifth of its time."""
    told = ",".join([f"{encode_basestring(key)}:{encode_basestring(held[key])}" for key in sorted(held)])
    return f"{{{told}}}".encode("utf-8", "surrogatepass")


def _json(held: Fields) -> bytes:
    try:
        return _encode(held).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        raise Unsealable(
            f"these fields cannot be sealed ({error}). A field is text, a number, a truth, null, or a list or mapping "
            "of such; or bytes."
        ) from None


def unpack(packed: Iterable[bytes]) -> list[dict[str, Value]]:
    """Decode what `pack` wrote. All of them are read as one list of JSON, which takes half as long as one by one."""
    bodies = [one if one.startswith(PLAIN) else _inflated(one) for one in packed]
    told = b",".join([body[5 : 5 + int.from_bytes(body[1:5])] for body in bodies])
    held: list[dict[str, Value]] = _decode((b"[%b]" % told).decode("utf-8", "surrogatepass"), 0)[0]
    return [_together(one, body) if "$bytes" in one else one for one, body in zip(held, bodies, strict=True)]


def _inflated(packed: bytes) -> bytes:
    return PLAIN + zlib.decompress(packed[5 : 5 + int.from_bytes(packed[1:5], "big")])


def _filled(packed: bytes) -> bytes:
    return packed + bytes(-len(packed) % STEP)


def _apart(fields: Fields) -> tuple[Fields, bytes]:
    """Take the bytes out of fields. Raises Unsealable for a key that is no text."""
    raw = {key: value for key, value in fields.items() if isinstance(value, bytes)}
    if not raw:
        _check_keys(fields)
        return fields, b""
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


def _together(held: dict[str, Value], body: bytes) -> dict[str, Value]:
    lengths, raw = held.pop("$bytes"), body[5 + int.from_bytes(body[1:5], "big") :]
    assert isinstance(lengths, dict)  # noqa: S101 - `pack` wrote it, and the seal proves that
    for key, length in lengths.items():
        held[key], raw = raw[:length], raw[length:]
    return held
