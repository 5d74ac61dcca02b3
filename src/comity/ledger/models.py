"""The tables: entries, tiles over their hashes, checkpoints that sign them. PostgreSQL refuses to change them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from comity.ledger.bodies import LONGEST_KIND
from comity.refs import new_ref


class Entry(models.Model):
    """One thing that was recorded. Its columns repeat what `body` says, for queries; only `body` is hashed."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    recorded_at = models.DateTimeField()
    kind = models.CharField(max_length=LONGEST_KIND)
    staff = models.UUIDField(
        null=True
    )  # no foreign key: the ledger outlives what it speaks of, and knows no other room
    persons = ArrayField(models.UUIDField(), default=list)
    body = models.BinaryField()
    leaf_index = models.BigIntegerField(null=True)  # the place in the tree; None while it is pending

    class Meta:
        """How entries are found beside their ref: by their place, the pending ones, and all of a person.

        No place is had twice. Only a partial index says so, since a column of a whole unique index is part of a key to
        PostgreSQL: numbering an entry would wait for each transaction that has just written a reference to it.
        """

        constraints = [
            models.UniqueConstraint(
                name="ledger_entry_place", fields=["leaf_index"], condition=Q(leaf_index__isnull=False)
            ),
        ]
        indexes = [
            models.Index(name="ledger_entry_pending", fields=["ref"], condition=Q(leaf_index=None)),
            GinIndex(name="ledger_entry_persons", fields=["persons"]),
        ]


class Tile(models.Model):
    """Up to 256 hashes beside one another at one height of the tree (c2sp.org/tlog-tiles)."""

    pk = models.CompositePrimaryKey("level", "index")
    level = models.SmallIntegerField()
    index = models.BigIntegerField()
    hashes = models.BinaryField()


class Checkpoint(models.Model):
    """The tree of so many entries, signed (c2sp.org/tlog-checkpoint)."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField()
    note = models.TextField()
    signed_at = models.DateTimeField()


class Cosignature(models.Model):
    """A witness's line under a checkpoint (c2sp.org/tlog-cosignature)."""

    pk = models.CompositePrimaryKey("checkpoint", "witness")
    checkpoint = models.ForeignKey(Checkpoint, models.PROTECT, related_name="cosignatures")
    witness = models.TextField()
    line = models.TextField()


class JournalLine(models.Model):
    """One line of the journal, as this database knows it: made by triggers, with what it tells of; see `journal`.

    It gets its place in the journal once, when it was appended there. A row without one waits for that.
    """

    ref = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    said = models.JSONField()  # refs, keyed hashes, days and words of our own
    number = models.BigIntegerField(null=True)
    seal = models.BinaryField(null=True)

    class Meta:
        """How the last of them is found, and those that wait."""

        constraints = [
            models.UniqueConstraint(name="ledger_journal_number", fields=["number"], condition=Q(number__isnull=False)),
            models.CheckConstraint(
                name="ledger_journal_place",
                condition=Q(number=None, seal=None) | Q(number__isnull=False, seal__isnull=False),
            ),
        ]
        indexes = [models.Index(name="ledger_journal_waits", fields=["at"], condition=Q(number=None))]
