"""The tables of people's own pages: by which way codes go out, the codes, the visits, and what was typed to stop.

No row holds an address: what was typed is sealed under the row's own ref, and goes with its key when it was used or is
over. A code itself stands nowhere (`codes`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from comity.post.models import Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Portal(models.Model):
    """The pages of people of one entity of ours: by which gateway their codes go out, and in whose name."""

    entity = models.OneToOneField(Entity, models.PROTECT, primary_key=True, related_name="+")
    gateway = models.ForeignKey(Gateway, models.PROTECT, related_name="+", verbose_name=_("way out"))
    sender = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.entity_id)


class Code(models.Model):
    """Somebody asked for a code. Whether the address is anybody's is not known here, and not looked up."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    mark = models.BinaryField(max_length=16)  # of the address, as the suppression list knows it
    client = models.BinaryField(max_length=16)  # keyed hash of the network address it was asked from
    language = models.CharField(max_length=20)
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["mark", "-asked_at"], name="rights_code_mark"),
            models.Index(fields=["client", "-asked_at"], name="rights_code_client"),
            models.Index(fields=["entity", "-asked_at"], name="rights_code_entity"),
            models.Index(fields=["ends_at"], name="rights_code_ends"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Visits(models.QuerySet["Visit"]):
    """Visits, in the words of the pages that read them."""

    def going_on(self, at: datetime, *, seen_since: datetime) -> Self:
        """Return the visits that nobody ended, whose time is not over and whose pages were in use since then."""
        return self.filter(ended_at=None, ends_at__gt=at, seen_at__gt=seen_since)


class Visit(models.Model):
    """Somebody who has a mailbox is on their own pages. `persons` are all whom the book knows by its address.

    `shared` says that the address may be that of several: then nothing of any one of them is shown.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    mark = models.BinaryField(max_length=16)
    persons = ArrayField(models.UUIDField(), default=list)
    shared = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects = Visits.as_manager()

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="rights_visit_ends")]
        constraints = [
            models.CheckConstraint(
                condition=Q(persons__len=1) | Q(persons=[]) | Q(shared=True), name="rights_visit_of_several_is_shared"
            )
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Stop(models.Model):
    """Somebody without a code typed an address and what is to stop. A worker looks up whom it means."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    mark = models.BinaryField(max_length=16)
    client = models.BinaryField(max_length=16)
    what = ArrayField(models.CharField(max_length=20))
    requests = ArrayField(models.UUIDField(), default=list)  # what was received for it
    signal = models.BooleanField(default=False)  # the browser sent Global Privacy Control
    language = models.CharField(max_length=20)
    said_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["client", "-said_at"], name="rights_stop_client"),
            models.Index(fields=["entity", "-said_at"], name="rights_stop_entity"),
            models.Index(fields=["said_at"], name="rights_stop_waits", condition=Q(done_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.ref)
