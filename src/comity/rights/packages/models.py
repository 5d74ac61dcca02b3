"""The tables of packages: what was planned, what was made, who opened it. The package waits in a sealed file."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff

FULL, CHANGED, FAULT = "full", "changed", "fault"
TROUBLES: Final = [
    (FULL, _("The disk was full")),
    (CHANGED, _("The person was made one with another, or taken apart, after this was planned")),
    (FAULT, _("It could not be made")),
]


class Package(models.Model):
    """Everything about one person for one request: planned, then made by a job, handed out by a link until its day.

    `plan` is what `planning.as_json` wrote: counts and reasons, and nothing that names anybody. What a human wants
    blackened or left stands sealed under the person's key and this ref. A person may ask for it by themself: then
    `visit` is the visit in which they did, and nobody of the staff has planned or begun it.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    request = models.ForeignKey(Request, models.CASCADE, related_name="packages")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField()
    language = models.CharField(max_length=20)
    plan: models.JSONField[Any, Any] = models.JSONField()
    planned_at = models.DateTimeField(db_default=Now())
    planned_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    visit = models.UUIDField(null=True)
    ticks: models.JSONField[Any, Any] = models.JSONField(default=dict)  # chores that are done: by whom, when
    approval = models.UUIDField(null=True)
    begun_at = models.DateTimeField(null=True)
    begun_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")
    trouble = models.CharField(max_length=8, choices=TROUBLES, blank=True, default="", db_default="")  # of the last try
    failed_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    entry = models.UUIDField(null=True)  # of the ledger, which says that it was made
    counts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    file_name = models.UUIDField(null=True)  # each try writes a file of its own
    file_key = models.BinaryField(max_length=32, null=True)  # while the file is there
    file_bytes = models.PositiveBigIntegerField(default=0)
    file_sha256 = models.BinaryField(max_length=32, null=True)
    file_salt = models.BinaryField(max_length=16, null=True)  # of the commitment in the ledger
    expires_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)  # the link was sent, or the package handed over
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-planned_at", "-ref"]
        indexes = [
            models.Index(fields=["request", "-planned_at"], name="rights_package_request"),
            models.Index(fields=["person"], name="rights_package_person"),
            models.Index(
                fields=["expires_at"],
                name="rights_package_to_delete",
                condition=Q(made_at__isnull=False, deleted_at=None),
            ),
        ]
        constraints = [
            # INVARIANT: a key stands here only while there is a whole file that it opens.
            models.CheckConstraint(
                condition=Q(file_key=None)
                | Q(made_at__isnull=False, deleted_at=None, file_name__isnull=False, expires_at__isnull=False),
                name="rights_package_key_of_a_file",
            ),
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(begun_at__isnull=False, entry__isnull=False),
                name="rights_package_made_is_recorded",
            ),
            models.CheckConstraint(
                condition=Q(visit=None) | Q(planned_by=None, begun_by=None), name="rights_package_of_a_visit_is_nobodys"
            ),
        ]

    def __str__(self) -> str:
        return str(self.ref)

    @property
    def state(self) -> str:
        """planned, being made, failed, made, sent or gone."""
        if self.deleted_at:
            return "gone"
        if self.made_at:
            return "sent" if self.sent_at else "made"
        if self.failed_at:
            return "failed"
        return "making" if self.begun_at else "planned"


class What(models.TextChoices):
    """What of a package was opened."""

    PAGE = "page", _("The page")
    ALL = "all", _("All files")


class Fetch(models.Model):
    """Somebody opened a package: by the link that was sent, or one of the staff who hands it over. Never changed."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    package = models.ForeignKey(Package, models.CASCADE, related_name="fetches")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    what = models.CharField(max_length=4, choices=What)
    at = models.DateTimeField(db_default=Now())
    by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")  # nobody: whoever had the link

    class Meta:
        ordering = ["-at", "-ref"]
        indexes = [models.Index(fields=["package", "-at"], name="rights_fetch_package")]

    def __str__(self) -> str:
        return f"{self.what} ({self.package_id})"
