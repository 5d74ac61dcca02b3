"""Whoever owns the tables can change anything in them. Each way of it, and who finds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.ledger.actions import keep_cosignature, witness_here
from comity.ledger.comity_verify import COSIGNATURE, NotProven, verified_head
from comity.ledger.models import Cosignature
from comity.ledger.notes import SigningKey
from comity.ledger.queries import Here, latest_checkpoint, signed_note
from comity.ledger.witness import Forked, RolledBack, WitnessRefuses, begin_witness, look
from tests.ledger.book import a_ledger, found, newest, number, sign_anew, tamper, told, write

pytestmark = pytest.mark.django_db(transaction=True)

WHEN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
NOT_RECORDED = "it is not what was recorded: its hash is not the one in the tiles"
OTHER_ROOT = "something was changed: the ledger's own checkpoint, over {}, has another root"

ROLLED_BACK = (
    "entry 300: the ledger ends before it and was cut off or rolled back: "
    "checkpoint 1 of those kept elsewhere is over 600 entries"
)
SIGNED_ANEW = (
    "of the entries 0 to 599, or of their hashes, something was changed and all was signed anew: "
    "checkpoint 1 of those kept elsewhere, over 600 entries, has another root"
)


@pytest.fixture
def ledger(key: SigningKey) -> SigningKey:
    """Give the key of a ledger with 600 entries and four checkpoints."""
    a_ledger(key)
    return key


@pytest.fixture
def witness(ledger: SigningKey, tmp_path: Path) -> Path:
    """Give the folder of a witness that has seen the ledger."""
    begin_witness(folder=tmp_path / "witness", name="witness.example/one", ledger=ledger.public)
    look(folder=tmp_path / "witness", source=Here(), at=WHEN)
    return tmp_path / "witness"


def test_a_ledger_that_nobody_touched_has_no_flaw(ledger: SigningKey, witness: Path) -> None:
    audit = found(ledger, newest())
    assert (told(audit), audit.size, audit.checkpoints) == ([], 600, 4)
    look(folder=witness, source=Here(), at=WHEN)


# ---------------------------------------------------------------- what the verifier finds alone


def test_an_edited_entry_is_found_by_its_index(ledger: SigningKey) -> None:
    tamper("UPDATE ledger_entry SET body = replace(convert_from(body, 'UTF8'), 'version', 'edition')::bytea "
           "WHERE leaf_index = 300")  # fmt: skip
    assert told(found(ledger)) == [f"entry 300: {NOT_RECORDED}"]


@pytest.mark.parametrize(
    "column",
    [
        "kind = 'book.other'",
        "staff = NULL",
        "persons = '{}'",
        "recorded_at = recorded_at + interval '1 microsecond'",
        "ref = gen_random_uuid()",
    ],
)
def test_an_edited_column_is_found_though_only_the_body_is_hashed(ledger: SigningKey, column: str) -> None:
    tamper(f"UPDATE ledger_entry SET {column} WHERE leaf_index = 300")
    assert told(found(ledger)) == ["entry 300: its columns are not what its body says"]


def test_an_entry_edited_together_with_its_hash_is_found_between_two_checkpoints(ledger: SigningKey) -> None:
    tamper(
        "UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 299",
        "UPDATE ledger_tile SET hashes = overlay(hashes PLACING sha256('\\x00'::bytea || 'x') FROM 1 + 32 * 43) "
        "WHERE level = 0 AND index = 1",
    )
    assert told(found(ledger)) == [
        "of the entries 256 to 299, or of their hashes, " + OTHER_ROOT.format("300 entries"),
        "tile 1/0: it is wrong",
        "entry 299: its columns are not what its body says",
    ]


def test_an_entry_edited_together_with_all_hashes_is_found_by_the_checkpoints(ledger: SigningKey) -> None:
    tamper("CREATE TABLE kept AS TABLE ledger_checkpoint", "UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 299")
    sign_anew(ledger)
    tamper("DELETE FROM ledger_checkpoint", "INSERT INTO ledger_checkpoint TABLE kept", "DROP TABLE kept")
    assert told(found(ledger))[0] == "of the entries 256 to 299, or of their hashes, " + OTHER_ROOT.format(
        "300 entries"
    )


def test_a_deleted_entry_is_found_by_its_index(ledger: SigningKey) -> None:
    tamper("DELETE FROM ledger_entry WHERE leaf_index IN (5, 256)")
    assert told(found(ledger)) == ["entry 5: it is missing", "entry 256: it is missing"]


def test_an_inserted_entry_is_found_where_it_was_put_in(ledger: SigningKey) -> None:
    tamper(
        "UPDATE ledger_entry SET leaf_index = leaf_index + 10001 WHERE leaf_index >= 590",
        "INSERT INTO ledger_entry SELECT gen_random_uuid(), recorded_at, kind, staff, persons, body, 590 "
        "FROM ledger_entry WHERE leaf_index = 3",
        "UPDATE ledger_entry SET leaf_index = leaf_index - 10000 WHERE leaf_index > 10000",
    )
    said = told(found(ledger))
    assert said[:10] == [f"entry {index}: {NOT_RECORDED}" for index in range(590, 600)]
    assert said[10] == "entry 600: it is numbered, and no checkpoint covers it"


def test_an_entry_added_at_the_end_is_found(ledger: SigningKey) -> None:
    write(1)
    tamper("UPDATE ledger_entry SET leaf_index = 600 WHERE leaf_index IS NULL")
    assert told(found(ledger)) == ["entry 600: it is numbered, and no checkpoint covers it"]


def test_entries_in_another_order_are_found(ledger: SigningKey) -> None:
    tamper(
        "UPDATE ledger_entry SET leaf_index = 10000 WHERE leaf_index = 20",
        "UPDATE ledger_entry SET leaf_index = 20 WHERE leaf_index = 400",
        "UPDATE ledger_entry SET leaf_index = 400 WHERE leaf_index = 10000",
    )
    assert told(found(ledger)) == [f"entry 20: {NOT_RECORDED}", f"entry 400: {NOT_RECORDED}"]


def test_an_entry_that_lost_its_number_is_found(ledger: SigningKey) -> None:
    tamper("UPDATE ledger_entry SET leaf_index = NULL WHERE leaf_index = 599")
    assert told(found(ledger)) == ["entry 599: it is missing"]


def test_entries_cut_off_at_the_end_are_found(ledger: SigningKey) -> None:
    tamper("DELETE FROM ledger_entry WHERE leaf_index >= 598")
    assert told(found(ledger)) == ["entry 598: it is missing", "entry 599: it is missing"]


def test_entries_cut_off_with_their_hashes_are_found(ledger: SigningKey) -> None:
    tamper(
        "DELETE FROM ledger_entry WHERE leaf_index >= 300",
        "DELETE FROM ledger_tile WHERE level = 0 AND index = 2",
        "UPDATE ledger_tile SET hashes = substr(hashes, 1, 32 * 44) WHERE level = 0 AND index = 1",
        "UPDATE ledger_tile SET hashes = substr(hashes, 1, 32) WHERE level = 1",
    )
    assert told(found(ledger)) == [
        "entry 300: the ledger ends before it and was cut off: the ledger's own checkpoint is over 600 entries"
    ]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE ledger_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 33) WHERE level = 1",
            "tile 1/0: it is wrong",
        ),
        ("DELETE FROM ledger_tile WHERE level = 1", "tile 1/0: it is missing"),
        ("DELETE FROM ledger_tile WHERE level = 0 AND index = 2", "entry 512: its hash is missing in the tiles"),
        ("UPDATE ledger_tile SET hashes = hashes || sha256('x') WHERE index = 2", "tile 0/2: it is wrong"),
        ("INSERT INTO ledger_tile VALUES (0, 3, sha256('x'))", "tile 0/3: it is more than the tree has"),
        ("INSERT INTO ledger_tile VALUES (2, 0, sha256('x'))", "tile 2/0: it is more than the tree has"),
        (
            "UPDATE ledger_checkpoint SET root = sha256('x') WHERE size = 256",
            "checkpoint 256: its columns are not what it signs",
        ),
        (
            "UPDATE ledger_checkpoint SET size = 700 WHERE size = 600",
            "checkpoint 700: its columns are not what it signs",
        ),
    ],
)
def test_tiles_and_checkpoints_that_were_changed_are_found(ledger: SigningKey, statement: str, said: str) -> None:
    tamper(statement)
    assert said in told(found(ledger))


def test_a_changed_hash_of_an_entry_that_is_whole_is_found(ledger: SigningKey) -> None:
    tamper("UPDATE ledger_tile SET hashes = overlay(hashes PLACING sha256('x') FROM 225) WHERE level = 0 AND index = 0")
    assert told(found(ledger))[:2] == [
        f"entry 7: {NOT_RECORDED}",
        "of the entries 3 to 255, or of their hashes, " + OTHER_ROOT.format("256 entries"),
    ]


def test_a_ledger_without_checkpoints_proves_nothing(ledger: SigningKey) -> None:
    tamper("DELETE FROM ledger_checkpoint")
    assert "entry 0: it is numbered, and no checkpoint covers it" in told(found(ledger))


def test_a_ledger_signed_anew_by_somebody_else_is_found(ledger: SigningKey) -> None:
    tamper("UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 5")
    sign_anew(SigningKey.make(ledger.name))
    assert "checkpoint 1 of the ledger: it is not signed by example.com/ledger" in told(found(ledger))


# ---------------------------------------------------------------- what only somebody can find who remembers


def roll_back(key: SigningKey) -> None:
    """Make the ledger what it was at 300 entries, without a trace."""
    tamper("DELETE FROM ledger_entry WHERE leaf_index >= 300")
    tamper("CREATE TABLE kept AS SELECT * FROM ledger_checkpoint WHERE size <= 300")
    sign_anew(key)
    tamper("DELETE FROM ledger_checkpoint", "INSERT INTO ledger_checkpoint TABLE kept", "DROP TABLE kept")


def write_anew(key: SigningKey) -> None:
    """Change an entry and sign everything anew with the ledger's own key, without a trace."""
    tamper(
        "UPDATE ledger_entry SET body = replace(convert_from(body, 'UTF8'), 'book.changed', 'book.erased')::bytea, "
        "kind = 'book.erased' WHERE leaf_index = 299"
    )
    sign_anew(key)


def test_a_ledger_that_was_rolled_back_looks_whole_and_the_witness_finds_it(ledger: SigningKey, witness: Path) -> None:
    seen = newest()
    roll_back(ledger)
    assert told(found(ledger)) == []
    assert told(found(ledger, seen)) == [ROLLED_BACK]
    with pytest.raises(RolledBack, match="has 300 entries, and had 600"):
        look(folder=witness, source=Here(), at=WHEN)


def test_a_ledger_signed_anew_looks_whole_and_the_witness_finds_it(ledger: SigningKey, witness: Path) -> None:
    seen = newest()
    write_anew(ledger)
    assert told(found(ledger)) == []
    assert told(found(ledger, seen)) == [SIGNED_ANEW]
    with pytest.raises(Forked, match="two different trees of 600 entries"):
        look(folder=witness, source=Here(), at=WHEN)


def test_a_ledger_signed_anew_and_longer_is_found_too(ledger: SigningKey, witness: Path) -> None:
    write_anew(ledger)
    write(100)
    number(ledger)
    assert told(found(ledger)) == []
    with pytest.raises(Forked, match="the tree of 700 entries does not begin with the tree of 600 entries"):
        look(folder=witness, source=Here(), at=WHEN)


def test_a_ledger_rolled_back_and_written_on_is_found_too(ledger: SigningKey, witness: Path) -> None:
    roll_back(ledger)
    write(500)
    number(ledger)
    assert told(found(ledger)) == []
    with pytest.raises(Forked):
        look(folder=witness, source=Here(), at=WHEN)


def test_a_ledger_that_cannot_answer_the_witness_is_refused(ledger: SigningKey, witness: Path) -> None:
    write(1)
    number(ledger)
    tamper("DELETE FROM ledger_tile WHERE level = 0")
    with pytest.raises(WitnessRefuses, match="no proof"):
        look(folder=witness, source=Here(), at=WHEN)


def test_a_witness_follows_the_ledger_and_its_lines_stay_with_the_checkpoints(
    ledger: SigningKey, witness: Path
) -> None:
    for more in (1, 255, 300):
        write(more)
        number(ledger)
        seen = witness_here(folder=witness, at=WHEN)
    assert seen.checkpoint.size == 1_156
    newest = latest_checkpoint()
    assert newest is not None
    assert verified_head(signed_note(newest), ledger.public, [seen.witness]).witnesses == {seen.witness: WHEN}


def test_a_line_that_the_witness_did_not_sign_is_not_kept(ledger: SigningKey, witness: Path) -> None:
    seen = look(folder=witness, source=Here(), at=WHEN)
    other = SigningKey.make(seen.witness.name, COSIGNATURE)
    with pytest.raises(NotProven):
        keep_cosignature(seen=replace(seen, witness=other.public))
    assert not Cosignature.objects.exists()
    assert ledger.name
