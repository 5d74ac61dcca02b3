"""The tables of lists: views that somebody keeps, values sought exactly, and what was done with many people at once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.book.fields.models import CustomField
from comity.book.models import Person
from comity.refs import new_ref
from comity.staff.models import Entity, Staff

LONGEST_QUERY = 2_000


class SavedView(models.Model):
    """A list as somebody keeps it: filters, columns and order, which is the query of its address."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="+")
    owner = models.ForeignKey(Staff, models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    shared = models.BooleanField(_("shared with all who act for this entity"), default=False)
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "ref"]
        constraints = [models.UniqueConstraint("owner", "entity", "name", name="book_view_named_once")]

    def __str__(self) -> str:
        return self.name


class FirstView(models.Model):
    """The view that opens for somebody who asks for people and for nothing else."""

    staff = models.OneToOneField(Staff, models.CASCADE, primary_key=True, related_name="+")
    view = models.ForeignKey(SavedView, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return str(self.view_id)


class Exactly(models.TextChoices):
    """Which sealed part of a person is compared with what somebody typed."""

    EMAIL = "email", _("E-mail address")
    PHONE = "phone", _("Phone number")
    FAMILY = "family", _("Family name")
    GIVEN = "given", _("Given name")
    FIELD = "field", _("A field of our own")


class ExactValue(models.Model):
    """What somebody typed to find who has exactly it. It is sealed under this ref, and in no other place."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.CASCADE, related_name="+")
    part = models.CharField(max_length=6, choices=Exactly)
    field = models.ForeignKey(CustomField, models.PROTECT, null=True, related_name="+")  # whose value it is
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    forgotten_at = models.DateTimeField(null=True)  # what was typed is gone, since nobody has it

    class Meta:
        indexes = [models.Index(fields=["made_by", "made_at"], name="book_exact_value_by")]
        constraints = [
            models.CheckConstraint(
                condition=Q(part=Exactly.FIELD, field__isnull=False) | Q(~Q(part=Exactly.FIELD), field=None),
                name="book_exact_value_field",
            ),
            models.CheckConstraint(condition=Q(part__in=Exactly.values), name="book_exact_value_part"),
        ]

    def __str__(self) -> str:
        return f"{self.part} ({self.ref})"


class Deed(models.TextChoices):
    """What may be done with many people at once."""

    ADD_TAG = "add-tag", _("Put a tag on them")
    REMOVE_TAG = "remove-tag", _("Take a tag off them")
    LANGUAGE = "set-language", _("Set their language")


class Together(models.Model):
    """One thing that was done with many people at once; it can be undone for as long as these rows are here."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    deed = models.CharField(max_length=20, choices=Deed)
    value = models.CharField(max_length=60, blank=True)  # the ref of the tag, or the language
    many = models.PositiveIntegerField()
    done_at = models.DateTimeField(db_default=Now())
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-done_at"]
        constraints = [models.CheckConstraint(condition=Q(deed__in=Deed.values), name="book_together_deed")]

    def __str__(self) -> str:
        return f"{self.deed} ({self.ref})"


class Before(models.Model):
    """What somebody among them had before."""

    pk = models.CompositePrimaryKey("together", "person")
    together = models.ForeignKey(Together, models.CASCADE, related_name="before")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    value = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return self.value
