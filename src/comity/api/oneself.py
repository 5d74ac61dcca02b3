"""What a program may, as of now."""

from __future__ import annotations

from django.utils import timezone
from ninja import Router
from pydantic import Field

from comity.api.door import ApiRequest, effective_words, endpoint
from comity.api.shapes import Moment, Ref, Shape
from comity.staff.guards import may_handle
from comity.staff.roles import roles

router = Router(tags=["Oneself"])


class Named(Shape):
    """Somebody or something of ours, by ref and name."""

    ref: Ref
    name: str


class Handles(Shape):
    """Which fields of people may be handled how, for which purpose."""

    operation: str
    purpose: str
    field_classes: list[str]


class Whoami(Shape):
    """A token, and what it opens now."""

    token: Named
    staff: Named = Field(description="Who answers for the token.")
    entity: Named = Field(description="The entity of ours for which it acts.")
    purposes: list[str] = Field(description="The purposes for which it may ask.")
    words: list[str] = Field(description="What it may do, in the words of the access page.")
    handles: list[Handles] = Field(description="What the roles of whoever answers for it let it handle.")
    expires_at: Moment
    day: str = Field(description="Today, where whoever answers for it is.")


@endpoint(router, "GET", "/whoami", may="self.view", answers=Whoami)
def whoami(request: ApiRequest) -> Whoami:
    """Say what this token may do now.

    What it may shrinks with the roles of whoever answers for it, and never grows beyond what the token was made with.
    """
    caller = request.auth
    return Whoami(
        token=Named(ref=caller.token.ref, name=caller.token.name),
        staff=Named(ref=caller.staff.ref, name=caller.staff.name),
        entity=Named(ref=caller.entity.ref, name=caller.entity.name),
        purposes=list(caller.token.purposes), words=effective_words(caller), handles=list(_handles(request)),
        expires_at=caller.token.expires_at, day=timezone.localdate().isoformat(),
    )  # fmt: skip


def _handles(request: ApiRequest) -> list[Handles]:
    caller, known = request.auth, roles()
    found = []
    for purpose in (each for each in known.purposes if each in caller.token.purposes):
        for operation in known.operations:
            classes = [
                each
                for each in known.field_classes
                if may_handle(
                    caller.staff, operation=operation, purpose=purpose, field_class=each, entity=caller.entity
                )
            ]
            if classes:
                found.append(Handles(operation=operation, purpose=purpose, field_classes=classes))
    return found
