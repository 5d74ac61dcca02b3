"""The tables of exports."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.book.exports.marking import CODE_LETTERS, new_code, new_mark_key
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.vault.models import MOST_PERSONS


class Format(models.TextChoices):
    """What sort of file an export is."""

    CSV = "csv", "CSV"
    XLSX = "xlsx", _("Excel (.xlsx)")
    VCARD = "vcard", "vCard 4"
    JSON = "json", _("JSON lines")


class Export(models.Model):
    """People's data taken out of the book, or about to be: who asked, for what, what went out, and what became of it.

    The file itself waits sealed in Comity's folder; its key is here, and goes when the file does.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    code = models.CharField(max_length=CODE_LETTERS, unique=True, default=new_code, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    purpose = models.CharField(max_length=40)
    recipient = models.CharField(max_length=20, default="none")
    recipient_place = models.CharField(max_length=6, blank=True)
    format = models.CharField(max_length=5, choices=Format)
    columns = ArrayField(models.CharField(max_length=80))
    asked = models.PositiveIntegerField()  # people who were chosen
    approval = models.UUIDField(null=True)  # that a second person gave, where one must
    permitted = models.PositiveIntegerField(default=0)  # people who are in the file
    denied = models.PositiveIntegerField(default=0)
    asking = models.PositiveIntegerField(default=0)
    mark_key = models.BinaryField(max_length=16, default=new_mark_key)
    file_key = models.BinaryField(max_length=32, null=True)  # while the file is there
    file_sha256 = models.BinaryField(max_length=32, null=True)
    file_salt = models.BinaryField(max_length=16, null=True)  # of the commitment in the ledger
    file_bytes = models.PositiveBigIntegerField(default=0)
    begun_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    entry = models.UUIDField(null=True)  # of the ledger, which says that it was made

    class Meta:
        ordering = ["-asked_at", "-ref"]
        indexes = [models.Index(fields=["made_at"], name="book_export_to_delete", condition=Q(deleted_at=None))]
        constraints = [
            # INVARIANT: a key stands here only while there is a file that it opens.
            models.CheckConstraint(
                condition=Q(file_key=None) | Q(made_at__isnull=False, deleted_at=None), name="book_export_key_of_a_file"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def state(self) -> str:
        """asked, being made, failed, made, fetched or gone."""
        if self.fetched_at:
            return "fetched"
        if self.deleted_at:
            return "gone"
        if self.made_at:
            return "made"
        if self.failed_at:
            return "failed"
        return "making" if self.begun_at else "asked"


class ExportPart(models.Model):
    """People of an export who are decided about together, in the order of the file."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    export = models.ForeignKey(Export, models.CASCADE, related_name="parts")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    persons = ArrayField(models.UUIDField(), size=MOST_PERSONS)  # who were chosen
    exported = ArrayField(models.UUIDField(), default=list)  # who are in the file
    decision = models.UUIDField(null=True)  # that is on record

    class Meta:
        ordering = ["number"]
        indexes = [GinIndex(fields=["exported"], name="book_export_of_whom")]
        constraints = [models.UniqueConstraint("export", "number", name="book_export_part_once")]

    def __str__(self) -> str:
        return f"{self.export_id}, {self.number}"
