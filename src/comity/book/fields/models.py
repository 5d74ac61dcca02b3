"""The tables of custom fields and attachments.

Text may name somebody, and so is sealed; numbers, days, truths and choices may stand in the plain, where the field says
that they name nobody. A special category is sealed always.
"""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from comity.book.models import Person
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.vault.sealing import FieldClass

PLAIN: Final = "plain"
LONGEST_NAME: Final = 80
LONGEST_CHOICE: Final = 120


class Sort(models.TextChoices):
    """What a custom field holds."""

    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DAY = "day", _("Day")
    TRUTH = "truth", _("Yes or no")
    CHOICE = "choice", _("One of a list")


class Sensitivity(models.TextChoices):
    """How sensitive a custom field is: plain, or the class of fields as which it is sealed."""

    PLAIN = PLAIN, _("Plain: it names nobody, and lists may filter by it")
    IDENTIFIER = FieldClass.IDENTIFIER.value, _("Identifier: sealed, and found by search")
    CONTACT = FieldClass.CONTACT.value, _("E-mail or phone: sealed, and found by search")
    ADDRESS = FieldClass.ADDRESS.value, _("Address: sealed")
    NOTE = FieldClass.NOTE.value, _("Note: sealed")
    SPECIAL = FieldClass.SPECIAL.value, _("Special category: sealed; health, belief, origin, sexual life, biometrics …")


class CustomField(models.Model):
    """A field that an entity of ours made for itself."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME)
    says = models.CharField(max_length=200, blank=True)
    sort = models.CharField(max_length=8, choices=Sort)
    choices = ArrayField(models.CharField(max_length=LONGEST_CHOICE), default=list, blank=True)
    sensitivity = models.CharField(max_length=10, choices=Sensitivity)
    months = models.PositiveSmallIntegerField(null=True, blank=True)  # a value stays so long; empty: as the person
    why = models.CharField(max_length=300)  # what it is needed for
    made_at = models.DateTimeField(db_default=Now())
    retired_at = models.DateTimeField(null=True, blank=True)  # since then it is not filled in any more

    class Meta:
        ordering = ["name", "ref"]
        constraints = [
            models.UniqueConstraint("entity", Lower("name"), condition=Q(retired_at=None), name="book_field_name"),
            models.CheckConstraint(
                condition=~Q(sort=Sort.TEXT, sensitivity=Sensitivity.PLAIN), name="book_field_text_is_sealed"
            ),
            models.CheckConstraint(
                condition=Q(sort=Sort.CHOICE, choices__len__gt=1) | (~Q(sort=Sort.CHOICE) & Q(choices=[])),
                name="book_field_choices",
            ),
            models.CheckConstraint(condition=Q(months=None) | Q(months__range=(1, 1200)), name="book_field_clock"),
        ]

    def __str__(self) -> str:
        return self.name


class FieldValue(models.Model):
    """What a custom field holds of a person: in the plain, or, with `plain` empty, sealed under this ref."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="field_values")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")  # whose field it is
    field = models.ForeignKey(CustomField, models.PROTECT, related_name="values")
    plain = models.JSONField(null=True, blank=True)
    set_at = models.DateTimeField(db_default=Now())
    set_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint("person", "field", name="book_one_value_a_field")]

    def __str__(self) -> str:
        return str(self.ref)


class Attachment(models.Model):
    """A file about a person. Its name is sealed under this ref, what it holds under `held`."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    held = models.UUIDField(default=new_ref, editable=False)  # apart, so that a list of files opens none
    person = models.ForeignKey(Person, models.CASCADE, related_name="attachments")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    size = models.PositiveIntegerField()  # bytes
    added_at = models.DateTimeField(db_default=Now())
    added_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-added_at", "-ref"]

    def __str__(self) -> str:
        return str(self.ref)
