"""The interface as a whole: all endpoints under /api/v1, and the OpenAPI document that describes them."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from comity.api import consents, decisions, oneself, organisations, persons, proofs, search
from comity.api.problems import answer, as_problem
from comity.api.strict import Strict

WORDS: Final = """The customer book that keeps the law, for programs."""

api = NinjaAPI(
    title="Comity", version="1", description=WORDS, openapi_url=None, docs_url=None, parser=Strict(),
    urls_namespace="api-v1",
)  # fmt: skip


def _told(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    del request
    return answer(as_problem(error if isinstance(error, Exception) else error()))


for wrong in (Exception, Http404, HttpError, ValidationError):  # each of which django-ninja would answer in its own way
    api.add_exception_handler(wrong, _told)
for part in (oneself, persons, organisations, consents, decisions, search, proofs):
    api.add_router("", part.router)
