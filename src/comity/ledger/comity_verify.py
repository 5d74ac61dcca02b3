"""Verify a Comity ledger with nothing of Comity: one bundle, or a whole exported ledger. Copy this file and run it.

python comity_verify.py --bundle FILE --key KEY [--entry FILE] [--witness KEY ...] [--quorum N]
python comity_verify.py --ledger FOLDER --key KEY [--seen FILE ...]
python comity_verify.py --certificate FILE --key KEY [--witness KEY ...] [--quorum N]

A certificate is what Comity claims to have done with one person's data (that it was erased), as JSON with the proof
that the ledger committed to just these claims.

It needs Python 3.11 and the package `cryptography`. Comity itself verifies with this file too, so there is no second
reading of the formats: RFC 6962 and 9162 (tree and proofs) and, of c2sp.org, signed-note, tlog-checkpoint,
tlog-cosignature, tlog-tiles and tlog-proof.

Exit code 0: proven; 1: not proven; 2: the command or a file cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import heapq
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

HASH = 32
"""Bytes of a SHA-256 hash."""
WIDTH = 256
"""Hashes of a full tile."""
LONGEST_PROOF = 63
"""Hashes of a proof in a tree of fewer than 2**63 leaves."""
LONGEST_NOTE = 1_000_000
MOST_SIGNATURES = 100
MOST_FLAWS = 100
"""So many flaws are told one by one; of the others, how many there are."""

ED25519, COSIGNATURE = 0x01, 0x04
"""Types of signatures: over a note, and over a checkpoint with the time at which a witness saw it."""

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


class NotProven(ValueError):
    """What was given does not prove what it claims; the message says why."""


# ---------------------------------------------------------------- the tree: RFC 6962, 2.1


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry. The leading byte keeps leaves and nodes apart."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two nodes into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def root_of(nodes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of nodes, all of the same height."""
    while len(nodes) > 1:
        nodes = [node_hash(nodes[i], nodes[i + 1]) for i in range(0, len(nodes), 2)]
    return nodes[0]


class Tree:
    """A tree that grows: its size, its root, and the tiles that are not full yet.

    `peaks` are the roots of the largest full subtrees, from the left; `rows` holds for each level of tiles the hashes
    of its last, partial tile.
    """

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[bytes] = []
        self.rows: list[bytearray] = []

    @classmethod
    def of(cls, size: int, tile: Callable[[int, int], bytes]) -> Tree:
        """Take up a tree of that size again, from its partial tiles."""
        tree = cls()
        tree.size = size
        for level in range((size.bit_length() + 7) // 8):
            index, width = divmod(size >> 8 * level, WIDTH)
            row = bytearray(tile(level, index)[: HASH * width]) if width else bytearray()
            if len(row) != HASH * width:
                raise NotProven(f"tile {level}/{index} holds {len(row) // HASH} hashes, and {width} are needed")
            tree.rows.append(row)
            tree.peaks[:0] = _peaks(row)
        return tree

    def add(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add the hash of a leaf; return the tiles that became full by it, each with level and index."""
        full: list[tuple[int, int, bytes]] = []
        node, height = leaf, 0
        self._put(0, node, full)
        while self.size >> height & 1:
            node = node_hash(self.peaks.pop(), node)
            height += 1
            if height % 8 == 0:
                self._put(height // 8, node, full)
        self.peaks.append(node)
        self.size += 1
        return full

    def _put(self, level: int, node: bytes, full: list[tuple[int, int, bytes]]) -> None:
        if level == len(self.rows):
            self.rows.append(bytearray())
        row = self.rows[level]
        row += node
        if len(row) == HASH * WIDTH:
            full.append((level, (self.size >> 8 * level) // WIDTH, bytes(row)))
            row.clear()

    def root(self) -> bytes:
        """Return the root: the peaks joined from the right; of the empty tree the hash of nothing."""
        if not self.peaks:
            return sha256().digest()
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def partial(self) -> Iterator[tuple[int, int, bytes]]:
        """Give the tiles that are not full, each with level and index."""
        for level, row in enumerate(self.rows):
            if row:
                yield level, (self.size >> 8 * level) // WIDTH, bytes(row)


def _peaks(row: bytearray) -> list[bytes]:
    """Return the roots of the largest full subtrees over a partial tile's hashes."""
    hashes = [bytes(row[i : i + HASH]) for i in range(0, len(row), HASH)]
    peaks, start = [], 0
    for height in range(7, -1, -1):
        if len(hashes) >> height & 1:
            peaks.append(root_of(hashes[start : start + (1 << height)]))
            start += 1 << height
    return peaks


# ---------------------------------------------------------------- proofs: RFC 9162, 2.1.3.2 and 2.1.4.2


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise NotProven unless `proof` leads from the leaf hash at `index` to the root of the tree of `size` leaves."""
    if not 0 <= index < size:
        raise NotProven(f"a tree of {size} entries has no entry {index}")
    if len(leaf) != HASH:
        raise NotProven(f"the hash of entry {index} has {len(leaf)} bytes, not {HASH}")
    node = leaf
    for left, beside in _climb(index, size - 1, proof):
        node = node_hash(beside, node) if left else node_hash(node, beside)
    if node != root:
        raise NotProven(f"the inclusion proof of entry {index} leads to another root than the checkpoint's")


def verify_consistency(*, old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise NotProven unless the tree of `new` leaves begins with all of the tree of `old` leaves.

    An `old` of 0 is refused: every tree begins with the empty one, so there is nothing to prove and a caller who means
    that must say so itself.
    """
    if not 0 < old <= new:
        raise NotProven(f"nothing can prove a tree of {new} entries consistent with one of {old}")
    if old == new:
        if proof or old_root != new_root:
            raise NotProven(f"two different trees of {old} entries")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise NotProven("the consistency proof is empty")
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    before = after = path[0]
    for left, beside in _climb(position, last, path[1:]):
        before = node_hash(beside, before) if left else before
        after = node_hash(beside, after) if left else node_hash(after, beside)
    if before != old_root or after != new_root:
        raise NotProven(f"the tree of {new} entries does not begin with the tree of {old} entries")


def _climb(position: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bool, bytes]]:
    """Give each hash of a proof, from the leaves up, and whether it stands to the left of the way to the root.

    Raises NotProven where the proof is longer or shorter than that way.
    """
    for beside in proof:
        if last == 0:
            raise NotProven("the proof is too long")
        left = bool(position & 1) or position == last
        while left and position and not position & 1:
            position, last = position >> 1, last >> 1
        yield left, beside
        position, last = position >> 1, last >> 1
    if last:
        raise NotProven("the proof is too short")


# ---------------------------------------------------------------- keys and notes: c2sp.org/signed-note


@dataclass(frozen=True)
class PublicKey:
    """A key one trusts, as <name>+<key id>+<base64 of type and key>."""

    name: str
    type: int
    raw: bytes

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """Read a key; raise NotProven where it is none, or where its id is not its own."""
        match = KEY.fullmatch(text.strip())
        if match is None:
            raise NotProven(f"{text!r} is no verifier key: <name>+<eight hex digits>+<base64>")
        packed = _base64(match[3])
        key = cls(_name(match[1]), packed[0] if packed else 0, packed[1:])
        if key.type not in {ED25519, COSIGNATURE} or len(key.raw) != HASH:
            raise NotProven(f"the key {key.name} is no Ed25519 key for notes (type 1) or cosignatures (type 4)")
        if key.id.hex() != match[2]:
            raise NotProven(f"the key {key.name} has the id {key.id.hex()}, not {match[2]}: it was not copied whole")
        return key

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(b"%s\n%c%s" % (self.name.encode(), self.type, self.raw)).digest()[:4]

    def __str__(self) -> str:
        packed = base64.b64encode(bytes([self.type]) + self.raw).decode()
        return f"{self.name}+{self.id.hex()}+{packed}"

    def verify(self, signature: bytes, text: str) -> datetime | None:
        """Raise NotProven unless this key signed `text`; return the time that a witness put beside it."""
        message, at = text.encode(), None
        if self.type == COSIGNATURE:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message, at = b"cosignature/v1\ntime %d\n%s" % (seconds, message), _instant(seconds)
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise NotProven(f"the signature of {self.name} ({self.id.hex()}) is wrong") from None
        return at


def _instant(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise NotProven(f"a cosignature claims the impossible time {seconds}") from None


def _base64(text: str) -> bytes:
    """Decode base64 as it was encoded: no other letters, no other ending."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if base64.b64encode(decoded).decode() != text:
        raise NotProven(f"{text[:60]!r} is no base64")
    return decoded


def _name(text: str) -> str:
    if not text or "+" in text or any(letter.isspace() for letter in text):
        raise NotProven(f"{text!r} is no name of a key: it may hold neither spaces nor plus signs")
    return text


@dataclass(frozen=True)
class Signature:
    """One line below a note, not verified yet."""

    name: str
    id: bytes
    raw: bytes


@dataclass(frozen=True)
class Note:
    """A text and the signatures below it; nothing of it is to be believed before `verified` has returned."""

    text: str
    signatures: tuple[Signature, ...]

    def verified(self, keys: Iterable[PublicKey]) -> dict[PublicKey, datetime | None]:
        """Return those of the keys that signed, with the times of cosignatures.

        Raises NotProven if a signature of one of the keys is wrong, or if none of them signed. Lines of other keys are
        passed over.
        """
        known = {(key.name, key.id): key for key in keys}
        signed = {
            key: key.verify(line.raw, self.text)
            for line in self.signatures
            if (key := known.get((line.name, line.id))) is not None
        }
        if not signed:
            raise NotProven(f"it is not signed by {' or '.join(sorted({key.name for key in known.values()}))}")
        return signed


def read_note(note: str | bytes) -> Note:
    """Take a signed note apart: the text, the last empty line, the signatures."""
    if len(note) > LONGEST_NOTE:
        raise NotProven(f"the note is longer than {LONGEST_NOTE:,} letters")
    try:
        whole = note.decode() if isinstance(note, bytes) else note
    except UnicodeDecodeError:
        raise NotProven("the note is not UTF-8") from None
    if any(letter < " " and letter != "\n" for letter in whole):
        raise NotProven("the note holds a control character")
    head, found, tail = whole.rpartition("\n\n")
    if not found or not head or not tail.endswith("\n"):
        raise NotProven("the note has no text, an empty line and signatures")
    lines = tail[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise NotProven(f"the note has more than {MOST_SIGNATURES} signatures")
    return Note(head + "\n", tuple(read_signature(line) for line in lines))


def read_signature(line: str) -> Signature:
    """Read one line of those below a note, without its newline."""
    match line.split(" "):
        case ["—", name, encoded]:
            raw = _base64(encoded)
            if len(raw) > 4:  # noqa: PLR2004 - four bytes of key id, then the signature
                return Signature(_name(name), raw[:4], raw[4:])
    raise NotProven(f"{line[:60]!r} is no signature line: an em dash, a name and base64")


# ---------------------------------------------------------------- checkpoints: c2sp.org/tlog-checkpoint


@dataclass(frozen=True)
class Checkpoint:
    """The head of a tree: whose it is, how many entries, their root."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint's note."""
    lines = text.split("\n")
    if lines.pop() or len(lines) < 3 or not all(lines):  # noqa: PLR2004 - origin, size and root
        raise NotProven("a checkpoint is three or more lines: origin, size, root")
    return Checkpoint(lines[0], _number(lines[1]), _hash(lines[2]))


def _number(text: str) -> int:
    if not NUMBER.fullmatch(text):
        raise NotProven(f"{text[:30]!r} is no number of entries")
    return int(text)


def _hash(text: str) -> bytes:
    decoded = _base64(text)
    if len(decoded) != HASH:
        raise NotProven(f"{text[:60]!r} is no hash of {HASH} bytes")
    return decoded


@dataclass(frozen=True)
class Head:
    """A checkpoint whose signatures were verified, and the witnesses who cosigned it."""

    checkpoint: Checkpoint
    witnesses: dict[PublicKey, datetime]
    seen: str = ""  # by whom it was kept, if not by the ledger itself


def verified_head(note: str | bytes, key: PublicKey, witnesses: Iterable[PublicKey] = (), *, seen: str = "") -> Head:
    """Return the checkpoint of a note. Raises NotProven unless the ledger's key signed it, and it is that ledger's."""
    opened = read_note(note)
    signed = opened.verified([key, *witnesses])
    if key not in signed:
        raise NotProven(f"it is not signed by the ledger {key.name}")
    checkpoint = read_checkpoint(opened.text)
    if checkpoint.origin != key.name:
        raise NotProven(f"it is a checkpoint of {checkpoint.origin}, not of {key.name}")
    return Head(checkpoint, {witness: at for witness, at in signed.items() if at is not None}, seen)


# ---------------------------------------------------------------- bundles: c2sp.org/tlog-proof


@dataclass(frozen=True)
class Bundle:
    """One entry's proof. `extra` is bytes that anybody may have put there; Comity puts the entry itself."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None


BUNDLE = "c2sp.org/tlog-proof@v1"


def read_bundle(bundle: str) -> Bundle:
    """Take a .tlog-proof apart; nothing of it is verified yet."""
    head, found, checkpoint = bundle.partition("\n\n")
    first, *lines = head.split("\n")
    if first != BUNDLE or not found:
        raise NotProven(f"no bundle: it must begin with the line {BUNDLE} and end with a checkpoint")
    extra = _base64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise NotProven("the bundle does not say the entry's index")
    index = _number(lines.pop(0).removeprefix("index "))
    if len(lines) > LONGEST_PROOF:
        raise NotProven(f"the bundle's proof is longer than {LONGEST_PROOF} hashes")
    return Bundle(index, tuple(_hash(line) for line in lines), checkpoint, extra)


def verify_bundle(
    bundle: Bundle, *, key: PublicKey, entry: bytes | None = None, witnesses: Sequence[PublicKey] = (), quorum: int = 0
) -> Head:
    """Return the head that covers the entry; raise NotProven if the bundle does not prove that it is in the ledger.

    Without `entry` the one in the bundle's extra line is proven: whoever calls must then read it from there. At least
    `quorum` of the witnesses must have cosigned.
    """
    content = bundle.extra if entry is None else entry
    if content is None:
        raise NotProven("the bundle does not hold the entry: give it")
    head = verified_head(bundle.checkpoint, key, witnesses)
    if len(head.witnesses) < quorum:
        raise NotProven(f"{len(head.witnesses)} of the witnesses cosigned, and {quorum} must have")
    checkpoint = head.checkpoint
    verify_inclusion(
        leaf=leaf_hash(content),
        index=bundle.index,
        size=checkpoint.size,
        proof=bundle.proof,
        root=checkpoint.root,
    )
    return head


# ---------------------------------------------------------------- a whole ledger


class Ledger(Protocol):
    """Where a ledger can be read from: an exported folder, or Comity's database."""

    def checkpoints(self) -> Iterable[str]:
        """Give the signed checkpoints, the smallest first."""

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Give the entries by index, each once."""

    def tile(self, level: int, index: int) -> bytes | None:
        """Return the hashes of a tile, full or partial, or None where there is none."""


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong, and the index of the entry at which it shows, where it shows at one."""

    what: str
    index: int | None = None

    def __str__(self) -> str:
        return self.what if self.index is None else f"entry {self.index}: {self.what}"


@dataclass
class Audit:
    """What came of reading a whole ledger: how far it is proven, and every flaw."""

    size: int = 0
    checkpoints: int = 0
    flaws: list[Flaw] = field(default_factory=list)
    untold: int = 0  # flaws beyond MOST_FLAWS

    def note(self, what: str, index: int | None = None) -> None:
        """Add a flaw."""
        if len(self.flaws) < MOST_FLAWS:
            self.flaws.append(Flaw(what, index))
        else:
            self.untold += 1


def audit(ledger: Ledger, *, key: PublicKey, seen: Sequence[str] = ()) -> Audit:
    """Read the whole ledger once and tell everything that is wrong with it.

    Each entry is compared with its hash in the tiles, each tile with the tiles below it, each checkpoint with the tree
    of its size. `seen` are checkpoints that somebody else kept, such as a witness: only they can show that the ledger
    was rolled back or signed anew.
    """
    return _Auditor(ledger, key, seen).run()


class _Auditor:
    """The state of one audit. The tree is built from the hashes in the tiles, so that one edited entry is one flaw."""

    def __init__(self, ledger: Ledger, key: PublicKey, seen: Sequence[str]) -> None:
        self.ledger, self.key, self.seen = ledger, key, seen
        self.tree, self.audit = Tree(), Audit()
        self.stream = ledger.entries()
        self.next = next(self.stream, None)
        self.claims: bytes = b""
        self.sound = {False: 0, True: 0}  # up to where the ledger's own checkpoints agree, and those kept elsewhere
        self.told = set[bool]()

    def run(self) -> Audit:
        """Read everything once."""
        kept = sorted(self._kept(), key=_size)
        for head in heapq.merge(self._signed(), kept, key=_size):
            self._grow(head.checkpoint.size)
            self._compare(head)
        self._leftovers()
        self.audit.size = self.tree.size
        return self.audit

    def _signed(self) -> Iterator[Head]:
        last = -1
        for number, note in enumerate(self.ledger.checkpoints(), 1):
            self.audit.checkpoints = number
            head = self._verified(note, f"checkpoint {number} of the ledger", seen="")
            if head is not None and head.checkpoint.size <= last:
                self.audit.note(f"checkpoint {number} of the ledger: it covers no more than the one before")
            elif head is not None:
                last = head.checkpoint.size
                yield head

    def _kept(self) -> Iterator[Head]:
        for number, note in enumerate(self.seen, 1):
            head = self._verified(note, whose := f"checkpoint {number} of those kept elsewhere", seen=whose)
            if head is not None:
                yield head

    def _verified(self, note: str, whose: str, seen: str) -> Head | None:
        try:
            return verified_head(note, self.key, seen=seen)
        except NotProven as error:
            self.audit.note(f"{whose}: {error}")
            return None

    def _grow(self, size: int) -> None:
        """Add leaves until the tree has that size, or nothing is left."""
        while self.tree.size < size:
            leaf = self._leaf(self.tree.size)
            if leaf is None:
                return
            for level, index, hashes in self.tree.add(leaf):
                self._same_tile(level, index, hashes)

    def _leaf(self, index: int) -> bytes | None:
        """Return the hash of entry `index` as the tiles claim it, having compared it with the entry itself."""
        found, claimed = self._found(index), self._claimed(index)
        if found is None and claimed is not None:
            self.audit.note("it is missing", index)
        elif found is not None and claimed is None:
            self.audit.note("its hash is missing in the tiles", index)
        elif found != claimed:
            self.audit.note("it is not what was recorded: its hash is not the one in the tiles", index)
        return claimed or found

    def _found(self, index: int) -> bytes | None:
        while self.next is not None and self.next[0] < index:
            self.audit.note("it is there twice", self.next[0])
            self.next = next(self.stream, None)
        if self.next is None or self.next[0] != index:
            return None
        entry, self.next = self.next[1], next(self.stream, None)
        return leaf_hash(entry)

    def _claimed(self, index: int) -> bytes | None:
        tile, place = divmod(index, WIDTH)
        if place == 0:
            self.claims = self.ledger.tile(0, tile) or b""
        claim = self.claims[HASH * place : HASH * (place + 1)]
        return claim if len(claim) == HASH else None

    def _same_tile(self, level: int, index: int, hashes: bytes) -> None:
        stored = self.ledger.tile(level, index) if level else self.claims
        if stored != hashes:
            self.audit.note(f"tile {level}/{index}: it is {'wrong' if stored else 'missing'}")

    def _compare(self, head: Head) -> None:
        """Compare a checkpoint with the tree. Of the ledger's own the first that is wrong, or too large, is told."""
        ends_before = self.tree.size < head.checkpoint.size
        if not ends_before and self.tree.root() == head.checkpoint.root:
            self.sound[bool(head.seen)] = head.checkpoint.size
        elif head.seen or ends_before not in self.told:
            self.told |= set() if head.seen else {ends_before}
            self.audit.note(*self._contradiction(head))

    def _contradiction(self, head: Head) -> tuple[str, int | None]:
        whose, size = head.seen or "the ledger's own checkpoint", head.checkpoint.size
        if self.tree.size < size:
            how = "cut off or rolled back" if head.seen else "cut off"
            return f"the ledger ends before it and was {how}: {whose} is over {size} entries", self.tree.size
        where = f"of the entries {self.sound[bool(head.seen)]} to {size - 1}, or of their hashes,"
        how = " and all was signed anew" if head.seen else ""
        return f"{where} something was changed{how}: {whose}, over {size} entries, has another root", None

    def _leftovers(self) -> None:
        if self.next is not None:
            self.audit.note("it is numbered, and no checkpoint covers it", self.next[0])
        for level, index, hashes in self.tree.partial():
            self._same_tile(level, index, hashes)


def _size(head: Head) -> int:
    return head.checkpoint.size


# ---------------------------------------------------------------- an exported ledger: c2sp.org/tlog-tiles


def tile_path(level: int | str, index: int) -> str:
    """Return where a full tile lies: tile/0/x001/x234/067; `level` is `entries` for the entries themselves."""
    parts = [f"{index % 1000:03}"]
    while index := index // 1000:
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(["tile", str(level), *parts])


class Folder:
    """A ledger that was exported into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoints(self) -> Iterable[str]:
        """Give the one checkpoint of the export."""
        return [(self.folder / "checkpoint").read_text("utf-8")]

    def entries(self) -> Iterator[tuple[int, bytes]]:
        """Give all entries; raise NotProven where a file of entries is broken off."""
        for index in count():
            packed = self._file("entries", index)
            if packed is None:
                return
            yield from enumerate(_unpacked(packed, index), index * WIDTH)

    def tile(self, level: int, index: int) -> bytes | None:
        """Return a tile's hashes."""
        return self._file(level, index)

    def _file(self, level: int | str, index: int) -> bytes | None:
        """Read a full tile, else the widest partial one."""
        path = self.folder / tile_path(level, index)
        if path.is_file():
            return path.read_bytes()
        partial = path.with_name(path.name + ".p")
        widest = next((found for width in range(WIDTH - 1, 0, -1) if (found := partial / str(width)).is_file()), None)
        return widest.read_bytes() if widest else None


def _unpacked(packed: bytes, index: int) -> Iterator[bytes]:
    """Give the entries of a file: each has its length before it, in two bytes, the greater first."""
    place = 0
    while place < len(packed):
        length = int.from_bytes(packed[place : place + 2], "big")
        entry = packed[place + 2 : place + 2 + length]
        if len(entry) != length:
            raise NotProven(f"{tile_path('entries', index)} breaks off")
        yield entry
        place += 2 + length


# ---------------------------------------------------------------- the command


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify what the command line names; print what was found; return the exit code."""
    options = _options(arguments)
    try:
        key = PublicKey.read(options.key)
        tells = {"bundle": _told_of_bundle, "ledger": _told_of_ledger, "certificate": _told_of_certificate}
        lines = next(tell for name, tell in tells.items() if getattr(options, name))(options, key)
    except NotProven as error:
        return _say(1, f"NOT PROVEN: {error}")
    except (OSError, UnicodeDecodeError) as error:
        return _say(2, f"Cannot read: {error}")
    return _say(int(lines[0].startswith("NOT")), *lines)


def script() -> NoReturn:
    """Be the command `comity-verify`."""
    sys.exit(main())


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="comity-verify", description="Verify a Comity ledger, or one entry of it.")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--bundle", type=Path, help="a .tlog-proof file")
    what.add_argument("--certificate", type=Path, help="a certificate of Comity's, such as that of an erasure")
    what.add_argument("--ledger", type=Path, help="a folder with an exported ledger")
    parser.add_argument("--key", required=True, help="the ledger's verifier key, got from elsewhere than the bundle")
    parser.add_argument("--entry", type=Path, help="the entry; without it the one in the bundle is proven and shown")
    parser.add_argument("--witness", action="append", default=[], help="the verifier key of a witness")
    parser.add_argument("--quorum", type=int, help="how many of them must have cosigned; all, if it is not said")
    parser.add_argument("--seen", action="append", default=[], type=Path, help="a checkpoint kept by a witness")
    return parser.parse_args(arguments)


def _told_of_bundle(options: argparse.Namespace, key: PublicKey) -> list[str]:
    bundle = read_bundle(options.bundle.read_bytes().decode())
    entry = options.entry.read_bytes() if options.entry else None
    head = verify_bundle(bundle, key=key, entry=entry, **_cosigned(options))
    lines = [f"PROVEN: entry {bundle.index} of {head.checkpoint.size} in {key.name}", *_seen_by(head)]
    return lines if entry is not None else [*lines, _shown(bundle.extra or b"")]


def _cosigned(options: argparse.Namespace) -> dict[str, Any]:
    """Return which witnesses must have cosigned, and how many of them."""
    witnesses = [PublicKey.read(text) for text in options.witness]
    return {"witnesses": witnesses, "quorum": len(witnesses) if options.quorum is None else options.quorum}


def _seen_by(head: Head) -> list[str]:
    return [f"witness: {witness.name}, {at.isoformat()}" for witness, at in head.witnesses.items()]


# ---------------------------------------------------------------- certificates


ERASED = "retention.erased"
"""The kind of entry that commits to the claims of certificates of erasure."""


def commitment(claims: object) -> str:
    """Return the SHA-256 of claims in their one spelling: JSON in UTF-8, keys sorted, no spaces."""
    spelled = json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + sha256(spelled.encode()).hexdigest()


def verify_certificate(
    text: str, key: PublicKey, witnesses: Sequence[PublicKey] = (), quorum: int = 0
) -> tuple[dict[str, object], Head]:
    """Return what a certificate claims, if the ledger committed to just that. Raises NotProven."""
    claims, proof = _certificate(text)
    bundle = read_bundle(proof)
    head = verify_bundle(bundle, key=key, witnesses=witnesses, quorum=quorum)
    try:
        entry = json.loads(bundle.extra or b"")
        committed = [each["claims"] for each in entry["body"]["erasures"]] if entry["kind"] == ERASED else []
    except (ValueError, KeyError, TypeError):
        raise NotProven("the entry that it names is none of an erasure") from None
    if commitment(claims) not in committed:
        raise NotProven("the ledger committed to other claims than these: they were changed, or are of another erasure")
    return claims, head


def _certificate(text: str) -> tuple[dict[str, object], str]:
    try:
        told = json.loads(text)
        claims, proof = told["claims"], told["proof"]
    except (ValueError, KeyError, TypeError):
        raise NotProven("this is no certificate: JSON with claims and their proof") from None
    if not isinstance(claims, dict) or not isinstance(proof, str):
        raise NotProven("this is no certificate: JSON with claims and their proof")
    return claims, proof


def _told_of_certificate(options: argparse.Namespace, key: PublicKey) -> list[str]:
    claims, head = verify_certificate(options.certificate.read_text("utf-8"), key, **_cosigned(options))
    lines = [f"PROVEN: {key.name}, {head.checkpoint.size} entries long, committed to these claims", *_seen_by(head)]
    return [*lines, *[_shown(f"{name}: {json.dumps(value)}".encode()) for name, value in sorted(claims.items())]]


def _shown(entry: bytes) -> str:
    """Return an entry so that a terminal obeys nothing that stands in it."""
    return "".join(chr(byte) if byte in range(0x20, 0x7F) else f"\\x{byte:02x}" for byte in entry)


def _told_of_ledger(options: argparse.Namespace, key: PublicKey) -> list[str]:
    seen = [path.read_text("utf-8") for path in options.seen]
    return told(audit(Folder(options.ledger), key=key, seen=seen), key=key, kept=len(seen))


def told(found: Audit, *, key: PublicKey, kept: int) -> list[str]:
    """Say what an audit found, in lines; `kept` is how many checkpoints were kept elsewhere."""
    if found.flaws:
        many = len(found.flaws) + found.untold
        more = [f"and {found.untold} more"] if found.untold else []
        return [f"NOT PROVEN: {many} flaw{'s' if many > 1 else ''}", *map(str, found.flaws), *more]
    warning = "none was kept elsewhere, so nobody can tell whether it was rolled back or signed anew"
    elsewhere = f"{kept} kept elsewhere agree" if kept else warning
    return [f"PROVEN: {found.size} entries of {key.name}, as its checkpoints sign them; {elsewhere}"]


def _say(code: int, *lines: str) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    script()
