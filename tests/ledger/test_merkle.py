from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from pymerkle import verify_consistency as peer_consistency
from pymerkle import verify_inclusion as peer_inclusion

from comity.ledger.comity_verify import NotProven, Tree, leaf_hash, verify_consistency, verify_inclusion
from comity.ledger.merkle import consistency_proof, inclusion_proof

SIZE = 1_200
ROOTS, TILES = {0: sha256().digest()}, dict[tuple[int, int], bytes]()
PEER = InmemoryTree()


def tile(level: int, index: int) -> bytes:
    return TILES[level, index]


def entry(index: int) -> bytes:
    return b"entry %d" % index


@pytest.fixture(scope="module", autouse=True)
def grown() -> None:
    """Grow one tree, remembering its root at every size, and the same tree by pymerkle."""
    tree = Tree()
    for index in range(SIZE):
        TILES.update({(level, at): hashes for level, at, hashes in tree.add(leaf_hash(entry(index)))})
        PEER.append_entry(entry(index))
        ROOTS[index + 1] = tree.root()
    TILES.update({(level, at): hashes for level, at, hashes in tree.partial()})


# ---------------------------------------------------------------- the vectors


def told(value: str | None) -> bytes:
    return base64.b64decode(value or "")


def inclusion(vector: dict[str, Any]) -> None:
    proof = [told(each) for each in vector["proof"] or []]
    leaf, root = told(vector["leafHash"]), told(vector["root"])
    verify_inclusion(leaf=leaf, index=vector["leafIdx"], size=vector["treeSize"], proof=proof, root=root)


def consistency(vector: dict[str, Any]) -> None:
    proof = [told(each) for each in vector["proof"] or []]
    old_root, new_root = told(vector["root1"]), told(vector["root2"])
    verify_consistency(old=vector["size1"], old_root=old_root, new=vector["size2"], new_root=new_root, proof=proof)


@pytest.mark.parametrize(("kind", "verifier", "many"), [("inclusion", inclusion, 98), ("consistency", consistency, 98)])
def test_every_vector_comes_out_as_it_says(
    vectors: Path, kind: str, verifier: Callable[[dict[str, Any]], None], many: int
) -> None:
    wrong, files = [], sorted((vectors / kind).rglob("*.json"))
    for file in files:
        vector = json.loads(file.read_text("utf-8"))
        try:
            verifier(vector)
        except NotProven:
            refused = True
        else:
            refused = False
        if refused != vector["wantErr"]:
            wrong.append(f"{file.relative_to(vectors)}: {vector['desc']}")
    assert wrong == []
    assert len(files) == many


# ---------------------------------------------------------------- our proofs


@given(st.data())
def test_an_entry_is_proven_in_every_tree_that_has_it_and_nowhere_else(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZE))
    index = data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index=index, size=size, tile=tile), ROOTS[size]
    verify_inclusion(leaf=leaf_hash(entry(index)), index=index, size=size, proof=proof, root=root)
    with pytest.raises(NotProven):
        verify_inclusion(leaf=leaf_hash(b"another"), index=index, size=size, proof=proof, root=root)
    if size > 1:
        with pytest.raises(NotProven):
            verify_inclusion(leaf=leaf_hash(entry(index)), index=(index + 1) % size, size=size, proof=proof, root=root)


@given(st.data())
def test_each_tree_is_proven_to_begin_with_each_smaller_one(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, SIZE))
    old = data.draw(st.integers(1, new))
    proof = consistency_proof(old=old, new=new, tile=tile)
    verify_consistency(old=old, old_root=ROOTS[old], new=new, new_root=ROOTS[new], proof=proof)
    with pytest.raises(NotProven):
        verify_consistency(old=old, old_root=ROOTS[old - 1], new=new, new_root=ROOTS[new], proof=proof)


def test_a_proof_that_is_one_hash_longer_or_shorter_is_refused() -> None:
    proof = inclusion_proof(index=700, size=SIZE, tile=tile)
    longer = ([*proof, proof[-1]], [proof[0], *proof])
    for wrong in (proof[:-1], proof[1:], *longer, []):
        with pytest.raises(NotProven, match="too long" if wrong in longer else "too short"):
            verify_inclusion(leaf=leaf_hash(entry(700)), index=700, size=SIZE, proof=wrong, root=ROOTS[SIZE])


def test_nothing_proves_a_tree_consistent_with_the_empty_one() -> None:
    with pytest.raises(NotProven):
        verify_consistency(old=0, old_root=ROOTS[0], new=5, new_root=ROOTS[5], proof=[])
    with pytest.raises(ValueError, match="with one of 0"):
        consistency_proof(old=0, new=5, tile=tile)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 1_000, SIZE])
def test_a_tree_taken_up_from_its_tiles_goes_on_as_if_it_had_never_stopped(size: int) -> None:
    tree = Tree.of(size, tile)
    assert tree.root() == ROOTS[size]
    for index in range(size, min(size + 300, SIZE)):
        tree.add(leaf_hash(entry(index)))
        assert tree.root() == ROOTS[index + 1]


def test_a_tree_is_not_taken_up_from_tiles_that_are_too_short() -> None:
    with pytest.raises(NotProven, match="tile 0/1 holds 3 hashes, and 44 are needed"):
        Tree.of(300, lambda level, index: tile(level, index)[: 32 * 3])


# ---------------------------------------------------------------- a second opinion


def test_pymerkle_computes_the_same_roots() -> None:
    assert [PEER.get_root(size) for size in range(1, SIZE, 37)] == [ROOTS[size] for size in range(1, SIZE, 37)]


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (255, 256), (256, 257), (300, 1_000), (SIZE - 1, SIZE)])
def test_pymerkle_accepts_what_we_accept_of_an_entry(index: int, size: int) -> None:
    theirs = PEER.prove_inclusion(index + 1, size)
    peer_inclusion(leaf_hash(entry(index)), ROOTS[size], theirs)
    ours = inclusion_proof(index=index, size=size, tile=tile)
    path = [bytes.fromhex(each) for each in theirs.serialize()["path"]]
    assert set(ours) == set(path) - {leaf_hash(entry(index))}


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (255, 256), (256, 257), (300, 1_000), (SIZE - 1, SIZE)])
def test_pymerkle_accepts_what_we_accept_of_two_trees(old: int, new: int) -> None:
    peer_consistency(ROOTS[old], ROOTS[new], PEER.prove_consistency(old, new))
    proof = consistency_proof(old=old, new=new, tile=tile)
    verify_consistency(old=old, old_root=ROOTS[old], new=new, new_root=ROOTS[new], proof=proof)
