"""The shapes of what programs send and get. What a shape does not have is refused; nothing is read two ways."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    WithJsonSchema,
)
from pydantic_core import core_schema

from comity.counsel.asking import book
from comity.law.vocabulary import nearest
from comity.refs import read_ref
from comity.staff.roles import roles

EXAMPLE_REF: Final = "0199f3a2-6c00-7b1e-8d53-5f2f6f9f0c11"


class Shape(BaseModel):
    """What every shape is: closed, and described field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ---------------------------------------------------------------- values


def _read_ref(value: object) -> object:
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str):
        raise ValueError("a ref is a text: 26 letters and digits, or a UUID")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        return read_ref(value)
    except ValueError:
        raise ValueError("this is no ref: 26 letters and digits, or a UUID") from None


DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")


def _read_day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise ValueError("a day is written 2026-11-22")
    return date.fromisoformat(value)


def _read_moment(value: object) -> object:
    if not isinstance(value, datetime):
        if not isinstance(value, str):
            raise ValueError("a moment is written 2026-11-22T09:30:00Z")  # noqa: TRY004 - as above
        value = datetime.fromisoformat(value)
    if value.tzinfo is None:
        raise ValueError("a moment needs its zone: 2026-11-22T09:30:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment is too far away") from None


Ref = Annotated[
    UUID,
    BeforeValidator(_read_ref),
    WithJsonSchema({"type": "string", "format": "uuid", "examples": [EXAMPLE_REF]}),
]
Day = Annotated[date, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "format": "date"})]
Moment = Annotated[datetime, BeforeValidator(_read_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Whole = Annotated[int, Field(strict=True)]
Truth = StrictBool
Line = Annotated[str, Field(min_length=1, max_length=300)]


@dataclass(frozen=True)
class OneOf:
    """Of a text: that it is one of these words."""

    words: tuple[str, ...]

    def check(self, value: str) -> str:
        if value not in self.words:
            raise ValueError(f"it is one of: {', '.join(self.words)}{nearest(value, self.words)}")
        return value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        del schema, handler
        return {"type": "string", "enum": list(self.words)}


def _choices(fact: str) -> tuple[str, ...]:
    return tuple(sorted(book().vocabulary.facts[fact].choices))


PURPOSES: Final = _choices("use.purpose")
Purpose = Annotated[str, OneOf(PURPOSES)]
"""What something can be done for, as the law knows it."""
LooksFor = Annotated[str, OneOf(roles().purposes)]
"""What somebody of ours can look at people for: some role has it."""
Operation = Annotated[str, OneOf(_choices("use.operation"))]
Channel = Annotated[str, OneOf(_choices("use.channel"))]
Recipient = Annotated[str, OneOf(_choices("use.recipient"))]


# ---------------------------------------------------------------- what was done


class Made(Shape):
    """What was made, or changed, is called so."""

    ref: Ref
    letters: str


# ---------------------------------------------------------------- what is said of decisions


class Use(Shape):
    """One thing we want to do with somebody's data."""

    operation: Operation = Field(description="What we want to do.")
    purpose: Purpose = Field(description="What for. The token must have this purpose.")
    channel: Channel = Field(default="none", description="How the person is reached.")
    recipient: Recipient = Field(default="none", description="Who gets the data, if anybody but us.")
    more: dict[str, Any] = Field(
        default_factory=dict,
        max_length=60,
        description="Further facts of the use, of the data or of who acts, by their names in the vocabulary.",
        examples=[{"use.contract_needs_it": True}],
    )


class Asked(Shape):
    """A decision on record."""

    ref: Ref = Field(description="The decision; who asked and what came out can be looked up by it.")
    day: Day = Field(description="The day on which the law was asked.")


class Finding(Shape):
    """What the law answered for everybody in the same position, said once."""

    verdict: str = Field(description="permit, deny or ask.", examples=["ask"])
    because: list[str] = Field(description="The ids of what decided.")
    reasons: list[dict[str, Any]] = Field(description="Reasons as in comity.decision/1: sentence, citation, address.")
    obligations: list[dict[str, Any]] = Field(description="What must accompany a permitted use.")
    missing: list[dict[str, str]] = Field(description="Facts that would settle what is open.")
    cures: list[dict[str, str]] = Field(description="What would make the use lawful.")
    ruling: Ref | None = Field(description="The human ruling that settled an ask, if one did.")
