"""The stories of the text rules: a text, what is found in it and what is not; and whether each rule has its stories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from comity.law.entries import Entry, Files
from comity.law.lawbook import PackError
from comity.law.lint import Mutant, Problem
from comity.law.loading import SHIPPED
from comity.law.pages import Document, UnreadableText, fold, read_blocks, read_document
from comity.law.places import UnknownPlace
from comity.law.texts import BLOCKS, FORMS, Form, Look, TextBook, TextRule, Words, lint_text
from comity.law.vocabulary import nearest

CASE_KEYS = frozenset("name law official row as day for text html mail blocks expect near says".split())
ENDINGS = {"text": ".txt", "html": ".html", "mail": ".eml"}
MISSING = "missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class TextCase:
    """A text and what the rules of one law find in it. `near` are rules that it only just does not break."""

    name: str
    file: str
    line: int
    law: str
    form: Form
    day: date
    places: tuple[str, ...]
    document: Document
    expect: Mapping[str, tuple[str, ...]]
    near: tuple[str, ...]


def read_text_cases(book: TextBook, root: Path = SHIPPED) -> list[TextCase]:
    """Read every `<pack>/texts/cases/*.toml` under `root`. Raises PackError with file, line and story."""
    files = Files(root)
    return [case for path in sorted(root.glob("*/texts/cases/*.toml")) for case in _file_cases(book, files, path)]


def _file_cases(book: TextBook, files: Files, path: Path) -> Iterator[TextCase]:
    tables, lines = files.read(path).get("case", []), files.lines(path, "case")
    if len(tables) != len(lines):
        raise PackError("each case stands under a header of its own: [[case]]", file=files.name(path))
    for table, line in zip(tables, lines, strict=True):
        yield _case(book, Entry({**table, "id": table.get("name", "")}, files.name(path), line, "case"))


def _case(book: TextBook, entry: Entry) -> TextCase:
    entry.only(CASE_KEYS | {"id"})
    law, form = entry.text("law"), entry.text("as")
    if form not in FORMS:
        raise entry.wrong(f"'as' cannot be {form!r}{nearest(form, FORMS)}; it is one of {', '.join(FORMS)}")
    if not entry.text("row", needed=False) and not entry.text("official", needed=False):
        raise entry.wrong("it names neither the row of the sheet that decides it nor an official example")
    day = entry.day("day", needed=True)
    if day is None or isinstance(day, datetime):
        raise entry.wrong("'day' must be a day, such as 2026-11-21 (without quotes)")
    expect = {name: _words(entry, words) for name, words in (entry.inner("expect", "") or {}).items()}
    near = entry.words("near")
    known = {rule.id.partition("/")[2] for rule in book.rules if rule.law.id == law}
    for name in (*expect, *near):
        if name not in known:
            raise entry.wrong(f"{law} has no text rule {name!r}{nearest(name, known)}")
    places = entry.words("for")
    try:
        book.expanded(places, day)
    except UnknownPlace as error:
        raise entry.wrong(str(error)) from None
    return TextCase(
        name=entry.text("name"), file=entry.file, line=entry.line, law=law, form=form, day=day,
        places=places, document=_document(entry, form), expect=expect, near=near,
    )  # fmt: skip


def _words(entry: Entry, words: object) -> tuple[str, ...]:
    listed = words if isinstance(words, list) else [words]
    told = [word for word in listed if isinstance(word, str)]
    if len(told) != len(listed):
        raise entry.wrong('expect names rules and the words found: expect = { "no-shaming" = "No, I don\'t" }')
    return tuple(sorted(map(fold, told)))


def _document(entry: Entry, form: str) -> Document:
    given = [key for key in (*ENDINGS, "blocks") if key in entry.table]
    if len(given) != 1:
        raise entry.wrong("it has its text under one of text, html, mail and blocks")
    try:
        if given == ["blocks"]:
            return read_blocks(_blocks(entry))
        name = f"case{ENDINGS[given[0]]}"
        return read_document(entry.text(given[0]).encode(), name=name, mail=form == "email" and given[0] == "mail")
    except UnreadableText as error:
        raise entry.wrong(str(error)) from None


def _blocks(entry: Entry) -> Mapping[str, str]:
    told = entry.inner("blocks", 'retention = "We keep your data for two years."') or {}
    for name, text in told.items():
        if name not in BLOCKS or not isinstance(text, str):
            raise entry.wrong(f"'blocks' has a text for each block, and {name!r} is none{nearest(name, BLOCKS)}")
    return told


# ---------------------------------------------------------------- trying


def try_text_case(book: TextBook, case: TextCase) -> tuple[str, ...]:
    """Return what comes out otherwise than the story says."""
    found, applied = _outcome(book, case)
    problems = [
        f"{case.law}/{name}: found {_told(found.get(name, ()))}, the story says {_told(case.expect.get(name, ()))}"
        for name in sorted(found.keys() | case.expect.keys())
        if not _same(found.get(name, ()), case.expect.get(name, ()))
    ]
    problems += [
        f"{case.law}/{name} is not about this text on this day; it cannot be a near miss"
        for name in case.near
        if name not in applied
    ]
    return tuple(problems)


def _outcome(book: TextBook, case: TextCase) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """Return what the law's rules found, and which of its rules were judged."""
    places = book.expanded(case.places, case.day)
    own = TextBook(tuple(rule for rule in book.rules if rule.law.id == case.law), book.places)
    looked = lint_text(own, case.document, form=case.form, places=places, day=case.day)
    found: dict[str, list[str]] = defaultdict(list)
    for finding in looked.findings:
        found[finding.rule.id.partition("/")[2]].append(MISSING if finding.missing else fold(finding.words))
    applied = {rule.id.partition("/")[2] for rule in looked.rules if rule.id not in looked.unjudged}
    return {name: tuple(sorted(words)) for name, words in found.items()}, applied


def _same(found: Sequence[str], expected: Sequence[str]) -> bool:
    return len(found) == len(expected) and all(
        said == wanted or (wanted.endswith("…") and said.startswith(wanted[:-1]))
        for said, wanted in zip(found, expected, strict=True)
    )


def _told(words: Sequence[str]) -> str:
    return " and ".join(repr(word) for word in words) or "nothing"


# ---------------------------------------------------------------- lint and mutation


def lint_texts(book: TextBook, cases: Sequence[TextCase]) -> list[Problem]:
    """Return the text rules that want a day, a row, a story or a near miss, or whose examples are none."""
    fired: set[tuple[str, date]] = set()
    missed: set[tuple[str, date]] = set()
    for case in cases:
        for rule in (rule for rule in book.rules if rule.law.id == case.law and rule.span.holds(case.day)):
            name = rule.id.partition("/")[2]
            fired |= {(rule.id, rule.span.start)} if name in case.expect else set()
            missed |= {(rule.id, rule.span.start)} if name in case.near else set()
    problems = []
    for rule in book.rules:
        key = (rule.id, rule.span.start)
        wanting = [
            what
            for what, there in (
                ("a 'checked' day", rule.checked is not None),
                ("a 'row'", bool(rule.source.row)),
                ("a story that fires it", key in fired),
                ("a near miss", key in missed),
            )
            if not there
        ]
        if wanting:
            problems.append(Problem(rule.source.file, rule.source.line, rule.id, f"it wants {', '.join(wanting)}"))
        problems += [
            Problem(rule.source.file, rule.source.line, rule.id, f"its example in {language} breaks it")
            for language in rule.example
            if _breaks(book, rule, language)
        ]
    return problems


def _breaks(book: TextBook, rule: TextRule, language: str) -> bool:
    """Tell whether the words that a rule gives as an example do not satisfy it."""
    document = read_blocks({rule.look.block or "more": rule.example[language]})
    own = TextBook((replace(rule, look=replace(rule.look, given=None)),), book.places)
    places = book.reach(rule, rule.span.start)
    return bool(
        lint_text(own, document, form=rule.forms[0], places=places, day=rule.span.start, language=language).findings
    )


def mutate_texts(book: TextBook, cases: Sequence[TextCase]) -> Iterator[Mutant]:
    """Take from each rule its words, its check, and each of its limits; see whether a story notices."""
    for position, rule in enumerate(book.rules):
        near = [case for case in cases if case.law == rule.law.id and rule.span.holds(case.day)]
        for change, look in _without(rule):
            changed = replace(rule, look=look)
            other = TextBook((*book.rules[:position], changed, *book.rules[position + 1 :]), book.places)
            caught = next((case.name for case in near if try_text_case(other, case)), "")
            yield Mutant(f"{rule.id} {rule.span.start}", change, caught)


NOTHING = Words((), ())


def _without(rule: TextRule) -> Iterator[tuple[str, Look]]:
    look = rule.look
    if look.words:
        yield "words dropped", replace(look, words=NOTHING)
        if look.words.plain and look.words.patterns:
            yield "words dropped, patterns kept", replace(look, words=replace(look.words, plain=()))
            yield "patterns dropped", replace(look, words=replace(look.words, patterns=()))
        if look.words.unless is not None:
            yield "unless dropped", replace(look, words=replace(look.words, unless=None))
        if look.words.near is not None:
            yield "unless_near dropped", replace(look, words=replace(look.words, near=None))
    if look.check:
        yield "check dropped", replace(look, check="")
    if look.block:
        yield "block dropped", replace(look, block="")
    if look.against is not None:
        yield "against dropped", replace(look, against=None)
    for number in range(len(look.sets)):
        yield f"set {number + 1} dropped", replace(look, sets=(*look.sets[:number], *look.sets[number + 1 :]))
    yield from _without_given(look)
    if look.limit:
        yield "limit dropped", replace(look, limit=float("inf"))
        yield "limit nought", replace(look, limit=0)


def _without_given(look: Look) -> Iterator[tuple[str, Look]]:
    if look.given is not None:
        yield "given dropped", replace(look, given=None)
        if look.given.near is not None:
            yield "given_unless dropped", replace(look, given=replace(look.given, near=None))
