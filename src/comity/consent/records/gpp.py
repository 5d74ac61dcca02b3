"""Strings of IAB Tech Lab's Global Privacy Platform, read and written: what a website passes on of a visitor's choices.

A string is a header and sections with ~ between them; a section is a core and sub-sections with . between them. Which
fields a section has is in gpp.toml. A section that is not there, or is there in another version, is kept as it is:
whatever was read is written again letter by letter, but for more padding than a header needs. What is wrong raises
BadString, which says where.

We read and write by ourselves because no Python package that is kept does: iab-tcf (last released in 2022) and
iab-tcf-bitarray (2024) know TCF alone. IAB's own library is JavaScript; tests compare us with strings that it wrote.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

from comity.consent.records import bits as bit
from comity.consent.records.bits import BadString, Bits, Span

__all__ = ["BadString", "Section", "Value", "layouts", "read", "read_section", "section_of", "write"]

FILE: Final = Path(__file__).with_name("gpp.toml")
HEADER_TYPE, VERSION = 3, 1
LONGEST: Final = 65_536
"""Letters of a string. Those of real websites have some thousand at most."""
US_PRIVACY: Final = "uspv1"
US_PRIVACY_FIELDS: Final = ("Notice", "OptOutSale", "LspaCovered")

Restriction = tuple[int, int, tuple[Span, ...]]
"""A purpose, a type, and the vendors it is about."""
Value: TypeAlias = "int | bool | str | datetime | tuple[int, ...] | tuple[Restriction, ...]"
Values: TypeAlias = Mapping[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section: its text, and what it says if we can read it."""

    id: int
    text: str
    name: str = ""
    version: int = 0
    values: Values = field(default_factory=dict)
    unread: str = ""  # why not, in words; empty if it was read
    beyond: tuple[str, ...] = ()  # sub-sections that we do not know, as they stand

    @property
    def layout(self) -> Layout | None:
        """What gpp.toml says of it, if it says anything."""
        return layouts().get(self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field: its name and what its bits are."""

    name: str
    kind: str = "choice"
    many: int = 0  # 0 is one that stands by itself

    @classmethod
    def told(cls, line: str) -> Field:
        """Read a field as gpp.toml writes it: SaleOptOut, Created:time, SensitiveDataProcessing*8."""
        name, _, kind = line.partition(":")
        name, _, many = name.partition("*")
        return cls(name=name, kind=kind or "choice", many=int(many or 0))


Fields = tuple[Field, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What gpp.toml says of one section."""

    id: int
    name: str
    place: str
    cores: Mapping[int, Fields]
    wide: Mapping[int, Fields]
    parts: Mapping[int, Fields]
    type_bits: int
    signals: bool  # whether a sub-section may be written that says that the browser sent GPC
    sensitive: str
    kinds: Mapping[int, Sequence[str]]
    children: Mapping[int, Sequence[tuple[int, int]]]

    def fields(self, version: int) -> list[Field]:
        """Return every field that a section of this version can have."""
        return [*self.cores[version], *(each for part in self.parts.values() for each in part)]


@cache
def layouts() -> Mapping[str, Layout]:
    """Return the sections of gpp.toml by name."""
    return {name: _layout(name, told) for name, told in tomllib.loads(FILE.read_text("utf-8"))["section"].items()}


def _layout(name: str, told: Mapping[str, Any]) -> Layout:
    cores = {int(version): _fields(lines) for version, lines in told.get("core", {}).items()}
    return Layout(
        id=told["id"], name=name, place=told["place"], cores=cores,
        wide={int(version): cores[other] for version, other in told.get("wide", {}).items()},
        parts={int(kind): _fields(lines) for kind, lines in told.get("part", {}).items()},
        type_bits=told.get("type_bits", 2), sensitive=told.get("sensitive", ""),
        signals="sensitive" in told and "signal" not in told,
        kinds={int(version): kinds for version, kinds in told.get("kinds", {}).items()},
        children={
            int(version): [(first, last) for first, last in ages] for version, ages in told.get("children", {}).items()
        },
    )  # fmt: skip


def _fields(lines: Iterable[str]) -> Fields:
    return tuple(Field.told(line) for line in lines)


@cache
def _by_id() -> Mapping[int, Layout]:
    return {each.id: each for each in layouts().values()}


# ---------------------------------------------------------------- reading


def read(text: str) -> tuple[Section, ...]:
    """Return the sections of a string, in their order. Raises BadString."""
    if len(text) > LONGEST:
        raise BadString(f"the string has {len(text):,} letters, and {LONGEST:,} are the most")
    header, *pieces = text.strip().split("~")
    ids = _read_header(header)
    if len(ids) != len(pieces):
        raise BadString(
            f"the header names {len(ids)} sections ({', '.join(map(str, ids)) or 'none'}), and {len(pieces)} follow it"
        )
    return tuple(read_section(number, piece) for number, piece in zip(ids, pieces, strict=True))


def _read_header(text: str) -> list[int]:
    if not text:
        raise BadString("the string is empty: it begins with a header such as DBABM")
    bits = Bits(text, "header")
    if (kind := bits.number(6)) != HEADER_TYPE:
        alone = "; this is a TCF string by itself, not one of GPP" if text[0] in "BC" else ""
        raise BadString(f"header, letter 1: it is of type {kind}, and a header of GPP of {HEADER_TYPE} (D){alone}")
    if (version := bits.number(6)) != VERSION:
        raise BadString(f"header, letter 2: version {version} of GPP is not known here, only {VERSION} (B)")
    ids = bits.offsets()
    bits.end("the header")
    return ids


def read_section(number: int, text: str) -> Section:
    """Return one section as it stands under a number in the header. Raises BadString."""
    layout = _by_id().get(number)
    if layout is None:
        return Section(id=number, text=text, unread=f"the fields of section {number} are not known here")
    if not text:
        raise BadString(f"{_where(layout)}: it is empty")
    return _read_us_privacy(layout, text) if layout.name == US_PRIVACY else _read_fields(layout, text)


def _where(layout: Layout, what: str = "") -> str:
    return f"section {layout.id} ({layout.name}){what}"


def _read_us_privacy(layout: Layout, text: str) -> Section:
    """Read IAB's US Privacy string, version 1: 1YNN. It is not in bits."""
    if len(text) != 1 + len(US_PRIVACY_FIELDS):
        raise BadString(f"{_where(layout)}: {text[:20]!r} has {len(text)} letters; it has four, such as 1YNN")
    if not text.startswith("1"):
        reason = f"version {text[0]!r} of {layout.name} is not known here"
        return Section(id=layout.id, text=text, name=layout.name, unread=reason)
    for number, letter in enumerate(text[1:], 2):
        if letter not in "YN-":
            raise BadString(f"{_where(layout)}, letter {number}: {letter!r} is none of Y, N and -")
    return Section(
        id=layout.id, text=text, name=layout.name, version=1,
        values=dict(zip(US_PRIVACY_FIELDS, text[1:], strict=True)),
    )  # fmt: skip


def _read_fields(layout: Layout, text: str) -> Section:
    first, *pieces = text.split(".")
    core = Bits(first, _where(layout, ", core"))
    version = core.number(6)
    if version not in layout.cores:
        reason = f"version {version} of {layout.name} is not known here"
        return Section(id=layout.id, text=text, name=layout.name, version=version, unread=reason)
    values, beyond = _read_core(layout, version, core), []
    read_before: set[int] = set()
    for number, piece in enumerate(pieces, 2):
        bits = Bits(piece, _where(layout, f", sub-section {number}"))
        kind = bits.number(layout.type_bits)
        if kind not in layout.parts:
            beyond.append(piece)
        elif kind in read_before:
            raise bits.wrong(f"there is a sub-section of type {kind} already")
        else:
            read_before.add(kind)
            values |= _read_all(bits, layout.parts[kind], values)
            bits.end("the sub-section")
    return Section(
        id=layout.id, text=text, name=layout.name, version=version, values=values, beyond=tuple(beyond)
    )  # fmt: skip


def _read_core(layout: Layout, version: int, core: Bits) -> dict[str, Value]:
    fields = layout.cores[version]
    if version in layout.wide and "1" in core.bits[core.at + sum(2 * max(each.many, 1) for each in fields) :]:
        fields = layout.wide[version]
    values = _read_all(core, fields, {})
    core.end(f"version {version} of {layout.name}")
    return values


def _read_all(bits: Bits, fields: Fields, before: Values) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for each in fields:
        values[each.name] = _read_one(bits, each, {**before, **values})
    return values


def _read_one(bits: Bits, told: Field, before: Values) -> Value:
    if told.many:
        return tuple(_choice(bits, told) for _ in range(told.many))
    match told.kind:
        case "choice" | "yes-no":
            return _choice(bits, told)
        case "flag":
            return bits.flag()
        case "time":
            return bits.moment()
        case "letters":
            return "".join(_letter(bits, told) for _ in range(2))
        case "ids":
            return _read_ids(bits)
        case "restrictions":
            return tuple((bits.number(6), bits.number(2), bits.spans()) for _ in range(bits.number(12)))
        case kind if kind.startswith("flags"):
            return _ones(bits.take(_width(kind, before)))
    return bits.number(int(told.kind))


def _choice(bits: Bits, told: Field) -> int:
    allowed = (1, 2) if told.kind == "yes-no" else (0, 1, 2)
    if (value := bits.number(2)) not in allowed:
        expected = " or ".join(map(str, allowed))
        raise bits.wrong(f"{told.name} is {value}, and must be {expected}")
    return value


def _letter(bits: Bits, told: Field) -> str:
    letter = chr(bits.number(6) + ord("A"))
    if not "A" <= letter <= "Z":
        raise bits.wrong(f"{told.name} has {letter!r} in it, and must be two letters, A to Z")
    return letter


def _read_ids(bits: Bits) -> tuple[int, ...]:
    """Read ids as TCF writes them: the largest, then either a bit for each up to it, or ranges."""
    largest = bits.number(16)
    if not bits.flag():
        return _ones(bits.take(largest))
    found = bits.spans()
    if found and max(last for _, last in found) > largest:
        raise bits.wrong(f"an id is larger than {largest}, which is said to be the largest")
    return tuple(sorted(number for first, last in found for number in range(first, last + 1)))


def _ones(flags: str) -> tuple[int, ...]:
    return tuple(number for number, each in enumerate(flags, 1) if each == "1")


def _width(kind: str, before: Values) -> int:
    told = kind.removeprefix("flags")
    return int(str(before[told[1:]])) if told.startswith("=") else int(told)


# ---------------------------------------------------------------- writing


def write(sections: Iterable[Section]) -> str:
    """Return the string of some sections, each as its text has it. Raises BadString if two have one number."""
    ordered = sorted(sections, key=lambda each: each.id)
    ids = [each.id for each in ordered]
    if len(set(ids)) != len(ids):
        raise BadString(f"a string holds each section once: {', '.join(map(str, ids))}")
    header = bit.letters(bit.fixed(HEADER_TYPE, 6) + bit.fixed(VERSION, 6) + bit.offsets(ids))
    return "~".join([header, *(each.text for each in ordered)])


def section_of(name: str, values: Values, *, version: int | None = None) -> Section:
    """Make a section from its fields: every one of the core, and of the sub-sections those that it is to have.

    Raises BadString, saying which field is missing, unknown or out of its range.
    """
    layout = layouts().get(name)
    if layout is None:
        raise BadString(f"there is no section {name!r} here: {', '.join(layouts())}")
    if name == US_PRIVACY:
        return read_section(layout.id, "1" + "".join(_letters_of(layout, values)))
    number = version or max(layout.cores)
    if number not in layout.cores:
        raise BadString(f"{_where(layout)}: there is no version {number}, only {', '.join(map(str, layout.cores))}")
    _refuse_unknown(layout, values, (each.name for each in layout.fields(number)))
    core = bit.letters(bit.fixed(number, 6) + _written(layout, layout.cores[number], values))
    parts = [
        bit.letters(bit.fixed(kind, layout.type_bits) + _written(layout, fields, values))
        for kind, fields in layout.parts.items()
        if any(each.name in values for each in fields)
    ]
    return read_section(layout.id, ".".join([core, *parts]))


def _letters_of(layout: Layout, values: Values) -> list[str]:
    _refuse_unknown(layout, values, US_PRIVACY_FIELDS)
    return [str(_value_of(layout, name, values)) for name in US_PRIVACY_FIELDS]


def _refuse_unknown(layout: Layout, values: Values, names: Iterable[str]) -> None:
    if unknown := sorted(values.keys() - set(names)):
        raise BadString(f"{_where(layout)}: it has no field {', '.join(unknown)}")


def _value_of(layout: Layout, name: str, values: Values) -> Any:  # noqa: ANN401 - what it must be, its kind says
    if name not in values:
        raise BadString(f"{_where(layout)}: {name} is missing")
    return values[name]


def _written(layout: Layout, fields: Fields, values: Values) -> str:
    written = []
    for each in fields:
        value = _value_of(layout, each.name, values)
        try:
            written.append(_write_one(each, value, values))
        except (BadString, TypeError, ValueError, AttributeError) as error:
            raise BadString(f"{_where(layout)}, {each.name}: {value!r} does not fit: {error}") from None
    return "".join(written)


def _write_one(told: Field, value: Any, values: Values) -> str:  # noqa: ANN401 - what it must be, its kind says
    if told.many:
        if len(value) != told.many:
            raise BadString(f"there must be {told.many}, and there are {len(value)}")
        return "".join(_write_choice(told, each) for each in value)
    match told.kind:
        case "choice" | "yes-no":
            return _write_choice(told, value)
        case "flag":
            return "1" if value else "0"
        case "time":
            return bit.tenths(value)
        case "letters":
            return "".join(bit.fixed(ord(letter) - ord("A"), 6) for letter in value)
        case "ids":
            return _write_ids(value)
        case "restrictions":
            entries = (bit.fixed(one, 6) + bit.fixed(kind, 2) + bit.spans(ids) for one, kind, ids in value)
            return bit.fixed(len(value), 12) + "".join(entries)
        case kind if kind.startswith("flags"):
            return _flags(value, _width(kind, values))
    return bit.fixed(value, int(told.kind))


def _write_choice(told: Field, value: int) -> str:
    allowed = (1, 2) if told.kind == "yes-no" else (0, 1, 2)
    if value not in allowed:
        raise BadString(f"it must be {' or '.join(map(str, allowed))}")
    return bit.fixed(value, 2)


def _flags(ids: Sequence[int], width: int) -> str:
    if any(not 1 <= number <= width for number in ids):
        raise BadString(f"each must be 1 to {width}")
    return "".join("1" if number in set(ids) else "0" for number in range(1, width + 1))


def _write_ids(ids: Sequence[int]) -> str:
    """Write ids in the shorter of TCF's two ways."""
    largest = max(ids, default=0)
    flags, ranges = _flags(ids, largest), bit.spans(bit.spans_of(ids))
    return bit.fixed(largest, 16) + (f"1{ranges}" if len(ranges) < len(flags) else f"0{flags}")
