"""`comity backup` and `comity restore`: the whole database in one file, and back. The keys are kept elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.cli.serving import Place

BEGINS = b"PGDMP"
"""How every file of pg_dump --format=custom begins."""
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Write the whole database into a new file, while the book is in use. The keys are not in it."""
    from comity.cli.serving import check_extra, open_place
    from comity.server.folder import Refusal, comity_folder

    check_extra()
    try:
        with open_place(comity_folder(), alone=False) as place:
            _dump(place, file)
    except Refusal as error:
        raise Refused(str(error)) from None
    click.echo(
        f"{file} has the database, and no key: keep copies of {place.folder / 'keys'}, and of the passwords in "
        f"{place.folder / 'gateways'}, in another place."
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, yes: bool) -> None:  # noqa: FBT001 (click gives each option by its name)
    """Put a backup in the place of the database; all of it or, if something fails, nothing."""
    from comity.cli.serving import check_extra, open_place, prepare, preparing
    from comity.server.folder import Refusal, comity_folder

    check_extra()
    _refuse_others(file)
    try:
        with open_place(comity_folder()) as place:
            if not yes:
                click.confirm("What is in the database now will be gone. Go on?", abort=True)
            whole = ["--clean", "--if-exists", "--single-transaction", "--exit-on-error", f"--dbname={_name(place)}"]
            _run(place, "pg_restore", [*whole, str(file)])
            if place.stamp:
                place.stamp.unlink(missing_ok=True)
            prepare(place, demo=False)
            click.echo("The database is as it was then. What was said since is brought in from the journal:")
            click.echo(preparing(place.environ(), ["replay"]), nl=False)
    except Refusal as error:
        raise Refused(str(error)) from None


def _refuse_others(file: Path) -> None:
    """Refuse what no backup can be, before anybody is asked to give up a database for it."""
    with file.open("rb") as opened:
        if opened.read(len(BEGINS)) != BEGINS:
            raise Refused(f"{file} is no backup. Cure: name a file that `comity backup` wrote")


def _dump(place: Place, file: Path) -> None:
    """Write a file that only we may read, whole or not at all."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            _run(place, "pg_dump", ["--format=custom"], out=out.fileno())
            os.fsync(out.fileno())
    except BaseException:
        file.unlink()
        raise


def _name(place: Place) -> str:
    return _given(place)["PGDATABASE"]


def _given(place: Place) -> dict[str, str]:
    """Return how to connect, for the environment: on a command line everybody could read the password."""
    from psycopg.conninfo import conninfo_to_dict

    if not place.url_for_dba:
        raise Refused(
            "this needs a role that passes by the walls between entities. Cure: let COMITY_DBA_URL name a superuser of "
            "your PostgreSQL, or for `comity backup` a role with BYPASSRLS and pg_read_all_data"
        )
    names = {"dbname": "PGDATABASE"}
    given = conninfo_to_dict(place.url_for_dba)
    return {names.get(name, f"PG{name.upper()}"): str(value) for name, value in given.items() if value is not None}


def _run(place: Place, program: str, words: Sequence[str], out: int | None = None) -> None:
    given = _given(place)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
        [_found(place, program), *words], env={**os.environ, **given}, stdin=subprocess.DEVNULL, stdout=out,
        stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused(f"{program} did not succeed, and nothing was changed: {done.stderr.strip()}")


def _found(place: Place, program: str) -> str | Path:
    """Find a program of PostgreSQL: of the version that made the private data, else the newest of this machine."""
    from comity.server.binaries import find_programs, major_of

    beside = find_programs(major_of(place.folder / "postgres" / "data")).folder / program
    if beside.is_file():
        return beside
    if on_path := shutil.which(program):
        return on_path
    raise Refused(f"{program} is not on this machine. Cure: install PostgreSQL's client programs")
