"""The tables: tokens of programs, how quickly each may ask, answers kept for replay, webhooks and their deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff

LONGEST: Final = timedelta(days=366)
"""For how long a token lasts at most: a year, be it a leap year."""


class Tokens(models.QuerySet["Token"]):
    """Tokens in the words of those who ask for them."""

    def standing(self, at: datetime) -> Self:
        """Those that open something at that moment, if their staff member still may."""
        return self.filter(digest__isnull=False, revoked_at=None, expires_at__gt=at)


class Token(models.Model):
    """Leave for a program: in whose name, for which entity, purposes and words, and until when.

    INVARIANT: a program never may more than the member of the staff who answers for it may at that moment. Whoever
    makes a token in somebody else's name does not get to see it: that person takes it, and answers for it from then on.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    name = models.CharField(_("name"), max_length=100)
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="api_tokens")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    purposes = ArrayField(models.CharField(max_length=40))
    words = ArrayField(models.CharField(max_length=60))
    digest = models.BinaryField(max_length=32, null=True, unique=True)  # SHA-256; none until it was taken
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    taken_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    last_used_on = models.DateField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    objects = Tokens.as_manager()

    class Meta:
        ordering = ["-made_at", "-ref"]
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at"), expires_at__lte=F("made_at") + LONGEST),
                name="api_token_ends_within_a_year",
            ),
            models.CheckConstraint(
                condition=Q(digest=None, taken_at=None) | Q(digest__isnull=False, taken_at__isnull=False),
                name="api_token_was_taken",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Pace(models.Model):
    """How quickly a token has asked of late: the moment at which it may ask as much again as if it never had."""

    token = models.OneToOneField(Token, models.CASCADE, primary_key=True, related_name="+")
    rested_at = models.DateTimeField()


class Reply(models.Model):
    """The answer to a request with an Idempotency-Key, locked with the token that asked: a dump says nothing."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    token = models.ForeignKey(Token, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    asked = models.BinaryField(max_length=32)  # HMAC of method, path and body
    answer = models.BinaryField()
    answered_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint("token", "key", name="api_reply_once_a_key")]
        indexes = [models.Index(fields=["answered_at"], name="api_reply_age")]


class Webhook(models.Model):
    """An address of somebody's program that is told of what happens. Its secret is derived, and stands nowhere."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    name = models.CharField(_("name"), max_length=100)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    address = models.CharField(_("address"), max_length=500)
    kinds = ArrayField(models.CharField(max_length=60))  # kinds of ledger entries
    version = models.PositiveSmallIntegerField(default=1)  # of the secret
    version_at = models.DateTimeField(db_default=Now())
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    given_up = models.PositiveSmallIntegerField(default=0)  # deliveries in a row
    off_at = models.DateTimeField(null=True)
    off_because = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["name", "ref"]

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One thing to be told to one webhook. Rows come in by a trigger, in the transaction of the ledger entry."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    entry = models.UUIDField()
    kind = models.CharField(max_length=60)
    made_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    answer = models.PositiveSmallIntegerField(null=True)  # the HTTP status code that came back
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-made_at", "-ref"]
        indexes = [
            models.Index(fields=["due_at"], name="api_delivery_due", condition=Q(told_at=None, given_up_at=None)),
            models.Index(fields=["webhook", "-made_at"], name="api_delivery_webhook"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.ref})"
