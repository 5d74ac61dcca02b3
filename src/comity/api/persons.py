"""Persons: plain facts for whoever may see them, and of what is sealed what role, purpose and law open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from django.http import Http404
from ninja import Query, Router
from ninja.params.functions import Query as Parameter
from pydantic import Field, model_validator

from comity.api.changing import add_person, add_way, change_person
from comity.api.door import ApiRequest, Caller, Told, endpoint
from comity.api.findings import Findings
from comity.api.matching import check_match, etag
from comity.api.segments import CURSOR, ORDERS, Cursor, Limit, Order, Segment, page
from comity.api.shapes import Asked, Day, Finding, LooksFor, Made, Moment, OneOf, Ref, Shape, Truth, Whole
from comity.book.actions import Newcomer, NewPoint
from comity.book.models import Capacity, ContactPoint, Organisation, Person, Reach, Relation, Source
from comity.book.opening import Seen, everything_of, names_of
from comity.book.queries import persons_seen_by, relation_of, with_posts
from comity.counsel.asking import book
from comity.refs import shown
from comity.vault.sealing import FieldClass, Label

router = Router(tags=["Persons"])

OPENED: Final = (FieldClass.NAME, FieldClass.CONTACT, FieldClass.ADDRESS)
"""The field classes of which a person's answer has something."""
PURPOSE: Final = (
    "What you look at people for. Without it, nothing sealed is opened: no name, no address. Every look for a purpose "
    "is a question to the law, and is on record."
)

LONGEST_HOME: Final = Person._meta.get_field("home").max_length or 0  # noqa: SLF001 - Django's documented name for it

# ---------------------------------------------------------------- shapes


class Name(Shape):
    """How a person is called: given and family name, or, where nobody knows which is which, the full one."""

    given: Annotated[str, Field(max_length=200)] = ""
    family: Annotated[str, Field(max_length=200)] = ""
    full: Annotated[str, Field(max_length=400)] = ""
    post: Annotated[str, Field(max_length=200)] = Field(
        default="", description="What their post at the organisation is called."
    )

    def said(self) -> dict[str, str]:
        """Return the parts that were said."""
        return {name: value for name, value in self.model_dump().items() if value}


class Point(Shape):
    """A way to reach a person."""

    reach: Annotated[str, OneOf(tuple(Reach.values))]
    value: Annotated[str, Field(min_length=1, max_length=500)] = Field(description="The address or number itself.")
    mobile: Truth | None = None
    impersonal: Truth = Field(default=False, description="It is nobody's own: info@, sales@.")
    verified_at: Moment | None = Field(default=None, description="When it was confirmed.")

    def new(self) -> NewPoint:
        """Return it as the book takes it."""
        return NewPoint(
            reach=Reach(self.reach), value=self.value, mobile=self.mobile, impersonal=self.impersonal,
            verified_at=self.verified_at,
        )  # fmt: skip


class Facts(Shape):
    """Plain facts about a person, which the law asks for. What is left out is not known."""

    home: Annotated[list[Annotated[str, Field(max_length=6)]], Field(max_length=20)] = Field(
        default_factory=list, description="Every place where they may live, as ISO 3166 codes.", examples=[["DE"]]
    )
    language: Annotated[str, Field(max_length=20)] = ""
    birth_year: Annotated[Whole, Field(ge=1880, le=2200)] | None = None
    birth_month: Annotated[Whole, Field(ge=1, le=12)] | None = None
    capacity: Annotated[str, OneOf(("", *Capacity.values))] = ""
    subscriber: Annotated[str, OneOf(("", "individual", "corporate"))] = ""

    @model_validator(mode="after")
    def check(self) -> Facts:
        if self.birth_month and not self.birth_year:
            raise ValueError("a birth month needs its year")
        if len(_joined(self.home)) > LONGEST_HOME:
            raise ValueError(f"these are too many homes: joined by | they have {LONGEST_HOME} letters at most")
        return self

    def columns(self) -> dict[str, Any]:
        """Return what was said, as the table has it. Raises FactError for a place that there is not."""
        told = self.model_dump(exclude_unset=True)
        if told.get("birth_year", 0) is None:
            told["birth_month"] = None  # a month of no year says nothing
        if "home" in told:
            book().vocabulary.read({"person.home": told["home"]} if told["home"] else {})
            told["home"] = _joined(told["home"])
        return told


class Between(Shape):
    """What there is between a person and the entity."""

    customer_since: Day | None = None
    contract_running: Truth = False
    address_from_sale: Truth = Field(default=False, description="We have the address from a sale to them.")
    refusal_offered: Truth = Field(default=False, description="They could refuse when they gave it.")
    last_purchase_on: Day | None = None
    last_inquiry_on: Day | None = None
    source: Annotated[str, OneOf(("", *Source.values))] = Field(default="", description="Where the data came from.")
    notice: Annotated[str, Field(max_length=60)] = Field(
        default="", description="Which wording they were shown, with version."
    )
    notice_on: Day | None = None


class BetweenNow(Between):
    """What is different between somebody and the entity: where their data came from may be put right, not forgotten."""

    source: Annotated[str, OneOf(tuple(Source.values))] = Field(
        default_factory=str,
        description="Where the data came from: it can be put right, and not be forgotten.",
    )


class Came(Between):
    """What there is between somebody new and the entity: where their data came from must be known, to tell them."""

    source: Annotated[str, OneOf(tuple(Source.values))] = Field(
        description="Where the data came from: what we owe them follows from it (GDPR Art. 13 and 14)."
    )

    @model_validator(mode="after")
    def check(self) -> Came:
        if self.source == Source.PERSON and not self.notice:
            raise ValueError("whoever gives us their own data is told what we do with it, at once: say which notice")
        return self


class NewPerson(Shape):
    """Somebody who comes into the book."""

    name: Name = Field(default_factory=Name)
    points: Annotated[list[Point], Field(max_length=30)] = Field(default_factory=list)
    facts: Facts = Field(default_factory=Facts)
    relation: Came
    organisation: Ref | None = Field(default=None, description="Where they work.")


class PersonChange(Shape):
    """What is different now: only what stands here changes. A name is replaced as a whole."""

    name: Name | None = None
    facts: Facts | None = None
    relation: BetweenNow | None = None


class KeptPoint(Shape):
    """A way to reach a person, as we keep it; the address or number where it may be opened."""

    ref: Ref
    reach: str
    first: bool
    mobile: bool | None
    impersonal: bool
    verified_at: Moment | None
    failed_at: Moment | None
    value: str | None = Field(description="null: sealed, or not asked for. `look` says why.")


class Withheld(Shape):
    """Fields that stayed sealed, and why."""

    field_class: str
    why: Annotated[str, OneOf(("law", "role"))] = Field(
        description="law: the finding says why. role: whoever answers for the token may not see such fields."
    )


class Look(Shape):
    """What the law said to this look at this person."""

    verdict: str
    finding: int = Field(description="The number of its reasons among the findings of this answer.")
    withheld: list[Withheld]


class Works(Shape):
    """Where somebody works."""

    ref: Ref
    name: str


class KeptPerson(Shape):
    """A person, as the book has them."""

    ref: Ref
    letters: str = Field(description="The ref as people see it.")
    name: Name | None = Field(description="null: sealed, or not asked for. `look` says why.")
    facts: Facts
    objected: bool = Field(description="They objected to direct marketing.")
    restricted: bool = Field(description="Their data may only be kept, until that is settled.")
    deceased: bool
    organisations: list[Works]
    added_at: Moment
    changed_at: Moment
    last_contact_on: Day | None
    look: Look | None = Field(default=None, description="Present where a purpose was given.")


class PersonPage(Shape):
    """Some persons, and where the next ones are."""

    persons: list[KeptPerson]
    next: str | None
    decision: Asked | None = Field(description="The decision under which names were opened.")
    findings: list[Finding]


class WholePerson(KeptPerson):
    """A person with what there is between them and us, and how they are reached."""

    relation: Between | None
    points: list[KeptPoint]
    decision: Asked | None
    findings: list[Finding]


# ---------------------------------------------------------------- endpoints


@endpoint(router, "GET", "/persons", may="person.view", answers=PersonPage)
def list_persons(
    request: ApiRequest,
    *,
    segment: Query[Segment],
    purpose: LooksFor | None = Parameter(None, description=PURPOSE),  # noqa: B008 - how django-ninja is told
    order: Order = Parameter("-added", description="By which moment; with - the latest first."),  # noqa: B008 - as above
    limit: Limit = Parameter(50, description="How many at most."),  # noqa: B008 - as above
    cursor: Cursor | None = Parameter(None, description=CURSOR),  # noqa: B008 - as above
) -> PersonPage:
    """List persons of the token's entity.

    With a purpose the names are opened, as far as the law of each person's home permits: one decision for the page.
    Those who may not be seen are in the list too, sealed, and `look` says why.
    """
    caller = request.auth
    found = with_posts(segment.of(persons_seen_by(caller.staff, caller.entity)))
    rows, after = page(
        found, key=ORDERS[order.lstrip("-")], down=order.startswith("-"), cursor=cursor, limit=limit
    )  # fmt: skip
    seen = names_of(caller.look(purpose), [row.ref for row in rows]) if purpose and rows else None
    findings = Findings(seen.decided.answers if seen else {})
    told = [KeptPerson(**_person(row, seen, findings, _withheld(caller, purpose, [FieldClass.NAME]))) for row in rows]
    return PersonPage(persons=told, next=after, decision=_asked(seen), findings=findings.all)


@endpoint(router, "GET", "/persons/{ref}", may="person.view", answers=WholePerson, refuses=["not-found"])
def read_person(
    request: ApiRequest,
    ref: Ref,
    purpose: LooksFor | None = Parameter(None, description=PURPOSE),  # noqa: B008 - as above
) -> Told:
    """Read one person.

    With a purpose, name, contact points and addresses are opened, as far as role and law permit. The ETag is that of
    what may be changed; send it back as If-Match.
    """
    caller = request.auth
    person = _one(caller, ref)
    points = list(ContactPoint.objects.filter(person=person).order_by("ref"))
    labels = [_label(point) for point in points]
    seen = everything_of(caller.look(purpose), person.ref, labels) if purpose else None
    findings = Findings(seen.decided.answers if seen else {})
    relation = relation_of(person, caller.entity)
    told = WholePerson(
        **_person(person, seen, findings, _withheld(caller, purpose, OPENED)), relation=_between(relation),
        points=[_point(point, seen) for point in points], decision=_asked(seen), findings=findings.all,
    )  # fmt: skip
    return Told(shape=told, headers={"ETag": _tag(caller, ref)})


@endpoint(router, "POST", "/persons", may="person.edit", answers=Made, code=201, refuses=["not-found", "law-refuses"])
def create_person(
    request: ApiRequest,
    new: NewPerson,
    purpose: LooksFor = Parameter(description="What you keep them for; a role must have it for these fields."),  # noqa: B008 - as above
) -> Told:
    """Bring somebody into the book of the token's entity.

    What we owe them since, such as to say where we have their data from, is kept with its day, as on the page. The
    answer names nobody: read the person to see what was kept. Whether the same person is in the book already, the
    duplicates page finds.
    """
    caller = request.auth
    caller.check_handles("edit", purpose, sorted(_classes(new.points)))
    newcomer = Newcomer(
        name=new.name.said(), points=[point.new() for point in new.points], facts=_with_evidence(new.facts.columns()),
        relation=new.relation.model_dump(exclude_unset=True),
    )  # fmt: skip
    organisation = _organisation(caller, new.organisation)
    add_person(look=caller.look(purpose), newcomer=newcomer, organisation=organisation)
    return _made(newcomer.ref, 201)


@endpoint(
    router, "PATCH", "/persons/{ref}", may="person.edit", answers=Made,
    refuses=["not-found", "changed-meanwhile", "say-which", "law-refuses"],
)  # fmt: skip
def change_one_person(
    request: ApiRequest,
    ref: Ref,
    change: PersonChange,
    purpose: LooksFor = Parameter(description="What you keep them for; a role must have it for names."),  # noqa: B008 - as above
) -> Told:
    """Change a person's name or plain facts, and what there is between them and us.

    If-Match is needed: the ETag of what you read. What a person was before stays known, so that old decisions can be
    replayed.
    """
    caller = request.auth
    caller.check_handles("edit", purpose, [FieldClass.NAME])
    _one(caller, ref, lock=True)
    check_match(request, _tag(caller, ref))
    change_person(
        look=caller.look(purpose), person=ref, name=change.name.said() if change.name else None,
        facts=change.facts.columns() if change.facts else {},
        relation=change.relation.model_dump(exclude_unset=True) if change.relation else {},
    )  # fmt: skip
    return _made(ref, 200, {"ETag": _tag(caller, ref)})


@endpoint(
    router, "POST", "/persons/{ref}/points", may="person.edit", answers=Made, code=201,
    refuses=["not-found", "law-refuses"],
)  # fmt: skip
def add_contact_point(
    request: ApiRequest,
    ref: Ref,
    point: Point,
    purpose: LooksFor = Parameter(description="What you keep it for; a role must have it for such fields."),  # noqa: B008 - as above
) -> Told:
    """Add a way to reach a person."""
    caller = request.auth
    caller.check_handles("edit", purpose, sorted(_classes([point])))
    _one(caller, ref, lock=True)
    facts = point.model_dump(include={"mobile", "impersonal", "verified_at"})
    made = add_way(look=caller.look(purpose), person=ref, reach=Reach(point.reach), value=point.value, facts=facts)
    return Told(shape=Made(ref=made.ref, letters=shown(made.ref)), code=201, headers={"ETag": _tag(caller, ref)})


# ---------------------------------------------------------------- parts


def _one(caller: Caller, ref: UUID, *, lock: bool = False) -> Person:
    rows = persons_seen_by(caller.staff, caller.entity)
    rows = rows.select_for_update(of=("self",)) if lock else with_posts(rows)
    found = rows.filter(ref=ref).first()
    if found is None:
        raise Http404(f"There is no person {ref} in the book of {caller.entity.name}.")
    return found


def _person(person: Person, seen: Seen | None, findings: Findings, withheld: Sequence[Withheld]) -> dict[str, Any]:
    fields = seen.of(person.ref, FieldClass.NAME) if seen else None
    posts = getattr(person, "posts_now", [])
    return {
        "ref": person.ref, "letters": shown(person.ref),
        "name": Name.model_construct(**{**dict.fromkeys(Name.model_fields, ""), **_texts(fields)}) if fields else None,
        "facts": _facts(person), "objected": person.objected_at is not None,
        "restricted": person.restricted_at is not None, "deceased": person.deceased_at is not None,
        "organisations": [Works(ref=post.organisation.ref, name=post.organisation.name) for post in posts],
        "added_at": person.added_at, "changed_at": person.changed_at, "last_contact_on": person.last_contact_on,
        "look": _look(person.ref, seen, findings, withheld) if seen else None,
    }  # fmt: skip


def _texts(fields: Mapping[str, object]) -> dict[str, Any]:
    return {name: str(fields[name]) for name in Name.model_fields if fields.get(name)}


def _facts(person: Person) -> Facts:
    return Facts.model_construct(
        home=person.home.split("|") if person.home else [], language=person.language, birth_year=person.birth_year,
        birth_month=person.birth_month, capacity=person.capacity, subscriber=person.subscriber,
    )  # fmt: skip


def _between(relation: Relation | None) -> Between | None:
    if relation is None:
        return None
    return Between.model_construct(**{name: getattr(relation, name) for name in Between.model_fields})


def _look(person: UUID, seen: Seen, findings: Findings, by_role: Sequence[Withheld]) -> Look:
    verdict = seen.decided.answers[person].verdict.value
    withheld = list(by_role)
    if verdict != "permit":
        known = {each.field_class for each in by_role}
        withheld += [Withheld(field_class=each, why="law") for each in OPENED if each not in known]
    return Look(verdict=verdict, finding=findings.of[person], withheld=withheld)


def _withheld(caller: Caller, purpose: str | None, asked: Sequence[FieldClass]) -> list[Withheld]:
    """Return what the roles of whoever answers for the token keep closed."""
    if purpose is None:
        return []
    mine = caller.look(purpose).classes()
    return [Withheld(field_class=each, why="role") for each in asked if each not in mine]


def _asked(seen: Seen | None) -> Asked | None:
    return Asked(ref=seen.decided.ref, day=seen.decided.day) if seen else None


def _label(point: ContactPoint) -> Label:
    sealed_as = FieldClass.ADDRESS if point.reach == Reach.POST else FieldClass.CONTACT
    return Label(point.person_id, sealed_as, "point", point.ref)


def _point(point: ContactPoint, seen: Seen | None) -> KeptPoint:
    label = _label(point)
    fields = seen.of(label.person, label.field_class, label.record) if seen else None
    return KeptPoint(
        ref=point.ref, reach=point.reach, first=point.first, mobile=point.mobile, impersonal=point.impersonal,
        verified_at=point.verified_at, failed_at=point.failed_at,
        value=", ".join(str(part) for part in fields.values()) if fields else None,
    )  # fmt: skip


def _joined(homes: Iterable[str]) -> str:
    return "|".join(sorted(set(homes)))


def _classes(points: Iterable[Point]) -> set[FieldClass]:
    """Return the field classes that are written: the name always, by which somebody is known."""
    return {FieldClass.NAME} | {
        FieldClass.ADDRESS if each.reach == Reach.POST else FieldClass.CONTACT for each in points
    }


def _with_evidence(facts: dict[str, Any]) -> dict[str, Any]:
    return facts | ({"home_from": ["program"]} if facts.get("home") else {})


def _tag(caller: Caller, ref: UUID) -> str:
    """Return the mark of what may be changed, as it stands in the database now."""
    person = Person.objects.get(ref=ref)
    return etag(
        person, relation_of(person, caller.entity), ContactPoint.objects.filter(person=person).order_by("ref")
    )  # fmt: skip


def _organisation(caller: Caller, ref: UUID | None) -> Organisation | None:
    if ref is None:
        return None
    found = Organisation.objects.filter(ref=ref, entities__contains=[caller.entity.ref]).first()
    if found is None:
        raise Http404(f"There is no organisation {ref} in the book of {caller.entity.name}.")
    return found


def _made(person: UUID, code: int, headers: Mapping[str, str] | None = None) -> Told:
    headers = {"Location": f"/api/v1/persons/{person}", **(headers or {})}
    return Told(shape=Made(ref=person, letters=shown(person)), code=code, headers=headers)
