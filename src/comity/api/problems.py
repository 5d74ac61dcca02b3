"""What a program gets where it does not get what it asked for: problem+json (RFC 9457), whatever went wrong."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as Unfit
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from comity.law.vocabulary import FactError
from comity.staff.guards import NotYours

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
BEARER: Final = "Send it as Authorization: Bearer comity_…"
KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "not-json": (400, "The body is not JSON as we take it"),
    "bad-request": (400, "The request cannot be understood"),
    "no-token": (401, "A token is needed"),
    "token-refused": (401, "The token opens nothing"),
    "not-yours": (403, "The token, or who answers for it, may not do this"),
    "law-refuses": (403, "The law does not permit it, or leaves it to a human"),
    "second-factor": (403, "Who answers for the token lacks a second factor"),
    "not-found": (404, "There is nothing here"),
    "method": (405, "This address does not take that method"),
    "busy-key": (409, "The same Idempotency-Key is being worked on"),
    "not-covered": (409, "No checkpoint covers this entry yet"),
    "changed-meanwhile": (412, "It was changed since you read it"),
    "too-big": (413, "The body is too big"),
    "media-type": (415, "The body must be application/json"),
    "unfit": (422, "The request does not have the form it must have"),
    "other-request": (422, "The Idempotency-Key belongs to another request"),
    "say-which": (428, "If-Match is needed"),
    "too-fast": (429, "Too many requests"),
    "failed": (500, "Something went wrong on our side"),
    "database-gone": (503, "The database does not answer"),
}
"""Every problem there is: the HTTP status code and the title. docs/api.md tells of each."""


class Problem(Exception):
    """A refusal that a program can act on: which of KINDS, what exactly was wrong, and the cure."""

    def __init__(self, kind: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: object) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, dict(headers or {}), more


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One part of a request that is not as it must be, and where it stands."""

    pointer: str
    detail: str
    more: Mapping[str, object] = field(default_factory=dict)


def answer(problem: Problem) -> HttpResponse:
    """Return a problem as HTTP has it."""
    code, title = KINDS[problem.kind]
    told = {"type": f"/programs/interface/#{problem.kind}", "title": title, "status": code, "detail": problem.detail}
    body = json.dumps(told | problem.more, ensure_ascii=False).encode("utf-8", "backslashreplace")
    headers = {"Cache-Control": "no-store", **problem.headers}
    return HttpResponse(body, status=code, content_type=MEDIA_TYPE, headers=headers)


def as_problem(error: Exception) -> Problem:
    """Return what an exception means to a program. What nobody expected is logged, and says nothing of itself."""
    for kinds, means in MEANINGS:
        if isinstance(error, kinds):
            return means(error)
    log.error("a request of a program failed", exc_info=error)
    return Problem("failed", "It was logged. Asking again with the same Idempotency-Key is safe.")


def _as_it_is(error: Any) -> Problem:  # noqa: ANN401 - each of the kinds below
    return error  # type: ignore[no-any-return]  # a Problem


def _unread(error: Any) -> Problem:  # noqa: ANN401 - as above
    """Tell why django-ninja could not read a body."""
    return error.__cause__ if isinstance(error.__cause__, Problem) else Problem("bad-request", str(error))


def _gone(error: Any) -> Problem:  # noqa: ANN401 - as above
    log.warning("the database did not answer a program", exc_info=error)
    connection.close()
    return Problem("database-gone", "It mends itself; ask again shortly.", headers={"Retry-After": "5"})


MEANINGS: Final[Sequence[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem]]]] = (
    (Problem, _as_it_is),
    (ValidationError, lambda error: unfit(_wrongs(error.errors))),
    (AuthenticationError, lambda _: Problem("no-token", BEARER, headers=challenge("invalid_request"))),
    (HttpError, _unread),
    (NotYours, lambda error: Problem("not-yours", str(error), word=error.word)),
    (PermissionDenied, lambda error: Problem("not-yours", str(error) or "This is not for this token.")),
    (Http404, lambda error: Problem("not-found", str(error) or "There is nothing here.")),
    (RequestDataTooBig, lambda _: Problem("too-big", "The body is larger than this application takes.")),
    (FactError, lambda error: unfit([Wrong(pointer="", detail=str(error))])),
    (Unfit, lambda error: unfit([Wrong(pointer="", detail=message) for message in error.messages])),
    ((BadRequest, SuspiciousOperation), lambda error: Problem("bad-request", str(error))),
    ((InterfaceError, OperationalError), _gone),
)
"""What each exception means to a program, the first that fits."""


def unfit(wrongs: Sequence[Wrong]) -> Problem:
    """Return the problem of a request whose form is wrong, part by part."""
    told = [{"pointer": each.pointer, "detail": each.detail, **each.more} for each in wrongs]
    return Problem("unfit", "; ".join(_short(each) for each in wrongs[:3]), errors=told)


def challenge(why: str) -> dict[str, str]:
    """Return the header that a 401 must have (RFC 6750)."""
    return {"WWW-Authenticate": f'Bearer realm="comity", error="{why}"'}


def told(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view of the API answer with problems whatever happens in it, of 405 and 500 too."""

    @wraps(view)
    def telling(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ANN401 - the view's own
        try:
            given = view(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it was, a program gets a problem
            return answer(as_problem(error))
        if given.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            may = ", ".join(sorted(given["Allow"].split(", ")))
            return answer(Problem("method", f"This address takes {may}.", headers={"Allow": may}))
        return given

    return telling


def _wrongs(errors: Sequence[Mapping[str, Any]]) -> list[Wrong]:
    return [
        Wrong(pointer=_pointer(each["loc"]), detail=_said(each), more={"in": str(each["loc"][0])}) for each in errors
    ]


def _pointer(place: Sequence[str | int]) -> str:
    """Return a place in the body as a JSON Pointer, or the name of a parameter."""
    if place[0] == "body":
        parts = [str(part).replace("~", "~0").replace("/", "~1") for part in place[2:]]
        return "".join(f"/{part}" for part in parts)
    return str(place[-1])


def _said(error: Mapping[str, Any]) -> str:
    return str(error["msg"]).removeprefix("Value error, ")


def _short(wrong: Wrong) -> str:
    return f"{wrong.pointer}: {wrong.detail}" if wrong.pointer else wrong.detail
