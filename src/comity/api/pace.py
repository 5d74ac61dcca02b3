"""How quickly a token may ask: so many requests a minute, a burst of them at once, counted for all processes together.

The count is one instant a token (the generic cell rate algorithm): each request moves it on by its share of a minute; a
request that would move it further than a minute ahead of the clock is refused. One statement does it, in PostgreSQL.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import connection

from comity.api.problems import Problem

MINUTE: Final = 60
TAKE: Final = """
    INSERT INTO api_pace AS pace (token_id, rested_at)
    VALUES (%(token)s, clock_timestamp() + %(share)s * interval '1 second')
    ON CONFLICT (token_id) DO UPDATE
    SET rested_at = greatest(pace.rested_at, clock_timestamp()) + %(share)s * interval '1 second'
    WHERE pace.rested_at <= clock_timestamp() + (60 - %(share)s) * interval '1 second'
    RETURNING extract(epoch FROM rested_at - clock_timestamp())
"""
LEFT: Final = "SELECT extract(epoch FROM rested_at - clock_timestamp()) FROM api_pace WHERE token_id = %s"


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How much a token may ask now."""

    a_minute: int
    left: int
    rested_in: int  # seconds until as much may be asked as ever

    def headers(self) -> dict[str, str]:
        """Return it as HTTP has it (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"minute";q={self.a_minute};w={MINUTE}',
            "RateLimit": f'"minute";r={self.left};t={self.rested_in}',
        }


def take(token: UUID) -> Allowance:
    """Count one request. Raises Problem where it is one too many."""
    a_minute: int = settings.API_REQUESTS_A_MINUTE
    share = MINUTE / a_minute
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"token": token, "share": share})
        row = cursor.fetchone()
        if row is None:
            cursor.execute(LEFT, [token])
            (ahead,) = cursor.fetchone() or (MINUTE,)
            raise _too_fast(a_minute, float(ahead), share)
    ahead = float(row[0])
    return Allowance(a_minute=a_minute, left=max(0, int((MINUTE - ahead) / share)), rested_in=math.ceil(max(ahead, 0)))


def _too_fast(a_minute: int, ahead: float, share: float) -> Problem:
    wait = max(1, math.ceil(ahead + share - MINUTE))
    allowance = Allowance(a_minute=a_minute, left=0, rested_in=math.ceil(max(ahead, 0)))
    headers = {"Retry-After": str(wait), **allowance.headers()}
    return Problem("too-fast", f"{a_minute} requests a minute are the most. Wait {wait} s.", headers=headers)
