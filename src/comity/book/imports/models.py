"""The tables of imports: what was brought in from which file, in which batches, and what was found about rows.

Nothing here names a person. The file, its name and its headers lie sealed beside the book until the import is done or
dropped; what is said of a row is its number, a column's number and words of ours.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.book.models import Source
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Stage(models.TextChoices):
    """How far an import has come."""

    MAPPING = "mapping", _("Columns to check")
    LOOKING = "looking", _("Being looked over")
    READY = "ready", _("Ready to bring in")
    RUNNING = "running", _("Being brought in")
    STOPPED = "stopped", _("Stopped half-way")
    DONE = "done", _("In the book")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", _("Undone")
    DROPPED = "dropped", _("Dropped")


class Known(models.TextChoices):
    """What becomes of a row about somebody who is in the book already, or stands in the file before."""

    SKIP = "skip", _("Leave the row out")
    FILL = "fill", _("Fill what is empty in the book")
    ADD = "add", _("Add as another person")


class Broken(models.TextChoices):
    """What becomes of a row in which something cannot be read."""

    LEAVE = "leave", _("Leave the row out")
    BRING = "bring", _("Bring it in without what cannot be read")


class Import(models.Model):
    """One file that somebody brings, for one entity of ours."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    begun_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    begun_at = models.DateTimeField(db_default=Now())
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.MAPPING)
    key = models.BinaryField(null=True)  # of the parcel in our folder; none once that is gone
    told_key = models.BinaryField(
        null=True
    )  # of the one beside it: the file's name, its headers, what its reader noted
    dialect = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    encoding = models.CharField(max_length=20, blank=True)
    rows = models.PositiveIntegerField()
    mapping = models.JSONField(
        default=dict
    )  # by a column's number: what it means, where that is not what we took it for
    purpose = models.CharField(max_length=40, default="marketing")  # for which they are to be kept
    asked_purpose = models.CharField(max_length=40, default="marketing")  # which the preview asks the law about
    asked_channel = models.CharField(max_length=20, default="email")
    source = models.CharField(max_length=12, choices=Source, blank=True)
    notice = models.CharField(max_length=60, blank=True)
    notice_on = models.DateField(null=True, blank=True)
    home = models.CharField(max_length=8, blank=True)  # of those of whom the file does not say it
    dates = models.CharField(max_length=4, default="auto")  # how days are written: as learnt, dmy or mdy
    for_known = models.CharField(max_length=4, choices=Known, default=Known.SKIP)
    for_broken = models.CharField(max_length=5, choices=Broken, default=Broken.LEAVE)
    tells_all = models.BooleanField(default=False)  # of who opted out: then whoever is not marked did not
    settled_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")  # what the law left open
    settled_at = models.DateTimeField(null=True)
    because = models.TextField(blank=True)  # why it was settled so
    found = models.JSONField(default=dict)  # counts
    seen_rows = models.PositiveIntegerField(default=0)
    persons = models.PositiveIntegerField(default=0)
    stopped_by = models.CharField(max_length=200, blank=True)  # the kind of fault
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-begun_at", "-ref"]
        indexes = [models.Index(fields=["entity", "-begun_at"], name="book_import_begun")]

    def __str__(self) -> str:
        return str(self.ref)


class ImportBatch(models.Model):
    """Some rows of an import, brought in together or not at all."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    imported = models.ForeignKey(Import, models.CASCADE, related_name="batches")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField()  # row
    last = models.PositiveIntegerField()  # row
    persons = ArrayField(models.UUIDField(), default=list)
    salt = models.BinaryField(null=True)  # of the commitment in the ledger
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint("imported", "number", name="book_import_batch_once")]

    def __str__(self) -> str:
        return f"{self.number} ({self.ref})"


class Saying(models.TextChoices):
    """What may be found to be said about a row."""

    BROKEN = "broken", _("Cannot be read")
    HELD = "held", _("Held back by the law")
    OPEN = "open", _("Left open by the law")
    REPEATED = "repeated", _("Twice in the file")
    KNOWN = "known", _("In the book already")
    LIKELY = "likely", _("Probably in the book already")
    NAMESAKE = "namesake", _("Somebody of this name is in the book")
    CHANGED = "changed", _("Changed since, and kept")


class ImportFinding(models.Model):
    """Something to be said about one row: why it does not simply come in."""

    imported = models.ForeignKey(Import, models.CASCADE, related_name="findings")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    row = models.PositiveIntegerField()
    says = models.CharField(max_length=10, choices=Saying)
    cell = models.PositiveIntegerField(null=True)  # the column's number
    why = models.CharField(max_length=200, blank=True)  # a word of ours, or ids of rules
    person = models.UUIDField(null=True)  # who is in the book already
    alike = models.PositiveIntegerField(null=True)  # the row that says the same
    choice = models.CharField(max_length=4, choices=Known, blank=True)  # for this row, other than for all

    class Meta:
        ordering = ["row", "pk"]
        indexes = [
            models.Index(fields=["imported", "says", "row"], name="book_import_finding"),
            models.Index(fields=["person"], name="book_finding_person", condition=models.Q(person__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.row}: {self.says}"


class RememberedColumn(models.Model):
    """What a column of a kind of file was said to mean, for the next file of that kind."""

    entity = models.ForeignKey(Entity, models.CASCADE, related_name="+")
    dialect = models.CharField(max_length=40)
    header = models.CharField(max_length=100)  # its letters, small, without spaces
    meaning = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint("entity", "dialect", "header", name="book_remembered_column_once")]

    def __str__(self) -> str:
        return f"{self.dialect}: {self.meaning}"
