"""How long one request of a program takes: the middle and the slowest twentieth, and how much processor time.

Run from the repository: `python -m bench.api` (see --help). It fills a private PostgreSQL with invented people and asks
the WSGI application in this process, one request after the other, as a web server's worker would: the network and the
web server are not counted, the database is. Processor time is this process's alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Final

from bench.books import opened_book
from bench.lists import _fill

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

MAIL: Final = {"operation": "contact", "purpose": "marketing", "channel": "email"}
Ask = Callable[[str, str, object], Any]


def main() -> None:
    options = _options()
    with opened_book(COMITY_API_REQUESTS_A_MINUTE="10000000"):
        staff, entity = _fill(options.people)[0]
        _measure(options, staff, entity)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=300)
    return parser.parse_args()


def _measure(options: argparse.Namespace, staff: Staff, entity: Entity) -> None:
    ask = _asker(staff, entity)
    refs = [person["ref"] for person in ask("GET", "/persons?limit=100", None)["persons"]]
    many = [each["person"] for each in ask("POST", "/decisions/bulk", {"use": MAIL, "segment": {}})["verdicts"]]
    one = iter(refs * (1 + options.times))
    described = {"person.home": ["DE"], "consent.given": False}
    told: dict[str, tuple[int, Callable[[], object]]] = {
        "whoami": (options.times, lambda: ask("GET", "/whoami", None)),
        "one decision, described": (
            options.times, lambda: ask("POST", "/decisions", {"use": MAIL, "facts": described}),
        ),
        "one decision, a person, on record": (
            options.times, lambda: ask("POST", "/decisions", {"use": MAIL, "person": next(one)}),
        ),
        "one person, opened": (options.times, lambda: ask("GET", f"/persons/{next(one)}?purpose=service", None)),
        "a list of 50, names opened": (options.times // 4, lambda: ask("GET", "/persons?purpose=service", None)),
        f"{len(many)} decisions by refs": (10, lambda: ask("POST", "/decisions/bulk", {"use": MAIL, "persons": many})),
    }  # fmt: skip
    print(f"{'':38} {'p50 ms':>8} {'p95 ms':>8} {'processor ms':>13}")
    for name, (times, does) in told.items():
        _tell(name, times, does)


def _tell(name: str, times: int, does: Callable[[], object]) -> None:
    for _ in range(20 if times > 20 else 2):
        does()
    took, before = [], time.process_time()
    for _ in range(times):
        begun = time.perf_counter()
        does()
        took.append(1e3 * (time.perf_counter() - begun))
    spent = 1e3 * (time.process_time() - before) / times
    print(f"{name:38} {median(took):8.2f} {quantiles(took, n=20)[-1]:8.2f} {spent:13.2f}", flush=True)


def _asker(staff: Staff, entity: Entity) -> Ask:
    """Return what asks as a program does, over WSGI."""
    from django.test import RequestFactory

    from comity.web.wsgi import application

    secret = _token(staff, entity)
    factory = RequestFactory()

    def ask(method: str, path: str, body: object) -> Any:  # noqa: ANN401 - whatever JSON has
        data = b"" if body is None else json.dumps(body).encode()
        environ = factory._base_environ()  # noqa: SLF001 - what a WSGI server makes
        request = factory.generic(method, f"/api/v1{path}", data, "application/json", headers={"Host": "localhost"})
        environ |= request.environ | {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
        codes: list[str] = []
        answer = application(environ, lambda code, _headers: codes.append(code))
        told = b"".join(answer)
        answer.close()
        assert codes[0].startswith("2"), (codes, told)
        return json.loads(told)

    return ask


def _token(staff: Staff, entity: Entity) -> str:
    from django.utils import timezone

    from comity.api.actions import take_token
    from comity.api.models import Token
    from comity.api.shapes import PURPOSES
    from comity.staff.roles import roles

    token = Token.objects.create(
        name="bench", staff=staff, entity=entity, made_by=staff, made_at=timezone.now(), words=list(roles().words),
        purposes=list(PURPOSES), expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    return take_token(token=token, staff=staff)


if __name__ == "__main__":
    main()
