"""A small ledger in the test's database: written, numbered, and tampered with as only the owner of the tables can."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from urllib.parse import quote

from django.db import connection, transaction

from comity.ledger.actions import Draft, record_many
from comity.ledger.comity_verify import Audit, Checkpoint, Tree, leaf_hash
from comity.ledger.connecting import own_connection
from comity.ledger.models import Entry
from comity.ledger.notes import SigningKey, checkpoint_text
from comity.ledger.queries import latest_checkpoint
from comity.ledger.sequencer import Sequencer
from comity.ledger.verifying import verify
from comity.refs import new_ref

SIZES = (3, 256, 300, 600)
"""The checkpoints of `a_ledger`: within a tile, at its end, behind it, and in the third tile."""


def write(many: int) -> list[Draft]:
    """Record so many things in one transaction."""
    drafts = [
        Draft(kind="book.changed", body={"version": n}, staff=new_ref(), persons=[new_ref()]) for n in range(many)
    ]
    with transaction.atomic():
        record_many(drafts=drafts)
    return drafts


def number(key: SigningKey) -> int:
    """Number everything that is pending; return how many it was."""
    with own_connection() as own:
        sequencer, done = Sequencer(own, key), 0
        while not sequencer.claim():  # the one before is just going away
            own.execute("SELECT pg_sleep(0.01)")
        while more := sequencer.number():
            done += more
    return done


def a_ledger(key: SigningKey, sizes: Iterable[int] = SIZES) -> None:
    """Write a ledger with a checkpoint at each of these sizes."""
    size = 0
    for until in sizes:
        write(until - size)
        size += number(key)


def tamper(*statements: str) -> None:
    """Do what the owner of the tables can: switch the triggers off and change what he likes."""
    with own_connection() as own:
        own.execute("SET session_replication_role = replica")
        for statement in statements:
            own.execute(statement)


def sign_anew(key: SigningKey) -> None:
    """Write all tiles and one checkpoint anew over the entries as they are now, as a forger with the key would."""
    tree, tiles = Tree(), dict[tuple[int, int], bytes]()
    with own_connection() as own, closing(own.cursor()) as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_tile")
        cursor.execute("DELETE FROM ledger_checkpoint")
        for (body,) in cursor.execute(
            "SELECT body FROM ledger_entry WHERE leaf_index >= 0 ORDER BY leaf_index"
        ).fetchall():
            tiles |= {(level, index): hashes for level, index, hashes in tree.add(leaf_hash(body))}
        tiles |= {(level, index): hashes for level, index, hashes in tree.partial()}
        cursor.executemany(
            "INSERT INTO ledger_tile (level, index, hashes) VALUES (%s, %s, %s)",
            [(*place, hashes) for place, hashes in tiles.items()],
        )
        note = key.sign(checkpoint_text(Checkpoint(key.name, tree.size, tree.root())))
        cursor.execute("INSERT INTO ledger_checkpoint VALUES (%s, %s, %s, now())", [tree.size, tree.root(), note])


def found(key: SigningKey, *seen: str) -> Audit:
    """Verify the ledger in the database."""
    return verify(key=key.public, seen=seen)


def told(audit: Audit) -> list[str]:
    """Return what an audit says, flaw by flaw."""
    return [str(flaw) for flaw in audit.flaws]


def newest() -> str:
    """Return the newest checkpoint's note."""
    checkpoint = latest_checkpoint()
    assert checkpoint is not None
    return checkpoint.note


def one(statement: str) -> object:
    """Return the one value that a query has."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


def places() -> list[int]:
    """Return the places of all entries, in order; -1 for one that is pending."""
    return sorted(-1 if place is None else place for place in Entry.objects.values_list("leaf_index", flat=True))


def url() -> str:
    """Return the URL of the test's database, for a process of its own."""
    named = connection.settings_dict
    signed_in = f"{quote(str(named['USER']))}:{quote(str(named['PASSWORD']))}"
    return f"postgresql://{signed_in}@/{named['NAME']}?host={quote(str(named['HOST']), safe='')}&port={named['PORT']}"
