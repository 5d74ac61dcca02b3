"""`comity lint-text`: what the law says about the words of a message, an advertisement, a form or a banner."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli import Refused
from comity.cli.may import DAY, plain_errors, the_day

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from rich.console import Console

    from comity.law.pages import Document
    from comity.law.texts import Form, Looked, TextBook, TextFinding, TextRule

FORMS = (
    "email", "sms", "ad", "form", "banner", "notice", "indirect-notice", "consent-wording", "separate-consent",
)  # fmt: skip
WIDEST = 100
READ_AS = {"text": "plain text", "page": "HTML", "message": "a message", "notice": "a notice"}
LANGUAGES = {
    "en": "English", "zh": "Chinese", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "sv": "Swedish", "da": "Danish", "fi": "Finnish",
}  # fmt: skip
NO_PROOF = (
    "No finding is not a proof: {rules} looked for words and structure; layout, context, pictures, attachments, linked "
    "pages and the truth of what is claimed were not judged."
)


@click.command("lint-text")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "form", type=click.Choice(FORMS), required=True, help="What the text is.")
@click.option("--for", "places", required=True, metavar="PLACES", help="Whose law: places and groups, as CN,EU,US-CA.")
@click.option("--day", type=DAY, help="The day as of which the law is asked; today if not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def lint_text(file: Path, form: Form, places: str, day: datetime | None, *, as_json: bool) -> None:
    """Look through the words of FILE (.eml, HTML or plain text; - for standard input) for what the law bans or demands.

    \b
    comity lint-text newsletter.eml --as email --for DE,US
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity import law
    from comity.law import texts

    when = the_day(day)
    document = _read(file, form)
    with plain_errors():
        book = texts.read_texts(law.lawbook())
    asked = _places(book, places, when)
    here = frozenset(place for codes in asked.values() for place in codes)
    looked = texts.lint_text(book, document, form=form, places=here, day=when)
    bare = [name for name, codes in asked.items() if not any(book.reach(rule, when) & codes for rule in looked.rules)]
    if not looked.rules:
        raise Refused(f"no text rule is about this kind of text ({form}) in {', '.join(bare)}; nothing was looked for")
    if as_json:
        click.echo(json.dumps(_as_json(file, form, asked, when, document, looked, bare), ensure_ascii=False, indent=2))
    else:
        from rich.console import Console

        console = Console(highlight=False, markup=False)
        console.width = min(console.width, WIDEST)
        _print(console, _head(file, form, asked, when, document), looked, bare)
    sys.exit(1 if looked.wrong else 0)


def _read(file: Path, form: Form) -> Document:
    from comity.law.pages import MOST_BYTES, UnreadableText, read_document

    name = "standard input" if str(file) == "-" else file.name
    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as source:
            content = source.read(MOST_BYTES + 1)
        return read_document(content, name=file.name, mail=form == "email")
    except UnreadableText as error:
        raise Refused(f"{name}: {error}") from None
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from None


def _places(book: TextBook, given: str, day: date) -> dict[str, frozenset[str]]:
    """Return what --for names, each with its places. Raises click's UsageError."""
    from comity.check.entity import codes_of
    from comity.law import UnknownPlace

    words = [word for word in re.split(r"[,;|\s]+", given) if word]
    found = {}
    for word in words:
        try:
            found[word.upper()] = book.expanded([word.upper()], day)
        except UnknownPlace as error:
            hint = codes_of(word)
            raise Refused(f"--for {word!r}: {f'that is no code{hint}' if hint else error}") from None
    if not found:
        raise Refused("--for names no place; give codes such as CN,EU,US-CA")
    return found


# ---------------------------------------------------------------- JSON


def _as_json(  # noqa: PLR0917  (all that an answer rests on)
    file: Path,
    form: Form,
    asked: dict[str, frozenset[str]],
    day: date,
    document: Document,
    looked: Looked,
    bare: list[str],
) -> dict[str, Any]:
    return {
        "format": 1,
        "file": str(file),
        "as": form,
        "for": list(asked),
        "day": day.isoformat(),
        "read_as": document.kind,
        "notes": list(document.notes),
        "findings": [_finding_json(finding) for finding in looked.findings],
        "more": dict(looked.more),
        "rules": [
            {"rule": rule.id, "law": rule.law.id, "confirmed": rule.confirmed, "languages": list(rule.languages),
             "not_judged": looked.unjudged.get(rule.id, "")}
            for rule in looked.rules
        ],
        "no_rules_for": bare,
        "proves": NO_PROOF.format(rules=_counted(_judged(looked), "rule")),
    }  # fmt: skip


def _finding_json(finding: TextFinding) -> dict[str, Any]:
    rule = finding.rule
    return {
        "rule": rule.id, "law": rule.law.id, "level": rule.level, "part": finding.part, "line": finding.line,
        "found": "" if finding.missing else finding.words, "missing": finding.words if finding.missing else "",
        "says": rule.says, "cite": rule.source.cite, "url": rule.source.url, "cure": rule.cure,
        "confirmed": rule.confirmed, "checked": rule.checked.isoformat() if rule.checked else None,
    }  # fmt: skip


# ---------------------------------------------------------------- the terminal


def _head(file: Path, form: Form, asked: dict[str, frozenset[str]], day: date, document: Document) -> str:
    read = READ_AS[document.kind]
    if document.kind == "message":
        read += f" ({' and '.join(page.part for page in document.pages if page.part) or 'no text'})"
    notes = "".join(f", {note}" for note in document.notes)
    name = "standard input" if str(file) == "-" else file.name
    return f"{_seen(name)} · {read}{notes} · as {form} for {', '.join(asked)}, law of {day}"


def _print(console: Console, head: str, looked: Looked, bare: list[str]) -> None:
    console.print(head)
    console.print()
    for places, rules in _grouped(looked.findings):
        _print_group(console, places, rules)
    for rule, number in looked.more.items():
        console.print(f"and {number} more of {rule}")
    if looked.more:
        console.print()
    levels = Counter(finding.rule.level for finding in looked.findings)
    errors, reviews = _counted(levels["error"], "error"), f"{levels['review']} to review"
    console.print(f"{errors}, {reviews}." if looked.findings else "Nothing found.", style="bold")
    console.print()
    for line in _closing(looked, bare):
        _indented(console, line, 0)


Place = tuple[str, int, str, bool]
"""The part, the line, the words, and whether they are missing."""


def _grouped(findings: tuple[TextFinding, ...]) -> Iterator[tuple[list[Place], list[TextRule]]]:
    """Yield the places that the same rules are against, with these rules, so that nothing is said twice."""
    rules: dict[Place, list[TextRule]] = {}
    for one in findings:
        rules.setdefault((one.part, one.line, one.words, one.missing), []).append(one.rule)
    places: dict[tuple[str, ...], list[Place]] = {}
    for place, against in rules.items():
        places.setdefault(tuple(rule.id for rule in against), []).append(place)
    for group in places.values():
        yield group, rules[group[0]]


def _print_group(console: Console, places: list[Place], rules: list[TextRule]) -> None:
    for part, line, words, missing in places:
        where = "not found" if missing else f"{f'{part}, ' if part else ''}line {line}"
        console.print(f"{where}: {_seen(words)}", style="bold")
    for rule in rules:
        doubt = "" if rule.confirmed else " (unconfirmed)"
        _indented(console, f"{rule.level + ':':8}{rule.says}", 2, 10)
        _indented(console, f"{rule.source.cite}{doubt} · {rule.id}", 10)
        _indented(console, f"cure: {rule.cure}", 10)
    console.print()


def _indented(console: Console, text: str, first: int, rest: int | None = None) -> None:
    """Print a paragraph with its first line and the others set in; Chinese counts two columns a sign."""
    from rich.text import Text

    rest = first if rest is None else rest
    head, body = text[: rest - first], text[rest - first :]
    for number, line in enumerate(Text(body).wrap(console, max(20, console.width - rest))):
        console.print(" " * first + head if not number else " " * rest, line.plain.rstrip(), sep="")


def _closing(looked: Looked, bare: list[str]) -> Iterator[str]:
    """Say what was looked at, what was not, and what that proves."""
    by_law = Counter(rule.law.id for rule in looked.rules)
    doubtful = Counter(rule.law.id for rule in looked.rules if not rule.confirmed)
    listed = ", ".join(f"{law} {number}{_doubt(doubtful[law])}" for law, number in sorted(by_law.items()))
    languages = [LANGUAGES[code] for code in LANGUAGES if any(code in rule.languages for rule in looked.rules)]
    yield f"{_counted(len(looked.rules), 'rule')}: {listed}. Their words are {_listed(languages)}."
    for why, number in Counter(looked.unjudged.values()).items():
        yield f"{_counted(number, 'rule')} could not be judged: {why}."
    if bare:
        yield f"The packs have no rule about such a text for {', '.join(bare)}: nothing was looked for there."
    yield NO_PROOF.format(rules=_counted(_judged(looked), "rule"))


def _judged(looked: Looked) -> int:
    return len(looked.rules) - len(looked.unjudged)


def _doubt(number: int) -> str:
    return f" ({number} unconfirmed)" if number else ""


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]])) or "the same in every language"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _seen(text: str) -> str:
    """Return text of somebody's file without what would move the cursor or turn the line around."""
    from comity.check.report import UNSEEN

    return UNSEEN.sub(" ", text)
