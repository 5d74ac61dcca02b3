"""The webhook by which a gateway tells what became of messages, and what people answered to it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from comity.post.inbound.actions import take_in
from comity.post.inbound.hooks import LARGEST, Forged, Unreadable, check_signature, read_events
from comity.post.inbound.queries import hook_called
from comity.post.secrets import NoSecret, secret_of
from comity.staff.guards import open_page
from comity.vault.epochs import KeyTrouble

if TYPE_CHECKING:
    from comity.post.inbound.models import Inbox
    from comity.post.inbound.understanding import Heard

log = logging.getLogger(__name__)

BY_SIGNATURE: Final = "a gateway signs each request with a secret that it shares with us"


@csrf_exempt
@open_page(because=BY_SIGNATURE)
def hook(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Take in what a gateway tells; each event once. An event that cannot be taken now makes it tell all again.

    Whoever has no secret learns nothing: not even whether there is such a webhook.
    """
    if request.method != "POST":
        return _said(HTTPStatus.METHOD_NOT_ALLOWED, "POST what happened here.", {"Allow": "POST"})
    try:
        body = _body(request)
        inbox = _checked(request, ref, body)
        events = read_events(body)
    except RequestDataTooBig:
        return _said(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {LARGEST} bytes.")
    except Forged as error:
        return _said(HTTPStatus.UNAUTHORIZED, f"This request is not signed as it must be: {error}.")
    except Unreadable as error:
        return _said(HTTPStatus.BAD_REQUEST, f"Nothing was taken: {error}.")
    return _take(inbox, events)


def _body(request: HttpRequest) -> bytes:
    told = request.headers.get("Content-Length", "")
    if told.isdigit() and int(told) > LARGEST:
        raise RequestDataTooBig
    return request.read(LARGEST)


def _checked(request: HttpRequest, ref: UUID, body: bytes) -> Inbox:
    """Return the webhook that is called. Raises Forged, in the same words whether there is one or not."""
    inbox = hook_called(ref)
    heads = {name.lower(): value for name, value in request.headers.items()}
    try:
        secret = secret_of(ref) if inbox else ""
    except NoSecret:
        log.exception("Webhook %s cannot be checked.", ref)
        secret = ""
    if inbox is None or not secret:
        check_signature(heads, body, secret="nobody", now=timezone.now())  # noqa: S106 - so that it takes as long
        raise Forged("webhook-signature is not that of our secret")
    check_signature(heads, body, secret=secret, now=timezone.now())
    return inbox


def _take(inbox: Inbox, events: list[Heard]) -> HttpResponse:
    taken = 0
    for heard in events:
        try:
            taken += take_in(inbox=inbox, heard=heard, raw=_as_letter(heard)) is not None
        except (DatabaseError, KeyTrouble):
            log.exception("An event of webhook %s could not be taken now.", inbox.ref)
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, "Tell us again.", {"Retry-After": "60"})
    return JsonResponse({"taken": taken, "known": len(events) - taken})


def _as_letter(heard: Heard) -> bytes:
    return f"From: {heard.sender}\n\n{heard.text}\n".encode() if heard.sender or heard.text else b""


def _said(code: HTTPStatus, words: str, heads: dict[str, str] | None = None) -> HttpResponse:
    return HttpResponse(f"{words}\n", "text/plain; charset=utf-8", code, headers=heads)
