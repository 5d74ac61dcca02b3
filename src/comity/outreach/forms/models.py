"""Web forms, their versions and what came in by them. A published version never changes: PostgreSQL itself refuses it.

Whoever fills a form in is nobody to us until they confirm. What they wrote is sealed under a key of its own, and lies
under a ref that becomes theirs when they come into the book; where nobody confirms, key and row are gone after a week.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from comity.consent.notices.models import NoticeVersion
from comity.post.models import Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Young(models.TextChoices):
    """What a form does about those whom the law does not let agree alone."""

    NOT_ASKED = "not-asked", _("Ask nobody's age")
    REFUSE = "refuse", _("Ask the month of birth, and take nothing of who is too young")
    GUARDIAN = "guardian", _("Ask the month of birth, and let a parent or guardian agree")


class WebForm(models.Model):
    """A form of one entity, in all its versions; its address stays.

    `sender` is in whose name its confirmations go out, and whose role must allow it at each of them.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)  # with its version it fits where a consent names where it was given
    gateway = models.ForeignKey(Gateway, models.PROTECT, null=True, related_name="+")
    sender = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    made_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "ref"]
        constraints = [models.UniqueConstraint("entity", Lower("name"), name="outreach_form_name")]

    def __str__(self) -> str:
        return self.name


class FormVersions(models.QuerySet["FormVersion"]):
    """Versions, in the words of the pages and actions that read them."""

    def published(self) -> Self:
        """Leave out drafts."""
        return self.exclude(published_at=None)


class FormVersion(models.Model):
    """One form as people see it: a draft, or published and unchangeable.

    `words` has for each language {"title", "intro", "button", "thanks"}. `asks` has for each box {"notice", "channel"}:
    the ref of the published wording, and the channel that the box is about. Boxes are empty when the form is shown, and
    none of them must be ticked.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    form = models.ForeignKey(WebForm, models.PROTECT, related_name="versions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    languages = ArrayField(models.CharField(max_length=20))
    words: models.JSONField[Any, Any] = models.JSONField(default=dict)
    asks: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    fields = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # beside the address and the place
    needed = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # which of these must be filled in
    places = ArrayField(models.CharField(max_length=12), default=list, blank=True)  # whose people it is for
    young = models.CharField(max_length=10, choices=Young, default=Young.NOT_ASKED)
    notice = models.ForeignKey(NoticeVersion, models.PROTECT, null=True, related_name="+")  # what is done with the data
    frames = ArrayField(models.CharField(max_length=200), default=list, blank=True)  # sites that may show it in a frame
    drafted_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    drafted_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    published_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)
    fingerprint = models.BinaryField(max_length=32, null=True)  # SHA-256 of what people are shown and say yes to
    ticked: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)  # what a human looked at, and why

    objects = FormVersions.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint("form", "number", name="outreach_form_version_number"),
            models.UniqueConstraint("form", condition=Q(published_at=None), name="outreach_form_one_draft"),
            models.CheckConstraint(
                condition=Q(published_at=None, fingerprint=None)
                | Q(published_at__isnull=False, fingerprint__isnull=False),
                name="outreach_form_version_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form.name} v{self.number}"


class Submissions(models.QuerySet["Submission"]):
    """What came in, in the words of the pages and actions that read it."""

    def waiting(self) -> Self:
        """Return what nobody confirmed yet."""
        return self.filter(confirmed_at=None)

    def unsettled(self) -> Self:
        """Return what does not count yet, confirmed or not."""
        return self.filter(settled_at=None)

    def lapsed(self, at: datetime) -> Self:
        """Return what nobody confirmed in time."""
        return self.waiting().filter(ends_at__lte=at)

    def to_check(self) -> Self:
        """Return what a guardian confirmed of whom nobody looked yet whether they are one."""
        return self.filter(guardian=True, confirmed_at__isnull=False, settled_at=None)


class Submission(models.Model):
    """One filled-in form. Addresses and names are sealed under this ref; nothing here names anybody.

    It waits until the link in the mail is confirmed. `person` is whose it then is: somebody who was in the book, or the
    one who came into it under this very ref.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    version = models.ForeignKey(FormVersion, models.PROTECT, related_name="submissions")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    nonce = models.UUIDField(unique=True)  # of the page that was sent: sent twice, it is one submission
    mark = models.BinaryField(max_length=16)  # of the address that is written to, as the suppression list knows it
    language = models.CharField(max_length=20)
    place = models.CharField(max_length=12)
    birth_year = models.PositiveSmallIntegerField(null=True)
    birth_month = models.PositiveSmallIntegerField(null=True)
    organisation = models.CharField(max_length=300, blank=True)  # it names no human being, and is plain
    ticked = ArrayField(models.PositiveSmallIntegerField())  # which boxes, by their place in the version
    signal = models.BooleanField(default=False)  # the browser sent Global Privacy Control
    framed = models.BooleanField(default=False)  # shown in a frame of another site
    guardian = models.BooleanField(default=False)  # the address is that of a parent or guardian
    said_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    person = models.UUIDField(null=True, db_index=True)
    settled_at = models.DateTimeField(null=True)  # what was ticked counts, or was turned down, since then

    objects = Submissions.as_manager()

    class Meta:
        ordering = ["-said_at", "-ref"]
        indexes = [
            models.Index(fields=["ends_at"], name="outreach_submission_waits", condition=Q(confirmed_at=None)),
            models.Index(fields=["mark", "-said_at"], name="outreach_submission_mark"),
            models.Index(fields=["version", "-said_at"], name="outreach_submission_form"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class Proof(models.TextChoices):
    """How it was made certain that somebody is a parent or guardian."""

    SIGNED = "signed", _("A form they signed came back")
    SPOKEN = "spoken", _("Somebody trained spoke with them, by phone or picture")
    DOCUMENT = "document", _("A document was looked at, and not kept")
    KNOWN = "known", _("They are a customer of ours, and known as the parent")


class Guardianship(models.Model):
    """Somebody is a child's parent or guardian, as far as we made certain of it."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    child = models.UUIDField(db_index=True)
    guardian = models.UUIDField(db_index=True)
    submission = models.OneToOneField(Submission, models.PROTECT, related_name="guardianship")
    proof = models.CharField(max_length=10, choices=Proof)
    checked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    checked_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return str(self.ref)
