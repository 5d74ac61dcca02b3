"""A blob opens under its person's key, in its place, unchanged; and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from comity.refs import new_ref
from comity.vault.sealing import (
    STEP,
    BrokenSeal,
    FieldClass,
    Fields,
    Label,
    Unsealable,
    new_key,
    open_blob,
    pack,
    seal_blob,
    unpack,
    unwrap,
    wrap,
)

KEY = AESGCM(new_key())
GRETA = Label(UUID(int=1), FieldClass.NAME, "person", UUID(int=1))

texts = st.text(st.characters(codec=None), max_size=60)  # lone surrogates too
simple = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(simple, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4))
fields = st.dictionaries(texts.filter(lambda key: key != "$bytes"), values | st.binary(max_size=300), max_size=6)


@given(fields)
def test_what_is_sealed_is_what_is_opened(held: Fields) -> None:
    assert open_blob(KEY, GRETA, 1, seal_blob(KEY, GRETA, 1, held)) == held


def test_naughty_strings_survive(naughty: list[str]) -> None:
    for text in naughty:
        held: Fields = {"given": text, "also": [text, {"deep": text}], text or "empty": 1}
        assert open_blob(KEY, GRETA, 1, seal_blob(KEY, GRETA, 1, held)) == held


def test_long_fields_and_attachments_survive() -> None:
    held: Fields = {"text": "Kettle. " * 5_000, "page": bytes(range(256)) * 4_000, "cover": b""}
    assert open_blob(KEY, GRETA, 1, blob := seal_blob(KEY, GRETA, 1, held)) == held
    assert len(blob) < 100_000  # it was deflated


@pytest.mark.parametrize(
    "elsewhere",
    [
        GRETA._replace(person=UUID(int=2)),
        GRETA._replace(record=UUID(int=2)),
        GRETA._replace(field_class=FieldClass.NOTE),
        GRETA._replace(kind="message"),
        GRETA._replace(kind="persons"),
        Label(GRETA.record, GRETA.field_class, GRETA.kind, new_ref()),
    ],
)
def test_a_moved_blob_does_not_open(elsewhere: Label) -> None:
    blob = seal_blob(KEY, GRETA, 1, {"given": "Greta"})
    with pytest.raises(BrokenSeal, match="does not open"):
        open_blob(KEY, elsewhere, 1, blob)


def test_a_blob_of_another_schema_version_does_not_open() -> None:
    with pytest.raises(BrokenSeal, match="schema 2"):
        open_blob(KEY, GRETA, 2, seal_blob(KEY, GRETA, 1, {"given": "Greta"}))


def test_another_persons_key_does_not_open_it() -> None:
    with pytest.raises(BrokenSeal):
        open_blob(AESGCM(new_key()), GRETA, 1, seal_blob(KEY, GRETA, 1, {"given": "Greta"}))


def test_any_changed_byte_and_any_cut_is_noticed() -> None:
    blob = seal_blob(KEY, GRETA, 1, {"given": "Greta"})
    changed = [blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :] for place in range(len(blob))]
    for wrong in [*changed, *(blob[:end] for end in range(len(blob))), blob + b"\0"]:
        with pytest.raises(BrokenSeal):
            open_blob(KEY, GRETA, 1, wrong)


def test_the_same_fields_are_never_sealed_alike() -> None:
    assert len({seal_blob(KEY, GRETA, 1, {"given": "Greta"}) for _ in range(100)}) == 100


def test_short_names_have_blobs_of_one_size() -> None:
    assert len({len(seal_blob(KEY, GRETA, 1, {"given": name})) for name in ("Li", "Jo", "Ana", "Greta", "Hannah")}) == 1
    assert len(pack({"given": "Greta"})) % STEP == 0


def test_the_order_of_fields_does_not_matter() -> None:
    assert pack({"a": "1", "b": "2"}) == pack({"b": "2", "a": "1"})


@pytest.mark.parametrize(
    "held",
    [
        {"age": float("nan")},
        {"x": {1: "one"}},
        {"x": [{2: "two"}]},
        {"$bytes": 1},
        {"x": {"a": b""}},
        {"x": {1, 2}},
    ],
)
def test_what_would_come_back_changed_is_refused(held: Fields) -> None:
    with pytest.raises(Unsealable):
        pack(held)


def test_unpacking_undoes_packing() -> None:
    held: list[Fields] = [
        {"a": b"\0\1", "b": "c"},
        {},
        {"long": "x" * 10_000, "raw": b"]"},
        {"given": '"},{"', "n": [1]},
    ]
    assert unpack(map(pack, held)) == held


def refused(opening: Callable[[], object]) -> bool:
    try:
        opening()
    except BrokenSeal:
        return True
    return False


def test_a_wrapped_key_unwraps_for_its_person_and_epoch_alone() -> None:
    epoch, other, key = AESGCM(new_key()), AESGCM(new_key()), new_key()
    wrapped = wrap(epoch, UUID(int=1), key)
    assert unwrap(epoch, UUID(int=1), wrapped) == key
    assert len(wrapped) == 60
    assert refused(lambda: unwrap(epoch, UUID(int=2), wrapped))
    assert refused(lambda: unwrap(other, UUID(int=1), wrapped))
    assert refused(lambda: unwrap(epoch, UUID(int=1), wrapped[:-1]))
    assert refused(lambda: unwrap(epoch, UUID(int=1), b""))
