"""What a section of a GPP string means in the law's vocabulary, and the section that says where somebody stands.

BLIND SPOT: the TCF section (2) speaks of vendors by their numbers in a list that is not ours; it is read, and means
nothing here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

from comity.consent.records.gpp import FILE, US_PRIVACY, BadString, Section, Value, Values, layouts, section_of

if TYPE_CHECKING:
    from comity.consent.records.gpp import Layout

Facts = Mapping[str, object]
Told = TypeVar("Told")

ADVERTISING: Final = {"use.purpose": "targeted-advertising"}
OPT_OUTS: Final[Mapping[str, tuple[str, Facts]]] = {
    "SaleOptOut": ("sale", {"use.operation": "sell"}),
    "SharingOptOut": ("sharing", {"use.operation": "share", **ADVERTISING}),
    "TargetedAdvertisingOptOut": ("targeted-advertising", ADVERTISING),
}
"""The fields in which somebody says no, what each is about, and the use that ends."""
YES, NO = 1, 2
OPTED_OUT, NOT_OPTED_OUT = 1, 2
REFUSED, GIVEN = 1, 2
OF_PARENTS: Final = 12
"""Up to this age a parent says yes, in every section."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """One thing that a section says: where, about which use, and what is so because of it."""

    place: str
    about: str  # sale, sharing, targeted-advertising, signal, child, or a kind of data in gpp.toml
    use: Facts = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)

    @property
    def is_no(self) -> bool:
        """Whether somebody opted out, refused, or sent the signal."""
        return (
            self.facts.get("consent.opted_out") is True
            or self.facts.get("consent.given") is False
            or self.facts.get("person.opt_out_signal") is True
        )


def meaning_of(sections: Iterable[Section]) -> list[Meant]:
    """Return what readable sections mean. What does not apply, or was not asked, means nothing.

    A "did not opt out" is so of that website at that moment: it never takes back a no that was said elsewhere. A
    missing or false GPC means only that this browser sent no signal, and is left out.
    """
    return [meant for each in sections if not each.unread for meant in _of(each)]


def _of(section: Section) -> Iterator[Meant]:
    layout, values = section.layout, section.values
    if layout is None:
        return
    if layout.name == US_PRIVACY:
        values = {"SaleOptOut": {"Y": OPTED_OUT, "N": NOT_OPTED_OUT}.get(str(values["OptOutSale"]), 0)}
    for name, (about, use) in OPT_OUTS.items():
        if said := values.get(name):
            yield Meant(place=layout.place, about=about, use=use, facts={"consent.opted_out": said == OPTED_OUT})
    yield from _sensitive(layout, section.version, values)
    yield from _children(layout, section.version, values)
    if values.get("Gpc") is True:
        yield Meant(place=layout.place, about="signal", facts={"person.opt_out_signal": True})


def _sensitive(layout: Layout, version: int, values: Values) -> Iterator[Meant]:
    said = _many(values.get("SensitiveDataProcessing", ()))
    for kind, one in zip(_of_version(layout.kinds, version, said), said, strict=True):
        if not one:
            continue
        facts = {"consent.opted_out": one == OPTED_OUT} if layout.sensitive == "opt-out" else _consent(one)
        yield Meant(place=layout.place, about=kind, use=dict.fromkeys(data_facts()[kind], True), facts=facts)


def _children(layout: Layout, version: int, values: Values) -> Iterator[Meant]:
    said = _many(values.get("KnownChildSensitiveDataConsents", ()))
    for (youngest, oldest), one in zip(_of_version(layout.children, version, said), said, strict=True):
        if one:
            age = {"person.known_age": {"min": youngest, "max": oldest}}
            parental = {"consent.parental": one == GIVEN} if oldest <= OF_PARENTS else {}
            yield Meant(place=layout.place, about="child", facts={**age, **_consent(one), **parental})


def _consent(said: int) -> Facts:
    return {"consent.given": said == GIVEN}


def _many(value: Value) -> Sequence[int]:
    """Return a field of one or several choices as several."""
    if isinstance(value, tuple):
        return [each for each in value if isinstance(each, int)]
    return [value] if isinstance(value, int) else []


def _of_version(told: Mapping[int, Sequence[Told]], version: int, said: Sequence[int]) -> Sequence[Told]:
    """Return what gpp.toml says of the positions of a field; of a wide layout, by how many there are."""
    if not said:
        return ()
    return next((each for each in (told.get(version, ()), *told.values()) if len(each) == len(said)), ())


@cache
def data_facts() -> Mapping[str, Sequence[str]]:
    """Return the facts of each kind of data."""
    return dict(tomllib.loads(FILE.read_text("utf-8"))["data"])


# ---------------------------------------------------------------- the other way


@dataclass(frozen=True, kw_only=True, slots=True)
class Stands:
    """Where somebody stands with us: whether they said no to selling and sharing, and sent the signal.

    `told` is whether they were told of their choice; without that a string may not say that they did not opt out.
    """

    opted_out: bool
    signal: bool
    told: bool


def section_for(name: str, stands: Stands, *, covered: bool = False) -> Section:
    """Return the section of a place that says where somebody stands; `covered` by IAB's Multi-State Privacy Agreement.

    What we do not know is 0, not applicable: sensitive data, children, and a choice of which nobody was told. Raises
    BadString for a section that says nothing of opting out.
    """
    layout = layouts().get(name)
    if layout is None or not layout.place.startswith("US"):
        raise BadString(f"a section {name!r} that says who opted out is not known here")
    no = stands.opted_out or stands.signal
    said = OPTED_OUT if no else NOT_OPTED_OUT if stands.told else 0
    notice = YES if stands.told else NO
    if name == US_PRIVACY:
        letters = {OPTED_OUT: "Y", NOT_OPTED_OUT: "N", 0: "-"}
        yes = "Y" if stands.told else "N"
        return section_of(name, {"Notice": yes, "OptOutSale": letters[said], "LspaCovered": "Y" if covered else "N"})
    version = max(layout.cores)
    values: dict[str, Value] = {each.name: (0,) * each.many if each.many else 0 for each in layout.cores[version]}
    for name_of_no in OPT_OUTS.keys() & values.keys():
        values |= {name_of_no: said, f"{name_of_no}Notice": notice}
    values["MspaCoveredTransaction"] = YES if covered else NO
    if layout.signals:
        values["Gpc"] = stands.signal
    return section_of(name, values, version=version)
