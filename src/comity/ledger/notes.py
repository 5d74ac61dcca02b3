"""What signs: checkpoints and cosignatures (c2sp.org: signed-note, tlog-checkpoint, tlog-cosignature).

What verifies them is in `comity_verify`, alone.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.ledger.comity_verify import COSIGNATURE, ED25519, Checkpoint, NotProven, PublicKey

PRIVATE = "PRIVATE+KEY+"


@dataclass(frozen=True)
class SigningKey:
    """A name and an Ed25519 key that signs notes, or cosigns checkpoints where its type is COSIGNATURE."""

    name: str
    type: int
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def make(cls, name: str, kind: int = ED25519) -> SigningKey:
        """Make a new key; refuse a name that could not stand in a note."""
        key = cls(name, kind, Ed25519PrivateKey.generate())
        PublicKey.read(str(key.public))
        return key

    @classmethod
    def read(cls, text: str) -> SigningKey:
        """Read what `write` wrote. Raises NotProven, without showing the key."""
        try:
            name, identity, packed = text.strip().removeprefix(PRIVATE).split("+", 2)
            raw = base64.b64decode(packed, validate=True)
            key = cls(name, raw[0], Ed25519PrivateKey.from_private_bytes(raw[1:]))
        except (ValueError, IndexError):
            raise NotProven("it holds no signing key") from None
        if not text.startswith(PRIVATE) or key.public.id.hex() != identity:
            raise NotProven("it holds no whole signing key: the key's id is not its own")
        return key

    def write(self) -> str:
        """Return the key as one line of text: PRIVATE+KEY+<name>+<key id>+<base64 of type and key>."""
        packed = base64.b64encode(bytes([self.type]) + self.private.private_bytes_raw()).decode()
        return f"{PRIVATE}{self.name}+{self.public.id.hex()}+{packed}\n"

    @property
    def public(self) -> PublicKey:
        """The key that others may know."""
        return PublicKey(self.name, self.type, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return `text` as a signed note."""
        if self.type != ED25519:
            raise ValueError(f"the key {self.name} cosigns checkpoints and signs nothing else")
        return f"{text}\n{self._line(self.private.sign(text.encode()))}"

    def cosign(self, text: str, at: datetime) -> str:
        """Return the line that says: of this ledger I have seen no larger tree than this one, at that time."""
        if self.type != COSIGNATURE:
            raise ValueError(f"the key {self.name} signs notes and cosigns nothing")
        seconds = int(at.timestamp())
        signature = self.private.sign(b"cosignature/v1\ntime %d\n%s" % (seconds, text.encode()))
        return self._line(seconds.to_bytes(8, "big") + signature)

    def _line(self, signature: bytes) -> str:
        return f"— {self.name} {base64.b64encode(self.public.id + signature).decode()}\n"


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Return what of a checkpoint is signed."""
    return f"{checkpoint.origin}\n{checkpoint.size}\n{base64.b64encode(checkpoint.root).decode()}\n"
