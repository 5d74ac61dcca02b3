"""`comity may`: one case, from the command line or from a file of facts."""

from __future__ import annotations

import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping


class Day(click.DateTime):
    """A day, as 2026-11-21."""

    name = "day"

    def __init__(self) -> None:
        super().__init__(formats=["%Y-%m-%d"])

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what help shows for the value."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401 (click's)
        """Read a day; fails with an example of one."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no day; give one as 2026-11-21", param, ctx)


DAY = Day()
EARLIEST, LATEST = 1950, 2150
"""Years of the days that the law can be asked about; before, there was none of it, and clocks end somewhere."""


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--set", "given", multiple=True, metavar="FACT=VALUE", help="One fact; may be given many times.")
@click.option("--day", type=DAY, help="The day of the decision; today if not given.")
@click.option("--known-at", type=DAY, help="The law as it was known on this day: what was announced later is left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
def may(
    file: Path | None, given: tuple[str, ...], day: datetime | None, known_at: datetime | None, *, as_json: bool
) -> None:
    """Decide one case: FILE is a TOML file of facts, --set adds to it or stands alone.

    \b
    comity may --set person.home=DE --set use.operation=contact --set use.purpose=marketing --set use.channel=email
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity import law
    from comity.check.report import print_decision

    facts = read_facts(file, given)
    with plain_errors(facts):
        book = law.lawbook()
        known = book if known_at is None else law.as_known(book, the_day(known_at, "--known-at"))
        decision = law.may(known, facts, day=the_day(day))
    if as_json:
        click.echo(json.dumps(decision.as_json(), ensure_ascii=False, indent=2))
        return
    from rich.console import Console

    print_decision(decision, Console(highlight=False))


def read_facts(file: Path | None, given: tuple[str, ...]) -> dict[str, object]:
    """Return the facts of a TOML file and of FACT=VALUE words, the words winning. Raises click's UsageError."""
    facts: dict[str, object] = {}
    if file is not None:
        try:
            facts = _flat(tomllib.loads(file.read_text("utf-8-sig")))
        except OSError as error:
            raise click.UsageError(f"{file}: {error.strerror}") from None
        except RecursionError:
            raise click.UsageError(f"{file.name} is nested too deeply to be a file of facts") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise click.UsageError(
                f'{file.name} is no TOML file of facts, with lines such as person.home = "DE": {error}'
            ) from None
    for word in given:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"--set {word!r} has no '='; write FACT=VALUE, for example person.home=DE")
        facts[name.strip()] = value
    if not facts:
        raise click.UsageError("no facts were given; name a file, or use --set person.home=DE")
    return facts


def _flat(table: dict[str, Any]) -> dict[str, object]:
    """Return `[person] home = "DE"` and `"person.home" = "DE"` alike as person.home."""
    facts: dict[str, object] = {}
    for name, value in table.items():
        inner = {f"{name}.{short}": item for short, item in value.items()} if isinstance(value, dict) else {}
        for full, item in (inner if inner and "." not in name else {name: value}).items():
            if full in facts:
                raise click.UsageError(f"{full} is said twice, in quotes and as a table; leave one out")
            facts[full] = item
    return facts


def the_day(given: datetime | None, option: str = "--day") -> date:
    """Return the day given, or today. Raises click's UsageError for a day of no use, which names the option."""
    if given is None:
        return date.today()  # noqa: DTZ011  (the day where the command is run)
    if not EARLIEST <= given.year <= LATEST:
        raise click.UsageError(f"{option} {given.date()} is out of reach; give one from {EARLIEST} to {LATEST}")
    return given.date()


class plain_errors:  # noqa: N801  (read as a word: with plain_errors():)
    """Turn what is wrong with facts or packs into one clear line and exit status 2.

    `given` are facts as they were given: a place among them that has its name for its code gets the code in the line.
    """

    def __init__(self, given: Mapping[str, object] | None = None) -> None:
        self.given = given or {}

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise click's UsageError for our own errors, let all else through."""
        from comity.law import FactError, PackError, UnknownPlace
        from comity.law.clocks import ClockError

        if isinstance(error, FactError):
            from comity.check.entity import codes_of

            placed = [value for name, value in self.given.items() if str(error).startswith(f"{name} ")]
            raise Refused(f"{error}{''.join(map(codes_of, placed))}") from None
        if isinstance(error, (PackError, UnknownPlace, ClockError)):
            raise Refused(str(error)) from None
