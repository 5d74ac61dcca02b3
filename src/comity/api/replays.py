"""Asking twice and doing once: a request with an Idempotency-Key is answered as it was the first time, for a day.

The answer is kept in the transaction of what was done, so that there is either both or neither; a request that was
refused did nothing, and is not kept. What is kept is locked with a key made from the token, which we do not have:
whoever reads the database learns nothing of it, nor can they guess at what was asked.

INVARIANT: an answer that is kept has refs in it and names nobody (`door.endpoint` sees to it). It is given again
without the law being asked, and outlives the key of whoever is erased meanwhile. What only asks is asked anew.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from comity.api.models import Reply, Token
from comity.api.problems import Problem, Wrong, unfit
from comity.api.tokens import derived

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(days=1)
FORM: Final = re.compile(r'"?[!#-~]{1,200}"?')
NONCE: Final = 12
REPEATED: Final = ("ETag", "Location")
TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def once(request: HttpRequest, token: Token, secret: str, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Act, or answer as the first time. Call it inside the transaction of the act. Raises Problem."""
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    _check(key)
    _lock(token, key)
    asked = _asked(request, secret)
    known = Reply.objects.filter(token=token, key=key).first()
    if known and known.answered_at > timezone.now() - KEPT:
        if not hmac.compare_digest(bytes(known.asked), asked):
            raise Problem("other-request", "Take a new key for a new request; this one was used for another.")
        return _unlocked(secret, key, bytes(known.answer))
    if known:
        known.delete()
    answer = act()
    Reply.objects.create(token=token, key=key, asked=asked, answer=_locked(secret, key, answer))
    return answer


def forget_old() -> int:
    """Delete the answers that are older than a day; return how many."""
    return Reply.objects.filter(answered_at__lte=timezone.now() - KEPT).delete()[0]


def _check(key: str) -> None:
    if not FORM.fullmatch(key):
        raise unfit([Wrong(pointer=HEADER, detail="It is 1 to 200 visible letters of ASCII.", more={"in": "header"})])


def _lock(token: Token, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TRY_LOCK, [f"{token.ref} {key}"])
        (got,) = cursor.fetchone() or (False,)
    if not got:
        raise Problem("busy-key", "Ask again when the other request was answered.", headers={"Retry-After": "1"})


def _asked(request: HttpRequest, secret: str) -> bytes:
    said = f"{request.method} {request.get_full_path()} {request.headers.get('If-Match', '')}\0".encode()
    return hmac.digest(derived(secret, "asked"), said + request.body, "sha256")


def _locked(secret: str, key: str, answer: HttpResponse) -> bytes:
    head = {name: answer[name] for name in (*REPEATED, "Content-Type") if name in answer}
    told = json.dumps([answer.status_code, head]).encode() + b"\0" + answer.content
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(derived(secret, "reply")).encrypt(nonce, told, key.encode())


def _unlocked(secret: str, key: str, kept: bytes) -> HttpResponse:
    told = AESGCM(derived(secret, "reply")).decrypt(kept[:NONCE], kept[NONCE:], key.encode())
    head, _, body = told.partition(b"\0")
    code, headers = json.loads(head)
    return HttpResponse(body, status=code, headers={**headers, "Idempotent-Replayed": "true"})
