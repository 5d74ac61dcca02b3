"""The tables of the book.

Nothing here names a person: names, contact points, addresses and notes are sealed in the vault, under the ref of the
person and of the record they belong to. What stands here is what the law must know to decide, as coarse as it allows.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from comity.refs import new_ref
from comity.staff.models import Entity, Staff


class Capacity(models.TextChoices):
    """As whom we meet somebody, as the law asks it."""

    CONSUMER = "consumer", _("Private individual")
    BUSINESS = "business", _("For a business")


class Source(models.TextChoices):
    """Where a person's data came from."""

    PERSON = "person", _("From the person")
    PUBLISHED = "published", _("From a public source")
    THIRD_PARTY = "third-party", _("From somebody else")


class Person(models.Model):
    """Somebody in the book. The name is in the vault, under this ref."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    home = models.CharField(_("home"), max_length=120, blank=True)  # "DE", "US-CA|US-NV"; empty is unknown
    home_from = ArrayField(models.CharField(max_length=20), default=list, blank=True)  # the evidence: country, phone …
    language = models.CharField(_("language"), max_length=20, blank=True)
    birth_year = models.PositiveSmallIntegerField(null=True, blank=True)
    birth_month = models.PositiveSmallIntegerField(null=True, blank=True)
    capacity = models.CharField(_("met as"), max_length=10, choices=Capacity, blank=True)
    subscriber = models.CharField(
        max_length=10, choices=[("individual", _("A human being")), ("corporate", _("A legal person"))], blank=True
    )
    objected_at = models.DateTimeField(null=True, blank=True)  # to direct marketing, by whatever words
    opt_out_signal_at = models.DateTimeField(null=True, blank=True)
    restricted_at = models.DateTimeField(null=True, blank=True)
    deceased_at = models.DateTimeField(null=True, blank=True)
    protected_office = models.BooleanField(null=True, blank=True)
    entities = ArrayField(models.UUIDField())  # of ours with whom there is a relation: who may see this row
    added_at = models.DateTimeField(db_default=Now())
    changed_at = models.DateTimeField(db_default=Now())
    last_contact_on = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )  # indexed below, where it says something

    class Meta:
        indexes = [
            models.Index(fields=["-changed_at", "-ref"], name="book_person_changed", condition=Q(merged_into=None)),
            models.Index(fields=["-added_at", "-ref"], name="book_person_added", condition=Q(merged_into=None)),
            models.Index(fields=["home", "ref"], name="book_person_home", condition=Q(merged_into=None)),
            models.Index(fields=["language", "ref"], name="book_person_language", condition=Q(merged_into=None)),
            models.Index(
                fields=["-last_contact_on", "-ref"], name="book_person_contact", condition=Q(merged_into=None)
            ),
            models.Index(fields=["merged_into"], name="book_person_merged", condition=Q(merged_into__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(birth_month=None) | Q(birth_year__isnull=False, birth_month__range=(1, 12)),
                name="book_birth_month_has_a_year",
            ),
            models.CheckConstraint(condition=~Q(entities=[]), name="book_person_is_somebody_to_us"),
        ]

    def __str__(self) -> str:
        return str(self.ref)


class PastFacts(models.Model):
    """What the plain facts of a person were before a change: so that a decision can be replayed as of then."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.UUIDField(db_index=True)
    table = models.CharField(max_length=40)
    facts = models.JSONField()
    until = models.DateTimeField()  # when these facts stopped being so
    recorded_at = models.DateTimeField(db_default=Now())


class Relation(models.Model):
    """What there is between a person and one entity of ours."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="relations", db_index=False)  # the constraint's
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    customer_since = models.DateField(null=True, blank=True)
    contract_running = models.BooleanField(default=False)
    address_from_sale = models.BooleanField(default=False)
    refusal_offered = models.BooleanField(default=False)
    last_purchase_on = models.DateField(null=True, blank=True)
    last_inquiry_on = models.DateField(null=True, blank=True)
    last_mailed_on = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=12, choices=Source, blank=True)
    notice = models.CharField(max_length=60, blank=True)  # which wording about our handling was shown
    notice_on = models.DateField(null=True, blank=True)
    # Channels and operations of whose opt-outs we know every one; NULL is all of them. Else a no may stand elsewhere.
    opt_outs_known = ArrayField(models.CharField(max_length=20), null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("person", "entity", name="book_one_relation_an_entity")]

    def __str__(self) -> str:
        return str(self.ref)


class Organisation(models.Model):
    """A firm or body for which people work. Its name names no human being, and is plain."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    name = models.CharField(_("name"), max_length=300)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")
    place = models.CharField(_("place"), max_length=8, blank=True)
    domain = models.CharField(_("domain"), max_length=253, blank=True)
    trade = models.CharField(_("trade"), max_length=100, blank=True)
    entities = ArrayField(models.UUIDField())
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name", "ref"]
        indexes = [models.Index(fields=["name", "ref"], name="book_organisation_name")]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """A person's place in an organisation. What the post is called is sealed with the name."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="posts")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="posts")
    begins_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.ref)


class Reach(models.TextChoices):
    """The kinds of contact points."""

    EMAIL = "email", _("E-mail")
    PHONE = "phone", _("Phone")
    POST = "post", _("Post")
    MESSENGER = "messenger", _("Messenger")


class ContactPoint(models.Model):
    """A way to reach a person. The address or number itself is sealed under this ref."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="contact_points", db_index=False)  # one is below
    reach = models.CharField(max_length=10, choices=Reach)
    first = models.BooleanField(default=True)  # the one to use where nothing else is said
    mobile = models.BooleanField(null=True, blank=True)
    impersonal = models.BooleanField(default=False)  # info@, sales@
    verified_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["person", "reach"], name="book_contact_point_person")]

    def __str__(self) -> str:
        return f"{self.reach} ({self.ref})"


class Tag(models.Model):
    """A word that staff put on people, to find them again."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    name = models.CharField(_("name"), max_length=60, unique=True)
    persons: models.ManyToManyField[Person, Tagging] = models.ManyToManyField(
        Person, through="Tagging", related_name="tags"
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tagging(models.Model):
    """A tag on a person."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    tag = models.ForeignKey(Tag, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint("tag", "person", name="book_tagged_once")]


class Doing(models.TextChoices):
    """The kinds of activities."""

    CALL = "call", _("Call")
    MAIL = "mail", _("E-mail")
    MEETING = "meeting", _("Meeting")
    NOTE = "note", _("Note")
    ORDER = "order", _("Order")


class Activity(models.Model):
    """Something that happened between a person and us. What was said is sealed under this ref."""

    ref = models.UUIDField(primary_key=True, default=new_ref, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="activities", db_index=False)  # one is below
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="+")
    doing = models.CharField(max_length=10, choices=Doing)
    at = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    staff = models.ForeignKey(Staff, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-ref"]
        indexes = [
            models.Index(fields=["person", "-at"], name="book_activity_person"),
            models.Index(fields=["entity", "doing", "at"], include=["person"], name="book_activity_happened"),
        ]

    def __str__(self) -> str:
        return f"{self.doing} ({self.ref})"
