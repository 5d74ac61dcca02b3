from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.ledger.comity_verify import (
    COSIGNATURE,
    Checkpoint,
    NotProven,
    PublicKey,
    read_checkpoint,
    read_note,
    verified_head,
)
from comity.ledger.notes import SigningKey, checkpoint_text

# The example of c2sp.org/signed-note, with its key.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of golang.org/x/mod/sumdb/note, where the format comes from; Ed25519 signs the same text the same way.
OLD_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
OLD_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
OLD_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
OLD_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LEDGER = SigningKey.make("example.com/ledger")
WITNESS = SigningKey.make("witness.example/one", COSIGNATURE)
CHECKPOINT = Checkpoint("example.com/ledger", 7, bytes(32))
WHEN = datetime(2026, 11, 22, 6, 48, tzinfo=UTC)


def test_the_example_of_the_specification_verifies() -> None:
    example = PublicKey.read(EXAMPLE_KEY)
    assert str(example) == EXAMPLE_KEY
    note = read_note(EXAMPLE.encode())
    assert note.text == "This is an example message.\n"
    assert note.verified([example]) == {example: None}


def test_the_example_does_not_verify_with_another_letter_in_it() -> None:
    with pytest.raises(NotProven, match=r"signature of example\.com/foo .* is wrong"):
        read_note(EXAMPLE.replace("example message", "example massage")).verified([PublicKey.read(EXAMPLE_KEY)])


def test_our_signing_is_that_of_the_format_letter_for_letter() -> None:
    signing = SigningKey.read(OLD_SIGNING_KEY)
    assert str(signing.public) == OLD_KEY
    assert signing.write().strip() == OLD_SIGNING_KEY
    assert signing.sign(OLD_TEXT) == f"{OLD_TEXT}\n{OLD_LINE}"


def test_the_text_ends_at_the_last_empty_line() -> None:
    text = "one\n\ntwo\n"
    assert read_note(LEDGER.sign(text)).text == text


def test_signatures_of_unknown_keys_are_passed_over_and_one_known_must_be_there() -> None:
    other = SigningKey.make(LEDGER.name)  # the same name, another id
    note = LEDGER.sign("text\n") + other.sign("text\n").rpartition("\n\n")[2]
    assert read_note(note).verified([LEDGER.public]) == {LEDGER.public: None}
    with pytest.raises(NotProven, match="not signed by"):
        read_note(LEDGER.sign("text\n")).verified([other.public])


def test_one_wrong_signature_of_a_known_key_spoils_the_note() -> None:
    other = SigningKey.make("example.com/other")
    note = LEDGER.sign("text\n") + other.sign("another\n").rpartition("\n\n")[2]
    with pytest.raises(NotProven, match=r"example\.com/other"):
        read_note(note).verified([LEDGER.public, other.public])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "\n\n— a AAAAAAAA\n",
        EXAMPLE[:-1],
        EXAMPLE.replace("—", "-"),
        EXAMPLE.replace("=\n", "\n"),
        EXAMPLE.replace("M=\n", "N=\n"),  # the same bytes, spelled another way
        EXAMPLE.replace("This", "Th\tis"),
        EXAMPLE.replace("This", "Th\ris"),
        EXAMPLE.replace("— example.com/foo", "—  example.com/foo"),
        EXAMPLE.replace("/foo", "/f+oo"),
        "text\n\n— a AAAA\n",
        "text\n\n" + "— a AAAAAAAA\n" * 101,
        "x" * 1_000_001,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NotProven):
        read_note(note)


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(NotProven, match="UTF-8"):
        read_note(b"text\xff\n\n\xe2\x80\x94 a AAAAAAAA\n")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "example.com/foo",
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("foo", "bar"),
        EXAMPLE_KEY.replace("AekyeR", "BekyeR"),
        EXAMPLE_KEY.replace("AekyeR", "AekyeS"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY.replace("/foo", "/f oo"),
    ],
)
def test_a_key_that_was_not_copied_whole_is_refused(key: str) -> None:
    with pytest.raises(NotProven):
        PublicKey.read(key)


def test_a_signing_key_is_read_as_it_was_written_and_never_shown() -> None:
    assert SigningKey.read(LEDGER.write()).public == LEDGER.public
    assert LEDGER.write().rpartition("+")[2].strip() not in repr(LEDGER)
    for wrong in ("", "no key", LEDGER.write()[:-6], LEDGER.write().replace("example", "elsewhere")):
        with pytest.raises(NotProven):
            SigningKey.read(wrong)


def test_a_key_needs_a_name_that_can_stand_in_a_note() -> None:
    for name in ("", "a b", "a+b", "a\u2003b"):
        with pytest.raises(NotProven):
            SigningKey.make(name)


# ---------------------------------------------------------------- checkpoints


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    assert checkpoint_text(CHECKPOINT) == "example.com/ledger\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    assert read_checkpoint(checkpoint_text(CHECKPOINT)) == CHECKPOINT


def test_extension_lines_are_read_over() -> None:
    assert read_checkpoint(checkpoint_text(CHECKPOINT) + "more\n") == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n7\n",
        "a\n07\n" + "A" * 43 + "=\n",
        "a\n-7\n" + "A" * 43 + "=\n",
        "a\n٧\n" + "A" * 43 + "=\n",
        "a\n7\nAAAA\n",
        "\n7\n" + "A" * 43 + "=\n",
        "a\n7\n" + "A" * 43 + "=\n\n",
        "a\n7\n" + "A" * 43 + "=",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotProven):
        read_checkpoint(text)


def test_a_checkpoint_counts_only_if_the_ledger_itself_signed_it() -> None:
    note = LEDGER.sign(checkpoint_text(CHECKPOINT))
    assert verified_head(note, LEDGER.public).checkpoint == CHECKPOINT
    cosigned = checkpoint_text(CHECKPOINT) + "\n" + WITNESS.cosign(checkpoint_text(CHECKPOINT), WHEN)
    with pytest.raises(NotProven, match="not signed by the ledger"):
        verified_head(cosigned, LEDGER.public, [WITNESS.public])


def test_a_checkpoint_of_another_ledger_is_refused_even_if_signed_with_the_same_key() -> None:
    note = LEDGER.sign(checkpoint_text(Checkpoint("example.com/other", 7, bytes(32))))
    with pytest.raises(NotProven, match=r"a checkpoint of example\.com/other"):
        verified_head(note, LEDGER.public)


# ---------------------------------------------------------------- cosignatures


def test_a_cosignature_says_when_the_witness_saw_the_checkpoint() -> None:
    text = checkpoint_text(CHECKPOINT)
    head = verified_head(LEDGER.sign(text) + WITNESS.cosign(text, WHEN), LEDGER.public, [WITNESS.public])
    assert head.witnesses == {WITNESS.public: WHEN}


def test_a_cosignature_holds_for_its_own_checkpoint_and_time_alone() -> None:
    text, other = checkpoint_text(CHECKPOINT), checkpoint_text(Checkpoint("example.com/ledger", 8, bytes(32)))
    with pytest.raises(NotProven, match=r"witness\.example/one"):
        verified_head(LEDGER.sign(other) + WITNESS.cosign(text, WHEN), LEDGER.public, [WITNESS.public])


def test_a_cosignature_is_signed_as_the_specification_says() -> None:
    line = WITNESS.cosign("text\n", WHEN)
    raw = read_note(f"text\n\n{line}").signatures[0].raw
    assert raw[:8] == int(WHEN.timestamp()).to_bytes(8, "big")
    message = f"cosignature/v1\ntime {int(WHEN.timestamp())}\ntext\n".encode()
    WITNESS.private.public_key().verify(raw[8:], message)


def test_a_key_of_one_type_does_not_do_the_work_of_the_other() -> None:
    with pytest.raises(ValueError, match="cosigns checkpoints"):
        WITNESS.sign("text\n")
    with pytest.raises(ValueError, match="signs notes"):
        LEDGER.cosign("text\n", WHEN)
