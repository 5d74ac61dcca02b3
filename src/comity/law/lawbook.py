"""The law as data: packs, laws, rules and what is theirs. Values only; `loading` fills them, `folding` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from comity.law.conditions import Condition
    from comity.law.vocabulary import Value, Vocabulary

Effect = Literal["forbid", "ground", "require", "refer", "except", "duty"]


class PackError(ValueError):
    """A pack is wrong: which file, line and rule, what is wrong with it, and what to do."""

    def __init__(self, what: str, *, file: str = "", line: int = 0, rule: str = "") -> None:
        place = f"{file}:{line}: " if line else f"{file}: " if file else ""
        super().__init__(f"{place}{rule + ': ' if rule else ''}{what}")
        self.what, self.file, self.line, self.rule = what, file, line, rule


class Verdict(Enum):
    """What the law answers."""

    PERMIT = "permit"
    DENY = "deny"
    ASK = "ask"  # a fact is missing or the law is unsettled; callers treat it as "no" until a human has settled it

    def __init__(self, said: str) -> None:
        self.strictness = ("permit", "ask", "deny").index(said)  # over several laws the strictest wins


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where in the packs something stands, and where in the world it comes from."""

    file: str
    line: int
    cite: str
    url: str = ""
    row: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Half-open days in force."""

    start: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether `day` lies in the span."""
        return self.start <= day and (self.until is None or day < self.until)

    def overlaps(self, other: Span) -> bool:
        """Tell whether two spans share a day."""
        return self.start < (other.until or date.max) and other.start < (self.until or date.max)


@dataclass(frozen=True, kw_only=True, slots=True)
class Obligation:
    """What must accompany a permitted use: a kind of obligations.toml with its parameters."""

    kind: str
    parameters: Mapping[str, Value | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """Days between two dates on which a clock stands still, or after which it starts anew."""

    says: str
    cite: str
    start: str  # the date facts between which it lasts
    until: str
    when: Condition
    effect: Literal["restart", "exclude", "may-exclude", "hold"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """More time, where the law allows it and the person is told in time."""

    says: str
    cite: str
    by: str
    when: Condition
    told: str  # the date fact that the person was told
    notice: str  # the period within which they must be
    contents: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """What ends a duty, or keeps it from being owed; one that is unconfirmed makes it only possible."""

    says: str
    cite: str
    when: Condition
    confirmed: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """What an event makes us owe, to whom, and by when; periods are as `clocks` reads them."""

    event: str
    act: str
    to: str
    what: str
    body: str = ""
    contents: tuple[str, ...] = ()
    within: str = ""
    by: str | date = ""  # "01-31", the next one; or a day
    before: str = ""
    opens: str = ""
    start: tuple[str, ...] = ("event.on",)
    year_end: bool = False
    not_after: tuple[str, ...] = ()
    counts: str = ""  # a reckoning, where it is not the law's
    unless_done: bool = False  # not owed where all was done (event.done_on) before its day
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[Extension, ...] = ()
    stops: tuple[Stop, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One sentence of the law with its dates, its condition and its effect."""

    id: str
    law: str
    says: str
    source: Source
    span: Span
    announced: date | None
    checked: date | None
    review_by: date | None
    confirmed: bool
    when: Condition
    effect: Effect
    cures: tuple[str, ...] = ()
    slot: str = ""
    fills: tuple[str, ...] = ()
    exception_to: tuple[str, ...] = ()
    obligation: Obligation | None = None
    needs: tuple[str, ...] = ()
    duty: Duty | None = None

    def cited(self, day: date) -> str:
        """Return the citation; past the day by which somebody was to compare the rule again, with a warning."""
        if self.review_by is None or day <= self.review_by:
            return self.source.cite
        return f"{self.source.cite} [to be reviewed by {self.review_by}: check that it still stands]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A sub-condition that the law itself names."""

    id: str
    says: str
    source: Source
    span: Span
    confirmed: bool
    when: Condition


@dataclass(frozen=True, kw_only=True, slots=True)
class Dated:
    """A parameter's value in a span of days, everywhere or in some places."""

    value: int | float
    span: Span
    places: frozenset[str] | None
    cite: str
    confirmed: bool
    announced: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedParameter:
    """A number that changes with time and place."""

    id: str
    says: str
    unit: str
    source: Source
    values: tuple[Dated, ...]

    def at(self, day: date, place: str) -> Dated | None:
        """Return the value in force on `day` for somebody living in `place`: the place's own, else the general one."""
        in_force = [dated for dated in self.values if dated.span.holds(day)]
        own = [dated for dated in in_force if dated.places is not None and place in dated.places]
        general = [dated for dated in in_force if dated.places is None]
        return next(iter(own or general), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """A ground that a law wants filled before the use is allowed."""

    id: str
    says: str
    cite: str
    applies: Condition
    cures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """Operations, channels and places that a law covers in full; None means all."""

    operations: frozenset[str] | None
    channels: frozenset[str] | None
    places: frozenset[str] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Law:
    """One law: when it governs, whom it protects, what it covers, and its rules."""

    id: str
    pack: str
    name: str
    source: Source
    span: Span
    territory: tuple[str, ...]
    governs: Condition
    covers: tuple[Cell, ...]
    slots: tuple[Slot, ...]
    rules: tuple[Rule, ...]
    definitions: tuple[Definition, ...]
    parameters: tuple[DatedParameter, ...]
    blind_spots: tuple[str, ...]
    binds: Condition | None = None  # `governs` without what it asks of a use; None where it asks nothing of one
    counts: str = ""  # the reckoning of its periods

    @property
    def decides(self) -> bool:
        """Tell whether it has something to say of uses; a law of duties alone has not."""
        return bool(self.covers or self.slots or any(rule.effect != "duty" for rule in self.rules))

    @property
    def is_house(self) -> bool:
        """Tell whether this is our own policy rather than a law of some place."""
        return not self.territory


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """A folder of laws, with the hash of its contents."""

    id: str
    name: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObligationKind:
    """A kind of obligation and how the parameters of two laws merge."""

    name: str
    says: str
    parameters: Mapping[str, ObligationParameter]


@dataclass(frozen=True, kw_only=True, slots=True)
class ObligationParameter:
    """One parameter of an obligation kind."""

    name: str
    kind: Literal["flag", "number", "words", "days", "clock"]
    merge: Literal["union", "intersect", "least", "most", "any", "same"]
    means: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Cure:
    """What would make a use lawful: advice, and the facts it would put on record ("today": the day of the decision)."""

    name: str
    says: str
    sets: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lawbook:
    """All packs, checked against each other."""

    vocabulary: Vocabulary
    packs: tuple[Pack, ...]
    laws: tuple[Law, ...]
    obligations: Mapping[str, ObligationKind]
    cures: Mapping[str, Cure]

    def law(self, law_id: str) -> Law:
        """Return the law with this id; raises KeyError."""
        return next(law for law in self.laws if law.id == law_id)

    def rules(self) -> list[Rule]:
        """Return every rule of every law."""
        return [rule for law in self.laws for rule in law.rules]
