from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.ledger.comity_verify import Checkpoint, NotProven, PublicKey, Tree, leaf_hash, verified_head
from comity.ledger.keys import KeyProblem
from comity.ledger.merkle import consistency_proof
from comity.ledger.notes import SigningKey, checkpoint_text
from comity.ledger.witness import Forked, RolledBack, WitnessRefuses, begin_witness, last_seen, look

WHEN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
KEY = SigningKey.make("example.com/ledger")


class Grown:
    """A ledger of so many entries, in memory."""

    def __init__(self, size: int, first: bytes = b"0", key: SigningKey = KEY) -> None:
        self.tree, self.tiles, self.key = Tree(), dict[tuple[int, int], bytes](), key
        for index in range(size):
            self.tree.add(leaf_hash(first if index == 0 else b"%d" % index))
        self.tiles |= {(level, index): hashes for level, index, hashes in self.tree.partial()}

    def latest(self) -> str:
        return self.key.sign(checkpoint_text(Checkpoint(self.key.name, self.tree.size, self.tree.root())))

    def consistency(self, *, old: int, new: int) -> list[bytes]:
        return consistency_proof(old=old, new=new, tile=lambda level, index: self.tiles[level, index])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    begin_witness(folder=tmp_path / "witness", name="witness.example/one", ledger=KEY.public)
    return tmp_path / "witness"


def seen(folder: Path, source: Grown) -> int:
    return look(folder=folder, source=source, at=WHEN).checkpoint.size


def test_it_cosigns_what_follows_from_what_it_saw(folder: Path) -> None:
    assert [seen(folder, Grown(size)) for size in (1, 1, 2, 7, 200)] == [1, 1, 2, 7, 200]
    assert last_seen(folder) == Grown(200).latest()


def test_others_can_verify_what_it_cosigned(tmp_path: Path) -> None:
    public = begin_witness(folder=tmp_path / "w", name="witness.example/two", ledger=KEY.public)
    cosigned = look(folder=tmp_path / "w", source=Grown(5), at=WHEN)
    head = verified_head(cosigned.note + cosigned.line, KEY.public, [public])
    assert (head.checkpoint.size, head.witnesses) == (5, {public: WHEN})
    assert str(PublicKey.read(str(public))) == str(public)


def test_it_refuses_a_smaller_ledger_and_remembers_the_larger(folder: Path) -> None:
    seen(folder, Grown(7))
    with pytest.raises(RolledBack, match="has 6 entries, and had 7"):
        seen(folder, Grown(6))
    assert last_seen(folder) == Grown(7).latest()


@pytest.mark.parametrize("size", [7, 8, 100])
def test_it_refuses_a_ledger_with_another_past(folder: Path, size: int) -> None:
    seen(folder, Grown(7))
    with pytest.raises(Forked):
        seen(folder, Grown(size, first=b"changed"))
    assert last_seen(folder) == Grown(7).latest()


def test_it_refuses_a_ledger_signed_by_another_key(folder: Path) -> None:
    with pytest.raises(NotProven):
        seen(folder, Grown(7, key=SigningKey.make(KEY.name)))
    assert last_seen(folder) == ""


def test_a_witness_that_forgot_is_none(folder: Path) -> None:
    seen(folder, Grown(7))
    (folder / "checkpoint").unlink()
    with pytest.raises(WitnessRefuses, match="A witness that forgot"):
        seen(folder, Grown(7))


def test_it_does_not_begin_anew_over_what_it_has(folder: Path) -> None:
    seen(folder, Grown(7))
    with pytest.raises(KeyProblem, match="there already"):
        begin_witness(folder=folder, name="witness.example/one", ledger=KEY.public)
    assert last_seen(folder) == Grown(7).latest()


def test_it_remembers_before_it_signs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device", str(path), text[:0])

    monkeypatch.setattr("comity.ledger.witness.keep_file", full)
    with pytest.raises(OSError, match="No space left"):
        seen(folder, Grown(7))
