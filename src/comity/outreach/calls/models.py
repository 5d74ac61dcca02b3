"""The table of calls: that a number was opened to be dialled, on which decision, and what came of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Outcome(models.TextChoices):
    """What came of a call."""

    REACHED = "reached", _("Reached")
    NO_ANSWER = "no-answer", _("No answer")
    WRONG_NUMBER = "wrong-number", _("Wrong number")
    NO_MORE_CALLS = "no-more-calls", _("Wants no more calls")
    CALL_BACK = "call-back", _("Wants to be called back")


class Recording(models.TextChoices):
    """Whether a call was recorded. There is no rule of a law about it in the packs, so everybody is asked."""

    NOT = "not", _("Not recorded")
    AGREED = "agreed", _("Recorded: everybody on the line was asked first, and said yes")
    REFUSED = "refused", _("Not recorded: somebody said no")


class Call(models.Model):
    """One call to one person. It begins when the number is opened; without an outcome nobody said what came of it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.UUIDField()
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    point = models.UUIDField()  # the contact point that was dialled
    purpose = models.CharField(max_length=40)
    decision = models.UUIDField()
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    begun_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=14, choices=Outcome, blank=True, default="")
    recording = models.CharField(max_length=8, choices=Recording, default=Recording.NOT)
    call_back_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["person", "-begun_at"], name="outreach_call_person"),
            models.Index(fields=["staff", "call_back_at"], name="outreach_call_back", condition=Q(outcome="call-back")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", ended_at=None) | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="outreach_call_ended_with_outcome",
            )
        ]

    def __str__(self) -> str:
        return f"{self.outcome or 'begun'} ({self.ref})"
