"""The door for programs: one guard for every endpoint, in the words of the pages, and the wall behind which it works.

What a token may is asked in this order: is it one of ours and standing; may whoever answers for it still come in; is it
in time with its pace; has the token the word, and have they. Purposes and field classes are asked by `Caller`, where an
endpoint opens something.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from ninja.security import HttpBearer
from pydantic import BaseModel

from comity.api.models import Token
from comity.api.pace import Allowance, take
from comity.api.problems import Problem, challenge
from comity.api.replays import once
from comity.api.shapes import Made
from comity.api.strict import check_body, check_text
from comity.api.tokens import digest, is_token
from comity.book.opening import Look
from comity.staff.guards import Guard, NotYours, lacks_second_factor, may_do, may_handle
from comity.staff.roles import roles
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from ninja import Router
    from ninja.operation import Operation

    from comity.staff.models import Entity, Staff

WRITES: Final = frozenset({"POST", "PATCH"})
NO_STORE: Final = {"Cache-Control": "no-store"}


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A program that came in: its token, who answers for it, and for which entity of ours it acts."""

    token: Token
    secret: str = field(repr=False)
    allowance: Allowance

    @property
    def staff(self) -> Staff:
        return self.token.staff

    @property
    def entity(self) -> Entity:
        return self.token.entity

    def check_purpose(self, purpose: str) -> None:
        """Refuse a purpose that the token does not have. Raises Problem."""
        if purpose not in self.token.purposes:
            has = ", ".join(self.token.purposes) or "none"
            raise Problem("not-yours", f"The token is not for the purpose {purpose}; it has: {has}.", purpose=purpose)

    def look(self, purpose: str) -> Look:
        """Return the look that whoever answers for the token would take. Raises Problem."""
        self.check_purpose(purpose)
        return Look(viewer=self.staff, entity=self.entity, purpose=purpose)

    def check_handles(self, operation: str, purpose: str, field_classes: Iterable[str]) -> None:
        """Refuse what no role of whoever answers for the token lets them do with such fields. Raises Problem."""
        self.check_purpose(purpose)
        for each in field_classes:
            if not may_handle(self.staff, operation=operation, purpose=purpose, field_class=each, entity=self.entity):
                detail = f"No role of {self.staff.name} may {operation} the {each} of people for {purpose}."
                raise Problem("not-yours", detail, operation=operation, purpose=purpose, field_class=each)


class ApiRequest(HttpRequest):
    """A request of a program that was let in."""

    auth: Caller


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an endpoint says where the shape alone is not enough."""

    shape: BaseModel | str
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json"


class Bearer(HttpBearer):
    """A token of ours, sent as `Authorization: Bearer comity_…`."""

    queries: frozenset[str] = frozenset()

    def __init__(self, may: str, *, replays: bool) -> None:
        super().__init__()
        self.replays = replays
        roles().with_word(may)  # a word that roles.toml does not have stops the start
        self.may, self.guard = may, Guard(may=may)

    def authenticate(self, request: HttpRequest, token: str) -> Caller:
        """Let a program in that may come in. Raises Problem, NotYours."""
        found = _standing(token)
        _check_staff(found.staff)
        caller = Caller(token=found, secret=token, allowance=take(found.ref))
        _note_use(found)
        if self.may not in found.words:
            raise Problem("not-yours", f"The token does not have the word {self.may}.", word=self.may)
        if not may_do(found.staff, self.may, found.entity):
            raise NotYours(self.may)
        self._check_form(request)
        return caller

    def _check_form(self, request: HttpRequest) -> None:
        for name in request.GET:
            check_text(name, "the name of a parameter")
            if name not in self.queries:
                known = ", ".join(sorted(self.queries)) or "none"
                raise Problem("bad-request", f"There is no parameter {name[:60]!r} here; known: {known}.")
        if request.method in WRITES:
            check_body(request)


def endpoint(
    router: Router, method: str, path: str, *, may: str, answers: type[BaseModel] | None, code: int = 200,
    refuses: Iterable[str] = (), more: Mapping[str, Any] | None = None, replays: bool = True,
) -> Callable[[Callable[..., BaseModel | Told]], Callable[..., HttpResponse]]:  # fmt: skip
    """Declare an endpoint: the word that opens it, what it answers, and the problems it has beside those all have.

    It runs in one transaction, behind the wall of the token's entity; a refusal leaves nothing behind. Where it
    `replays`, its answer is kept for a day under an Idempotency-Key, and so has refs and nothing else: whoever asks
    again passes no law, and is in no ledger. Who only asks has no need of it: replays=False.
    """
    replays = replays and method in WRITES
    if replays and answers is not Made:
        raise TypeError(f"{method} {path} keeps its answers: let it answer Made, or say replays=False")

    def declare(view: Callable[..., BaseModel | Told]) -> Callable[..., HttpResponse]:
        signature = inspect.signature(view, eval_str=True)
        answered = _inside(view, code, replays=replays)
        answered.__signature__ = signature  # type: ignore[attr-defined]  # what django-ninja reads
        door = Bearer(may, replays=replays)
        declared = router.api_operation(
            [method], path, auth=door, response={code: answers}, operation_id=view.__name__, summary=_summary(view),
            description=_description(view),
            openapi_extra={"x-word": may, "x-refuses": sorted({*refuses}), "x-replays": replays, **(more or {})},
        )(answered)  # fmt: skip
        door.queries = _queries(declared.__dict__["_ninja_operation"])  # django-ninja puts it there
        return answered

    return declare


def _inside(view: Callable[..., BaseModel | Told], code: int, *, replays: bool) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answered(request: ApiRequest, **given: Any) -> HttpResponse:  # noqa: ANN401 - the endpoint's own
        caller = request.auth
        entities = [caller.entity.ref]
        with (
            translation.override("en"),
            timezone.override(caller.staff.time_zone),
            behind_wall(staff=caller.staff.ref, entities=entities),
        ):
            act = partial(_act, view, request, given, code)
            answer = once(request, caller.token, caller.secret, act) if replays else act()
        for name, value in caller.allowance.headers().items():
            answer.headers[name] = value
        return answer

    return answered


def _act(
    view: Callable[..., BaseModel | Told], request: ApiRequest, given: Mapping[str, object], code: int
) -> HttpResponse:
    return _rendered(view(request, **given), code)


def _rendered(said: BaseModel | Told, code: int) -> HttpResponse:
    told = said if isinstance(said, Told) else Told(shape=said, code=code)
    body = told.shape if isinstance(told.shape, str) else told.shape.model_dump_json(by_alias=True)
    return HttpResponse(
        body, status=told.code, content_type=told.media_type, headers={**NO_STORE, **told.headers}
    )  # fmt: skip


# ---------------------------------------------------------------- who comes in


def _standing(text: str) -> Token:
    if not is_token(text):
        raise _refused("This is no token of ours: it was not copied whole, or it is none at all.")
    found = Token.objects.select_related("staff", "entity").filter(digest=digest(text)).first()
    if found is None:
        raise _refused("Nobody made this token here.")
    if found.revoked_at:
        raise _refused("This token was revoked. Whoever may change tokens makes another.")
    if found.expires_at <= timezone.now():
        raise _refused("This token has expired. Whoever may change tokens makes another.")
    return found


def _check_staff(staff: Staff) -> None:
    if not staff.is_active:
        raise _refused("Whoever answers for this token was shut out.")
    if settings.SECOND_FACTOR == "required" and lacks_second_factor(staff):
        raise Problem("second-factor", "The role of whoever answers for this token takes one; they must add it first.")


def _refused(detail: str) -> Problem:
    return Problem("token-refused", detail, headers=challenge("invalid_token"))


def _note_use(token: Token) -> None:
    today = timezone.now().date()
    if token.last_used_on != today:
        unused = Q(last_used_on=None) | Q(last_used_on__lt=today)
        Token.objects.filter(unused, ref=token.ref).update(last_used_on=today)


# ---------------------------------------------------------------- what is declared


def _queries(operation: Operation) -> frozenset[str]:
    """Return the names of the parameters that may stand in the address."""
    asked = [model for model in operation.models if model.__ninja_param_source__ == "query"]
    return frozenset(name for model in asked for name in model.__ninja_flatten_map__)


def _summary(view: Callable[..., object]) -> str:
    return inspect.cleandoc(view.__doc__ or "").split("\n", 1)[0]


def _description(view: Callable[..., object]) -> str:
    return inspect.cleandoc(view.__doc__ or "").partition("\n")[2].strip()


def effective_words(caller: Caller) -> list[str]:
    """Return the words that open something now: those of the token that whoever answers for it still has."""
    return [word for word in sorted(caller.token.words) if may_do(caller.staff, word, caller.entity)]
