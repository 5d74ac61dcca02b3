"""The table of mails to one person. What such a mail says is sealed under that person's key, beside this row."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.post.models import Dispatch
from comity.refs import new_ref
from comity.staff.models import Entity


class Occasion(models.TextChoices):
    """Why somebody writes: the law is another for each."""

    ANSWER = "answer", _("To answer what they asked us")
    ORDER = "order", _("About what they ordered, or their contract")
    CONSENT = "ask-consent", _("To ask for their consent, and nothing else")
    MARKETING = "marketing", _("To offer or recommend something")


class Mail(models.Model):
    """One mail that one of the staff wrote to one person. Subject and body are sealed under this ref."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    person = models.UUIDField()
    occasion = models.CharField(max_length=12, choices=Occasion)
    language = models.CharField(max_length=20)
    by_name = models.BooleanField(default=False)  # it calls them by their name, which must be opened for that
    dispatch = models.OneToOneField(Dispatch, models.PROTECT, related_name="mail")
    written_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["person", "-written_at"], name="outreach_mail_person")]

    def __str__(self) -> str:
        return f"{self.occasion} ({self.ref})"
