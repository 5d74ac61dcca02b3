"""What the law wants in words: rules about texts, as data, and the search for what is in them and what is not.

A text rule says what is wrong where it stands (`finds`) or what must stand there (`wants`). It looks for words, and for
structure that `dark_patterns` knows by name. It never judges layout, context or truth, and `Looked` says so.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from comity.law.dark_patterns import CHECKS
from comity.law.entries import Entry, Files
from comity.law.lawbook import Law, Lawbook, PackError, Source, Span
from comity.law.loading import SHIPPED
from comity.law.pages import Document, Page, Prose, fold
from comity.law.places import Places, UnknownPlace
from comity.law.vocabulary import nearest

Form = Literal[
    "email", "sms", "ad", "form", "banner", "notice", "indirect-notice", "consent-wording", "separate-consent"
]
Level = Literal["error", "review"]
Where = Literal["body", "anywhere", "controls", "subject", "subject-start", "from"]

FORMS: tuple[Form, ...] = (
    "email", "sms", "ad", "form", "banner", "notice", "indirect-notice", "consent-wording", "separate-consent",
)  # fmt: skip
BLOCKS = (
    "wording", "who", "dpo", "purposes", "interests", "method", "categories", "source", "sensitive", "recipients",
    "transfers", "retention", "rights", "withdrawal", "complaint", "required", "automated", "selling", "more",
)  # fmt: skip
"""What a notice is made of, in the order in which it is shown: a rule may want something in one of these."""
WHERES: tuple[Where, ...] = ("body", "anywhere", "controls", "subject", "subject-start", "from")
LANGUAGES = ("en", "zh", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi", "any")
TEXT_KEYS = frozenset(
    "id says cite url row from until checked confidence as places level cure languages example finds wants".split()
)
LAW_KEYS = frozenset("id name cite url from until territory".split())
LOOK_KEYS = frozenset(
    "what words patterns unless unless_patterns unless_near where block check against sets given given_unless "
    "limit".split()
)
LIST_KEYS = frozenset(("says", *LANGUAGES))
WIDEST_GAPS = 2_000
MOST_FINDINGS = 20
"""Of one rule in one file; the rest are counted."""
LONGEST_SHOWN = 60
LONGEST_SENTENCE = 200
SENTENCE_END = re.compile(r"[.!?。\n](?!\d)")


# ---------------------------------------------------------------- words


class Pattern(NamedTuple):
    r"""A compiled pattern. `apart` was a leading \b, looked at afterwards: so the first letters are found quickly."""

    looks: re.Pattern[str]
    apart: bool

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        r"""Yield where the pattern stands."""
        for match in self.looks.finditer(folded):
            start, end = match.span()
            if end > start and not (self.apart and start and _joined_up(folded[start - 1])):
                yield start, end


@dataclass(frozen=True, slots=True)
class Words:
    """Words and patterns to look for in folded text, and the contexts in which they are harmless.

    `unless` are words around the words found, `near` others in the same sentence. A word counts only where no letter
    stands beside it; `unsubscri*` is the beginning of a word. Chinese needs neither.
    """

    plain: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    unless: Words | None = None
    near: Words | None = None

    def __bool__(self) -> bool:
        """Tell whether there is anything to look for."""
        return bool(self.plain or self.patterns)

    def spans(self, folded: str) -> list[tuple[int, int]]:
        """Return where the words stand, in order, none inside another and none in a harmless context."""
        found = sorted(self.all(folded), key=lambda span: (span[0], -span[1]))
        apart: list[tuple[int, int]] = []
        for span in found:
            if not apart or span[0] >= apart[-1][1]:
                apart.append(span)
        if apart and self.unless is not None:
            around = _Cover(self.unless.all(folded))
            apart = [span for span in apart if not around.holds(span)]
        if self.near is not None:
            apart = [span for span in apart if not self.near.first(_sentence(folded, *span))]
        return apart

    def first(self, folded: str) -> str:
        """Return the first of the words that stands in `folded`, or nothing."""
        return next((folded[start:end] for start, end in self.spans(folded)), "")

    def all(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yield where the words stand, in any order and context."""
        for word in self.plain:
            yield from _occurrences(word, folded)
        for pattern in self.patterns:
            yield from pattern.spans(folded)


def _sentence(folded: str, start: int, end: int) -> str:
    """Return the sentence around a span, as far as it is not longer than sentences are."""
    before, after = folded[max(0, start - LONGEST_SENTENCE) : start], folded[end : end + LONGEST_SENTENCE]
    return SENTENCE_END.split(before)[-1] + folded[start:end] + SENTENCE_END.split(after, maxsplit=1)[0]


def _occurrences(word: str, folded: str) -> Iterator[tuple[int, int]]:
    stem = word.removesuffix("*")
    place = folded.find(stem)
    while place >= 0:
        end = place + len(stem)
        if _apart(folded, place, stem[0]) and (stem != word or _apart(folded, end + 1, stem[-1], at=end)):
            yield place, end
        place = folded.find(stem, place + 1)


def _apart(folded: str, place: int, edge: str, *, at: int | None = None) -> bool:
    """Tell whether no letter of the same script stands just before `place` (or at `at`)."""
    if not _joined_up(edge):
        return True
    beside = place - 1 if at is None else at
    return not (0 <= beside < len(folded) and _joined_up(folded[beside]))


def _joined_up(mark: str) -> bool:
    """Tell whether a mark belongs to a word written with spaces around it: not Chinese, not punctuation."""
    return mark < "\u2e80" and mark.isalnum()


class _Cover:
    """Spans, and whether another lies within one of them."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self.starts = [start for start, _ in ordered]
        self.ends: list[int] = []
        for _, end in ordered:
            self.ends.append(max(end, self.ends[-1]) if self.ends else end)

    def holds(self, span: tuple[int, int]) -> bool:
        place = bisect_right(self.starts, span[0]) - 1
        return place >= 0 and self.ends[place] >= span[1]


# ---------------------------------------------------------------- rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a rule looks for, and where. `what` names a thing that is wanted, `block` the part of a notice for it."""

    words: Words
    what: str = ""
    where: Where = "body"
    block: str = ""
    check: str = ""
    against: Words | None = None
    sets: tuple[Words, ...] = ()
    given: Words | None = None
    limit: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TextLaw:
    """A law that has text rules: one of the packs' laws, or one that a file of texts declares for itself."""

    id: str
    name: str
    cite: str
    territory: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TextRule:
    """One sentence of the law about what a text says or must say."""

    id: str
    law: TextLaw
    says: str
    source: Source
    span: Span
    checked: date | None
    confirmed: bool
    forms: tuple[Form, ...]
    places: tuple[str, ...]
    level: Level
    cure: str
    languages: tuple[str, ...]
    look: Look
    wants: bool
    example: Mapping[str, str] = field(default_factory=dict)

    def example_in(self, language: str) -> str:
        """Return words that would satisfy it, in this language if it has any, else in English; or nothing."""
        return self.example.get(language) or self.example.get("any") or self.example.get("en", "")


@dataclass(frozen=True, slots=True)
class TextBook:
    """Every text rule of the packs, with the places they are about."""

    rules: tuple[TextRule, ...]
    places: Places

    def applying(self, *, form: Form, places: frozenset[str], day: date) -> list[TextRule]:
        """Return the rules about such a text, for people in any of `places`, in force on `day`."""
        return [
            rule
            for rule in self.rules
            if form in rule.forms and rule.span.holds(day) and self.reach(rule, day) & places
        ]

    def reach(self, rule: TextRule, day: date) -> frozenset[str]:
        """Return the places whose people a rule protects."""
        return self.expanded(rule.places or rule.law.territory, day)

    def expanded(self, names: Iterable[str], day: date) -> frozenset[str]:
        """Return the places that codes and groups stand for. Raises UnknownPlace."""
        found: frozenset[str] = frozenset()
        for name in names:
            if name in self.places.groups:
                found |= self.places.group(name, day)
            else:
                self.places.check(name)
                found |= self.places.expand([name])
        return found


# ---------------------------------------------------------------- looking


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFinding:
    """What a rule found wrong: on which line of which part, and the words; for something wanted, what is missing."""

    rule: TextRule
    line: int
    words: str
    part: str = ""

    @property
    def missing(self) -> bool:
        """Tell whether something is wanted and was not found."""
        return self.rule.wants


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What was looked at and found. `unjudged` are rules that need something this file does not show, each with why."""

    findings: tuple[TextFinding, ...]
    more: Mapping[str, int]
    rules: tuple[TextRule, ...]
    unjudged: Mapping[str, str]

    @property
    def wrong(self) -> bool:
        """Tell whether something was found that the law forbids, or not found that it demands."""
        return any(finding.rule.level == "error" for finding in self.findings)


def lint_text(
    book: TextBook, document: Document, *, form: Form, places: frozenset[str], day: date, language: str = ""
) -> Looked:
    """Look through a document for what the law of `places` has text rules about on `day`.

    `language`, where it is known, leaves rules unjudged whose words are in other languages alone.
    """
    rules = book.applying(form=form, places=places, day=day)
    findings: list[TextFinding] = []
    more: dict[str, int] = {}
    unjudged: dict[str, str] = {}
    for rule in rules:
        why = _unjudged(rule, document, language)
        if why:
            unjudged[rule.id] = why
            continue
        found = _found(rule, document)
        findings += found[:MOST_FINDINGS]
        if len(found) > MOST_FINDINGS:
            more[rule.id] = len(found) - MOST_FINDINGS
    order = {page.part: number for number, page in enumerate(document.pages)}
    findings.sort(key=lambda one: (order.get(one.part, -1), one.line, one.rule.level != "error", one.rule.id))
    return Looked(findings=tuple(findings), more=more, rules=tuple(rules), unjudged=unjudged)


def _unjudged(rule: TextRule, document: Document, language: str) -> str:
    """Say why a rule cannot be judged by this file, or nothing."""
    look, page = rule.look, document.pages[0]
    if language and not {language, "any"} & set(rule.languages):
        return f"its words are in {', '.join(rule.languages)}, and this is in {language}"
    if (look.where in {"subject", "subject-start", "from"} or look.check == "false-reply") and document.headers is None:
        return "the file has no mail headers"
    if look.check and not page.drawn and look.check in CHECKS and CHECKS[look.check].needs == "controls":
        return "no boxes or buttons can be seen in plain text"
    if look.check and not page.html and CHECKS[look.check].needs == "html":
        return "only HTML shows it"
    return ""


def _found(rule: TextRule, document: Document) -> list[TextFinding]:
    if rule.wants:
        return _wanting(rule, document)
    if rule.look.check:
        page = document.pages[0]
        sights = CHECKS[rule.look.check].look(page, rule.look, document)
        return [
            TextFinding(rule=rule, line=one.line, words=_short(one.words), part=one.part or page.part)
            for one in dict.fromkeys(sights)
        ]
    return [
        finding
        for text, make in _texts(rule.look.where, document)
        for finding in make(rule, rule.look.words.spans(text))
    ]


def _wanting(rule: TextRule, document: Document) -> list[TextFinding]:
    """Return a finding where what is wanted does not stand in plain sight."""
    look, page = rule.look, document.pages[0]
    if look.given is not None and not any(look.given.spans(each.prose.folded) for each in _main(document)):
        return []
    if look.check:
        there = any(True for _ in CHECKS[look.check].look(page, look, document))
    else:
        there = any(_stands(look, text, prose) for text, prose in _wanted_in(look, document))
    if there:
        return []
    where = _header_of(look.where) or (look.block if document.kind == "notice" else "")
    header = (document.headers or {}).get(where)
    return [TextFinding(rule=rule, line=header.line if header else 1, words=look.what, part=where or page.part)]


def _main(document: Document) -> tuple[Page, ...]:
    """Return what everybody reads: each block of a notice, and of a message the part that is shown first."""
    return document.pages if document.kind == "notice" else document.pages[:1]


def _stands(look: Look, text: str, prose: Prose | None) -> bool:
    spans = look.words.spans(text)
    if look.where == "subject-start":
        return any(start == 0 for start, _ in spans)
    return any(prose is None or prose.visible(start, end) for start, end in spans)


def _wanted_in(look: Look, document: Document) -> Iterator[tuple[str, Prose | None]]:
    """Yield the texts in which something wanted may stand: what is read first, and the targets of its links."""
    if _header_of(look.where):
        yield _header_text(document, look.where), None
        return
    for page in _main(document):
        if document.kind != "notice" or not look.block or page.part == look.block:
            yield from _wanted_on(page, look.where)
    if look.where == "anywhere":
        yield from ((fold(item.says), None) for item in (document.headers or {}).values())


def _wanted_on(page: Page, where: Where) -> Iterator[tuple[str, Prose | None]]:
    if where == "controls" and page.drawn:
        yield from ((control.folded, None) for control in page.controls if not control.hidden)
        return
    yield page.prose.folded, page.prose
    if where == "anywhere":
        yield from ((fold(control.target), None) for control in page.controls if not control.hidden)


def _header_of(where: Where) -> str:
    return {"subject": "subject", "subject-start": "subject", "from": "from"}.get(where, "")


def _header_text(document: Document, where: Where) -> str:
    """Return the folded header, a subject without the opening brackets that people put around a label."""
    header = (document.headers or {}).get(_header_of(where))
    text = fold(header.says) if header else ""
    return text.lstrip(" [(【<《") if where == "subject-start" else text


_Make = Callable[[TextRule, Iterable[tuple[int, int]]], Iterator[TextFinding]]


def _texts(where: Where, document: Document) -> Iterator[tuple[str, _Make]]:
    """Yield each text in which something wrong may stand, and how findings are made of it."""
    if where in {"subject", "body", "anywhere"} and document.headers and "subject" in document.headers:
        header = document.headers["subject"]
        yield fold(header.says), _in_line(header.says, header.line, "subject")
    if where in {"body", "anywhere"}:
        for page in document.pages:
            yield page.prose.folded, _in_prose(page)
    if where == "controls":
        page = document.pages[0]
        if not page.drawn:
            yield page.prose.folded, _in_prose(page)
        for control in page.controls:
            yield control.folded, _in_line(control.says, control.line, page.part)


def _in_line(shown: str, line: int, part: str) -> _Make:
    def make(rule: TextRule, spans: Iterable[tuple[int, int]]) -> Iterator[TextFinding]:
        for start, end in spans:
            yield TextFinding(rule=rule, line=line, words=_short(shown[start:end]), part=part)

    return make


def _in_prose(page: Page) -> _Make:
    def make(rule: TextRule, spans: Iterable[tuple[int, int]]) -> Iterator[TextFinding]:
        for start, end in spans:
            words = _short(page.prose.shown[start:end])
            yield TextFinding(rule=rule, line=page.prose.line(start), words=words, part=page.part)

    return make


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= LONGEST_SHOWN else f"{words[: LONGEST_SHOWN - 1]}…"


# ---------------------------------------------------------------- loading


def read_texts(book: Lawbook, root: Path = SHIPPED) -> TextBook:
    """Read every `<pack>/texts/*.toml` under `root`. Raises PackError with file, line, rule and cure."""
    files = Files(root)
    reader = _TextReader(files, book)
    rules = [rule for path in sorted(root.glob("*/texts/*.toml")) for rule in reader.rules(path)]
    _check_ids(rules)
    return TextBook(tuple(rules), book.vocabulary.places)


def _check_ids(rules: list[TextRule]) -> None:
    seen: dict[str, list[TextRule]] = {}
    for rule in rules:
        for other in seen.setdefault(rule.id, []):
            if rule.span.overlaps(other.span):
                what = "the id is used twice for days that overlap; give the older one an 'until', or one another id"
                raise PackError(what, file=rule.source.file, line=rule.source.line, rule=rule.id)
        seen[rule.id].append(rule)


class _TextReader:
    """Reads one file of text rules after another."""

    def __init__(self, files: Files, book: Lawbook) -> None:
        self.files = files
        self.places = book.vocabulary.places
        self.laws = {law.id: _law_of(law) for law in book.laws}
        path = files.root / "words.toml"
        self.lists = (
            {name: _WordList(files, name, table) for name, table in files.read(path).items()} if path.exists() else {}
        )
        self.declared: dict[str, str] = {}

    def rules(self, path: Path) -> list[TextRule]:
        whole = self.files.read(path)
        for key in whole:
            if key not in {"law", "text"}:
                what = f"unknown table {key!r}; a file of texts holds [[law]] and [[text]]"
                raise PackError(what, file=self.files.name(path))
        for entry in self._entries(path, whole, "law"):
            self._declare(entry)
        return [self._rule(entry) for entry in self._entries(path, whole, "text")]

    def _entries(self, path: Path, whole: Mapping[str, Any], kind: str) -> list[Entry]:
        found, lines = whole.get(kind, []), self.files.lines(path, kind)
        if not isinstance(found, list) or len(found) != len(lines):
            what = f"each {kind} stands under a header of its own, at the start of a line: [[{kind}]]"
            raise PackError(what, file=self.files.name(path))
        return [Entry(item, self.files.name(path), line, kind) for item, line in zip(found, lines, strict=True)]

    def _declare(self, entry: Entry) -> None:
        """Take in a law that has no other rules than those about texts."""
        entry.only(LAW_KEYS)
        entry.span()
        law = TextLaw(
            id=entry.text("id"), name=entry.text("name"), cite=entry.text("cite"), territory=entry.words("territory")
        )
        if law.id in self.laws:
            where = self.declared.get(law.id, "a pack.toml")
            raise entry.wrong(f"the law {law.id!r} is declared already, in {where}; leave this one out")
        if not law.territory:
            raise entry.wrong('it has no territory; name the places whose people it protects: territory = ["CN"]')
        self._check_places(entry, law.territory)
        self.declared[law.id] = entry.file
        self.laws[law.id] = law

    def _check_places(self, entry: Entry, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.places.groups:
                try:
                    self.places.check(name)
                except UnknownPlace as error:
                    raise entry.wrong(str(error)) from None

    def _rule(self, entry: Entry) -> TextRule:
        entry.only(TEXT_KEYS)
        law = self._law(entry)
        places = entry.words("places")
        self._check_places(entry, places)
        if not places and not law.territory:
            raise entry.wrong(f'its law {law.id} has no territory of its own; say places = ["CN"]')
        languages = self._among(entry, "languages", LANGUAGES)
        wants = "wants" in entry.table
        if wants == ("finds" in entry.table):
            raise entry.wrong("it says either what is wrong, [text.finds], or what must stand there, [text.wants]")
        return TextRule(
            id=entry.id, law=law, says=entry.text("says"), source=entry.source(), span=entry.span(),
            checked=entry.day("checked"), confirmed=entry.confirmed(),
            forms=cast("tuple[Form, ...]", self._among(entry, "as", FORMS)), places=places,
            level=cast("Level", _one_of(entry, "level", ("error", "review"))), cure=entry.text("cure"),
            languages=languages, look=self._look(entry, "wants" if wants else "finds", languages), wants=wants,
            example=self._example(entry, languages),
        )  # fmt: skip

    def _example(self, entry: Entry, languages: tuple[str, ...]) -> Mapping[str, str]:
        """Read words that would satisfy the rule, by language."""
        told = entry.inner("example", 'en = "We keep your data for two years."') or {}
        for language, text in told.items():
            if language not in languages or not isinstance(text, str):
                raise entry.wrong(f"'example' has a text for each of its languages ({', '.join(languages)}), no other")
        return told

    def _law(self, entry: Entry) -> TextLaw:
        name, slash, _ = entry.id.partition("/")
        if not slash or name not in self.laws:
            near = nearest(name, self.laws)
            raise entry.wrong(
                f"no law is called {name!r}{near}; its id is <law>/<name>, the law of a pack.toml or [[law]]"
            )
        return self.laws[name]

    def _among(self, entry: Entry, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        words = entry.words(key)
        if not words:
            raise entry.wrong(f"{key!r} is missing; it is a list of {', '.join(known)}")
        for word in words:
            if word not in known:
                raise entry.wrong(f"{key!r} cannot be {word!r}{nearest(word, known)}; it is of {', '.join(known)}")
        return words

    def _look(self, entry: Entry, key: str, languages: tuple[str, ...]) -> Look:
        table = entry.inner(key, 'words = ["…"]') or {}
        item = Entry({**table, "id": entry.id}, entry.file, entry.line, key)
        item.only(LOOK_KEYS | {"id"})
        check = item.text("check", needed=False)
        if check and check not in CHECKS:
            raise item.wrong(f"no check is called {check!r}{nearest(check, CHECKS)}; there are {', '.join(CHECKS)}")
        words = self._words(item, "words", languages, patterns="patterns", unless="unless")
        sets = tuple(Words(self._listed(item, [name], languages), ()) for name in item.words("sets"))
        if not words and not check:
            raise item.wrong('it looks for nothing; name words = ["…"], patterns = ["…"] or a check')
        if key == "wants" and not item.text("what", needed=False):
            raise item.wrong('it does not say what is wanted: what = "a way to unsubscribe"')
        limit = table.get("limit", 0)
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise item.wrong("'limit' is a number")
        return Look(
            words=words, what=item.text("what", needed=False), check=check, sets=sets, limit=limit,
            where=cast("Where", _one_of(item, "where", WHERES)) if "where" in table else "body",
            block=_one_of(item, "block", BLOCKS) if "block" in table else "",
            against=self._words(item, "against", languages) or None,
            given=self._given(item, languages),
        )  # fmt: skip

    def _given(self, item: Entry, languages: tuple[str, ...]) -> Words | None:
        """Return the words without which nothing is wanted; other words in their sentence take that back."""
        denied = self._words(item, "given_unless", languages) or None
        return replace(self._words(item, "given", languages), near=denied) if item.words("given") else None

    def _words(
        self, item: Entry, key: str, languages: tuple[str, ...], *, patterns: str = "", unless: str = ""
    ) -> Words:
        harmless = self._words(item, unless, languages, patterns=f"{unless}_patterns") if unless else None
        return Words(
            plain=self._listed(item, item.words(key), languages),
            patterns=tuple(_pattern(item, text) for text in item.words(patterns)) if patterns else (),
            unless=harmless or None,
            near=(self._words(item, "unless_near", languages) or None) if unless else None,
        )

    def _listed(self, item: Entry, words: Iterable[str], languages: tuple[str, ...]) -> tuple[str, ...]:
        """Return words folded, each @name replaced by that list of words.toml in the rule's languages."""
        found: dict[str, None] = {}
        for word in words:
            if not word.strip("* "):
                raise item.wrong("one of its words is empty")
            if not word.startswith("@"):
                found[fold(word)] = None
            elif word[1:] in self.lists:
                found |= dict.fromkeys(self.lists[word[1:]].of(languages))
            else:
                raise item.wrong(f"words.toml has no list {word!r}{nearest(word[1:], self.lists)}")
        return tuple(found)


class _WordList:
    """One list of words.toml, by language."""

    def __init__(self, files: Files, name: str, table: Mapping[str, Any]) -> None:
        entry = Entry({**table, "id": name} if isinstance(table, dict) else {"id": name}, "words.toml", 0, "list")
        entry.only(LIST_KEYS | {"id"})
        entry.text("says")
        self.root = files.root
        self.by_language = {key: tuple(map(fold, entry.words(key))) for key in LANGUAGES if key in entry.table}

    def of(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        """Return the words in these languages, and those of any language."""
        return tuple(word for key in ("any", *languages) for word in self.by_language.get(key, ()))


def _law_of(law: Law) -> TextLaw:
    return TextLaw(id=law.id, name=law.name, cite=law.source.cite, territory=law.territory)


def _one_of(entry: Entry, key: str, known: tuple[str, ...]) -> str:
    word = entry.text(key)
    if word not in known:
        raise entry.wrong(f"{key!r} cannot be {word!r}{nearest(word, known)}; it is one of {', '.join(known)}")
    return word


GAP = re.compile(r"\{(?:(\d+),)?(\d+)\}")


def _pattern(item: Entry, text: str) -> Pattern:
    r"""Compile a pattern that cannot run away: gaps are bounded, and no group is repeated.

    It is matched against folded text, so it has no capital letter; for \S and \W write [^\s] and [^\w].
    """
    if fold(text) != text:
        raise item.wrong(f"the pattern {text!r} is never found; write it in small letters, half width: {fold(text)!r}")
    bare = re.sub(r"\\.|\[(?:\\.|[^\]\\])+\]", "x", text)
    if "*" in bare or "+" in bare or re.search(r"\)\{|\}\{", bare):
        raise item.wrong(
            f"the pattern {text!r} repeats without end; write a bounded gap, such as {{0,20}}, of one mark"
        )
    widest = 1
    for gap in GAP.finditer(bare):
        widest *= int(gap[2]) + 1
    if widest > WIDEST_GAPS:
        raise item.wrong(f"the gaps of the pattern {text!r} multiply to {widest}; {WIDEST_GAPS} is the most")
    try:
        return Pattern(re.compile(text.removeprefix(r"\b")), text.startswith(r"\b"))
    except re.error as error:
        raise item.wrong(f"the pattern {text!r} is none: {error}") from None
