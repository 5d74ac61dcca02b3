"""What is remembered of questions and answers: decisions, rulings, and the questions that wait for a human."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff

LONGEST_RULE = 120


class AskedDecision(models.Model):
    """A decision that was recorded: the question, and what came out for each person named in the vault's own row.

    `findings` has each distinct finding once (verdict, rules, obligations: nothing about a person), `of` the number of
    the finding of each person, in the order of the vault's `persons`. The facts are sealed under each person's key, or,
    where many were shown together, in the history of their plain facts.
    """

    ref = models.UUIDField(primary_key=True, editable=False)  # that of the vault's RecordedDecision
    question = models.JSONField()
    packs = models.JSONField()
    findings = models.JSONField()
    of = ArrayField(models.PositiveSmallIntegerField())
    salt = models.BinaryField(max_length=16)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.ref)


class Ruling(models.Model):
    """A human settled what the law left open: for this question, for people who live there, until that day.

    It covers the rules it names and no others: an ask for any further reason stays an ask.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    operation = models.CharField(max_length=40)
    purpose = models.CharField(max_length=40)
    channel = models.CharField(max_length=40, default="none")
    recipient = models.CharField(max_length=40, default="none")
    more = models.JSONField(default=dict, blank=True)  # further facts of the question
    places = ArrayField(models.CharField(max_length=8), default=list, blank=True)  # empty: only for `person`
    person = models.UUIDField(null=True)
    settles = ArrayField(models.CharField(max_length=LONGEST_RULE))
    reason = models.TextField(_("reason"))
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    begins_on = models.DateField()
    ends_on = models.DateField()
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gt=F("begins_on")), name="ruling_ends_later"),
            models.CheckConstraint(condition=~Q(settles=[]), name="ruling_settles_something"),
            models.CheckConstraint(condition=Q(person=None) ^ Q(places=[]), name="ruling_of_a_person_or_of_places"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} for {self.purpose} ({self.ref})"


class OpenQuestion(models.Model):
    """Something that the law leaves to a human: one question, for the same reasons, about people of the same places.

    It is here once, however often it is asked (`waiting`). A ruling settles it until that ruling ends or is taken back;
    words close it for good, until somebody opens it again.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    digest = models.CharField(max_length=64, unique=True)  # of question, reasons and places: nothing about a person
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    question = models.JSONField()
    because = ArrayField(models.TextField())
    places = ArrayField(models.CharField(max_length=8))  # empty: nobody knows where these people live
    missing = ArrayField(models.TextField())  # facts that would settle it too
    first_asked_at = models.DateTimeField(db_default=Now())
    last_asked_on = models.DateField()
    assigned_to = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    ruling = models.ForeignKey(Ruling, models.PROTECT, null=True, related_name="settled")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    closing_words = models.TextField(_("reason"), blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None) | ~Q(closing_words=""), name="question_closed_with_words"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.question['operation']} for {self.question['purpose']} ({self.ref})"

    @property
    def state(self) -> str:
        """open, settled or closed."""
        return "closed" if self.closed_at else "settled" if self.ruling_id else "open"


class Concerned(models.Model):
    """A person whom an open question is about."""

    pk = models.CompositePrimaryKey("question", "person")
    question = models.ForeignKey(OpenQuestion, models.CASCADE, related_name="concerned")
    person = models.UUIDField()

    def __str__(self) -> str:
        return str(self.person)
