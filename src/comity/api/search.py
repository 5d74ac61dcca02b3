"""Finding persons by name, address or number. What is sought stands in the body: addresses are written into logs."""

from __future__ import annotations

from typing import Annotated, Final

from ninja import Router
from pydantic import Field

from comity.api.door import ApiRequest, endpoint
from comity.api.shapes import LooksFor, OneOf, Ref, Shape
from comity.book.searching import find
from comity.refs import shown
from comity.vault.tokens import Sort

router = Router(tags=["Search"])

HOW: Final = {"exact": [Sort.EXACT], "prefix": [Sort.PREFIX], "fuzzy": [Sort.FUZZY]}


class Sought(Shape):
    """Who is sought."""

    query: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="A name or its beginning, an address, a number."
    )
    purpose: LooksFor = Field(description="What for.")
    how: Annotated[str, OneOf(("any", *HOW))] = Field(
        default="any",
        description="exact: identifiers alone. prefix: names that begin so. fuzzy: names, misspelt. any: each in turn, "
        "until somebody is found.",
    )


class Hit(Shape):
    """Somebody who was found."""

    ref: Ref
    letters: str
    name: str


class Found(Shape):
    """Those who match and may be seen, the best first: at most thirty."""

    found: list[Hit]


@endpoint(router, "POST", "/search", may="person.view", answers=Found, replays=False)
def search_persons(request: ApiRequest, sought: Sought) -> Found:
    """Find persons of the token's entity.

    Candidates are found by blind tokens, then opened under a decision for the purpose, and compared; who may not be
    seen is not found.
    """
    look = request.auth.look(sought.purpose)
    hits = find(look, sought.query, HOW.get(sought.how))
    return Found(found=[Hit(ref=hit.person, letters=shown(hit.person), name=hit.name) for hit in hits])
