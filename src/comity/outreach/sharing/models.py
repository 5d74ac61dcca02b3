"""The tables of sharing: who gets lists of ours, which list for what, and what they were told of afterwards.

A file that is shared is an export (`book.exports`): who was in it, in its parts, says who was shared with whom.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.book.exports.models import Export
from comity.book.lists.models import LONGEST_QUERY
from comity.counsel.models import SegmentDecision
from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Role(models.TextChoices):
    """What somebody who gets our data is to us, as the vocabulary has it (use.recipient); but for `joint`."""

    PROCESSOR = "processor", pgettext_lazy("recipient", "A firm that works for us on our orders")
    JOINT = "joint", pgettext_lazy("recipient", "A firm that decides with us")  # to the law of sharing another firm
    AFFILIATE = "affiliate", pgettext_lazy("recipient", "A firm of our group")
    THIRD_PARTY = "third-party", pgettext_lazy("recipient", "Another firm, for its own ends")
    AD_PLATFORM = "ad-platform", pgettext_lazy("recipient", "An advertising platform")
    DATA_BROKER = "data-broker", pgettext_lazy("recipient", "A data broker")


class Tool(models.TextChoices):
    """Under which paper data goes to another country, as the vocabulary has it (use.transfer_tool)."""

    NONE = "none", pgettext_lazy("transfer", "None")
    SCC = "scc", pgettext_lazy("transfer", "EU standard clauses")
    BCR = "bcr", pgettext_lazy("transfer", "Binding corporate rules")
    IDTA = "idta", pgettext_lazy("transfer", "The UK agreement or addendum")
    CN_CONTRACT = "cn-contract", pgettext_lazy("transfer", "China's standard contract")
    CN_CERTIFICATION = "cn-certification", pgettext_lazy("transfer", "China's certification")
    CN_ASSESSMENT = "cn-assessment", pgettext_lazy("transfer", "China's security assessment")


class Recipient(models.Model):
    """Somebody who may get lists of an entity of ours: who they are, where, and what was agreed with them.

    What the law asks to be shown is false until it stands here: a contract, a certificate, an assessment. All of it
    counts until `review_on`, and no longer.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    name = models.CharField(_("name"), max_length=200)
    role = models.CharField(_("what they are to us"), max_length=12, choices=Role)
    place = models.CharField(_("where they are"), max_length=6)
    address = models.EmailField(_("address for refusals"), blank=True)
    contract_on = models.DateField(_("contract signed on"), null=True, blank=True)
    contract_at = models.CharField(_("where the contract lies"), max_length=200, blank=True)
    transfer_tool = models.CharField(_("paper for another country"), max_length=16, choices=Tool, default=Tool.NONE)
    certified = models.BooleanField(_("on the list of its country's certificate"), default=False)
    assessed_at = models.CharField(_("where the assessment of the transfer lies"), max_length=200, blank=True)
    review_on = models.DateField(_("to be looked at again on"))
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "ref"]
        constraints = [
            models.CheckConstraint(
                condition=Q(contract_on=None) | ~Q(contract_at=""), name="outreach_contract_lies_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Operation(models.TextChoices):
    """What giving a list to somebody is to the law (use.operation)."""

    SHARE = "share", _("Share")
    SELL = "sell", _("Sell")
    TRANSFER = "transfer", _("Transfer abroad")


class Sharing(models.Model):
    """One list that is given to one recipient: for what, what of whom, and what became of it.

    `proofs` say where that lies which the law wants beside a contract, by kind of obligation. Once there is an export,
    nothing of it changes any more.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="sharings")
    operation = models.CharField(_("what it is"), max_length=8, choices=Operation)
    purpose = models.CharField(_("purpose"), max_length=40)
    query = models.CharField(max_length=LONGEST_QUERY, blank=True)
    columns = ArrayField(models.CharField(max_length=80))
    named_in = models.CharField(_("notice that names it"), max_length=60, blank=True)
    proofs = models.JSONField(default=dict)
    looked = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    before = models.ForeignKey(SegmentDecision, models.PROTECT, null=True, related_name="+")
    approval = models.UUIDField(null=True)
    export = models.OneToOneField(Export, models.PROTECT, null=True, related_name="sharing")
    made_by = models.ForeignKey(Staff, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-made_at", "-ref"]

    def __str__(self) -> str:
        return f"{self.operation} ({self.ref})"

    @property
    def state(self) -> str:
        """draft; then as the file of its export: asked, making, failed, made, fetched (given out) or gone."""
        return self.export.state if self.export else "draft"


class Telling(models.Model):
    """One notice to a recipient: whom of those they got they must leave alone, forget, lock or correct. Numbered."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    recipient = models.ForeignKey(Recipient, models.PROTECT, related_name="tellings")
    number = models.PositiveIntegerField()
    people = models.PositiveIntegerField()
    made_at = models.DateTimeField(db_default=Now())
    due_on = models.DateField(null=True)  # the earliest day of the law; none where no law of ours counts one
    tries = models.PositiveSmallIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    told_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")  # none: by mail, by itself
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at", "-ref"]
        constraints = [
            models.UniqueConstraint("recipient", "number", name="outreach_telling_number"),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None) | Q(told_at__isnull=False), name="outreach_told_before_acknowledged"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.ref})"


class What(models.TextChoices):
    """What a recipient must do about somebody."""

    STOP = "stop", _("Stop using it")
    ERASE = "erase", _("Erase it")
    RESTRICT = "restrict", _("Only store it")
    CORRECT = "correct", _("Correct it")


class PassedOn(models.Model):
    """That one person of one file must be left alone, forgotten, locked or corrected by whoever got it.

    INVARIANT: there is one such row for each file, person and thing to do, however often it is looked for; and it is in
    one notice. A correction may come again.
    """

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    sharing = models.ForeignKey(Sharing, models.PROTECT, related_name="+", db_index=False)  # the constraints'
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+", db_index=False)
    person = models.UUIDField()  # as the file had them
    what = models.CharField(max_length=8, choices=What)
    since = models.DateTimeField()
    noticed_at = models.DateTimeField(db_default=Now())
    telling = models.ForeignKey(Telling, models.PROTECT, null=True, related_name="rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "sharing", "person", "what", condition=~Q(what="correct"), name="outreach_passed_on_once"
            ),
            models.UniqueConstraint(
                "sharing", "person", "since", condition=Q(what="correct"), name="outreach_corrected_once"
            ),
        ]
        indexes = [models.Index(fields=["entity"], name="outreach_to_pass_on", condition=Q(telling=None))]

    def __str__(self) -> str:
        return f"{self.what} ({self.ref})"
