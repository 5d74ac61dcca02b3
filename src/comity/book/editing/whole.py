"""One person as a page shows them: what is plain, and what law and roles let the viewer open; in one opening."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from comity.book.editing.leave import may_edit
from comity.book.looking import look_of
from comity.book.models import ContactPoint, Doing, Person, Post, Reach, Relation, Tag
from comity.book.opening import Look, Seen, everything_of, full_name, purposes_of
from comity.book.places import said_of
from comity.book.queries import persons_seen_by, relation_of
from comity.law import Verdict
from comity.staff.queries import entities_seen_by
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.staff.guards import StaffRequest
    from comity.vault.actions import Opened

Row = TypeVar("Row")
ICONS = {Reach.EMAIL: "mail", Reach.PHONE: "phone", Reach.POST: "map-pin", Reach.MESSENGER: "message-circle"}

LOGGED = {Doing.NOTE: "sticky-note", Doing.CALL: "phone", Doing.MAIL: "mail", Doing.MEETING: "users-round"}
"""What staff put on record by hand, with its icon."""


@dataclass(frozen=True, kw_only=True)
class PointSeen:
    """A contact point, with the address or number itself if it was opened."""

    row: ContactPoint
    value: str | None
    editable: bool
    several: bool  # of its kind, so that it matters which is the first

    @property
    def label(self) -> str:
        """Which kind it is."""
        return str(Reach(self.row.reach).label)

    @property
    def icon(self) -> str:
        """The icon of its kind."""
        return ICONS[Reach(self.row.reach)]


@dataclass(frozen=True, kw_only=True)
class Whole:
    """All of one person that the viewer may see."""

    look: Look
    person: Person
    relation: Relation | None
    points: Sequence[PointSeen]
    posts: Sequence[Post]
    tags: Sequence[Tag]
    seen: Seen
    editable: bool

    @property
    def view(self) -> Verdict:
        """What the law says to this look."""
        return self.seen.decided.answers[self.person.ref].verdict

    @property
    def fields(self) -> Opened | None:
        """The name's fields, if they were opened."""
        return self.seen.of(self.person.ref, FieldClass.NAME)

    @property
    def name(self) -> str:
        """The name as it is written; empty if it stays sealed."""
        return full_name(self.fields)

    @property
    def title(self) -> str:
        """What their post is called; empty if it stays sealed."""
        return str((self.fields or {}).get("post", ""))

    @property
    def home(self) -> str:
        """Where they live, in the reader's language."""
        return said_of(self.person.home)

    @property
    def posts_now(self) -> list[Post]:
        """The organisations they work for today."""
        return [post for post in self.posts if post.ends_on is None]

    @property
    def query(self) -> str:
        """What a link must carry so that whoever follows it looks in the same way."""
        return urlencode({"entity": str(self.look.entity.ref), "purpose": self.look.purpose})

    @property
    def born(self) -> str:
        """The year of birth, or the month with it."""
        year, month = self.person.birth_year, self.person.birth_month
        if year is None:
            return ""
        return date_format(date(year, month, 1), "YEAR_MONTH_FORMAT") if month else str(year)

    @property
    def may_reach(self) -> list[tuple[str, str, str]]:
        """The kinds of contact points that the viewer may add, each with its name and icon."""
        return [
            (reach.value, str(reach.label), ICONS[reach]) for reach in Reach if may_edit(self.look, class_of(reach))
        ]  # fmt: skip

    @property
    def may_log(self) -> list[tuple[str, str, str]]:
        """The kinds of activities that the viewer may put on record, each with its name and icon."""
        return [
            (doing.value, str(doing.label), picture)
            for doing, picture in LOGGED.items() if may_edit(self.look, FieldClass.NOTE)
        ]  # fmt: skip

    def point(self, ref: UUID) -> PointSeen:
        """Return one contact point. Raises Http404."""
        return _one(point for point in self.points if point.row.ref == ref)

    def post(self, ref: UUID) -> Post:
        """Return one post. Raises Http404."""
        return _one(post for post in self.posts if post.ref == ref)


def _one(rows: Iterator[Row]) -> Row:
    found = next(rows, None)
    if found is None:
        raise Http404(_("That is not here any more. Somebody else may have removed it."))
    return found


def look_at(request: StaffRequest, ref: UUID) -> Look:
    """Return for which entity and purpose somebody looks at a person: one of those that know the person, if any."""
    look = look_of(request)
    if request.GET.get("entity") or persons_seen_by(look.viewer, look.entity).filter(ref=ref).exists():
        return look
    for entity in entities_seen_by(look.viewer).order_by("name"):
        purposes = purposes_of(look.viewer, entity)
        if purposes and persons_seen_by(look.viewer, entity).filter(ref=ref).exists():
            return replace(look, entity=entity, purpose=look.purpose if look.purpose in purposes else purposes[0])
    return look


def person_of(look: Look, ref: UUID, *, locked: bool = False) -> Person:
    """Return a person whom the viewer may see; `locked`, so that nobody else changes them meanwhile. Raises Http404."""
    rows = persons_seen_by(look.viewer, look.entity)
    found = (rows.select_for_update(of=("self",)) if locked else rows).filter(ref=ref).first()
    if found is None:
        raise Http404(_("There is no such person in the book of %(entity)s.") % {"entity": look.entity.name})
    return found


def whole_of(look: Look, person: Person, more: Iterable[Label] = ()) -> Whole:
    """Open what the page of a person shows, and what else lies under the labels of `more`."""
    rows = list(ContactPoint.objects.filter(person=person).order_by("reach", "-first", "added_at", "ref"))
    kinds = [row.reach for row in rows]
    seen = everything_of(look, person.ref, [*map(point_label, rows), *more])
    return Whole(
        look=look, person=person, relation=relation_of(person, look.entity), seen=seen, editable=may_edit(look),
        points=[_point(look, seen, row, several=kinds.count(row.reach) > 1) for row in rows],
        posts=list(person.posts.select_related("organisation").order_by("-ends_on", "ref")),
        tags=list(person.tags.all()),
    )  # fmt: skip


def _point(look: Look, seen: Seen, row: ContactPoint, *, several: bool) -> PointSeen:
    label = point_label(row)
    fields = seen.opened.get(label)
    value = ", ".join(str(part) for part in fields.values()) if fields else None
    editable = value is not None and may_edit(look, label.field_class)
    return PointSeen(row=row, value=value, editable=editable, several=several)


def point_label(row: ContactPoint) -> Label:
    """Return where the address or number of a contact point is sealed."""
    return Label(row.person_id, class_of(row.reach), "point", row.ref)


def class_of(reach: str) -> FieldClass:
    """Return the class of fields to which such contact points belong."""
    return FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT


# ---------------------------------------------------------------- who was first


def version_of(person: UUID, initial: Mapping[str, object]) -> str:
    """Return a sign of what stood in a form when it was opened: another one means that somebody changed it meanwhile.

    Keyed, so that it does not tell what stood there to whoever reads the page's source later.
    """
    told = json.dumps([str(person), dict(initial)], cls=DjangoJSONEncoder, sort_keys=True)
    return salted_hmac("comity.book.editing", told, algorithm="sha256").hexdigest()[:32]
