"""The tables of requests. What somebody wrote, and by what to reach them, is sealed under the request's own ref.

So a request can be noted before anybody knows whose data it is about, and goes by its own clock: when the person it was
about is erased, what proves that we did as asked stays as long as the law wants it, and names nobody.
"""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Kind(models.TextChoices):
    """What is asked, in the words of the law's `event.request`."""

    ACCESS = "access", _("See what we hold")
    PORTABILITY = "portability", _("Take their data along")
    RECTIFICATION = "rectification", _("Have something corrected")
    ERASURE = "erasure", _("Be erased")
    RESTRICTION = "restriction", _("Have it kept and not used")
    OBJECTION = "objection", _("Object to a use")
    OPT_OUT = "opt-out", _("No sale, sharing or targeted advertising")
    LIMIT = "limit", _("Limit the use of sensitive data")
    EXPLANATION = "explanation", _("Have a decision or a rule explained")
    RECIPIENTS = "recipients", _("Know who got their data")
    APPEAL = "appeal", _("Have a refusal looked at again")
    ACCOUNTING = "accounting", _("An account of disclosures (HIPAA)")
    CONFIDENTIAL = "confidential-channel", _("Be reached another way (HIPAA)")
    WITHDRAWAL = "withdrawal", _("Take a consent back")
    CLOSURE = "closure", _("Have their account closed")
    COMPLAINT = "complaint", _("Complain")  # the event is another: complaint-received


class CameBy(models.TextChoices):
    """How a request reached us."""

    PORTAL = "portal", _("By their own page")
    EMAIL = "email", _("By e-mail")
    PHONE = "phone", _("By phone")
    POST = "post", _("By post")
    DESK = "desk", _("In person")
    API = "api", _("By the API")


class AskedBy(models.TextChoices):
    """Who asks, in the words of the law's `event.by`."""

    PERSON = "person", _("The person")
    AGENT = "agent", _("An authorised agent")
    GUARDIAN = "guardian", _("A parent or guardian")
    RELATIVE = "relative", _("A close relative of somebody who died")


class State(models.TextChoices):
    """How far a request is. What the law counts are its duties, not this."""

    RECEIVED = "received", _("Received")
    CHECKING = "checking", _("Who asks is being checked")
    WORKING = "working", _("Being worked on")
    ANSWERED = "answered", _("Answered")
    REFUSED = "refused", _("Refused")
    WITHDRAWN = "withdrawn", _("Taken back")


OPEN = (State.RECEIVED, State.CHECKING, State.WORKING)


class Requests(models.QuerySet["Request"]):
    """Requests, in the words of the pages and actions that read them."""

    def open(self) -> Self:
        """Return what is not answered yet."""
        return self.filter(state__in=OPEN)


class Request(models.Model):
    """One thing that one person asks of one entity of ours. A letter that asks for three things is three requests."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    letter = models.UUIDField(default=new_ref)  # the same for all that came together
    person = models.UUIDField(null=True)  # whose data it is about, once that is known
    kind = models.CharField(max_length=24, choices=Kind)
    wants = models.JSONField(default=dict, blank=True)  # plain choices: purposes, channels, months; never a name
    came_by = models.CharField(max_length=8, choices=CameBy)
    asked_by = models.CharField(max_length=10, choices=AskedBy, default=AskedBy.PERSON)
    language = models.CharField(max_length=20, blank=True)
    received_on = models.DateField()
    noted_at = models.DateTimeField(db_default=Now())
    noted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    handler = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    closed_at = models.DateTimeField(null=True)
    appeals = models.ForeignKey("self", models.PROTECT, null=True, related_name="appeals_of")  # the one refused
    exceptions = ArrayField(models.CharField(max_length=80), default=list)  # rules by which it was refused, or in part
    late_because = models.TextField(_("reason"), blank=True)
    event = models.UUIDField(null=True)  # as what counsel knows it now: once it is known whose it is, as another one

    objects = Requests.as_manager()

    class Meta:
        ordering = ["-received_on", "-ref"]
        indexes = [
            models.Index(fields=["person", "-received_on"], name="rights_request_person"),
            models.Index(fields=["state", "received_on"], name="rights_request_state"),
            models.Index(fields=["letter"], name="rights_request_letter"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN, closed_at=None) | ~Q(state__in=OPEN) & Q(closed_at__isnull=False),
                name="rights_request_closed_when_over",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ref}"


class Step(models.Model):
    """One thing that was done about a request. Never changed."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    request = models.ForeignKey(Request, models.CASCADE, related_name="steps")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    did = models.CharField(max_length=30)  # received, found, identity-asked, extended, answered …
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")  # nobody: the person, or we by ourselves
    words = models.TextField(blank=True)
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "ref"]
        indexes = [models.Index(fields=["request", "at"], name="rights_step_request")]

    def __str__(self) -> str:
        return f"{self.did} ({self.ref})"


# ---------------------------------------------------------------- who asks


class Level(models.TextChoices):
    """How certain it must be who asks (11 CCR 7062); the law of other places asks for what is reasonable."""

    REASONABLE = "reasonable", _("Reasonable")
    HIGH = "reasonably-high", _("Reasonably high")
    SIGNED = "signed-declaration", _("A signed declaration")


class Shown(models.TextChoices):
    """By what it was made certain who asks."""

    CODE = "code", _("A code we sent to an address that the book knew came back")
    KNOWN = "known", _("Somebody of us knows them, by face or voice")
    FACTS = "facts", _("What they said fits what only they would know of what we hold")
    DOCUMENT = "document", _("A document was looked at, and not kept")
    DECLARATION = "declaration", _("A signed declaration")


class Proof(models.Model):
    """That we asked who asks, and what came of it. What was shown lies sealed, and goes when the request is over."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    request = models.ForeignKey(Request, models.CASCADE, related_name="proofs")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    level = models.CharField(max_length=20, choices=Level)
    asked_on = models.DateField(null=True)  # nobody asked where it came with the request
    asked_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    shown = models.CharField(max_length=12, choices=Shown, blank=True)
    confirmed_on = models.DateField(null=True)
    confirmed_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    failed_on = models.DateField(null=True)  # it could not be made certain
    destroyed_at = models.DateTimeField(null=True)  # what was shown

    class Meta:
        ordering = ["ref"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_on=None, shown="") | Q(confirmed_on__isnull=False) & ~Q(shown=""),
                name="rights_proof_says_what_was_shown",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_on=None) | Q(failed_on=None), name="rights_proof_confirmed_or_failed"
            ),
            models.UniqueConstraint(
                "request", condition=Q(confirmed_on=None, failed_on=None), name="rights_proof_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} ({self.ref})"
