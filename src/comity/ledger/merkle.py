"""Proofs made from tiles: an entry is in the tree, one tree begins with another (RFC 9162, 2.1.3 and 2.1.4).

What verifies them is in `comity_verify`, alone.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.ledger.comity_verify import HASH, WIDTH, node_hash, root_of

Tiles = Callable[[int, int], bytes]
"""Gives the hashes of a tile, by level and index."""


def inclusion_proof(*, index: int, size: int, tile: Tiles) -> list[bytes]:
    """Return the hashes beside the way from entry `index` up to the root of the tree of `size` entries."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} entries has no entry {index}")
    proof, start, end = [], 0, size
    while end - start > 1:
        middle = start + _half(end - start)
        if index < middle:
            proof.append(_span(middle, end, tile))
            end = middle
        else:
            proof.append(_span(start, middle, tile))
            start = middle
    return proof[::-1]


def consistency_proof(*, old: int, new: int, tile: Tiles) -> list[bytes]:
    """Return what shows that the tree of `new` entries begins with the tree of `old`: from 1 up to as many as `new`."""
    if not 0 < old <= new:
        raise ValueError(f"nothing can prove a tree of {new} entries consistent with one of {old}")
    proof, start, end = [], 0, new
    while end != old:
        middle = start + _half(end - start)
        if old <= middle:
            proof.append(_span(middle, end, tile))
            end = middle
        else:
            proof.append(_span(start, middle, tile))
            start = middle
    known = start == 0  # the old tree is itself a node of the new one: whoever asks has its root
    return proof[::-1] if known else [_span(start, end, tile), *proof[::-1]]


def _half(width: int) -> int:
    """Return the largest power of two below `width`."""
    return 1 << (width - 1).bit_length() - 1


def _span(start: int, end: int, tile: Tiles) -> bytes:
    """Return the root over the entries from `start` to before `end`, as the tree splits them."""
    parts = []
    while start < end:
        height = (end - start).bit_length() - 1
        parts.append(_node(height, start >> height, tile))
        start += 1 << height
    root = parts.pop()
    while parts:
        root = node_hash(parts.pop(), root)
    return root


def _node(height: int, position: int, tile: Tiles) -> bytes:
    """Return the node over 2**height leaves, `position` such nodes from the left."""
    level, more = divmod(height, 8)
    index, place = divmod(position << more, WIDTH)
    hashes = tile(level, index)[HASH * place : HASH * (place + (1 << more))]
    if len(hashes) != HASH << more:
        raise ValueError(f"tile {level}/{index} is too short for the tree: verify the ledger")
    return root_of([hashes[i : i + HASH] for i in range(0, len(hashes), HASH)])
