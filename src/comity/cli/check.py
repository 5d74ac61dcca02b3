"""`comity check`: ask the law about every person in an export."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli import Refused
from comity.cli.may import DAY, plain_errors, the_day

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from comity.check.answers import Answer, ColumnRead, Reject
    from comity.check.checking import Check, Intent
    from comity.check.coding import Part
    from comity.check.dialects import Dialect, Understood
    from comity.check.engines import DuckEngine, Engine
    from comity.check.entity import Entity
    from comity.law import Decision, Lawbook, Plan
    from comity.law.difference import Side

STDERR = 2
FOUND = 3
MANY_UNREAD = 4
UNREAD_SHARE = 0.01

PURPOSES = [
    "marketing", "targeted-advertising", "service", "fundraising", "care", "analytics", "security", "legal-duty",
    "recruitment", "ask-consent",
]  # fmt: skip
CHANNELS = ["email", "sms", "call", "autocall", "messenger", "post", "in-app", "fax", "face-to-face", "none"]
OPERATIONS = ["contact", "share", "sell", "profile", "transfer", "export", "view", "decide", "store"]
SPOKEN = {
    "email": "by e-mail",
    "sms": "by SMS",
    "call": "by phone",
    "autocall": "by automated call",
    "messenger": "by messenger",
    "post": "by post",
    "in-app": "in the app",
    "fax": "by fax",
    "face-to-face": "face to face",
    "none": "",
}


@click.command()
@click.argument("file", required=False)
@click.option("--purpose", type=click.Choice(PURPOSES), help="Why you want to use the data.")
@click.option(
    "--channel", type=click.Choice(CHANNELS), help="How the people are reached; none where nobody is contacted."
)
@click.option("--operation", type=click.Choice(OPERATIONS), default="contact", show_default=True, help="What is done.")
@click.option(
    "--set", "given", multiple=True, metavar="FACT=VALUE", help="A fact about the use or about you, for all rows."
)
@click.option("--org", type=click.Path(path_type=Path), help="Who you are: an org.toml, as `comity org` writes it.")
@click.option("--we-are", metavar="PLACES", help="Short for --org: an ordinary business established in IE, or IE|US.")
@click.option("--day", type=DAY, help="The day of the decision; today if not given.")
@click.option(
    "--complete-for", type=click.Choice(["opt-outs"]), multiple=True, help="This file marks everybody who opted out."
)
@click.option(
    "--suppress", type=click.Path(path_type=Path), multiple=True, help="A list of addresses or numbers that opted out."
)
@click.option("--dialect", type=click.Path(path_type=Path), help="Your own dialect file: what your columns mean.")
@click.option("--explain-columns", is_flag=True, help="Show what was understood of every column, and stop.")
@click.option("--row", type=click.IntRange(min=1), help="Explain one row in full (the first after the header is 1).")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    help="Write permitted.csv, denied.csv, ask.csv, report.html, decisions.parquet and findings.jsonl to a folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option(
    "--fail-on", type=click.Choice(["deny", "ask"]), help="Exit with 3 if anybody is denied, or denied or asked about."
)
@click.option("--engine", default="duckdb", help="duckdb, postgresql://… (FILE is a table), spark, or spark://…")
@click.option("--sample", is_flag=True, help="Check the sample export that comes with Comity.")
def check(**options: Any) -> None:  # noqa: ANN401 (click passes its options)
    """Say for every row of FILE whether this use is permitted, denied or must be asked about, and under which law.

    FILE is an export of HubSpot, Salesforce, Zoho, Mailchimp, Shopify, Klaviyo, Pipedrive, Dynamics or Odoo, or any
    CSV, Excel, Parquet, JSON lines or vCard file. Nothing leaves this machine.

    \b
    comity check contacts.csv --purpose marketing --channel email
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity.law.cache import collector_paused

    asked = _asked(options)
    with plain_errors(), plain_faults(), collector_paused():
        sys.exit(_run(asked))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The command as it was given, with the sample's file and use filled in."""

    file: str
    purpose: str
    channel: str
    options: dict[str, Any]


def _asked(options: dict[str, Any]) -> Asked:
    file, purpose, channel = options["file"], options["purpose"], options["channel"]
    _go_together(options)
    if options["sample"]:
        from comity.check.sample import PATH

        file, purpose, channel = str(PATH), purpose or "marketing", channel or "email"
    if not file:
        raise click.UsageError("name a file to check, or use --sample for the one that comes with Comity")
    if options["operation"] != "contact":
        channel = channel or "none"
    missing = [name for name, value in (("--purpose", purpose), ("--channel", channel)) if not value]
    if missing and not options["explain_columns"]:
        raise click.UsageError(f"say {' and '.join(missing)}: for example --purpose marketing --channel email")
    if options["operation"] == "contact" and channel == "none":
        raise click.UsageError(
            "whoever contacts people does so by some channel; with another --operation it may be none"
        )
    return Asked(file=file, purpose=purpose or "marketing", channel=channel or "email", options=options)


def _go_together(options: Mapping[str, Any]) -> None:
    """Refuse options of which one would be passed over in silence."""
    one_thing = "--row" if options["row"] else "--explain-columns" if options["explain_columns"] else ""
    clashes = {
        f"--sample is a file of its own; leave out {options['file']}": options["sample"] and options["file"],
        "--org and --we-are both say who you are; use one of them": options["org"] and options["we_are"] is not None,
        "--out names no folder": options["out"] == "",
        f"{one_thing} writes no files; leave out --out": one_thing and options["out"],
        f"{one_thing} judges no file; leave out --fail-on": one_thing and options["fail_on"],
        "--row explains a row and --explain-columns the columns; use one": options["row"]
        and options["explain_columns"],
        f"nothing is fetched from the web; download {options['file']} and name the file": (
            options["engine"] == "duckdb" and (options["file"] or "").startswith(("http://", "https://"))
        ),
    }
    for says, clash in clashes.items():
        if clash:
            raise click.UsageError(says)


def _run(asked: Asked) -> int:
    from rich.console import Console

    from comity.check import checking, report
    from comity.check.coding import parts_of
    from comity.law import lawbook

    console = Console(highlight=False)
    started = time.monotonic()
    book = lawbook()
    intent = _intent(book, asked)
    with _source(asked) as (engine, columns, rejects, name, notes):
        dialect = _dialect(book, asked, columns)
        understood = dialect.understand(columns, asked.purpose, asked.channel, operation=asked.options["operation"])
        read = _columns_read(understood)
        if asked.options["explain_columns"]:
            _explain_columns(read, console, as_json=asked.options["as_json"])
            return 0
        _usable(name, understood)
        checked = _check(book, intent, engine, parts_of(understood, intent.day, dialect.order), asked)
        with _progress(asked) as progress:
            checked.code(progress)
            if asked.options["row"]:
                decision = _one_row(checked, asked.options["row"], rejects(), name)
                if asked.options["as_json"]:
                    click.echo(json.dumps(decision.as_json(), ensure_ascii=False, indent=2))
                else:
                    report.print_decision(decision, console)
                return 0
            checked.decide(progress)
        answer = checking.answer(
            checked,
            file=name,
            dialect=dialect.name,
            columns=read,
            rejects=rejects(),
            started=started,
            notes=notes(),
        )
        if asked.options["out"]:
            _write(checked, answer, engine, columns, Path(asked.options["out"]))
    if asked.options["as_json"]:
        from comity.check.as_json import answer_json

        click.echo(json.dumps(answer_json(answer), ensure_ascii=False, indent=2))
    else:
        report.print_answer(answer, console)
    return _exit_code(answer, asked, stated=intent.entity.stated)


def decided_beside(options: dict[str, Any], book: Lawbook, day: date, other: Side) -> tuple[Check, Plan]:
    """Decide the people of a file under one law, ready to be asked under another: the check, and the other plan."""
    from comity.check.coding import parts_of
    from comity.law.cache import collector_paused

    rest = {
        "org": None,
        "given": (),
        "day": None,
        "complete_for": (),
        "dialect": None,
        "suppress": (),
        "engine": "duckdb",
    }
    asked = Asked(file=options["file"], purpose=options["purpose"], channel=options["channel"], options=rest | options)
    intent = replace(_intent(book, asked), day=day)
    with plain_faults(), collector_paused(), _source(asked) as (engine, columns, _rejects, name, _notes):
        dialect = _dialect(book, asked, columns)
        understood = dialect.understand(columns, asked.purpose, asked.channel, operation=options["operation"])
        _usable(name, understood)
        checked = _check(book, intent, engine, parts_of(understood, day, dialect.order), asked)
        plan = checked.folded_as(other.book, other.day)
        checked.beside.append(plan)
        checked.code(lambda *_: None)
        checked.decide(lambda *_: None)
    return checked, plan


def _explain_columns(read: list[ColumnRead], console: Console, *, as_json: bool) -> None:
    from comity.check import report
    from comity.check.as_json import columns_json

    if as_json:
        click.echo(json.dumps(columns_json(read), ensure_ascii=False, indent=2))
    else:
        report.print_columns(read, console)


ELSEWHERE = {
    "use.operation": "--operation",
    "use.purpose": "--purpose",
    "use.channel": "--channel",
    "org.place": "--we-are or --org",
}


def _settable(book: Lawbook, given: Mapping[str, object]) -> None:
    """Refuse with --set what another option says, and what differs from one person to the next."""
    from comity.law.folding import FIXED_NAMESPACES

    for name in given:
        if name in ELSEWHERE:
            raise click.UsageError(f"say {name} by {ELSEWHERE[name]}, not by --set")
        if name.startswith("event."):
            raise click.UsageError(f"{name} is about an event, and no use of data; ask `comity must`")
        if name in book.vocabulary.facts and name.partition(".")[0] not in FIXED_NAMESPACES:
            raise click.UsageError(
                f"{name} differs from person to person, so a column of the file must say it (see --dialect); "
                "--set takes what holds for all rows: facts of use, data, org and actor"
            )


def _intent(book: Lawbook, asked: Asked) -> Intent:
    from comity.check.checking import Intent
    from comity.cli.may import read_facts

    options = asked.options
    entity = _entity(book, options)
    given = read_facts(None, options["given"]) if options["given"] else {}
    _settable(book, given)
    entity = replace(entity, assumed={name: why for name, why in entity.assumed.items() if name not in given})
    use = book.vocabulary.read(
        {"use.operation": options["operation"], "use.purpose": asked.purpose, "use.channel": asked.channel} | given
    )
    says = f"{asked.purpose.replace('-', ' ').capitalize()} {SPOKEN[asked.channel]}".strip()
    if options["operation"] != "contact":
        says = f"{options['operation'].capitalize()} for {asked.purpose.replace('-', ' ')}"
    return Intent(
        use=use,
        entity=entity,
        day=the_day(options["day"]),
        says=says,
        complete_for_opt_outs="opt-outs" in options["complete_for"],
    )


def _entity(book: Lawbook, options: Mapping[str, Any]) -> Entity:
    from comity.check.entity import established_in, read_org, unknown_entity

    if options["org"]:
        return read_org(options["org"], book)
    return unknown_entity(book) if options["we_are"] is None else established_in(options["we_are"], book)


@contextlib.contextmanager
def _source(asked: Asked) -> Iterator[tuple[Engine, tuple[str, ...], Any, str, Any]]:
    """Open the file or the table: the engine, its columns, a function that returns what could not be read, its name."""
    from comity.check import engines

    engine_name = asked.options["engine"]
    if engine_name.startswith(("postgresql://", "postgres://")):
        postgres = engines.PostgresEngine(engine_name, asked.file)
        with contextlib.closing(postgres.connection):
            yield postgres, postgres.columns, tuple, asked.file, tuple
    elif engine_name == "spark" or engine_name.startswith(("spark://", "sc://", "local")):
        yield from _spark_source(asked, "local[*]" if engine_name == "spark" else engine_name)
    elif engine_name == "duckdb":
        yield from _duck_source(asked)
    else:
        shown = engine_name.partition("://")[0]  # what follows may hold a password
        raise click.UsageError(f"no engine is called {shown!r}; use duckdb, postgresql://…, spark or spark://…")


def _duck_source(asked: Asked) -> Iterator[tuple[DuckEngine, tuple[str, ...], Any, str, Any]]:
    import duckdb

    from comity.check.engines import WORKING_MEMORY, DuckEngine, working_folder
    from comity.check.sources import open_source

    with working_folder() as folder:
        connection = duckdb.connect(str(Path(folder) / "check.duckdb"))
        connection.execute(f"SET memory_limit = '{WORKING_MEMORY}'; SET temp_directory = '{folder}'")
        connection.execute("SET enable_progress_bar = false; SET autoinstall_known_extensions = false")
        with connection, open_source(Path(asked.file), connection) as source:
            yield (
                DuckEngine(connection, source),
                source.columns,
                lambda: source.rejects,
                Path(asked.file).name,
                lambda: source.notes,
            )


def _spark_source(asked: Asked, master: str) -> Iterator[tuple[Engine, tuple[str, ...], Any, str, Any]]:
    """Let Spark read Parquet and tables, which it reads as we do; set down for it what our readers find elsewhere."""
    from comity.check.engines import SparkEngine, is_local, working_folder

    if not is_local(master) or Path(asked.file).suffix.lower() not in OUR_KINDS:
        with silently_unless_it_fails():
            spark = SparkEngine(master, asked.file)
        yield spark, spark.columns, tuple, Path(asked.file).name, tuple
        return
    with working_folder() as folder:
        for duck, columns, rejects, name, notes in _duck_source(asked):
            rows = Path(folder) / "rows.parquet"
            duck.set_down(rows)
            with silently_unless_it_fails():
                spark = SparkEngine(master, str(rows), columns)
            yield spark, columns, rejects, name, notes


@contextlib.contextmanager
def silently_unless_it_fails() -> Iterator[None]:
    """Keep from the terminal what a Java machine that is started here says, for as long as it lives.

    Where it cannot even start, what it said is the explanation, and is told.
    """
    with tempfile.TemporaryFile() as said:
        terminal = os.dup(STDERR)
        os.dup2(said.fileno(), STDERR)
        try:
            yield
        except Exception as error:
            if "JAVA_GATEWAY_EXITED" in str(error):
                said.seek(0)
                os.write(terminal, said.read())
            raise
        finally:
            os.dup2(terminal, STDERR)
            os.close(terminal)


def _dialect(book: Lawbook, asked: Asked, columns: tuple[str, ...]) -> Dialect:
    from comity.check import dialects

    own = asked.options["dialect"]
    return dialects.load(own, book.vocabulary) if own else dialects.recognise(columns)


def _columns_read(understood: list[Understood]) -> list[ColumnRead]:
    from comity.check.answers import ColumnRead

    return [
        ColumnRead(header=one.header, role="ignored" if one.ignored else one.role, says=one.how, fact=one.fact or "")
        for one in understood
    ]


def _usable(name: str, understood: list[Understood]) -> None:
    """Refuse a file of which nothing was understood."""
    if all(one.ignored for one in understood):
        headers = ", ".join(repr(one.header) for one in understood[:6])
        raise Refused(
            f"{name}: no column was understood ({headers}{' …' if len(understood) > 6 else ''}). "  # noqa: PLR2004 (a handful)
            "Is the first line the header? Else say what your columns mean with --dialect (docs/dialects.md)"
        )


def _check(book: Lawbook, intent: Intent, engine: Engine, parts: list[Part], asked: Asked) -> Check:
    from comity.check.checking import Check

    complete = {word for part in parts for word in part.understood.complete_for}
    if complete & {"opt-outs", f"opt-outs:{asked.channel}", f"opt-outs:{asked.options['operation']}"}:
        intent = replace(intent, complete_for_opt_outs=True)
    found = Check(book, intent, engine, parts)
    if asked.options["suppress"]:
        from comity.check.suppression import read_lists

        found.suppressed = read_lists(asked.options["suppress"])
    return found


def _one_row(checked: Check, row: int, rejects: tuple[Reject, ...], name: str) -> Decision:
    for reject in rejects:
        if reject.row == row:
            raise click.UsageError(f"row {row} could not be read: {reject.why}")
    decision = checked.row(row)
    if decision is None:
        raise click.UsageError(f"{name} has no row {row}")
    return decision


@contextlib.contextmanager
def _progress(asked: Asked) -> Iterator[Any]:
    """Show progress on a terminal's error stream, once a check takes more than a moment."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal or asked.options["as_json"]:
        yield lambda _says, _done: None
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda says, done: bar.update(task, description=says, completed=done)


def _write(checked: Check, answer: Answer, engine: Engine, columns: tuple[str, ...], folder: Path) -> None:
    from comity.check.engines import DuckEngine
    from comity.check.writing import write_all

    if not isinstance(engine, DuckEngine):
        raise click.UsageError("--out works with files (--engine duckdb); for a table use --json")
    write_all(checked, answer, engine, columns, folder)


def _exit_code(answer: Answer, asked: Asked, *, stated: bool) -> int:
    from comity.law import Verdict

    counted = answer.by_verdict
    fail_on = asked.options["fail_on"]
    assumed = 0 if stated else counted[Verdict.PERMIT]  # a permit that rests on a guess of who we are
    against = counted[Verdict.DENY] + (counted[Verdict.ASK] + assumed if fail_on == "ask" else 0)
    if fail_on and against:
        return FOUND
    return MANY_UNREAD if len(answer.rejects) > UNREAD_SHARE * max(1, answer.rows) else 0


OUR_KINDS = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson", ".vcf"})
LIBRARIES = {"psycopg": "PostgreSQL", "pyspark": "Spark", "py4j": "Spark"}


class plain_faults(contextlib.AbstractContextManager[None]):  # noqa: N801 (read as words: with plain_faults():)
    """Turn what is wrong with a file, a dialect or a folder into one clear line and exit status 2."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise click's exception for our own errors, let all else through."""
        import duckdb

        from comity.check.dialects import DialectError
        from comity.check.engines import EngineError
        from comity.check.entity import OrgError
        from comity.check.sources import BadFile
        from comity.check.writing import CannotWrite

        if isinstance(error, (DialectError, EngineError, OrgError, BadFile, CannotWrite)):
            raise Refused(str(error)) from None
        if isinstance(error, RuntimeError) and str(error) == "Query interrupted":
            raise KeyboardInterrupt from None  # as DuckDB tells of it
        engine = type(error).__module__.partition(".")[0] if error else ""
        if engine in LIBRARIES:
            raise Refused(f"{LIBRARIES[engine]} stopped the check: {str(error).strip().splitlines()[0]}") from None
        if isinstance(error, (duckdb.Error, MemoryError)):
            raise Refused(f"the check stopped: {(str(error) or 'not enough memory').splitlines()[0]}") from None
