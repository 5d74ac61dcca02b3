"""What the vault keeps: epochs, wrapped keys, sealed blobs with their tokens, and the decisions that open them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from comity.refs import new_ref
from comity.vault.sealing import FieldClass
from comity.vault.tokens import INDEXED

CLASSES = [(str(each), str(each)) for each in FieldClass]
LONGEST_KIND = 40
MOST_PERSONS = 1_000
"""Persons whom one decision may name; who decides about more, decides in parts."""
ONESELF = ("view", "legal-duty", "none")
"""Operation, purpose and channel of somebody who looks at what is kept about themself: there are no others."""


class Verdict(models.TextChoices):
    """What a recorded decision came to, over all its persons: the strictest of theirs."""

    PERMIT = "permit"
    DENY = "deny"
    ASK = "ask"


class Epoch(models.Model):
    """A span of time with a key of its own, which lies outside the database. The one with the highest number runs."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    check_value = models.BinaryField(max_length=16)
    begun_at = models.DateTimeField(db_default=Now())
    destroyed_at = models.DateTimeField(null=True)  # since then nobody has the key

    class Meta:
        """In the order in which they began."""

        ordering = ["number"]


class PersonKey(models.Model):
    """A person's key, wrapped by the key of an epoch. Without this row nothing of that person opens any more."""

    person = models.UUIDField(primary_key=True)
    epoch = models.ForeignKey(Epoch, on_delete=models.PROTECT)
    wrapped = models.BinaryField(max_length=60)


class Sealed(models.Model):
    """One blob: the fields of one class in one record of a person, sealed; and the tokens by which it is found.

    INVARIANT: tokens are made in the epoch in which the person's key is wrapped.
    """

    pk = models.CompositePrimaryKey("person", "field_class", "record")
    person = models.UUIDField()
    field_class = models.CharField(max_length=10, choices=CLASSES)
    record = models.UUIDField()
    kind = models.CharField(max_length=LONGEST_KIND)  # of the record
    schema = models.PositiveSmallIntegerField()  # version of the fields inside
    ciphertext = models.BinaryField()
    tokens = ArrayField(models.BigIntegerField(), null=True)  # bigint: an extension hides GIN indexes on integer arrays

    class Meta:
        """How blobs are found, and what may be found at all."""

        indexes = [GinIndex("tokens", name="vault_tokens", condition=Q(tokens__isnull=False))]
        constraints = [
            models.CheckConstraint(
                name="vault_class", condition=Q(field_class__in=[sort.value for sort in FieldClass])
            ),
            models.CheckConstraint(
                name="vault_only_names_and_identifiers_have_tokens",
                condition=Q(tokens__isnull=True) | Q(field_class__in=sorted(map(str, INDEXED))),
            ),
        ]


class RecordedDecision(models.Model):
    """A decision as the vault must know it to open anything: who may see what of whom, for what, until when.

    Counsel writes the row in the transaction that records the decision; nobody changes it afterwards (a trigger
    refuses).

    INVARIANT: it is for one of the staff, or for the visit of somebody who looks at what is kept about themself; and
    a visit views one person, as the law demands, and nothing else.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    staff = models.UUIDField(null=True)  # nobody, where it is a person who looks at their own
    visit = models.UUIDField(null=True)  # of that person to their pages
    operation = models.CharField(max_length=40)
    purpose = models.CharField(max_length=80)
    channel = models.CharField(max_length=40, default="none")
    field_classes = ArrayField(models.CharField(max_length=10, choices=CLASSES))
    verdict = models.CharField(max_length=6, choices=Verdict)
    persons = ArrayField(models.UUIDField())  # about whom was asked
    permitted = ArrayField(models.UUIDField())  # for whom the answer was permit
    day = models.DateField()  # the legal day on which the law was asked
    recorded_at = models.DateTimeField(db_default=Now())
    fresh_until = models.DateTimeField()
    entry = models.ForeignKey("ledger.Entry", on_delete=models.PROTECT, related_name="+")  # which records it

    class Meta:
        """What a decision cannot say."""

        constraints = [
            models.CheckConstraint(
                name="vault_decision_permits_only_whom_it_names", condition=Q(permitted__contained_by=F("persons"))
            ),
            models.CheckConstraint(
                name="vault_decision_permit_means_everybody",
                condition=~Q(verdict=Verdict.PERMIT) | Q(permitted__contains=F("persons")),
            ),
            models.CheckConstraint(
                name="vault_decision_is_for_staff_or_a_visit",
                condition=Q(staff__isnull=False, visit=None) | Q(staff=None, visit__isnull=False),
            ),
            models.CheckConstraint(
                name="vault_decision_of_a_visit_views_oneself",
                condition=Q(visit=None)
                | Q(persons__len=1, operation=ONESELF[0], purpose=ONESELF[1], channel=ONESELF[2]),
            ),
            models.CheckConstraint(name="vault_decision_verdict", condition=Q(verdict__in=Verdict.values)),
            models.CheckConstraint(
                name="vault_decision_size", condition=Q(persons__len__gt=0, persons__len__lte=MOST_PERSONS)
            ),
        ]
