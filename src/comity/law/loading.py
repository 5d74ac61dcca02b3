"""Read packs from TOML into a Lawbook, refusing anything that is not exactly right."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast, get_args

from comity.law.clocks import ClockError, read_period
from comity.law.conditions import ALWAYS, Condition, ConditionError, Parameter, all_of, names, parse, tests
from comity.law.entries import Entry, Files
from comity.law.lawbook import (
    Cell,
    Cure,
    Dated,
    DatedParameter,
    Definition,
    Duty,
    Effect,
    Extension,
    Law,
    Lawbook,
    Obligation,
    ObligationKind,
    ObligationParameter,
    Pack,
    PackError,
    Pause,
    Rule,
    Slot,
    Source,
    Span,
    Stop,
)
from comity.law.places import Group, Member, Places, UnknownPlace
from comity.law.vocabulary import TERM_PREFIXES, Fact, Kind, Value, Vocabulary, nearest

SHIPPED = Path(__file__).resolve().parent.parent / "packs"
"""The packs that come with Comity."""

SHARED = (
    "vocabulary.toml",
    "events.toml",
    "places.toml",
    "obligations.toml",
    "cures.toml",
    "calendars.toml",
    "holidays.toml",
)
KINDS = get_args(Kind)
EFFECTS = ("forbid", "ground", "require", "refer", "except", "duty")

RULE_KEYS = frozenset(
    "id says cite url row announced from until checked review_by confidence when effect cure slot fills exception_to "
    "obligation needs duty".split()
)
OWN_KEYS = {
    "slot": "ground",
    "fills": "ground",
    "exception_to": "except",
    "obligation": "require",
    "needs": "require",
    "duty": "duty",
}
DEEPEST_CHAIN = 20
FEW = 8  # names that a message lists
MOST_COMPARISONS = 2_000
LAW_KEYS = frozenset("id name cite url from until territory governs uses covers blind_spots slot counts".split())
DUTY_KEYS = frozenset(
    "event act to body what contents within by before opens start year_end not_after counts unless_done pause "
    "extension stop".split()
)
ACTS = tuple(
    "acknowledge answer refuse appeal verify notify report record assess consult appoint audit train publish stop "
    "pass-on delete freeze keep contract inform review register offer certify".split()
)
RECEIVERS = tuple(
    "person guardian relatives authority other-body controller processor recipients media credit-bureaus police "
    "public file".split()
)
DEFINITION_KEYS = frozenset("id says cite url row from until checked confidence when".split())
PARAMETER_KEYS = frozenset("id says unit cite url row values checked".split())
VALUE_KEYS = frozenset("from until value places cite confidence announced".split())


def pack_files(root: Path) -> list[Path]:
    """Return every file that makes the law: the shared ones and each pack's, in a fixed order. Cases are not law."""
    shared = [root / name for name in SHARED]
    packs = sorted(path.parent for path in root.glob("*/pack.toml"))
    return shared + [file for pack in packs for file in (pack / "pack.toml", *sorted((pack / "rules").glob("*.toml")))]


def read_packs(root: Path = SHIPPED) -> Lawbook:
    """Read and check all packs under `root`. Raises PackError with file, line, rule and cure."""
    files = Files(root)
    vocabulary = Vocabulary(_facts(files), _places(files))
    obligations = _obligations(files)
    cures = _cures(files, vocabulary)
    reader = _PackReader(files, vocabulary, obligations, cures)
    folders = sorted(path.parent for path in root.glob("*/pack.toml"))
    packs = tuple(reader.pack(folder) for folder in folders)
    laws = tuple(law for folder in folders for law in reader.laws(folder))
    book = Lawbook(vocabulary=vocabulary, packs=packs, laws=laws, obligations=obligations, cures=cures)
    _check_across(book)
    return book


class _PackReader:
    """Reads one pack folder after another."""

    def __init__(
        self,
        files: Files,
        vocabulary: Vocabulary,
        obligations: Mapping[str, ObligationKind],
        cures: Mapping[str, Cure],
    ) -> None:
        self.files = files
        self.vocabulary = vocabulary
        self.obligations = obligations
        self.cures = cures

    def pack(self, folder: Path) -> Pack:
        whole = self.files.read(folder / "pack.toml")
        for key in whole:
            if key not in {"pack", "law"}:
                what = f"unknown table {key!r}; a pack.toml holds [pack] and [[law]]"
                raise PackError(what, file=self.files.name(folder / "pack.toml"))
        entry = self.entry(folder / "pack.toml", whole.get("pack", {}), 1, "pack")
        entry.only(("id", "name", "version"))
        if entry.text("id") != folder.name:
            raise entry.wrong(f"its folder is called {folder.name!r}; a pack is called as its folder is")
        digest = hashlib.sha256()
        for path in (folder / "pack.toml", *sorted((folder / "rules").glob("*.toml"))):
            digest.update(self.files.name(path).encode() + b"\0" + path.read_bytes() + b"\0")
        return Pack(
            id=entry.text("id"), name=entry.text("name"), version=entry.text("version"), sha256=digest.hexdigest()
        )

    def laws(self, folder: Path) -> list[Law]:
        laws = self.entries(folder / "pack.toml", "law")
        listed: dict[str, list[Entry]] = {entry.id: [] for entry in laws}
        for path in sorted((folder / "rules").glob("*.toml")):
            table = self.files.read(path)
            for key in table:
                if key not in {"rule", "define", "parameter"}:
                    raise PackError(
                        f"unknown table {key!r}; a rules file holds [[rule]], [[define]] and [[parameter]]",
                        file=self.files.name(path),
                    )
            for kind in ("rule", "define", "parameter"):
                for entry in self.entries(path, kind, table):
                    _of_its_law(entry, listed).append(entry)
        return [self.law(entry, folder.name, listed[entry.id]) for entry in laws]

    def entries(self, path: Path, kind: str, table: Mapping[str, Any] | None = None) -> list[Entry]:
        found = (self.files.read(path) if table is None else table).get(kind, [])
        lines = self.files.lines(path, kind)
        if not isinstance(found, list) or len(found) != len(lines):
            what = f"each {kind} stands under a header of its own, at the start of a line: [[{kind}]]"
            raise PackError(what, file=self.files.name(path))
        return [self.entry(path, item, line, kind) for item, line in zip(found, lines, strict=True)]

    def entry(self, path: Path, table: Mapping[str, Any], line: int, kind: str) -> Entry:
        return Entry(table, self.files.name(path), line, kind)

    def law(self, entry: Entry, pack: str, listed: list[Entry]) -> Law:
        entry.only(LAW_KEYS)
        span = entry.span()

        def mine(kind: str) -> list[Entry]:
            return [item for item in listed if item.kind == kind]

        binds = self.condition(entry, entry.text("governs"))
        uses = self.condition(entry, entry.text("uses")) if "uses" in entry.table else ALWAYS
        law = Law(
            id=entry.text("id"), pack=pack, name=entry.text("name"), source=entry.source(), span=span,
            territory=self.territory(entry), governs=all_of([binds, uses]), binds=binds,
            covers=tuple(self.cell(entry, cell) for cell in entry.tables("covers")),
            slots=tuple(self.slot(entry, slot) for slot in entry.tables("slot")),
            rules=tuple(self.rule(item) for item in mine("rule")),
            definitions=tuple(self.definition(item, span) for item in mine("define")),
            parameters=tuple(self.parameter(item, span) for item in mine("parameter")),
            blind_spots=entry.words("blind_spots"), counts=entry.text("counts", needed=False),
        )  # fmt: skip
        _check_law(law)
        return law

    def territory(self, entry: Entry) -> tuple[str, ...]:
        words = entry.words("territory")
        for word in words:
            if word not in self.vocabulary.places.groups:
                self.place(entry, word)
        return words

    def place(self, entry: Entry, code: str) -> None:
        try:
            self.vocabulary.places.check(code)
        except UnknownPlace as error:
            raise entry.wrong(str(error)) from None

    def cell(self, entry: Entry, table: Mapping[str, Any]) -> Cell:
        for key in table:
            if key not in {"operations", "channels", "places"}:
                raise entry.wrong(f"a covered cell has operations, channels and places, not {key!r}")
        return Cell(
            operations=self.choices(entry, "use.operation", table.get("operations")),
            channels=self.choices(entry, "use.channel", table.get("channels")),
            places=self.cell_places(entry, table.get("places")),
        )

    def cell_places(self, entry: Entry, words: object) -> frozenset[str] | None:
        if words == "*":
            return None
        if not isinstance(words, list) or not words:
            raise entry.wrong('a covered cell names its places: places = ["DE"] or places = "*"')
        places = self.vocabulary.places
        found: set[str] = set()
        for word in words:
            if word in places.groups:  # a group counts with all who were ever in it; `governs` knows the day
                found |= places.expand(_ever_in(places, word))
            else:
                self.place(entry, word)
                found |= places.expand([word])
        return frozenset(found)

    def choices(self, entry: Entry, fact: str, words: object) -> frozenset[str] | None:
        if words is None:
            return None
        known = self.vocabulary.facts[fact].choices
        if not isinstance(words, list):
            raise entry.wrong(f"{fact} in a covered cell is a list of words")
        for word in words:
            if word not in known:
                raise entry.wrong(f"{fact} cannot be {word!r}{nearest(word, known)}")
        return frozenset(words)

    def slot(self, entry: Entry, table: Mapping[str, Any]) -> Slot:
        item = Entry(table, entry.file, entry.line, f"slot of {entry.id}")
        item.only(("id", "says", "cite", "applies", "cure"))
        return Slot(
            id=f"{entry.id}:{item.text('id')}",
            says=item.text("says"),
            cite=item.text("cite"),
            applies=self.condition(item, item.text("applies")),
            cures=self.cure_names(item),
        )

    def rule(self, entry: Entry) -> Rule:
        entry.only(RULE_KEYS)
        effect = entry.text("effect")
        if effect not in EFFECTS:
            raise entry.wrong(
                f"effect cannot be {effect!r}{nearest(effect, EFFECTS)}; it is one of {', '.join(EFFECTS)}"
            )
        law = entry.id.partition("/")[0]
        rule = Rule(
            id=entry.id, law=law, says=entry.text("says"), source=entry.source(), span=entry.span(),
            announced=entry.day("announced"), checked=entry.day("checked"), review_by=entry.day("review_by"),
            confirmed=entry.confirmed(), when=self.condition(entry, entry.text("when")), effect=cast("Effect", effect),
            cures=self.cure_names(entry), slot=f"{law}:{entry.text('slot')}" if "slot" in entry.table else "",
            fills=entry.words("fills"), exception_to=entry.words("exception_to"),
            obligation=self.obligation(entry), needs=entry.words("needs"), duty=self.duty(entry),
        )  # fmt: skip
        self.check_effect(entry, rule)
        return rule

    def check_effect(self, entry: Entry, rule: Rule) -> None:
        wants = {
            "ground": (rule.slot or rule.fills, 'a ground names the slot it fills: slot = "basis"'),
            "require": (rule.obligation, 'a require names its obligation: obligation = { kind = "unsubscribe" }'),
            "except": (rule.exception_to, 'an exception names the rules it lifts: exception_to = ["law/rule"]'),
            "duty": (rule.duty, "a duty says what is owed: duty = { event, to, what, within }"),
        }
        present, cure = wants.get(rule.effect, (True, ""))
        if not present:
            raise entry.wrong(cure)
        for key, effect in OWN_KEYS.items():
            if key in entry.table and rule.effect != effect:
                raise entry.wrong(f'only effect = "{effect}" has {key!r}; write a rule of its own for it')
        for name in rule.needs:
            if name not in self.vocabulary.facts:
                raise entry.wrong(f"needs names no fact {name!r}{nearest(name, self.vocabulary.facts)}")

    def cure_names(self, entry: Entry) -> tuple[str, ...]:
        for name in entry.words("cure"):
            if name not in self.cures:
                raise entry.wrong(f"no cure is called {name!r}{nearest(name, self.cures)}")
        return entry.words("cure")

    def obligation(self, entry: Entry) -> Obligation | None:
        table = entry.inner("obligation", 'kind = "unsubscribe"')
        if table is None:
            return None
        kind = self.obligations.get(str(table.get("kind", "")))
        if kind is None:
            raise entry.wrong(
                f"no obligation is called {table.get('kind')!r}{nearest(str(table.get('kind')), self.obligations)}"
            )
        parameters = {key: value for key, value in table.items() if key != "kind"}
        for key, value in parameters.items():
            if key not in kind.parameters:
                raise entry.wrong(f"{kind.name} has no parameter {key!r}{nearest(key, kind.parameters)}")
            if not _fits(kind.parameters[key], value):
                raise entry.wrong(f"{kind.name}.{key} is a {kind.parameters[key].kind}, not {value!r}")
        read: dict[str, Value | tuple[str, ...]] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()
        }
        return Obligation(kind=kind.name, parameters=read)

    def duty(self, entry: Entry) -> Duty | None:
        table = entry.inner("duty", "event, act, to, what, within")
        if table is None:
            return None
        item = Entry({**table, "id": entry.id}, entry.file, entry.line, "duty")
        item.only(DUTY_KEYS | {"id"})
        return Duty(
            event=self.word(item, "event", self.vocabulary.facts["event.kind"].choices),
            act=self.word(item, "act", ACTS), to=self.word(item, "to", RECEIVERS), what=item.text("what"),
            body=item.text("body", needed=False), contents=item.words("contents"), within=_period(item, "within"),
            by=_by(item), before=_period(item, "before"), opens=_period(item, "opens"),
            start=self.dates(item, "start") or ("event.on",), year_end=table.get("year_end") is True,
            not_after=self.dates(item, "not_after"), counts=item.text("counts", needed=False),
            unless_done=table.get("unless_done") is True,
            pauses=tuple(self.pause(item, one) for one in item.tables("pause")),
            extensions=tuple(self.extension(item, one) for one in item.tables("extension")),
            stops=tuple(self.stop(item, one) for one in item.tables("stop")),
        )  # fmt: skip

    def word(self, item: Entry, key: str, words: Iterable[str]) -> str:
        found = item.text(key)
        if found not in words:
            raise item.wrong(f"{key!r} cannot be {found!r}{nearest(found, words)}; it is one of {', '.join(words)}")
        return found

    def dates(self, item: Entry, key: str) -> tuple[str, ...]:
        for name in item.words(key):
            self.date_fact(item, name)
        return item.words(key)

    def date_fact(self, item: Entry, name: str) -> str:
        fact = self.vocabulary.facts.get(name)
        if fact is None or fact.kind != "date":
            dated = [other.name for other in self.vocabulary.facts.values() if other.kind == "date"]
            raise item.wrong(f"no date fact is called {name!r}{nearest(name, dated)}")
        return name

    def part(self, item: Entry, table: Mapping[str, Any], keys: str) -> Entry:
        part = Entry({**table, "id": item.id}, item.file, item.line, "part of a duty")
        part.only({"id", "says", "cite", "when", *keys.split()})
        return part

    def pause(self, item: Entry, table: Mapping[str, Any]) -> Pause:
        part = self.part(item, table, "from until effect")
        effect = self.word(part, "effect", ("restart", "exclude", "may-exclude", "hold"))
        return Pause(
            says=part.text("says"), cite=part.text("cite", needed=False), start=self.date_fact(part, part.text("from")),
            until=self.date_fact(part, part.text("until")), when=self.condition(part, table.get("when", "True")),
            effect=cast('Literal["restart", "exclude", "may-exclude", "hold"]', effect),
        )  # fmt: skip

    def extension(self, item: Entry, table: Mapping[str, Any]) -> Extension:
        part = self.part(item, table, "by told notice contents")
        return Extension(
            says=part.text("says"), cite=part.text("cite", needed=False), by=_period(part, "by", needed=True),
            when=self.condition(part, table.get("when", "True")), notice=_period(part, "notice"),
            told=self.date_fact(part, table.get("told", "event.extension_told_on")), contents=part.words("contents"),
        )  # fmt: skip

    def stop(self, item: Entry, table: Mapping[str, Any]) -> Stop:
        part = self.part(item, table, "confidence")
        condition = self.condition(part, part.text("when"))
        cite = part.text("cite", needed=False)
        return Stop(says=part.text("says"), cite=cite, when=condition, confirmed=part.confirmed())

    def definition(self, entry: Entry, span: Span) -> Definition:
        entry.only(DEFINITION_KEYS)
        return Definition(
            id=entry.id,
            says=entry.text("says"),
            source=entry.source(),
            span=entry.span(span),
            confirmed=entry.confirmed(),
            when=self.condition(entry, entry.text("when")),
        )

    def parameter(self, entry: Entry, span: Span) -> DatedParameter:
        entry.only(PARAMETER_KEYS)
        values = entry.table.get("values")
        if not isinstance(values, list) or not values or not all(isinstance(value, dict) for value in values):
            raise entry.wrong("a parameter has values = [{ from, value, cite }]")
        read = tuple(self.dated(entry, table, span) for table in values)
        cite = entry.text("cite", needed=False) or read[0].cite
        source = Source(
            file=entry.file,
            line=entry.line,
            cite=cite,
            url=entry.text("url", needed=False),
            row=entry.text("row", needed=False),
        )
        found = DatedParameter(
            id=entry.id, says=entry.text("says"), unit=entry.text("unit", needed=False), source=source, values=read
        )
        _check_values(entry, found)
        return found

    def dated(self, entry: Entry, table: Mapping[str, Any], span: Span) -> Dated:
        item = Entry({**table, "id": entry.id}, entry.file, entry.line, "value")
        item.only(VALUE_KEYS | {"id"})
        value = table.get("value")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise item.wrong("a parameter's value is a number")
        places = item.words("places")
        for code in places:
            self.place(item, code)
        expanded = self.vocabulary.places.expand(places) if places else None
        return Dated(
            value=value, span=item.span(span), places=expanded, cite=item.text("cite"), confirmed=item.confirmed(),
            announced=item.day("announced"),
        )  # fmt: skip

    def condition(self, entry: Entry, text: str) -> Condition:
        try:
            return parse(text, self.vocabulary)
        except ConditionError as error:
            raise entry.wrong(f"in the condition, {error}") from None


def _of_its_law(entry: Entry, listed: Mapping[str, list[Entry]]) -> list[Entry]:
    """Return the list of the law that an entry's id names."""
    law, between, _ = entry.id.partition("/")
    if law not in listed or not between:
        ids = [*listed]
        named = ", ".join(ids[:FEW]) + (" …" if len(ids) > FEW else "")
        raise entry.wrong(
            f"its id must be <law>/<name>, the law one of {named or 'none: pack.toml has no law'}{nearest(law, ids)}"
        )
    return listed[law]


def _period(item: Entry, key: str, *, needed: bool = False) -> str:
    text = item.text(key, needed=needed)
    try:
        return str(read_period(text)) if text else ""
    except ClockError as error:
        raise item.wrong(f"in {key!r}, {error}") from None


def _by(item: Entry) -> str | date:
    value = item.table.get("by", "")
    if isinstance(value, str) and value and not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", value):
        raise item.wrong(f"'by' is a day of each year, as \"01-31\", or one day, as 2028-04-01; not {value!r}")
    return value if isinstance(value, str) else cast("date", item.day("by"))


def _ever_in(places: Places, name: str) -> set[str]:
    group = places.groups[name]
    return {member.place for member in group.members}.union(*(_ever_in(places, other) for other in group.includes))


def _fits(parameter: ObligationParameter, value: object) -> bool:
    match parameter.kind:
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case "clock":
            return isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-4]):[0-5]\d", value) is not None
        case "days":
            week = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"}
            return isinstance(value, list) and all(word in week for word in value)
        case "words":
            return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _check_law(law: Law) -> None:
    """Check what one law can know of itself: validity, definitions, parameters and slots."""
    _check_spans([(rule.id, rule.id, rule.span, rule.source) for rule in law.rules])
    _check_spans([(_short(item.id), item.id, item.span, item.source) for item in law.definitions])
    always = Span(start=date.min)
    _check_spans([(_short(item.id), item.id, always, item.source) for item in law.parameters])
    if len({slot.id for slot in law.slots}) != len(law.slots):
        raise _at(law.source, law.id, "two slots have the same id; give each its own")
    defined = {_short(item.id) for item in law.definitions}
    parameters = {_short(item.id) for item in law.parameters}
    holders: list[tuple[str, Source, Condition]] = [(rule.id, rule.source, rule.when) for rule in law.rules]
    holders += [(rule.id, rule.source, one) for rule in law.rules if rule.duty for one in _inner(rule.duty)]
    holders += [(item.id, item.source, item.when) for item in law.definitions]
    holders += [(law.id, law.source, law.governs), *((slot.id, law.source, slot.applies) for slot in law.slots)]
    for holder, source, condition in holders:
        for name in names(condition):
            if name not in defined:
                raise _at(source, holder, f"its law has no definition {name!r}{nearest(name, defined)}")
        for test in tests(condition):
            if isinstance(test.operand, Parameter) and test.operand.name not in parameters:
                raise _at(
                    source,
                    holder,
                    f"its law has no parameter {test.operand.name!r}{nearest(test.operand.name, parameters)}",
                )
    for rule in law.rules:
        if rule.slot and rule.slot not in {slot.id for slot in law.slots}:
            raise _at(rule.source, rule.id, f"its law has no slot {rule.slot.partition(':')[2]!r}")
    sizes = _definition_sizes(law)
    for holder, source, condition in holders:
        _check_size(condition, sizes, source, holder)


def _inner(duty: Duty) -> list[Condition]:
    pauses, extensions = [part.when for part in duty.pauses], [part.when for part in duty.extensions]
    return pauses + extensions + [part.when for part in duty.stops]


def _definition_sizes(law: Law) -> dict[str, int]:
    """Return how many comparisons each definition has, written out; refuse circles and chains that are too long."""
    versions: dict[str, list[Definition]] = {}
    for item in law.definitions:
        versions.setdefault(_short(item.id), []).append(item)
    sizes: dict[str, int] = {}
    depths: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise _at(law.source, law.id, f"definitions go in a circle: {' -> '.join((*path, name))}")
        inner = {other for item in versions[name] for other in names(item.when)}
        for other in sorted(inner - depths.keys() if len(path) < DEEPEST_CHAIN else ()):
            visit(other, (*path, name))
        depths[name] = 1 + max((depths.get(other, DEEPEST_CHAIN) for other in inner), default=0)
        if depths[name] > DEEPEST_CHAIN:
            raise _at(law.source, law.id, f"definitions rest on each other too deeply, more than {DEEPEST_CHAIN} times")
        sizes[name] = max(_check_size(item.when, sizes, item.source, item.id) for item in versions[name])

    for name in versions:
        visit(name, ())
    return sizes


def _check_size(condition: Condition, sizes: Mapping[str, int], source: Source, holder: str) -> int:
    """Return how many comparisons a condition has with its definitions written out."""
    size = sum(1 for _ in tests(condition)) + sum(sizes[name] for name in names(condition))
    if size > MOST_COMPARISONS:
        what = f"its condition is too large, written out: {size:,} comparisons; {MOST_COMPARISONS:,} are allowed"
        raise _at(source, holder, what)
    return size


def _check_spans(items: list[tuple[str, str, Span, Source]]) -> None:
    """Check that what has the same key, by which conditions know it, is never in force twice on one day."""
    seen: dict[str, list[Span]] = {}
    for key, name, span, source in items:
        for other in seen.setdefault(key, []):
            if span.overlaps(other):
                raise _at(
                    source,
                    name,
                    "the id is used twice for days that overlap; "
                    "give the older one an 'until', or the newer one another id",
                )
        seen[key].append(span)


def _check_values(entry: Entry, parameter: DatedParameter) -> None:
    for number, one in enumerate(parameter.values):
        for other in parameter.values[number + 1 :]:
            same_places = one.places is None and other.places is None
            shared = one.places is not None and other.places is not None and one.places & other.places
            if (same_places or shared) and one.span.overlaps(other.span):
                raise entry.wrong(
                    "two values are in force on the same day in the same place; give the older one an 'until'"
                )


def _check_across(book: Lawbook) -> None:
    """Check what laws say of each other: ids, exceptions and fills."""
    seen: dict[str, Law] = {}
    for law in book.laws:
        if law.id in seen:
            raise _at(law.source, law.id, f"another law has this id ({seen[law.id].source.file})")
        seen[law.id] = law
    rules: dict[str, list[Rule]] = {}
    for rule in book.rules():
        rules.setdefault(rule.id, []).append(rule)
    slots = {slot.id for law in book.laws for slot in law.slots}
    for rule in book.rules():
        _check_exception(rule, rules)
        for slot in rule.fills:
            if slot not in slots:
                raise _at(rule.source, rule.id, f"fills names no slot {slot!r}{nearest(slot, slots)}")
    _check_exception_cycles(rules)


def _check_exception(rule: Rule, rules: Mapping[str, list[Rule]]) -> None:
    for target in rule.exception_to:
        if target not in rules:
            raise _at(rule.source, rule.id, f"exception_to names no rule {target!r}{nearest(target, rules)}")
        for lifted in rules[target]:
            if lifted.effect in {"ground", "duty"}:
                what = f"{target} is a {lifted.effect}; only forbids, requires, refers and exceptions are lifted"
                raise _at(rule.source, rule.id, what)
    if len({lifted.effect == "except" for target in rule.exception_to for lifted in rules[target]}) > 1:
        # One makes the verdict milder, the other stricter: what is unconfirmed could not be taken on the safe side.
        raise _at(rule.source, rule.id, "it lifts a rule and an exception at once; write two exceptions")


def _check_exception_cycles(rules: Mapping[str, list[Rule]]) -> None:
    depths: dict[str, int] = {}

    def visit(rule_id: str, path: tuple[str, ...]) -> None:
        source = rules[rule_id][0].source
        if rule_id in path:
            raise _at(source, rule_id, f"exceptions go in a circle: {' -> '.join((*path, rule_id))}")
        lifted = {target for rule in rules[rule_id] for target in rule.exception_to}
        for target in sorted(lifted - depths.keys() if len(path) < DEEPEST_CHAIN else ()):
            visit(target, (*path, rule_id))
        depths[rule_id] = 1 + max((depths.get(target, DEEPEST_CHAIN) for target in lifted), default=0)
        if depths[rule_id] > DEEPEST_CHAIN:
            raise _at(source, rule_id, f"exceptions lift each other too deeply, more than {DEEPEST_CHAIN} times")

    for rule_id in rules:
        visit(rule_id, ())


def _at(source: Source, rule: str, what: str) -> PackError:
    return PackError(what, file=source.file, line=source.line, rule=rule)


def _short(full_id: str) -> str:
    return full_id.partition("/")[2].replace("-", "_")


def _facts(files: Files) -> dict[str, Fact]:
    facts = {}
    for file in ("vocabulary.toml", "events.toml"):
        for namespace, entries in files.read(files.root / file).items():
            for short, table in entries.items():
                name = f"{namespace}.{short}"
                facts[name] = _fact(name, table, file)
    return facts


def _fact(name: str, table: Mapping[str, Any], file: str) -> Fact:
    entry = Entry({**table, "id": name}, file, 0, "fact")
    entry.only(("id", "type", "choices", "unit", "means", "absent", "why", "assume", "term", "terms", "removal"))
    absent = table.get("absent")
    if absent is None:
        raise entry.wrong(
            'it does not say what it means when nobody recorded it: absent = "unknown", or a value with why'
        )
    if absent != "unknown" and not table.get("why"):
        raise entry.wrong("its absence means a value, so it needs the legal reason in 'why'")
    if isinstance(absent, Mapping):
        absent = (int(absent.get("min", 0)), int(absent.get("max", 150)))
    kind = entry.text("type")
    if kind not in KINDS:
        raise entry.wrong(f"type cannot be {kind!r}{nearest(kind, KINDS)}; it is one of {', '.join(KINDS)}")
    return Fact(
        name=name, kind=cast("Kind", kind), means=entry.text("means"), choices=entry.words("choices"),
        unit=entry.text("unit", needed=False), absent=None if absent == "unknown" else absent,
        why_absent=entry.text("why", needed=False), assume=table.get("assume"), term=entry.text("term", needed=False),
        by_knowledge=table.get("removal") == "knowledge", terms=_terms(entry, kind),
    )  # fmt: skip


def _terms(entry: Entry, kind: str) -> dict[str, tuple[str, ...]]:
    """Return the terms of each choice; refuse a choice that is none, and a term of a vocabulary that we do not know."""
    choices = entry.words("choices") if kind == "choice" else ("true",) if kind == "bool" else ()
    table = entry.inner("terms", 'marketing = ["dpv:Marketing"]') or {}
    for choice in table:
        if choice not in choices:
            raise entry.wrong(f"terms names no choice {choice!r}{nearest(choice, choices)}")
    inner = Entry({**table, "id": entry.id}, entry.file, entry.line, "terms")
    terms = {choice: inner.words(choice) for choice in table}
    term = entry.text("term", needed=False)
    for word in (*((term,) if term else ()), *(word for words in terms.values() for word in words)):
        prefix, colon, name = word.partition(":")
        if prefix not in TERM_PREFIXES or not colon or not name:
            known = ", ".join(f"{one}:" for one in TERM_PREFIXES)
            raise entry.wrong(f"{word!r} is no term of a vocabulary that we know: {known}")
    return terms


def _places(files: Files) -> Places:
    table = files.read(files.root / "places.toml")
    subdivisions = {
        country: tuple(f"{country}-{part}" for part in parts) for country, parts in table["subdivisions"].items()
    }
    groups = {name: _group(name, group) for name, group in table["group"].items()}
    places = Places(frozenset(table["countries"]), subdivisions, groups)
    for name, group in groups.items():
        entry = Entry({"id": f"group {name}"}, "places.toml", 0, "group")
        for member in group.members:
            try:
                places.check(member.place)
            except UnknownPlace as error:
                raise entry.wrong(str(error)) from None
        for other in group.includes:
            if other not in groups:
                raise entry.wrong(f"it includes no group {other!r}{nearest(other, groups)}")
    return places


def _group(name: str, table: Mapping[str, Any]) -> Group:
    members = tuple(
        Member(place=item)
        if isinstance(item, str)
        else Member(place=item["place"], start=item.get("from"), until=item.get("until"))
        for item in table.get("members", [])
    )
    return Group(
        name=name, says=table["says"], cite=table["cite"], members=members, includes=tuple(table.get("includes", []))
    )


def _obligations(files: Files) -> dict[str, ObligationKind]:
    kinds = {}
    for name, table in files.read(files.root / "obligations.toml").items():
        parameters = {
            key: ObligationParameter(name=key, kind=item["type"], merge=item["merge"], means=item["means"])
            for key, item in table.get("parameters", {}).items()
        }
        kinds[name] = ObligationKind(name=name, says=table["says"], parameters=parameters)
    return kinds


def _cures(files: Files, vocabulary: Vocabulary) -> dict[str, Cure]:
    cures = {}
    for name, table in files.read(files.root / "cures.toml").items():
        entry = Entry({**table, "id": name}, "cures.toml", 0, "cure")
        entry.only(("id", "says", "sets"))
        for fact in table.get("sets", {}):
            if fact not in vocabulary.facts:
                raise entry.wrong(f"it sets no fact {fact!r}{nearest(fact, vocabulary.facts)}")
        cures[name] = Cure(name=name, says=entry.text("says"), sets=table.get("sets", {}))
    return cures
