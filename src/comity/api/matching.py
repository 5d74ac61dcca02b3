"""Changes that do not overwrite each other: the mark of what was read comes back with the change (RFC 9110, 13.1.1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model

from comity.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest


def etag(*rows: Model | Iterable[Model] | None) -> str:
    """Return a mark that is another as soon as something of these rows is."""
    flat = [row for each in rows if each is not None for row in ([each] if isinstance(each, Model) else each)]
    told = [[getattr(row, field.attname) for field in row._meta.concrete_fields] for row in flat]  # noqa: SLF001 - it is documented
    return f'"{hashlib.sha256(json.dumps(told, cls=DjangoJSONEncoder).encode()).hexdigest()[:32]}"'


def check_match(request: HttpRequest, etag: str) -> None:
    """Refuse a change of what was changed since it was read. Raises Problem."""
    said = request.headers.get("If-Match")
    if said is None:
        raise Problem("say-which", "Send If-Match with the ETag of what you read, so that no change is lost.")
    if said.strip() != "*" and etag not in [each.strip() for each in said.split(",")]:
        raise Problem("changed-meanwhile", "Read it again, and see whether your change still fits.")
