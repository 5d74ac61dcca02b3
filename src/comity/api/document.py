"""The OpenAPI document: what django-ninja knows of the endpoints, with errors, headers and examples beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from django.conf import settings
from ninja.openapi import get_schema

from comity.api.examples import EXAMPLES
from comity.api.interface import api
from comity.api.problems import KINDS, MEDIA_TYPE

ALWAYS: Final = (
    "bad-request", "no-token", "token-refused", "not-yours", "second-factor", "unfit", "too-fast", "failed",
    "database-gone",
)  # fmt: skip
WRITING: Final = ("not-json", "too-big", "media-type")
REPLAYING: Final = ("busy-key", "other-request")
PREFIX: Final = "api/v1/"

Json = dict[str, Any]

PROBLEM: Final[Json] = {
    "type": "object",
    "description": "What was wrong, for a program and for people (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "Which problem it is.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What exactly was wrong, and the cure."},
        "errors": {
            "type": "array",
            "description": "Each part of the request that has not the form it must have.",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON Pointer, or a parameter's name.",
                    },
                    "detail": {"type": "string"},
                    "in": {"type": "string", "enum": ["body", "query", "path", "header"]},
                },
            },
        },
    },
}
IDEMPOTENCY: Final[Json] = {
    "in": "header", "name": "Idempotency-Key", "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!#-~]+$"},
    "description": "A text of your own, new for each request. Sent again within a day, the first answer comes back and "
    "nothing is done twice. Where nothing is changed there is no use for it: it is ignored, and the law is asked anew.",
}  # fmt: skip
IF_MATCH: Final[Json] = {
    "in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"},
    "description": "The ETag of what you read, so that no change of somebody else's is lost.",
}  # fmt: skip
RATE: Final[Json] = {
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "What is left, and when all of it is back.",
    },
    "RateLimit-Policy": {"schema": {"type": "string"}, "description": "How many requests a minute the token may make."},
}
ETAG: Final[Json] = {"ETag": {"schema": {"type": "string"}, "description": "To be sent back as If-Match."}}
LOCATION: Final[Json] = {"Location": {"schema": {"type": "string"}, "description": "Where it can be read."}}


@cache
def document() -> Json:
    """Return the whole document."""
    told: Json = dict(get_schema(api, path_prefix=PREFIX))
    told["servers"] = [{"url": settings.ADDRESS.geturl().rstrip("/")}]
    told["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    for path in told["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    components = told["components"]
    components["schemas"]["Problem"] = PROBLEM
    components["securitySchemes"]["Bearer"]["description"] = "A token: comity_ and 49 letters and digits."
    return told


def _complete(method: str, operation: Json) -> None:
    replays = operation.pop("x-replays")
    writing = WRITING if method in {"post", "patch"} else ()
    refuses = (*ALWAYS, *writing, *(REPLAYING if replays else ()), *operation.pop("x-refuses"))
    answers = {str(code): answer for code, answer in operation["responses"].items()}
    text = operation.pop("x-text", False)
    for answer in answers.values():
        answer["headers"] = RATE | (ETAG if _has_tag(operation) else {}) | (LOCATION if "201" in answers else {})
        if text:
            answer["content"] = {"text/plain": {"schema": {"type": "string"}}}
    operation["responses"] = answers | dict(_problems(refuses))
    headers = [IDEMPOTENCY] if replays else []
    operation["parameters"] += headers + ([IF_MATCH] if method == "patch" else [])
    for name, example in EXAMPLES.get(operation["operationId"], {}).items():
        content = operation["requestBody"]["content"]["application/json"]
        content.setdefault("examples", {})[name] = {"value": example}


def _has_tag(operation: Json) -> bool:
    return operation["operationId"] in {
        "read_person", "change_one_person", "add_contact_point", "read_organisation", "create_organisation",
        "change_one_organisation",
    }  # fmt: skip


def _problems(kinds: Iterable[str]) -> Iterator[tuple[str, Json]]:
    by_code: dict[str, list[str]] = {}
    for kind in kinds:
        by_code.setdefault(str(KINDS[kind][0]), []).append(kind)
    for code, some in sorted(by_code.items()):
        yield code, _answer(some)


def _answer(kinds: list[str]) -> Json:
    examples = {kind: {"value": _example(kind)} for kind in kinds}
    headers: Json = {}
    if "no-token" in kinds:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    if {"too-fast", "database-gone", "busy-key", "not-covered"} & set(kinds):
        headers["Retry-After"] = {
            "schema": {"type": "string"},
            "description": "Seconds to wait.",
        }
    return {
        "description": "; ".join(KINDS[kind][1] for kind in kinds),
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }


def _example(kind: str) -> Mapping[str, object]:
    code, title = KINDS[kind]
    return {"type": f"/programs/interface/#{kind}", "title": title, "status": code, "detail": "…"}


# ---------------------------------------------------------------- the page


def operations() -> Iterator[Json]:
    """Give every operation as its page shows it."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            yield {
                "method": method.upper(), "path": path, "id": operation["operationId"], "word": operation["x-word"],
                "summary": operation["summary"], "tag": operation["tags"][0],
                "paragraphs": operation.get("description", "").split("\n\n"),
                "parameters": [_parameter(each) for each in operation["parameters"]],
                "examples": {
                    name: json.dumps(example, ensure_ascii=False, indent=2)
                    for name, example in EXAMPLES.get(operation["operationId"], {}).items()
                },
                "answers": [
                    {"code": code, "says": answer["description"], "fields": list(_fields(answer))}
                    for code, answer in operation["responses"].items()
                ],
            }  # fmt: skip


def _parameter(told: Json) -> Json:
    schema = told["schema"]
    words: list[str] = schema.get("enum") or next(
        (each["enum"] for each in schema.get("anyOf", []) if "enum" in each), []
    )
    return {
        "name": told["name"], "in": told["in"], "required": told.get("required", False),
        "says": told.get("description", schema.get("description", "")), "words": words,
    }  # fmt: skip


def _fields(answer: Json) -> Iterator[Json]:
    """Give the fields of an answer, those of its first level."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    for field, told in document()["components"]["schemas"].get(name, {}).get("properties", {}).items():
        yield {"name": field, "says": told.get("description", "")}
