"""Organisations: firms and bodies for which persons work. Their names are plain."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from ninja import Router
from ninja.params.functions import Query as Parameter
from pydantic import Field

from comity.api.door import ApiRequest, Caller, Told, endpoint
from comity.api.matching import check_match, etag
from comity.api.segments import CURSOR, Cursor, Limit, page
from comity.api.shapes import Line, Made, Moment, Ref, Shape
from comity.book.models import Organisation
from comity.book.organisations.actions import add_organisation, change_organisation
from comity.book.organisations.queries import version_of
from comity.book.queries import organisations_seen_by
from comity.counsel.asking import book
from comity.refs import shown

router = Router(tags=["Organisations"])

Place = Annotated[str, Field(max_length=8)]
Domain = Annotated[str, Field(max_length=253)]
Trade = Annotated[str, Field(max_length=100)]


class NewOrganisation(Shape):
    """A firm or body."""

    name: Line
    parent: Ref | None = Field(default=None, description="The organisation of which it is a part.")
    place: Place = Field(default="", description="Where it is: an ISO 3166 code.", examples=["DE"])
    domain: Domain = Field(default="", description="The domain of its addresses.", examples=["nordlicht.example"])
    trade: Trade = ""


class OrganisationChange(Shape):
    """What is different now: only what stands here changes."""

    name: Line | None = None
    parent: Ref | None = None
    place: Place | None = None
    domain: Domain | None = None
    trade: Trade | None = None


class KeptOrganisation(Shape):
    """An organisation, as the book has it."""

    ref: Ref
    name: str
    parent: Ref | None
    place: str
    domain: str
    trade: str
    added_at: Moment


class OrganisationPage(Shape):
    """Some organisations, and where the next ones are."""

    organisations: list[KeptOrganisation]
    next: str | None


@endpoint(router, "GET", "/organisations", may="organisation.view", answers=OrganisationPage)
def list_organisations(
    request: ApiRequest,
    name: Annotated[str, Field(max_length=300)] | None = Parameter(None, description="How its name begins."),
    place: Place | None = Parameter(None, description="Where it is."),  # noqa: B008 - as above
    limit: Limit = Parameter(50, description="How many at most."),  # noqa: B008 - as above
    cursor: Cursor | None = Parameter(None, description=CURSOR),  # noqa: B008 - as above
) -> OrganisationPage:
    """List organisations by name."""
    said = {"name__istartswith": name, "place": place}
    found = _seen(request.auth).filter(**{key: value for key, value in said.items() if value is not None})
    rows, after = page(found, key="name", down=False, cursor=cursor, limit=limit)
    return OrganisationPage(organisations=[_kept(row) for row in rows], next=after)


@endpoint(
    router, "GET", "/organisations/{ref}", may="organisation.view", answers=KeptOrganisation, refuses=["not-found"]
)
def read_organisation(request: ApiRequest, ref: Ref) -> Told:
    """Read one organisation."""
    found = _one(request.auth, ref)
    return Told(shape=_kept(found), headers={"ETag": etag(found)})


@endpoint(router, "POST", "/organisations", may="organisation.edit", answers=Made, code=201, refuses=["not-found"])
def create_organisation(request: ApiRequest, new: NewOrganisation) -> Told:
    """Add an organisation to the book of the token's entity."""
    caller = request.auth
    told = {**new.model_dump(), "parent": _above(caller, new.parent)}
    _check_place(new.place)
    made = add_organisation(told=told, entity=caller.entity, added_by=caller.staff)
    made.refresh_from_db(fields=["added_at"])
    headers = {"Location": f"/api/v1/organisations/{made.ref}", "ETag": etag(made)}
    return Told(shape=_made(made), code=201, headers=headers)


@endpoint(
    router, "PATCH", "/organisations/{ref}", may="organisation.edit", answers=Made,
    refuses=["not-found", "changed-meanwhile", "say-which"],
)  # fmt: skip
def change_one_organisation(request: ApiRequest, ref: Ref, change: OrganisationChange) -> Told:
    """Change an organisation. If-Match is needed: the ETag of what you read."""
    caller = request.auth
    found = _one(caller, ref, lock=True)
    check_match(request, etag(found))
    told: dict[str, object] = {name: value or "" for name, value in change.model_dump(exclude_unset=True).items()}
    if "parent" in told:
        told["parent"] = _above(caller, change.parent)
    _check_place(change.place or "")
    change_organisation(organisation=found, told=told, version=version_of(found), changed_by=caller.staff)
    changed = _one(caller, ref)
    return Told(shape=_made(changed), headers={"ETag": etag(changed)})


# ---------------------------------------------------------------- parts


def _seen(caller: Caller) -> QuerySet[Organisation]:
    return organisations_seen_by(caller.staff).filter(entities__contains=[caller.entity.ref])


def _one(caller: Caller, ref: UUID, *, lock: bool = False) -> Organisation:
    rows = _seen(caller)
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(ref=ref).first()
    if found is None:
        raise Http404(f"There is no organisation {ref} in the book of {caller.entity.name}.")
    return found


def _above(caller: Caller, ref: UUID | None) -> Organisation | None:
    return _one(caller, ref) if ref else None


def _check_place(place: str) -> None:
    if place:
        book().vocabulary.read({"person.home": [place]})  # raises FactError for a place that there is not


def _made(row: Organisation) -> Made:
    return Made(ref=row.ref, letters=shown(row.ref))


def _kept(row: Organisation) -> KeptOrganisation:
    return KeptOrganisation(
        ref=row.ref, name=row.name, parent=row.parent_id, place=row.place, domain=row.domain, trade=row.trade,
        added_at=row.added_at,
    )  # fmt: skip
