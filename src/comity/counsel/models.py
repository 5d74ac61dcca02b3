"""What is remembered of questions and answers: decisions, rulings, what waits for a human, and what we owe by when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Now
from django.utils.translation import gettext_lazy as _

from comity.ledger.models import Entry
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
    entity = models.GeneratedField(  # that of the question, so that the second wall can see it
        expression=Cast(KT("question__entity"), models.UUIDField()), output_field=models.UUIDField(), db_persist=True
    )
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
    person = models.UUIDField(db_index=True)

    def __str__(self) -> str:
        return str(self.person)


# ---------------------------------------------------------------- duties

TO_PEOPLE = ("person", "guardian", "relatives")
"""Receivers to whom a duty is owed because of who they are; all other receivers are owed it for how we work."""


class DutyEvent(models.Model):
    """Something happened, and the law was asked what it makes us owe, to whom, and by when.

    `facts` are facts of the vocabulary as they were then, ours among them; nothing in them names anybody. `homes`
    counts the people by where they may live ("DE", "CH|IT", "" for not known). `named` has their refs if they are few.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    about = models.UUIDField()  # an import, a request, a breach, a person: whoever noted it knows
    kind = models.CharField(max_length=40)
    on = models.DateField()
    law_of = models.DateField()  # the law of which day was asked
    facts = models.JSONField()
    homes = models.JSONField()
    persons = models.PositiveIntegerField()
    named = ArrayField(models.UUIDField(), default=list)
    packs = models.JSONField()
    digest = models.CharField(max_length=64)  # of all that was asked: what is noted twice is one event
    salt = models.BinaryField(max_length=16)  # of the commitment in the ledger
    noted_at = models.DateTimeField(db_default=Now())
    noted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)  # when nothing of it was owed any more

    class Meta:
        indexes = [models.Index(fields=["about"], name="counsel_duty_event_about")]
        constraints = [models.UniqueConstraint("entity", "digest", name="counsel_event_noted_once")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.on} ({self.ref})"


class OwedDuty(models.Model):
    """One deed that an event makes us owe to one receiver, with the day to work to.

    `told` is all that the law said of it (sentence, citation, contents, steps of the sum, what would change it), in the
    words of then. `learnt` are facts that came later, by which it was counted again.
    """

    class Timing(models.TextChoices):
        """What `day` is: the last day, the day of the event, or the earliest that the last day can be."""

        DUE = "due"
        AT_ONCE = "at-once"
        EARLIEST = "earliest"

    class State(models.TextChoices):
        """How certain it is: a possible duty hangs on a fact that is missing."""

        OWED = "owed"
        POSSIBLE = "possible"

    class Settled(models.TextChoices):
        """How it ended."""

        DONE = "done"
        NOT_OWED = "not-owed"

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    event = models.ForeignKey(DutyEvent, models.CASCADE, related_name="duties")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    rule = models.CharField(max_length=LONGEST_RULE)
    act = models.CharField(max_length=20)
    to = models.CharField(max_length=20)
    standing = models.BooleanField()  # owed for how we work, whoever came: once, not at every event
    state = models.CharField(max_length=8, choices=State)
    timing = models.CharField(max_length=8, choices=Timing)
    day = models.DateField()
    places = ArrayField(models.CharField(max_length=8), default=list)
    persons = models.PositiveIntegerField()  # whom it is about
    doubtful = models.PositiveIntegerField(default=0)  # of whom so many only possibly
    told = models.JSONField()
    learnt = models.JSONField(default=dict)
    settled = models.CharField(max_length=8, choices=Settled, blank=True)
    settled_on = models.DateField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    words = models.TextField(_("reason"), blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["entity", "day", "ref"], name="counsel_duty_open", condition=Q(settled="")),
            models.Index(fields=["entity", "rule"], name="counsel_duty_rule"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled="", settled_on=None, settled_at=None)
                | (~Q(settled="") & ~Q(words="") & Q(settled_on__isnull=False, settled_at__isnull=False)),
                name="duty_settled_with_day_and_words",
            ),
            models.UniqueConstraint("event", "rule", "day", name="counsel_duty_a_rule_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} by {self.day} ({self.ref})"


class DutyStep(models.Model):
    """Something that was done with a duty: its history, which nobody changes."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    duty = models.ForeignKey(OwedDuty, models.CASCADE, related_name="steps")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    did = models.CharField(max_length=20)
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    words = models.TextField(blank=True)
    facts = models.JSONField(default=dict)
    day_before = models.DateField(null=True)
    day_after = models.DateField(null=True)

    class Meta:
        ordering = ["ref"]

    def __str__(self) -> str:
        return f"{self.did} ({self.ref})"


# ---------------------------------------------------------------- decisions about very many people

VERDICTS = [(verdict, verdict) for verdict in ("permit", "deny", "ask")]


class SegmentDecision(models.Model):
    """One question about many people, decided inside the database, with one entry in the ledger.

    `digest` is of all its rows; the entry's commitment is over it, the salt, the question, the packs and the findings.
    One that only counts has no rows, and nothing is done by it; `kinds` are then finding, homes, language and how many.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    question = models.JSONField()
    day = models.DateField()  # the legal day on which the law was asked
    packs = models.JSONField()
    people = models.PositiveIntegerField()
    permitted = models.PositiveIntegerField()
    denied = models.PositiveIntegerField()
    asked = models.PositiveIntegerField()
    digest = models.BinaryField(max_length=32)
    salt = models.BinaryField(max_length=16)
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(db_default=Now())
    entry = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    counted = models.BooleanField(default=False, db_default=False)
    kinds = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(people=F("permitted") + F("denied") + F("asked")), name="segment_verdicts_add_up"
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class SegmentFinding(models.Model):
    """One distinct finding of such a decision, and how many people it is about. Nothing in it is about one of them."""

    pk = models.CompositePrimaryKey("segment", "number")
    segment = models.ForeignKey(SegmentDecision, models.CASCADE, related_name="findings")
    number = models.PositiveIntegerField()
    verdict = models.CharField(max_length=6, choices=VERDICTS)
    because = ArrayField(models.TextField())
    told = models.JSONField()  # the whole finding: rules, obligations, missing facts, cures, the ruling that settled it
    people = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.verdict}: {', '.join(self.because)}"


class SegmentRow(models.Model):
    """One person in such a decision: the verdict, and the number of the finding that says why.

    A million are written at once, so no constraint looks up their segment row by row; one statement writes them all.
    """

    pk = models.CompositePrimaryKey("person", "segment")
    person = models.UUIDField()
    segment = models.ForeignKey(
        SegmentDecision, models.CASCADE, related_name="rows", db_constraint=False, db_index=False
    )
    finding = models.PositiveIntegerField()
    verdict = models.CharField(max_length=6, choices=VERDICTS)

    class Meta:
        indexes = [
            BrinIndex(fields=["segment"], name="counsel_segment_rows", autosummarize=True)
        ]  # written side by side

    def __str__(self) -> str:
        return f"{self.verdict} ({self.person})"
