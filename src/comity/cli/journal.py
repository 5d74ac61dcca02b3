"""`comity journal`: whether this database knows every no that lies outside it, and bringing in what it does not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from comity.cli import Refused
from comity.cli.ledger import NOT_PROVEN, the_book


@click.group()
def journal() -> None:
    """Look after the journal: every no, outside the database, for the day on which an older one is put back."""


@journal.command("look")
def look() -> None:
    """Read the whole journal, and say how it and this database stand to each other."""
    with _the_journal() as folder:
        from comity.ledger.journal.keeping import how_it_stands, read_through

        stands = how_it_stands()
        click.echo(
            f"{folder} has {stands.end:,} lines; this database knows of {stands.last:,}, and {stands.waiting:,} wait "
            "to be appended."
        )
        if stands.trouble:
            click.echo(f"Nothing is sent: {stands.trouble}")
            sys.exit(NOT_PROVEN)
        click.echo(f"All {read_through():,} lines that are there are as they were written.")


@journal.command("replay")
def replay() -> None:
    """Bring every no that this database does not know into it. May be stopped, and begun again."""
    with _the_journal():
        from comity.ledger.journal.replaying import in_words
        from comity.ledger.journal.replaying import replay as bring_in

        done = bring_in(told=lambda so_far, of: click.echo(f"{so_far:,} of {of:,} lines", err=True))
        click.echo(in_words(done))


@journal.command("renew")
@click.option("--yes", is_flag=True, help="Do not ask.")
def renew(yes: bool) -> None:  # noqa: FBT001 (click gives each option by its name)
    """Write a journal that was lost or damaged anew, from what this database knows. The old files are set aside."""
    with _the_journal() as folder:
        from comity.ledger.journal.keeping import renew as write_anew

        if not yes:
            click.confirm("Whatever the journal knew and this database does not will be lost. Go on?", abort=True)
        many = write_anew(called=f"aside-{datetime.now(UTC):%Y%m%dT%H%M%S}")
        click.echo(f"{folder} has the {many:,} lines that this database knows.")


@contextmanager
def _the_journal() -> Iterator[Path]:
    """Open the book, and turn what is wrong with the journal into one line; give the journal's folder."""
    with the_book():
        from comity.ledger.journal.keeping import journal_folder
        from comity.ledger.journal.lines import JournalTrouble

        try:
            yield journal_folder()
        except JournalTrouble as error:
            raise Refused(str(error)) from None
