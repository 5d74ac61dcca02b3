"""The first wall: every page says which word of roles.toml opens it, and whoever lacks the word does not come in."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import SimpleTemplateResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from comity.refs import new_ref
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.once import Once
from comity.staff.roles import roles
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django_htmx.middleware import HtmxDetails

Given = ParamSpec("Given")


class StaffRequest(HttpRequest):
    """A request of somebody of whom we know who it is: what `staff_page` hands to a view."""

    staff: Staff
    htmx: HtmxDetails


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What a view declares: the word that opens it, or why it is open to everybody."""

    may: str = ""
    open_because: str = ""


class NotYours(PermissionDenied):
    """Somebody lacks a word; `word` says which, and `roles` who has it."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.roles = [role.name for role in roles().roles.values() if role.id in roles().with_word(word)]
        super().__init__(f"this takes {word}, which have: {', '.join(self.roles)}")


Page = Callable[Concatenate[StaffRequest, Given], HttpResponse]
Guarded = Callable[Concatenate[HttpRequest, Given], HttpResponse]


def staff_page(*, may: str) -> Callable[[Page[Given]], Guarded[Given]]:
    """Let in staff who have the word `may` for at least one entity; all else are asked to sign in, or turned away.

    The page runs in one transaction behind the wall of the entities for which its staff member acts, in their language
    and time zone. A page that is about one entity asks `may_do(…, entity=…)` again.
    """
    roles().with_word(may)  # a word that roles.toml does not have stops the start

    def guard(page: Page[Given]) -> Guarded[Given]:
        @wraps(page)
        def guarded(request: HttpRequest, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
            request.user = getattr(request.user, "_wrapped", request.user)  # loaded by now; each look through it costs
            if (turned := _turned_away(request)) is not None:
                return turned
            staff = cast("Staff", request.user)
            cast("StaffRequest", request).staff = staff
            with _as_staff_likes_it(staff, request), behind_wall(staff=staff.ref, entities=entities_of(staff)):
                if not may_do(staff, may):
                    raise NotYours(may)
                return _rendered(page(cast("StaffRequest", request), *args, **kwargs))

        guarded.guard = Guard(may=may)  # type: ignore[attr-defined]  # functions may carry what they declare
        return cast("Guarded[Given]", guarded)

    return guard


def open_page(*, because: str) -> Callable[[Callable[Given, HttpResponse]], Callable[Given, HttpResponse]]:
    """Declare that everybody may see a page, and why."""

    def declare(page: Callable[Given, HttpResponse]) -> Callable[Given, HttpResponse]:
        page.guard = Guard(open_because=because)  # type: ignore[attr-defined]  # functions may carry what they declare
        return page

    return declare


# ---------------------------------------------------------------- who may what


def may_do(staff: Staff, word: str, entity: Entity | UUID | None = None) -> bool:
    """Say whether one of the staff member's roles has the word: for this entity, or, without one, for any."""
    having = roles().with_word(word)
    return any(grant.role in having for grant in _grants(staff, entity))


def demand(staff: Staff, word: str, entity: Entity | UUID | None = None) -> None:
    """Raise NotYours unless `may_do`."""
    if not may_do(staff, word, entity):
        raise NotYours(word)


def may_handle(
    staff: Staff, *, operation: str, purpose: str, field_class: str, entity: Entity | UUID, person: UUID | None = None
) -> bool:
    """Say whether a role of theirs lets them do this, for this purpose, with such fields of people of this entity.

    In broken glass they may view one person's fields of every class, until it mends. The law is asked besides.
    """
    having = roles().with_cell(operation, purpose, field_class)
    if any(grant.role in having for grant in _grants(staff, entity)):
        return True
    return operation == "view" and person is not None and _glass_is_broken(staff, entity, person, purpose)


def entities_of(staff: Staff) -> list[UUID]:
    """Return the refs of the entities for which somebody acts now, in whatever role; read once a request."""
    return [entity.ref for entity in acts_for(staff)]


ENTITIES: Final = Once(lambda: Entity.objects.order_by("name"))


def acts_for(staff: Staff) -> list[Entity]:
    """Return the entities for which somebody acts now, by name; read once a request."""
    known: list[Entity] | None = staff.__dict__.get("_acts_for")
    if known is None:
        granted = {grant.entity_id for grant in standing_grants(staff)}
        known = staff.__dict__["_acts_for"] = [e for e in ENTITIES() if None in granted or e.ref in granted]
    return known


def entities_with(staff: Staff, word: str) -> list[UUID]:
    """Return the refs of the entities for which somebody has the word: it opens no other entity's rows."""
    having = roles().with_word(word)
    granted = {grant.entity_id for grant in standing_grants(staff) if grant.role in having}
    return [ref for ref in entities_of(staff) if None in granted or ref in granted]


STANDING: Final = Once(
    lambda staff, at: RoleGrant.objects.standing(at).filter(staff=staff), new_ref(), datetime.now(UTC)
)  # fmt: skip


def standing_grants(staff: Staff) -> list[RoleGrant]:
    """Return the roles somebody has now, read once a request."""
    known: list[RoleGrant] | None = staff.__dict__.get("_standing_grants")
    if known is None:
        known = staff.__dict__["_standing_grants"] = STANDING(staff.ref, timezone.now())
    return known


def _grants(staff: Staff, entity: Entity | UUID | None) -> list[RoleGrant]:
    ref = entity.ref if isinstance(entity, Entity) else entity
    return [grant for grant in standing_grants(staff) if ref is None or grant.entity_id in {None, ref}]


def _glass_is_broken(staff: Staff, entity: Entity | UUID, person: UUID, purpose: str) -> bool:
    now = timezone.now()
    standing = staff.broken_glass.filter(person=person, purpose=purpose, began_at__lte=now, ends_at__gt=now)
    return standing.filter(entity=entity).exists()


# ---------------------------------------------------------------- on the way in


def _turned_away(request: HttpRequest) -> HttpResponse | None:
    """Return where somebody must go first: to sign in, or to add the second factor that their role takes."""
    staff = request.user
    if not isinstance(staff, Staff) or not staff.is_active:
        return _send_to_sign_in(request)
    if settings.SECOND_FACTOR == "required" and lacks_second_factor(staff):
        messages.warning(request, _("Your role takes a second factor. Add one here first."))
        return redirect("mfa_index")
    return None


def lacks_second_factor(staff: Staff) -> bool:
    """Say whether a role of theirs takes a second factor and there is none."""
    from allauth.mfa.utils import is_mfa_enabled

    known = roles().roles
    takes = any(grant.role in known and known[grant.role].second_factor for grant in standing_grants(staff))
    return takes and not is_mfa_enabled(staff)


def _send_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Redirect to the sign-in page; a part of a page that htmx asked for takes the whole page along."""
    to = redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
    if not getattr(request, "htmx", False):
        return to
    here = request.headers.get("HX-Current-URL", "")
    return HttpResponse(headers={"HX-Redirect": redirect_to_login(here, resolve_url(settings.LOGIN_URL)).url})


@contextmanager
def _as_staff_likes_it(staff: Staff, request: HttpRequest) -> Iterator[None]:
    """Speak the language and tell the time as the staff member chose; what was chosen in this browser comes first."""
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or not staff.language
    with timezone.override(staff.time_zone):
        if not chosen:
            translation.activate(staff.language)  # until the answer is out; the next request sets its own
        yield


def _rendered(answer: HttpResponse) -> HttpResponse:
    """Render what renders itself late, while the wall still stands."""
    if isinstance(answer, SimpleTemplateResponse) and not answer.is_rendered:
        return cast("HttpResponse", answer.render())
    return answer
