"""The rules in force as JSON-LD: in the terms of the W3C Data Privacy Vocabulary where it has one, else in ours."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from comity.law.conditions import TRUE, All, Condition, Constant, GroupName, Named, Not, Parameter, Some, Test, tests
from comity.law.lawbook import Definition, Duty, Law, Lawbook, PackError, Rule, Slot, Source, Span
from comity.law.loading import SHIPPED
from comity.law.vocabulary import TERM_PREFIXES, Fact, nearest

FILE = "dpv.toml"
TABLES = frozenset("effect property broader law place ground slot act receiver obligation".split())

Node = dict[str, Any]
"""A node of JSON-LD."""

Wanted = dict[str, frozenset[str]]
"""Facts that have to hold, each with the words of which it has to be one; the word of a bool is "true"."""

PREFIXES: Final = {
    **{prefix: namespace for prefix, namespace in TERM_PREFIXES.items() if namespace},
    "dct": "http://purl.org/dc/terms/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "comity": "urn:comity:",
}

LINKS: Final = tuple(
    "dpv:hasApplicableLaw dpv:hasEntity dpv:hasJurisdiction dpv:hasLegalBasis dpv:hasRule dct:conformsTo "
    "skos:exactMatch skos:relatedMatch comity:exceptionTo comity:fills".split()
)
"""Properties whose values are addresses, besides those that the packs name."""

DAYS: Final = tuple("comity:day comity:from comity:until comity:announced comity:checked".split())

PLACES_OF_A_LAW: Final = frozenset({"person.home", "org.place"})
"""Facts whose places say where a law holds that protects nobody by their home alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What dpv.toml says: the terms of rules, grounds, laws, places and deeds."""

    effects: Mapping[str, str]
    properties: Mapping[str, str]
    broader: Mapping[str, list[str]]
    laws: Mapping[str, Mapping[str, str]]
    groups: Mapping[str, str]
    codes: frozenset[str]
    grounds: Mapping[str, list[str]]
    slots: Mapping[str, list[str]]
    acts: Mapping[str, list[str]]
    receivers: Mapping[str, str]
    obligations: Mapping[str, list[str]]

    def place(self, word: str) -> str:
        """Return the term of a group or a code of places, or nothing."""
        return self.groups.get(word) or (f"loc:{word}" if word in self.codes else "")

    def heard_by(self, law: str, terms: Iterable[str]) -> list[str]:
        """Return the terms that describe a law; one that is another law's own gives way to the broader ones."""
        speaks = self.laws.get(law, {}).get("speaks")
        found = [
            wide
            for term in terms
            for wide in (
                (term,) if not term.startswith("eu-gdpr:") or speaks == "eu-gdpr" else self.broader.get(term, ())
            )
        ]
        return list(dict.fromkeys(found))


def read_terms(root: Path = SHIPPED) -> Terms:
    """Read dpv.toml beside the packs under `root`, or the shipped one where there is none. Raises PackError."""
    path = root / FILE if (root / FILE).is_file() else SHIPPED / FILE
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PackError(f"it is not TOML: {error}", file=FILE) from None
    for name in table:
        if name not in TABLES:
            raise PackError(f"unknown table {name!r}{nearest(name, TABLES)}", file=FILE)
    for word in terms_in({**table, "place": table.get("place", {}).get("groups", {})}):
        if word.partition(":")[0] not in PREFIXES:
            raise PackError(f"{word!r} is of no vocabulary that we know", file=FILE)
    properties, place = table.get("property", {}), table.get("place", {})
    for word in terms_in([*table.get("act", {}).values(), *table.get("obligation", {}).values()]):
        if word not in properties:
            raise PackError(f"{word!r} has no property; add it under [property]", file=FILE)
    return Terms(
        effects=table.get("effect", {}), properties=properties, broader=table.get("broader", {}),
        laws=table.get("law", {}), groups=place.get("groups", {}), codes=frozenset(place.get("codes", ())),
        grounds=table.get("ground", {}), slots=table.get("slot", {}), acts=table.get("act", {}),
        receivers=table.get("receiver", {}), obligations=table.get("obligation", {}),
    )  # fmt: skip


def terms_in(found: object) -> Iterator[str]:
    """Yield every word with a prefix among the values of tables and lists."""
    match found:
        case str() if ":" in found:
            yield found
        case list():
            for one in found:
                yield from terms_in(one)
        case dict():
            for one in found.values():
                yield from terms_in(one)


def export(book: Lawbook, terms: Terms, day: date, names: Iterable[str] = ()) -> Node:
    """Return the laws in force on `day` with their rules as one JSON-LD document; `names` are laws or packs."""
    chosen = frozenset(names)
    laws = [law for law in book.laws if law.span.holds(day) and (not chosen or law.id in chosen or law.pack in chosen)]
    graph = [_of_book(book, laws, day)]
    facts: set[str] = set()
    for law in laws:
        writer = _Writer(book, terms, law, day)
        graph += [writer.law_node(), *writer.definitions(), *writer.parameters(), *writer.rules()]
        facts.update(writer.facts())
    graph += [_fact(book.vocabulary.fact(name)) for name in sorted(facts)]
    return {"@context": context(book, terms), "@graph": graph}


def context(book: Lawbook, terms: Terms) -> Node:
    """Return the context: the prefixes, and which values are addresses, days or English."""
    named = {fact.term for fact in book.vocabulary.facts.values() if fact.term.startswith("dpv:has")}
    links = sorted({*LINKS, *terms.properties.values(), *named})
    return {
        **PREFIXES,
        **{name: {"@type": "@id"} for name in links},
        **{name: {"@type": "xsd:date"} for name in DAYS},
        "dct:description": {"@language": "en"},
    }


def _of_book(book: Lawbook, laws: list[Law], day: date) -> Node:
    used = {law.pack for law in laws}
    packs = [pack for pack in book.packs if pack.id in used]
    return {
        "@id": "urn:comity:lawbook",
        "dct:title": "Rules of law on the use of personal data",
        "dct:conformsTo": "https://w3id.org/dpv",
        "comity:day": day.isoformat(),
        "comity:pack": [
            {
                "dct:identifier": pack.id,
                "dct:title": pack.name,
                "comity:version": pack.version,
                "comity:sha256": pack.sha256,
            }
            for pack in packs
        ],
    }


def _fact(fact: Fact) -> Node:
    """Return what a fact that conditions ask for means, and the terms that come near it."""
    return _filled({
        "@id": _iri("fact", fact.name),
        "@type": "comity:Fact",
        "dct:identifier": fact.name,
        "dct:description": fact.means,
        "comity:kind": fact.kind,
        "comity:unit": fact.unit,
        "skos:relatedMatch": [fact.term] if fact.term else [],
        "comity:choice": [
            _filled({
                "dct:identifier": choice,
                "skos:relatedMatch": [term for term in terms_of(fact, choice) if not term.startswith("fides:")],
                "comity:fideslang": _keys(terms_of(fact, choice)),
            })
            for choice in fact.choices
        ],
        "comity:fideslang": _keys(fact.terms.get("true", ())),
    })  # fmt: skip


class _Writer:
    """Writes one law and what is its own."""

    def __init__(self, book: Lawbook, terms: Terms, law: Law, day: date) -> None:
        self.book = book
        self.terms = terms
        self.law = law
        self.day = day
        self.defined = {_short(item.id): item for item in law.definitions if item.span.holds(day)}
        self.in_force = [rule for rule in law.rules if rule.span.holds(day)]
        self.jurisdiction = list(dict.fromkeys(filter(None, map(terms.place, self.places()))))

    def places(self) -> list[str]:
        """Return where the law has its people, or the places it governs where it protects nobody by their home."""
        return list(self.law.territory) or sorted(set(_places(self.law.governs)))

    def facts(self) -> set[str]:
        """Return the names of the facts that its conditions ask for."""
        conditions = [self.law.governs, *(slot.applies for slot in self.law.slots)]
        conditions += [item.when for item in self.defined.values()] + [rule.when for rule in self.in_force]
        for duty in (rule.duty for rule in self.in_force if rule.duty):
            conditions += [pause.when for pause in duty.pauses] + [more.when for more in duty.extensions]
            conditions += [stop.when for stop in duty.stops]
        return {test.fact for condition in conditions for test in tests(condition)}

    def law_node(self) -> Node:
        law, about = self.law, self.terms.laws.get(self.law.id, {})
        return _filled({
            "@id": f"urn:comity:law:{law.id}",
            "@type": about.get("type", "dpv:Law"),
            "dct:identifier": law.id,
            "dct:title": law.name,
            **_source(law.source),
            **_valid(law.span),
            "skos:exactMatch": about.get("match"),
            "dpv:hasJurisdiction": self.jurisdiction,
            "comity:governs": written(law.governs),
            **self.concepts(law.governs),
            "comity:slot": [self.slot(slot) for slot in law.slots],
            "comity:blindSpot": list(law.blind_spots),
            "dpv:hasRule": [_iri("rule", rule.id) for rule in self.in_force],
        })  # fmt: skip

    def slot(self, slot: Slot) -> Node:
        return _filled({
            "@id": _iri("slot", slot.id),
            "dct:description": slot.says,
            "dct:bibliographicCitation": slot.cite,
            "comity:condition": written(slot.applies),
            "dpv:hasLegalBasis": self.terms.slots.get(slot.id),
        })  # fmt: skip

    def definitions(self) -> list[Node]:
        return [
            _filled({
                "@id": _iri("definition", item.id),
                "@type": "comity:Definition",
                "dct:description": item.says,
                **_source(item.source),
                **_valid(item.span),
                "comity:confidence": _confidence(confirmed=item.confirmed),
                "comity:condition": written(item.when),
            })
            for item in self.defined.values()
        ]  # fmt: skip

    def parameters(self) -> list[Node]:
        return [
            _filled({
                "@id": _iri("parameter", item.id),
                "@type": "comity:Parameter",
                "dct:description": item.says,
                "comity:unit": item.unit,
                "comity:value": [
                    _filled({
                        "comity:number": dated.value,
                        "comity:place": sorted(dated.places or ()),
                        "dct:bibliographicCitation": dated.cite,
                        **_valid(dated.span),
                        "comity:confidence": _confidence(confirmed=dated.confirmed),
                    })
                    for dated in item.values
                    if dated.span.holds(self.day)
                ],
            })
            for item in self.law.parameters
        ]  # fmt: skip

    def rules(self) -> list[Node]:
        return [self.rule(rule) for rule in self.in_force]

    def rule(self, rule: Rule) -> Node:
        return _filled({
            "@id": _iri("rule", rule.id),
            "@type": self.terms.effects.get(rule.effect, "dpv:Rule"),
            "dct:identifier": rule.id,
            "dct:description": rule.says,
            **_source(rule.source),
            **_valid(rule.span),
            "comity:announced": rule.announced and rule.announced.isoformat(),
            "comity:checked": rule.checked and rule.checked.isoformat(),
            "comity:confidence": _confidence(confirmed=rule.confirmed),
            "dpv:hasApplicableLaw": f"urn:comity:law:{self.law.id}",
            "dpv:hasJurisdiction": self.jurisdiction,
            "comity:effect": rule.effect,
            "comity:condition": written(rule.when),
            **self.concepts(rule.when),
            **self.ground(rule),
            "comity:exceptionTo": [_iri("rule", lifted) for lifted in rule.exception_to],
            "comity:obligation": self.obligation(rule),
            "comity:deed": rule.duty and self.deed(rule.duty),
            "comity:cure": [self.book.cures[cure].says for cure in rule.cures],
        })  # fmt: skip

    def ground(self, rule: Rule) -> Node:
        """Return the slots that a ground fills, and the legal basis it is."""
        slots = [slot for slot in (rule.slot, *rule.fills) if slot]
        basis = self.terms.grounds.get(rule.id) or [term for slot in slots for term in self.terms.slots.get(slot, ())]
        if not slots:
            return {}
        return {"comity:fills": [_iri("slot", slot) for slot in slots], "dpv:hasLegalBasis": list(dict.fromkeys(basis))}

    def obligation(self, rule: Rule) -> Node | None:
        if rule.obligation is None:
            return None
        kind = self.book.obligations[rule.obligation.kind]
        parameters = [
            {"dct:identifier": name, "comity:value": list(value) if isinstance(value, tuple) else value}
            for name, value in sorted(rule.obligation.parameters.items())
        ]
        return _filled({
            "dct:identifier": kind.name,
            "dct:description": kind.says,
            "comity:parameter": parameters,
            **self.linked(self.terms.obligations.get(kind.name, ())),
        })  # fmt: skip

    def deed(self, duty: Duty) -> Node:
        """Return what a duty has us do, to whom and by when, in the words of the pack."""
        acts = self.terms.acts.get(f"{duty.event}/{duty.act}") or self.terms.acts.get(duty.act) or []
        return _filled({
            "@type": "dpv:Process",
            "dct:description": duty.what,
            "comity:event": duty.event,
            "comity:act": duty.act,
            "comity:to": duty.to,
            "comity:body": duty.body,
            "dpv:hasEntity": self.terms.receivers.get(duty.to),
            **self.linked(acts),
            "comity:content": list(duty.contents),
            "comity:start": list(duty.start),
            "comity:within": duty.within,
            "comity:by": str(duty.by),
            "comity:before": duty.before,
            "comity:opens": duty.opens,
            "comity:yearEnd": duty.year_end,
            "comity:notAfter": list(duty.not_after),
            "comity:unlessDone": duty.unless_done,
            "comity:counts": duty.counts or self.law.counts,
            "comity:pause": [
                _filled({
                    **_part(pause.says, pause.cite, pause.when),
                    "comity:effect": pause.effect,
                    "comity:pauseFrom": pause.start,
                    "comity:pauseUntil": pause.until,
                })
                for pause in duty.pauses
            ],
            "comity:extension": [
                _filled({
                    **_part(more.says, more.cite, more.when),
                    "comity:longerBy": more.by,
                    "comity:notice": more.notice,
                    "comity:content": list(more.contents),
                })
                for more in duty.extensions
            ],
            "comity:stop": [_filled(_part(stop.says, stop.cite, stop.when)) for stop in duty.stops],
        })  # fmt: skip

    def linked(self, terms: Iterable[str]) -> dict[str, list[str]]:
        """Return terms of dpv.toml under their properties."""
        found: dict[str, list[str]] = {}
        for term in terms:
            found.setdefault(self.terms.properties[term], []).append(term)
        return found

    def concepts(self, condition: Condition) -> Node:
        """Return the concepts without one of which a condition cannot hold, under their properties.

        What it may be instead and has no term is said too, so that the terms are not taken for all there is.
        """
        found: dict[str, list[str]] = {}
        keys: list[str] = []
        without: list[str] = []
        for name, words in sorted(wanted(condition, self.defined).items()):
            fact = self.book.vocabulary.fact(name)
            for word in sorted(words if fact.kind in {"bool", "choice"} else ()):
                own = terms_of(fact, word)
                keys += _keys(own)
                named = False
                for term in (term for term in own if not term.startswith("fides:")):
                    heard = self.terms.heard_by(self.law.id, [term])
                    link = self.link(fact, term)
                    if link and heard:
                        found.setdefault(link, []).extend(heard)
                    named = named or bool(heard)
                if not named and (fact.term.partition(":")[2][:3] == "has" or fact.namespace == "data"):
                    without.append(name if word == "true" else f"{name} {word}")
        listed = {link: sorted(set(terms)) for link, terms in sorted(found.items())}
        return {**listed, "comity:withoutTerm": without, "comity:fideslang": sorted(set(keys))}

    def link(self, fact: Fact, term: str) -> str:
        """Return the property under which a fact's term is written, or nothing."""
        if term in self.terms.properties:
            return self.terms.properties[term]
        if fact.namespace in self.terms.properties:
            return self.terms.properties[fact.namespace]
        return fact.term if fact.term != term and fact.term.startswith("dpv:has") else ""


def terms_of(fact: Fact, word: str) -> tuple[str, ...]:
    """Return the terms of one choice of a fact; for a bool the fact's own among them."""
    own = (fact.term,) if fact.kind == "bool" and fact.term else ()
    return own + fact.terms.get(word, ())


def wanted(condition: Condition, defined: Mapping[str, Definition]) -> Wanted:
    """Return the choices and flags without which a condition cannot be true; `defined` has what it may name.

    Kinds of data are taken together: where each branch of an "or" names one, all of them are returned.
    """
    match condition:
        case Test(fact=fact, operator="is"):
            return {fact: frozenset({"true"})}
        case Test(fact=fact, operator="==", operand=str(word)):
            return {fact: frozenset({word})}
        case Test(fact=fact, operator="in", operand=frozenset() as words):
            return {fact: words}
        case Named(name=name) if name in defined:
            return wanted(defined[name].when, defined)
        case All(parts=parts):
            return _all_wanted([wanted(part, defined) for part in parts])
        case Some(parts=parts):
            return _some_wanted([wanted(part, defined) for part in parts])
    return {}


def _all_wanted(parts: list[Wanted]) -> Wanted:
    found: Wanted = {}
    for part in parts:
        for fact, words in part.items():
            found[fact] = found.get(fact, words) & words
    return found


def _some_wanted(parts: list[Wanted]) -> Wanted:
    shared = frozenset.intersection(*(frozenset(part) for part in parts))
    found = {fact: frozenset().union(*(part[fact] for part in parts)) for fact in shared}
    data = [{fact for fact in part if fact.startswith("data.")} for part in parts]
    if all(data):
        found |= dict.fromkeys(set().union(*data), frozenset({"true"}))
    return found


def _places(condition: Condition) -> Iterator[str]:
    """Yield the places and groups that a condition names without denying them."""
    match condition:
        case Test(fact=fact, operand=GroupName(name=name)) if fact in PLACES_OF_A_LAW:
            yield name
        case Test(fact=fact, operand=frozenset() as words) if fact in PLACES_OF_A_LAW:
            yield from words
        case All(parts=parts) | Some(parts=parts):
            for part in parts:
                yield from _places(part)


# ---------------------------------------------------------------- conditions in words of the packs


def written(condition: Condition) -> str:
    """Return a condition as a pack may write it; `parse` reads the same condition from it."""
    match condition:
        case Constant(truth=truth):
            return "True" if truth == TRUE else "False"
        case Named(name=name):
            return f"define.{name}"
        case Test():
            return _test(condition)
        case Not(part=part):
            return f"not {_within(part)}"
        case All(parts=parts):
            return " and ".join(_within(part) for part in parts)
        case Some(parts=parts):
            return " or ".join(_within(part) for part in parts)
    raise AssertionError(condition)


def _within(part: Condition) -> str:
    return f"({written(part)})" if isinstance(part, (All, Some)) else written(part)


def _test(test: Test) -> str:
    measured = f"{test.span}_since({test.fact})" if test.span else test.fact
    match test.operand:
        case bool():
            return test.fact
        case Parameter(name=name):
            operand = f"param.{name}"
        case GroupName(name=name):
            operand = name
        case frozenset() as words:
            operand = "{" + ", ".join(f"'{word}'" for word in sorted(words)) + "}"
        case str(word):
            operand = f"'{word}'"
        case number:
            operand = str(number)
    return f"{measured} {test.operator} {operand}"


# ---------------------------------------------------------------- small parts


def _filled(node: Node) -> Node:
    """Return the node without what is not there."""
    return {key: value for key, value in node.items() if value or (value == 0 and value is not False)}


def _keys(terms: Iterable[str]) -> list[str]:
    """Return the fideslang keys among terms, which have no address and are written as they are."""
    return [term.removeprefix("fides:") for term in terms if term.startswith("fides:")]


def _iri(kind: str, name: str) -> str:
    return f"urn:comity:{kind}:{name}"


def _short(full_id: str) -> str:
    return full_id.partition("/")[2].replace("-", "_")


def _source(source: Source) -> Node:
    return {
        "dct:source": {"@id": source.url} if source.url else source.cite,
        "dct:bibliographicCitation": source.cite,
    }


def _valid(span: Span) -> Node:
    """Return when something is in force: as an interval of ISO 8601, both days within it, and as our half-open days."""
    last = (span.until - timedelta(days=1)).isoformat() if span.until else ".."
    return {
        "dct:valid": f"{span.start}/{last}",
        "comity:from": span.start.isoformat(),
        "comity:until": span.until and span.until.isoformat(),
    }


def _confidence(*, confirmed: bool) -> str:
    return "confirmed" if confirmed else "unconfirmed"


def _part(says: str, cite: str, when: Condition) -> Node:
    return {"dct:description": says, "dct:bibliographicCitation": cite, "comity:condition": written(when)}
