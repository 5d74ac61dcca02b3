"""`comity ledger` and `comity witness`: the record read, handed over, verified, and watched over by somebody else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from comity.cli import Refused

if TYPE_CHECKING:
    from comity.ledger.comity_verify import PublicKey
    from comity.ledger.witness import Seen

NOT_PROVEN = 1
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
ITS_KEY = click.option("--key", help="The ledger's verifier key; without it that of the ledger here.")


@click.group()
def ledger() -> None:
    """Read, hand over and verify the record of what was done."""


@click.group()
def witness() -> None:
    """Watch over a ledger: remember what it showed, and sign only what begins with that."""


# ---------------------------------------------------------------- the ledger


@ledger.command("key")
def show_key() -> None:
    """Print the key with which others verify this ledger. It is public: give it away, and keep it elsewhere."""
    with the_book() as folder:
        click.echo(_own_key(folder))


@ledger.command()
@click.option("--bundle", type=FILE, help="Verify one entry: a .tlog-proof file.")
@click.option("--folder", type=FOLDER, help="Verify an export.")
@ITS_KEY
@click.option("--seen", type=FILE, multiple=True, help="A checkpoint that was kept elsewhere, such as a witness's.")
@click.option("--witness", "witnesses", multiple=True, help="The verifier key of a witness who must have cosigned.")
@click.option("--quorum", type=int, help="How many of the witnesses must have; all, if it is not said.")
def verify(  # noqa: PLR0917 (click gives each option by its name)
    bundle: Path | None,
    folder: Path | None,
    key: str | None,
    seen: tuple[Path, ...],
    witnesses: tuple[str, ...],
    quorum: int | None,
) -> None:
    """Verify the whole ledger in the database, or an export of it, or one entry's bundle."""
    if bundle and folder:
        raise click.UsageError("--bundle and --folder are two things to verify: name one of them.")
    if bundle is None and (witnesses or quorum is not None):
        raise click.UsageError("--witness and --quorum go with --bundle.")
    if not bundle and not folder:
        sys.exit(_verify_here(key, seen))
    what = ["--bundle", str(bundle)] if bundle else ["--ledger", str(folder)]
    given = [*_each("--seen", seen), *_each("--witness", witnesses), *(["--quorum", str(quorum)] if quorum else [])]
    sys.exit(_verify_elsewhere([*what, *given, "--key", key or _key_here()]))


@ledger.command()
@click.argument("folder", type=click.Path(path_type=Path))
def export(folder: Path) -> None:
    """Write the whole ledger into a new folder, which any tool for tiled logs reads."""
    with the_book():
        from comity.ledger.exporting import export as write

        many = write(folder)
    click.echo(f"{many:,} entries are in {folder}. Whoever has it: comity_verify.py --ledger {folder} --key …")


@ledger.command()
@click.argument("entry", type=click.UUID)
def bundle(entry: UUID) -> None:
    """Print the proof of one entry, with the entry in it. What is printed is a .tlog-proof file."""
    with the_book():
        from comity.ledger.models import Entry
        from comity.ledger.queries import bundle as proof

        try:
            click.echo(proof(entry=entry), nl=False)
        except Entry.DoesNotExist:
            raise Refused(f"the ledger has no entry {entry}. The ledger's page shows the number of each") from None


def _verify_here(given: str | None, seen: tuple[Path, ...]) -> int:
    with the_book() as folder:
        from comity.ledger.comity_verify import PublicKey, told
        from comity.ledger.models import Entry
        from comity.ledger.verifying import verify as read_all

        key = PublicKey.read(given) if given else _own_key(folder)
        kept = [path.read_text("utf-8") for path in seen]
        found, pending = read_all(key=key, seen=kept), Entry.objects.filter(leaf_index=None).count()
    for line in told(found, key=key, kept=len(kept)):
        click.echo(line)
    if pending:
        click.echo(f"{pending:,} more are recorded and not numbered yet: nothing is proven of them until they are.")
    return NOT_PROVEN if found.flaws else 0


def _verify_elsewhere(words: list[str]) -> int:
    from comity.ledger.comity_verify import main

    return main(words)


def _each(option: str, values: tuple[Path, ...] | tuple[str, ...]) -> list[str]:
    return [word for value in values for word in (option, str(value))]


def _key_here() -> str:
    """Return our own ledger's key, where no key was given; it proves nothing to anybody but us."""
    with the_book() as folder:
        return str(_own_key(folder))


def _own_key(folder: Path) -> PublicKey:
    from comity.ledger.queries import public_key

    return public_key(folder=folder)


# ---------------------------------------------------------------- the witness


@witness.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What it is called, such as witness.example/one.")
@click.option("--ledger", "key", required=True, help="The verifier key of the ledger: comity ledger key.")
def init(folder: Path, name: str, key: str) -> None:
    """Begin a witness in a new folder; print the key with which others verify what it signs."""
    from comity.ledger.comity_verify import PublicKey
    from comity.ledger.witness import begin_witness

    with plain_refusals():
        click.echo(begin_witness(folder=folder, name=name, ledger=PublicKey.read(key)))


@witness.command("look")
@click.argument("folder", type=FOLDER)
@click.option("--export", "exported", type=FOLDER, help="An export of the ledger; without it the database here.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the cosigned checkpoint here.")
def look(folder: Path, exported: Path | None, out: Path | None) -> None:
    """Look at the ledger's newest checkpoint, and cosign it if it begins with the last one seen."""
    seen = _looked(folder, exported)
    if out:
        out.write_text(seen.note + seen.line, "utf-8")
    elif exported:
        click.echo(seen.note + seen.line, nl=False)
        return
    click.echo(f"Seen and cosigned: {seen.checkpoint.size:,} entries of {seen.checkpoint.origin}.")


@witness.command("cosign")
@click.argument("checkpoint", type=FILE)
@click.option("--witness", "key", required=True, help="The verifier key of the witness.")
def cosign(checkpoint: Path, key: str) -> None:
    """Keep, at the ledger, what a witness elsewhere has cosigned, so that bundles carry it."""
    with the_book():
        from comity.ledger.comity_verify import PublicKey, read_checkpoint, read_note

        shown = checkpoint.read_text("utf-8")
        size = read_checkpoint(read_note(shown).text).size
        witness = PublicKey.read(key)
        if not (lines := [line for line in shown.splitlines(keepends=True) if line.startswith(f"— {witness.name} ")]):
            raise Refused(f"{checkpoint} has no line of {witness.name}")
        _keep(size, lines, witness)
    click.echo(f"{witness.name} has seen {size:,} entries: kept.")


def _keep(size: int, lines: list[str], witness: PublicKey) -> None:
    """Keep a witness's lines below our own checkpoint; NotProven where they were written below another one."""
    from comity.ledger.actions import keep_cosignature
    from comity.ledger.comity_verify import read_checkpoint, read_note
    from comity.ledger.models import Checkpoint
    from comity.ledger.witness import Seen

    if not (ours := Checkpoint.objects.filter(size=size).first()):
        raise Refused(f"this ledger has no checkpoint over {size:,} entries. Is it the ledger that the witness saw?")
    for line in lines:
        keep_cosignature(seen=Seen(read_checkpoint(read_note(ours.note).text), ours.note, line, witness))


def _looked(folder: Path, exported: Path | None) -> Seen:
    at = datetime.now(UTC).replace(microsecond=0)
    if exported:
        from comity.ledger.witness import Exported
        from comity.ledger.witness import look as look_at

        with plain_refusals():
            return look_at(folder=folder, source=Exported(exported), at=at)
    with the_book():
        from comity.ledger.actions import witness_here

        return witness_here(folder=folder, at=at)


# ---------------------------------------------------------------- the book


@contextmanager
def the_book() -> Iterator[Path]:
    """Let Django know the database of the folder here, whether Comity runs or not; give the folder."""
    from comity.cli.serving import check_extra, open_place
    from comity.server.folder import Refusal, comity_folder

    check_extra()
    try:
        with open_place(comity_folder(), alone=False) as place:
            os.environ.update(place.environ(), DJANGO_SETTINGS_MODULE="comity.web.settings")
            import django

            django.setup()
            with _answering(), plain_refusals():
                yield place.folder
    except Refusal as error:
        raise Refused(str(error)) from None


class Contradicted(Refused):
    """What was shown contradicts what is known: one line that says how, and exit code 1."""

    exit_code = NOT_PROVEN


@contextmanager
def plain_refusals() -> Iterator[None]:
    """Turn what a key or a witness refuses into one line and an exit code."""
    from comity.ledger.comity_verify import NotProven
    from comity.ledger.keys import KeyProblem
    from comity.ledger.witness import WitnessRefuses

    try:
        yield
    except (NotProven, WitnessRefuses) as error:
        raise Contradicted(f"NOT PROVEN: {error}") from None
    except KeyProblem as error:
        raise Refused(str(error)) from None


@contextmanager
def _answering() -> Iterator[None]:
    """Say in one line that the database does not answer, was never made ready, or has no checkpoint yet."""
    import psycopg
    from django.db import DatabaseError, ProgrammingError

    from comity.ledger.exporting import NothingToExport
    from comity.ledger.queries import NotCovered

    try:
        yield
    except (NothingToExport, NotCovered) as error:
        raise Refused(str(error)) from None
    except (ProgrammingError, psycopg.ProgrammingError):
        raise Refused("the database has no ledger in it. Cure: comity setup, or comity serve") from None
    except (DatabaseError, psycopg.Error) as error:
        raise Refused(f"the database does not answer: {str(error).strip()}. Cure: comity doctor says more") from None
