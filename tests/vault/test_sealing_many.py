"""Thousands of people are sealed at once: each under a key and nonces of their own, and as one would be."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.refs import new_ref
from comity.vault.actions import key_for_sealing, seal_many
from comity.vault.models import Epoch, PersonKey, Sealed
from comity.vault.sealing import NONCE_BYTES, BrokenSeal, FieldClass, Label, open_blob, pack

texts = st.text(st.characters(codec=None), max_size=60)  # lone surrogates too


@given(st.dictionaries(texts.filter(lambda key: key != "$bytes"), texts, max_size=6))
def test_texts_alone_are_written_as_any_fields_are(held: dict[str, str]) -> None:
    told = json.dumps(held, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")
    assert pack(held)[: 5 + len(told)] == b"J" + len(told).to_bytes(4, "big") + told


@pytest.mark.django_db
def test_no_key_and_no_nonce_is_drawn_twice(epoch: Epoch) -> None:
    people = [new_ref() for _ in range(20)]
    seal_many(
        blobs=[(Label(one, FieldClass.NOTE, "activity", new_ref()), {"text": "x"}) for one in people for _ in "ab"]
    )
    sealed = [bytes(held) for held in Sealed.objects.values_list("ciphertext", flat=True)]
    wrapped = [bytes(held) for held in PersonKey.objects.filter(epoch=epoch).values_list("wrapped", flat=True)]
    assert (len(sealed), len(wrapped)) == (40, 20)
    assert len({held[:NONCE_BYTES] for held in (*sealed, *wrapped)}) == 60


@pytest.mark.django_db
@pytest.mark.usefixtures("epoch")
def test_each_person_has_another_key_that_opens_their_blobs_alone() -> None:
    one, other = new_ref(), new_ref()
    labels = [Label(person, FieldClass.CONTACT, "point", new_ref()) for person in (one, other)]
    seal_many(blobs=[(label, {"email": "greta@kettle.example"}) for label in labels])
    keys = [key_for_sealing(person)[0] for person in (one, other)]
    blobs = [bytes(Sealed.objects.get(person=label.person).ciphertext) for label in labels]
    assert open_blob(keys[0], labels[0], 1, blobs[0]) == {"email": "greta@kettle.example"}
    with pytest.raises(BrokenSeal):
        open_blob(keys[1], labels[0], 1, blobs[0])


@pytest.mark.django_db
@pytest.mark.usefixtures("epoch")
def test_what_is_sealed_among_many_is_found_by_the_tokens_that_one_alone_would_have() -> None:
    label = Label(person := new_ref(), FieldClass.NAME, "person", person)
    seal_many(blobs=[(label, {"given": "Łucja", "family": "O'Brien-Müller"})])
    tokens = key_for_sealing(person)[1].numbers(FieldClass.NAME, {"given": "Łucja", "family": "O'Brien-Müller"})
    assert sorted(Sealed.objects.get(person=person).tokens or ()) == tokens
