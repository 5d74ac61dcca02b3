"""What is kept so that messages go in time: what an entity asks of itself, who was reached, how gateways fare.

No domain of anybody's address stands here: where one must be written to more slowly, its keyed hash does.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.law.clocks import WEEK
from comity.law.hours import HOLIDAY, MIDNIGHT
from comity.post.models import Dispatch, Gateway
from comity.refs import new_ref
from comity.staff.models import Entity

LONGEST_WINDOW: int = 100
"""Days for which it is remembered that somebody was reached: longer than any window of the law or of ours."""


def every_day() -> list[str]:
    """Return the days of a week, and holidays."""
    return [*WEEK, HOLIDAY]


class Restraint(models.Model):
    """What an entity asks of itself when it advertises by a channel, or by all: hours, days, how often.

    The law's hours and limits hold beside it; so it can only be stricter.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20, blank=True)  # empty: all channels together
    opens = models.PositiveSmallIntegerField(default=0)  # minutes after midnight, by the person's own clock
    closes = models.PositiveSmallIntegerField(default=MIDNIGHT)
    days = ArrayField(models.CharField(max_length=7), default=every_day)
    most = models.PositiveSmallIntegerField(_("messages at most"), null=True, blank=True)
    in_days = models.PositiveSmallIntegerField(_("in so many days"), default=7)

    class Meta:
        constraints = [
            models.UniqueConstraint("entity", "channel", name="post_one_restraint"),
            models.CheckConstraint(
                name="post_restraint_sound",
                condition=Q(opens__lt=models.F("closes"), closes__lte=MIDNIGHT, in_days__range=(1, LONGEST_WINDOW))
                & (Q(most=None) | Q(most__gte=1)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id} {self.channel or 'all channels'}"


class Reached(models.Model):
    """Somebody was reached, or is about to be: one row for each message to which a limit applies, and for each call.

    INVARIANT: it is committed before the hand-over begins, by whoever has the person's limits for themselves alone. So
    two senders never both take the last place.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)  # of the message, if one was
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField()
    channel = models.CharField(max_length=20)
    purpose = models.CharField(max_length=40)
    at = models.DateTimeField(db_default=Now())
    refused = models.BooleanField(default=False, db_default=False)  # they did not want to talk

    class Meta:
        indexes = [models.Index(fields=["person", "at"], name="post_reached_person")]

    def __str__(self) -> str:
        return f"{self.person} {self.channel} {self.at:%Y-%m-%d}"


class Throttle(models.Model):
    """How many messages a gateway takes. What is not said is not limited."""

    gateway = models.OneToOneField(Gateway, models.CASCADE, primary_key=True, related_name="throttle")
    a_second = models.PositiveIntegerField(_("messages a second"), null=True, blank=True)
    a_minute = models.PositiveIntegerField(_("messages a minute"), null=True, blank=True)
    a_day = models.PositiveIntegerField(_("messages a day"), null=True, blank=True)  # days of UTC
    domain_a_minute = models.PositiveIntegerField(_("messages a minute to one domain"), null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.gateway_id}"


class Bucket(models.Model):
    """From when the next message may go by a gateway, or by it to one domain. All senders share it.

    `key` is the gateway's ref, a keyed hash of gateway and domain, or of that and a dispatch: where its queue ends.
    `spacing` is how many seconds lie between two
    messages to a domain that asked for patience; it shrinks again while nobody complains.
    """

    key = models.UUIDField(primary_key=True)
    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="+")
    free_at = models.DateTimeField()
    spacing = models.FloatField(default=0, db_default=0)
    changed_at = models.DateTimeField(db_default=Now())
    day = models.DateField(null=True)
    used = models.PositiveIntegerField(default=0, db_default=0)  # that day

    def __str__(self) -> str:
        return f"{self.gateway_id} {self.key}"


class InLine(models.Model):
    """A dispatch that asks for turns of its gateway: those that do share them evenly, however long each of them is."""

    dispatch = models.OneToOneField(Dispatch, models.CASCADE, primary_key=True, related_name="+")
    gateway = models.ForeignKey(Gateway, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.gateway_id} {self.dispatch_id}"


class Health(models.Model):
    """How a gateway fares: faults in a row, and until when it rests because of them. A row is there while it is ill."""

    gateway = models.OneToOneField(Gateway, models.CASCADE, primary_key=True, related_name="health")
    faults = models.PositiveIntegerField(default=0)
    rests = models.PositiveSmallIntegerField(default=0)  # how many it took since it last worked
    until = models.DateTimeField(null=True)
    why = models.CharField(max_length=20, blank=True)  # a declared word: of the last fault
    since = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.gateway_id} {self.why}"
