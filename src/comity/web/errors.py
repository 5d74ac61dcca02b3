"""When something went wrong: a page that says what, in the reader's words, and what to do now."""

from __future__ import annotations

import sys

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from procrastinate.exceptions import ConnectorException

from comity.api import problems
from comity.vault.epochs import KeyTrouble

GONE = (InterfaceError, OperationalError)
FOR_PROGRAMS = "/api/"
SOON = "5"
"""Seconds after which a browser may ask again."""


def database_answers() -> bool:
    """Say whether the database does what it is asked; a broken connection is closed, so that the next is new."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        connection.close()
        return False
    return True


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return _plain(request, "errors/bad_request.html", 400)


def forgery(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that did not come from a page of ours, or from one that was open too long."""
    del reason
    return _plain(request, "errors/forgery.html", 403)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say which word of roles.toml was lacking, and which roles have it."""
    return _plain(request, "errors/forbidden.html", 403, lacks=exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    del exception
    return _plain(request, "errors/not_found.html", 404)


def failed(request: HttpRequest) -> HttpResponse:
    """Answer whatever nobody expected. Where it was the database that went away, say so: it mends itself.

    Django calls this while the exception is being handled, whichever part of a page raised it.
    """
    error = sys.exception()
    if isinstance(error, ConnectorException):  # a job was to be deferred
        error = OperationalError(error)
    if isinstance(error, Exception) and request.path.startswith(FOR_PROGRAMS):
        return problems.answer(problems.as_problem(error))
    if isinstance(error, GONE):
        connection.close()
        answer = _plain(request, "errors/database_gone.html", 503)
        answer.headers["Retry-After"] = SOON
        return answer
    if isinstance(error, KeyTrouble):
        return _plain(request, "errors/no_key.html", 503)
    return _plain(request, "errors/failed.html", 500)


def _plain(request: HttpRequest, template: str, code: int, **context: object) -> HttpResponse:
    """Render without the request's context: who is signed in may be just what cannot be known now."""
    return HttpResponse(render_to_string(template, context | {"path": request.path}), status=code)
