"""The command line. A command is imported only when it is asked for, so that help is instant."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Any, NamedTuple

import click

from comity import __version__


class Door(NamedTuple):
    """Where a command is found, and what it does in one line."""

    module: str
    function: str
    says: str


COMMANDS: dict[str, Door] = {
    "demo": Door("comity.cli.serving", "demo", "Open a book of people who do not exist, in the browser."),
    "serve": Door("comity.cli.serving", "serve", "Serve your own book, in the browser."),
    "setup": Door("comity.cli.serving", "setup", "Make the database ready, and its first administrator."),
    "doctor": Door("comity.cli.serving", "doctor", "Look at everything the book stands on, and say how to mend it."),
    "backup": Door("comity.cli.backup", "backup", "Write the whole database into a file; the keys are not in it."),
    "restore": Door("comity.cli.backup", "restore", "Put a backup in the place of the database."),
    "journal": Door("comity.cli.journal", "journal", "Look after the noes outside the database; replay them."),
    "ledger": Door("comity.cli.ledger", "ledger", "Read, hand over and verify the record of what was done."),
    "witness": Door("comity.cli.ledger", "witness", "Watch over a ledger; sign only what follows from the last look."),
    "check": Door("comity.cli.check", "check", "Ask the law about every person in an export."),
    "may": Door("comity.cli.may", "may", "Ask the law about one use of one person's data."),
    "must": Door("comity.cli.must", "must", "Ask what an event makes us owe, to whom and by which day."),
    "clock": Door("comity.cli.must", "clock", "Count a period as a law counts it."),
    "lint-text": Door(
        "comity.cli.texts", "lint_text", "Look through a text for what the law bans or demands in words."
    ),
    "org": Door("comity.cli.org", "org", "Describe who we are, by answering questions."),
    "law": Door("comity.cli.law", "law", "Read the law packs; check and test them."),
}
"""Every command, in the order in which help shows them."""


class LazyGroup(click.Group):
    """A group that knows its commands by name and sentence, and opens a room only to run what is in it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command asked for."""
        if cmd_name not in COMMANDS:
            return None
        door = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(door.module), door.function)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; a file in its place is one to check."""
        if args[0] not in COMMANDS and os.path.isfile(args[0]):  # noqa: PTH113 (pathlib would be imported for this alone)
            ctx.fail(
                f"{args[0]} is a file; to check it, say: comity check {args[0]} --purpose marketing --channel email"
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (whatever a command returns)
        """Run a command; what the machine refuses, such as a full disk behind the output, is one line too."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read us has read enough
            raise _refused_by_the_machine(error) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, door.says) for name, door in COMMANDS.items()])


class Refused(click.ClickException):
    """What was given cannot be used: one line that says why, and exit code 2."""

    exit_code = 2


def _refused_by_the_machine(error: OSError) -> Refused:
    if error.filename is None:  # then it was the output, of which nothing more can be written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    place = error.filename or "the output"
    return Refused(f"{place}: {error.strerror or error}. Make room there, or write somewhere else")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="comity", message="%(prog)s %(version)s")
def main() -> None:
    """Ask the law before anything is done with a person's data: the answer is permit, deny or ask, and why."""
