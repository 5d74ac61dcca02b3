"""Every page there is, from the addresses of the whole application: so a new one is tested by being there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from comity.staff.guards import Guard

NOBODY = UUID("01900000-0000-7000-8000-000000000000")
EXAMPLES = {"uuid": str(NOBODY), "int": "1", "str": "x", "slug": "x", "path": "x"}


@dataclass(frozen=True, kw_only=True)
class Page:
    """One address, an example of it, and what its view declares."""

    route: str
    view: Callable[..., Any]

    @property
    def guard(self) -> Guard | None:
        return getattr(self.view, "guard", None)

    @property
    def example(self) -> str:
        return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: EXAMPLES[found[1] or "str"], self.route)


def pages() -> list[Page]:
    """Return every page of ours."""
    return list(_within(get_resolver(), ""))


def _within(resolver: URLResolver, before: str) -> Iterator[Page]:
    for each in resolver.url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLPattern):
            yield Page(route=route, view=each.callback)
        else:
            yield from _within(each, route)
