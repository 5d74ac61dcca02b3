"""`comity law diff` and `comity law coverage`: what a change of law does, and how much of the law is there."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import date
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli import Refused
from comity.cli.lines import wrapped
from comity.cli.may import DAY, plain_errors, the_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from comity.check.comparing import Turn
    from comity.law import Lawbook
    from comity.law.coverage import Row
    from comity.law.difference import Change, Comparison

MANY = 12
"""Turns of verdict that are told one by one; the rest is counted."""

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command()
@click.option("--from", "start", type=DAY, required=True, help="The earlier day.")
@click.option("--to", "end", type=DAY, required=True, help="The later day.")
@click.option("--pack", "names", multiple=True, metavar="NAME", help="Only this pack or law; may be given many times.")
@click.option("--packs", type=FOLDER, help="A folder of packs instead of the shipped ones, for the earlier day.")
@click.option("--to-packs", type=FOLDER, help="Another version of the packs for the later day.")
@click.option("--file", type=click.Path(path_type=Path), help="An export: how many of its people change verdict.")
@click.option("--purpose", help="With --file: why you want to use the data.")
@click.option("--channel", help="With --file: how the people are reached.")
@click.option("--we-are", metavar="PLACES", help="With --file: where you are established.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def diff(**options: Any) -> None:  # noqa: ANN401 (click passes its options)
    """Say what changes in the law between two days, and for whom: each change with the fewest facts that show it.

    \b
    comity law diff --from 2024-03-21 --to 2024-03-22 --pack cn-transfers
    comity law diff --from 2026-08-10 --to 2026-08-11 --file contacts.csv --purpose marketing --channel call
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    if options["purpose"] and not options["file"]:
        raise click.UsageError("--purpose is for the people of --file; name one, or leave it out")
    with plain_errors():
        comparison = _comparison(options)
        changes = chain(comparison.changes(), _text_changes(options, comparison))
        if options["as_json"]:
            found = list(changes)
            click.echo(json.dumps(_as_json(found, _turned(comparison, options)), ensure_ascii=False, indent=2))
            return
        for line in _page(comparison, changes):  # as they are found: a long stretch of time takes minutes
            click.echo(line)
        turned = _turned(comparison, options)
    if turned is not None:
        click.echo("\n".join(["", *_people(turned)]))


def _comparison(options: dict[str, Any]) -> Comparison:
    from comity.law import SHIPPED, lawbook
    from comity.law.cases import read_cases
    from comity.law.clocks import read_almanac
    from comity.law.difference import Comparison, Side
    from comity.law.duty_cases import read_duty_cases

    folder = options["packs"] or SHIPPED
    later = options["to_packs"] or folder
    first, last = the_day(options["start"], "--from"), the_day(options["end"], "--to")
    if last < first:
        raise Refused(f"--to {last} is before --from {first}; give the earlier day first")
    old, new = lawbook(folder), lawbook(later)
    _check_names(old, options["names"])
    return Comparison(
        Side(old, first), Side(new, last), read_cases(new, later), read_duty_cases(new, later), read_almanac(later),
        options["names"],
    )  # fmt: skip


def _text_changes(options: dict[str, Any], comparison: Comparison) -> Iterator[Change]:
    from comity.law import SHIPPED
    from comity.law.text_cases import read_text_cases
    from comity.law.text_difference import TextSide, text_changes
    from comity.law.texts import read_texts

    folder = options["packs"] or SHIPPED
    later = options["to_packs"] or folder
    old, new = read_texts(comparison.before.book, folder), read_texts(comparison.after.book, later)
    sides = TextSide(old, comparison.before.day), TextSide(new, comparison.after.day)
    yield from text_changes(*sides, read_text_cases(new, later), options["names"])


def _check_names(book: Lawbook, names: Sequence[str]) -> None:
    from comity.law.texts import read_texts
    from comity.law.vocabulary import nearest

    texts = {rule.law.id for rule in read_texts(book).rules}
    known = [pack.id for pack in book.packs] + [law.id for law in book.laws] + sorted(texts)
    for name in names:
        if name not in known:
            raise Refused(f"no pack or law is called {name!r}{nearest(name, known)}")


# ---------------------------------------------------------------- for a reader


def _page(comparison: Comparison, changes: Iterable[Change]) -> Iterator[str]:
    yield f"From {comparison.before.day} to {comparison.after.day}"
    law, number = "", 0
    for number, change in enumerate(changes, 1):  # noqa: B007 (the last number is told below)
        if change.law != law:
            law = change.law
            yield from ("", law, "─" * len(law))
        yield ""
        yield from _change(change)
    yield ""
    yield _counted(number, "change")
    if number:
        says = "The facts are those of a file for comity may or comity must; with --day each day's answer can be seen."
        yield from _wrapped(says, hang=2)


def _change(change: Change) -> Iterator[str]:
    name = change.id.partition("/")[2]
    yield from _wrapped(f"{change.kind} {name} {change.how}", hang=2)
    if change.before == change.after:
        yield from _wrapped(f"{change.after}: the sentence stays, its condition or clock changes", hang=4)
    for word, says in (("was: ", change.before), ("is: ", change.after)) if change.before != change.after else ():
        if says:
            yield from _wrapped(word + says, hang=4)
    if change.witness is None:
        number = change.kind == "parameter"  # a fine, say, which is told and decides nothing
        yield from _wrapped("no answer hangs on it" if number else "no witness among the stories of the packs", hang=4)
        return
    of = f"the text of the story “{change.witness.text}”" if change.witness.text else ""
    yield from _wrapped(f"shown by: {change.witness.before} before, {change.witness.after} after, for {of}", hang=4)
    yield from (f"        {line}" for line in _facts(change.witness.facts))


def _facts(facts: dict[str, Any]) -> Iterator[str]:
    """Yield facts as lines of a file that `comity may` and `comity must` read."""
    from comity.law.decisions import shown

    for name, value in sorted(facts.items()):
        said = "unknown" if value is None else shown(value)
        text = json.dumps(said, ensure_ascii=False) if not isinstance(value, date) else value.isoformat()
        if isinstance(said, dict):
            text = "{ " + ", ".join(f"{key} = {number}" for key, number in said.items()) + " }"
        yield f'"{name}" = {text}'


def _people(turned: Counter[Turn]) -> Iterator[str]:
    moved = Counter({turn: people for turn, people in turned.items() if turn.before != turn.after})
    yield f"{moved.total():,} of {turned.total():,} people change verdict"
    by_pair: Counter[tuple[str, str]] = Counter()
    for turn, people in moved.items():
        by_pair[turn.before, turn.after] += people
    for (before, after), people in by_pair.most_common():
        yield f"  {people:>9,}  {before} -> {after}"
        reasons = Counter(
            {turn.because: count for turn, count in moved.items() if (turn.before, turn.after) == (before, after)}
        )
        for because, count in reasons.most_common(MANY):
            yield from _wrapped(f"{count:,}: {', '.join(because) or 'nothing stands against it any more'}", hang=13)


def _wrapped(text: str, *, hang: int) -> list[str]:
    return wrapped(text, first=" " * (hang - 2), rest=" " * hang)


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _as_json(changes: Sequence[Change], turned: Counter[Turn] | None) -> dict[str, Any]:
    from comity.law.decisions import shown

    listed = []
    for change in changes:
        witness = change.witness and {
            "facts": {name: shown(value) for name, value in sorted(change.witness.facts.items())},
            "before": change.witness.before,
            "after": change.witness.after,
            "text": change.witness.text,
        }
        listed.append({
            "kind": change.kind, "id": change.id, "law": change.law, "how": change.how, "before": change.before,
            "after": change.after, "cite": change.cite, "witness": witness,
        })  # fmt: skip
    people = turned and [
        {"before": turn.before, "after": turn.after, "because": list(turn.because), "people": count}
        for turn, count in sorted(turned.items())
    ]
    return {"changes": listed, "people": people}


# ---------------------------------------------------------------- my people


def _turned(comparison: Comparison, options: dict[str, Any]) -> Counter[Turn] | None:
    """Ask the law of both days about the people of a file, if one is named."""
    if not options["file"]:
        return None
    from comity.check.comparing import turns
    from comity.cli.check import decided_beside

    if not options["purpose"]:
        raise click.UsageError("with --file say --purpose, and --channel where people are contacted")
    asked = {
        "file": str(options["file"]), "purpose": options["purpose"], "channel": options["channel"] or "none",
        "operation": "contact" if options["channel"] else "share", "we_are": options["we_are"],
    }  # fmt: skip
    checked, other = decided_beside(asked, comparison.before.book, comparison.before.day, comparison.after)
    return turns(checked, other)


# ---------------------------------------------------------------- coverage


@click.command()
@click.option("--packs", type=FOLDER, help="A folder of packs instead of the shipped ones.")
@click.option("--markdown", is_flag=True, help="Print docs/coverage.md.")
@click.option("--open", "only_open", is_flag=True, help="List the rows that have neither a rule nor a reason.")
def coverage(packs: Path | None, *, markdown: bool, only_open: bool) -> None:
    """Say how much of the fact sheets the packs hold; exit with 1 where a row has neither a rule nor a reason."""
    from comity.law import SHIPPED, lawbook
    from comity.law import coverage as room

    with plain_errors():
        root = packs or SHIPPED
        rows = room.coverage(lawbook(root), root)
    if markdown:
        click.echo(room.page(rows), nl=False)
        return
    left = [row for row in rows if not row.settled]
    if only_open:
        click.echo("\n".join(f"{row.sheet} {row.section} {row.id} {row.hash}" for row in left))
    else:
        click.echo("\n".join(_table(rows)))
    if left:
        sys.exit(1)


def _table(rows: Sequence[Row]) -> Iterator[str]:
    from comity.law.coverage import summary

    for line in summary(rows):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if set(line) - set("|-: "):
            yield f"{cells[0]:12}" + "".join(f"{cell:>15}" for cell in cells[1:])
