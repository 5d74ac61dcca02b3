"""`comity law`: the packs for readers, and their lint and tests for writers."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli.changes import coverage, diff
from comity.cli.exporting import export
from comity.cli.may import plain_errors, the_day
from comity.cli.proving import prove

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comity.law import Lawbook
    from comity.law.cases import Case
    from comity.law.clocks import Almanac
    from comity.law.duty_cases import DutyCase
    from comity.law.lawbook import Law, Rule
    from comity.law.text_cases import TextCase
    from comity.law.texts import TextBook

PACKS = click.option(
    "--packs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of packs instead of the shipped ones.",
)
EFFECTS = {
    "forbid": "Forbids",
    "ground": "A ground",
    "require": "Requires",
    "refer": "A human decides",
    "except": "An exception",
    "duty": "A duty",
}


@click.group()
def law() -> None:
    """Read the law packs; check and test them."""


law.add_command(coverage)
law.add_command(diff)
law.add_command(export)


@law.command("list")
@PACKS
def list_laws(packs: Path | None) -> None:
    """List every law: when in force, how many rules, what it does not see."""
    book = _book(packs)
    for pack in book.packs:
        click.echo(f"{pack.name}  ({pack.id} {pack.version}, {pack.sha256[:12]})")
        for item in (item for item in book.laws if item.pack == pack.id or _pack_of(book, item) == pack.id):
            until = f" to {item.span.until}" if item.span.until else ""
            unconfirmed = sum(not rule.confirmed for rule in item.rules)
            note = f", {unconfirmed} unconfirmed" if unconfirmed else ""
            click.echo(
                f"  {item.id:18} {item.name}\n"
                f"{'':20} from {item.span.start}{until} · {_counted(len(item.rules), 'rule')}{note}"
            )
            for blind in item.blind_spots:
                click.echo(f"{'':20} not seen: {blind}")
    rules, laws = _counted(len(book.rules()), "rule"), _counted(len(book.laws), "law")
    click.echo(f"{rules} of {laws} in {_counted(len(book.packs), 'pack')}")


@law.command()
@click.argument("name")
@PACKS
def show(name: str, packs: Path | None) -> None:
    """Print a law (`de-uwg`), a pack (`us`) or one rule (`de-uwg/…`) for a reader who is a lawyer."""
    book = _book(packs)
    found = [item for item in book.laws if name in {item.id, item.pack} or any(rule.id == name for rule in item.rules)]
    if not found:
        from comity.law.vocabulary import nearest

        known = [item.id for item in book.laws] + [pack.id for pack in book.packs] + [rule.id for rule in book.rules()]
        raise click.UsageError(f"no law, pack or rule is called {name!r}{nearest(name, known)}")
    for item in found:
        rules = [rule for rule in item.rules if rule.id == name] or list(item.rules)
        click.echo("\n".join(_law_text(book, item, rules, whole=len(rules) == len(item.rules))))


@law.command()
@PACKS
@click.option("--mutate", is_flag=True, help="Also change each condition and see whether a case notices (minutes).")
def lint(packs: Path | None, *, mutate: bool) -> None:
    """Check the packs: sources, days, and three cases for every rule."""
    from comity.law import duty_lint
    from comity.law import lint as linter
    from comity.law.text_cases import lint_texts, mutate_texts

    book = _book(packs)
    cases, duties = _cases(book, packs), _duty_cases(book, packs)
    texts, written = _text_cases(book, packs)
    problems = [
        *linter.lint(book, cases), *duty_lint.lint_duties(book, duties), *lint_texts(texts, written),
    ]  # fmt: skip
    for problem in problems:
        click.echo(str(problem))
    stories = len(cases) + len(duties) + len(written)
    counts = ((len(book.rules()) + len(texts.rules), "rule"), (stories, "case"), (len(problems), "problem"))
    click.echo(", ".join(_counted(number, thing) for number, thing in counts))
    for rule in (rule for rule in book.rules() if rule.cited(the_day(None)) != rule.source.cite):
        click.echo(f"warning: {rule.source.file}:{rule.source.line}: {rule.id}: {rule.cited(the_day(None))}")
    if mutate:
        tried = [
            *linter.mutate(book, cases), *duty_lint.mutate_duties(book, duties, _almanac(packs)),
            *mutate_texts(texts, written),
        ]  # fmt: skip
        for mutant in (mutant for mutant in tried if not mutant.caught_by):
            click.echo(f"no case notices: {mutant.rule}: {mutant.change}")
        caught = sum(bool(mutant.caught_by) for mutant in tried)
        click.echo(f"mutation score {100 * caught / max(1, len(tried)):.1f} % ({caught} of {len(tried)})")
    if problems:
        sys.exit(1)


@law.command("test")
@PACKS
@click.argument("names", nargs=-1)
def test_cases(packs: Path | None, names: tuple[str, ...]) -> None:
    """Decide every case (of the laws NAMES, or all) and say which come out otherwise."""
    from comity.law.cases import try_case
    from comity.law.duty_cases import try_duty_case
    from comity.law.folding import Plan
    from comity.law.text_cases import try_text_case

    book, almanac = _book(packs), _almanac(packs)
    every, duties = _cases(book, packs), _duty_cases(book, packs)
    texts, written = _text_cases(book, packs)
    _check_names(names, {case.law for case in every} | {case.law for case in duties} | {case.law for case in written})
    plans: dict[object, Plan] = {}
    outcomes = [try_case(book, case, plans) for case in every if _named(case.law, names)]
    owed = [try_duty_case(book, case, almanac) for case in duties if _named(case.law, names)]
    told = [(outcome.case.file, outcome.case.line, outcome.case.name, outcome.problems) for outcome in outcomes]
    told += [(outcome.case.file, outcome.case.line, outcome.case.name, outcome.problems) for outcome in owed]
    read = [case for case in written if _named(case.law, names)]
    told += [(case.file, case.line, case.name, try_text_case(texts, case)) for case in read]
    for file, line, name, problems in told:
        for problem in problems:
            click.echo(f"{file}:{line}: {name}: {problem}")
    failed = sum(bool(problems) for *_, problems in told)
    answers = Counter(outcome.answer for outcome in outcomes)
    by_answer = ", ".join(
        f"{number} {word}"
        for word, number in [*answers.most_common(), ("of duties", len(owed)), ("of texts", len(read))]
        if number
    )
    otherwise = "1 comes" if failed == 1 else f"{failed} come"
    click.echo(f"{_counted(len(told), 'case')}, {otherwise} out otherwise ({by_answer})")
    if failed:
        sys.exit(1)


law.add_command(prove)


def _text_cases(book: Lawbook, packs: Path | None) -> tuple[TextBook, list[TextCase]]:
    from comity.law import SHIPPED
    from comity.law.text_cases import read_text_cases
    from comity.law.texts import read_texts

    with plain_errors():
        texts = read_texts(book, packs or SHIPPED)
        return texts, read_text_cases(texts, packs or SHIPPED)
    raise AssertionError


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _book(packs: Path | None) -> Lawbook:
    from comity.law import SHIPPED, lawbook

    with plain_errors():
        return lawbook(packs or SHIPPED)
    raise AssertionError


def _cases(book: Lawbook, packs: Path | None) -> list[Case]:
    from comity.law import SHIPPED
    from comity.law.cases import read_cases

    with plain_errors():
        return read_cases(book, packs or SHIPPED)
    raise AssertionError


def _duty_cases(book: Lawbook, packs: Path | None) -> list[DutyCase]:
    from comity.law import SHIPPED
    from comity.law.duty_cases import read_duty_cases

    with plain_errors():
        return read_duty_cases(book, packs or SHIPPED)
    raise AssertionError


def _almanac(packs: Path | None) -> Almanac:
    from comity.law import SHIPPED
    from comity.law.clocks import read_almanac

    with plain_errors():
        return read_almanac(packs or SHIPPED)
    raise AssertionError


def _named(law_id: str, names: tuple[str, ...]) -> bool:
    """Tell whether a law's id begins with one of the names; where none is given, all do."""
    return not names or law_id.startswith(names)


def _check_names(names: tuple[str, ...], laws: set[str]) -> None:
    from comity.law.vocabulary import nearest

    for name in names:
        if not any(law_id.startswith(name) for law_id in laws):
            raise click.UsageError(f"no law that has cases is called {name!r}{nearest(name, laws)}")


def _pack_of(book: Lawbook, item: Law) -> str:
    return next((pack.id for pack in book.packs if item.source.file.startswith(pack.id + "/")), "")


def _law_text(book: Lawbook, item: Law, rules: list[Rule], *, whole: bool) -> Iterator[str]:
    until = f" until {item.span.until}" if item.span.until else ""
    yield f"{item.name}  [{item.id}]"
    yield f"{item.source.cite}  {item.source.url}".rstrip()
    yield f"In force from {item.span.start}{until}"
    if whole:
        yield from (f"It wants a ground: {slot.says} ({slot.cite})" for slot in item.slots)
        yield from (f"It does not see: {blind}" for blind in item.blind_spots)
        yield from _parameters(item)
    for rule in rules:
        yield ""
        yield from _rule_text(book, rule)
    yield ""


def _parameters(item: Law) -> Iterator[str]:
    from comity.check.as_json import measured

    for parameter in item.parameters:
        yield f"{parameter.id}: {parameter.says}"
        for dated in parameter.values:
            where = ", ".join(sorted(dated.places)) if dated.places is not None else "everywhere"
            until = f" to {dated.span.until}" if dated.span.until else ""
            doubt = "" if dated.confirmed else " (unconfirmed)"
            value = measured(dated.value, parameter.unit)
            yield f"    {value}, {where}, from {dated.span.start}{until}: {dated.cite}{doubt}"


def _rule_text(book: Lawbook, rule: Rule) -> Iterator[str]:
    from comity.check.as_json import obligation_in_words

    doubt = "" if rule.confirmed else "   UNCONFIRMED: from general knowledge, not read in the source"
    until = f" until {rule.span.until}" if rule.span.until else ""
    yield f"{rule.id}{doubt}"
    yield f"    {EFFECTS[rule.effect]}: {rule.says}"
    yield f"    {rule.cited(the_day(None))}  {rule.source.url}".rstrip()
    announced = f", announced {rule.announced}" if rule.announced else ""
    checked = f"checked {rule.checked or 'never'}, row {rule.source.row or '-'}"
    yield f"    in force from {rule.span.start}{until}{announced}, {checked}"
    if rule.exception_to:
        yield f"    lifts {', '.join(rule.exception_to)}"
    if rule.slot or rule.fills:
        yield f"    fills {', '.join(slot for slot in (rule.slot, *rule.fills) if slot)}"
    if rule.obligation:
        yield f"    obligation: {obligation_in_words(book, rule.obligation)}."
    yield from (f"    cure: {book.cures[cure].says}" for cure in rule.cures)
    yield f"    condition in {rule.source.file}:{rule.source.line}"
