"""`comity demo`, `serve`, `setup`, `doctor`: the book in the browser, from commands that stop whatever they started."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from comity import __version__
from comity.cli import Refused

if TYPE_CHECKING:
    from comity.server.doctor import Outcome
    from comity.server.processes import Program

SECRET: Final = Path("keys/web.key")
"""Where in Comity's folder the key lies that signs sessions."""

READY: Final = "ready"
"""The file beside a private database that says for which version tables, keys and book were made ready."""

LEDGER, JOBS, WEB = PROGRAMS = ("ledger", "jobs", "web")
"""What a book is made of, in the order in which it starts: the sequencer, the worker, the web server."""

PAGES_FIRST: Final = 5
"""By how much jobs stand back for who waits at a page, and for the web server's start."""

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 8000
"""Where the web server listens if it is not on this machine's own address, and nobody says."""

FOR_THE_DEMO: Final = {"COMITY_SECOND_FACTOR": "optional"}
"""Nobody who looks around wants to set up a second factor first."""

SIGN_INS: Final = (
    ("ada@demo.example", "Sales"),
    ("tom@demo.example", "Marketing"),
    ("sam@demo.example", "Support"),
    ("vera@demo.example", "Privacy officer"),
    ("lin@demo.example", "Administrator, 简体中文"),
    ("otto@demo.example", "Auditor"),
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the book lives: its folder, and the two ways into its database."""

    folder: Path
    url_for_owner: str
    url_for_app: str
    url_for_dba: str = ""  # of a superuser, for backups: of an own server only if COMITY_DBA_URL names one
    more: Mapping[str, str] = field(default_factory=dict)
    stamp: Path | None = None  # beside a private database, and gone with it: for which version it was made ready

    def environ(self, *, owner: bool = False) -> dict[str, str]:
        """Return what a program of ours must know of it."""
        url = self.url_for_owner if owner else self.url_for_app
        named = {"COMITY_FOLDER": str(self.folder), "DATABASE_URL": url, "COMITY_SECRET_KEY": _secret(self.folder)}
        return {**named, **self.more}


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="Listen on this port, not on the first free one from 8000."
)
def demo(port: int | None) -> None:
    """Open a book of 5,000 people who do not exist, with staff of every role. Ctrl-C stops all of it.

    Its data lies in COMITY_FOLDER, or else in ~/.local/share/comity-demo, where it stays for the next time.
    """
    named = os.environ.get("COMITY_FOLDER")
    folder = Path(named).expanduser() if named else Path.home() / ".local" / "share" / "comity-demo"
    _run(folder, port, demo=True)


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="Listen on this port, not on the first free one from 8000."
)
@click.option("--host", default=LOOPBACK, help="Listen on this address, not on this machine's own alone.")
@click.option("--only", type=click.Choice(PROGRAMS), multiple=True, help="Run this program alone; may be given again.")
def serve(port: int | None, host: str, only: tuple[str, ...]) -> None:
    """Serve your own book: from DATABASE_URL, or from a private PostgreSQL. Ctrl-C stops all of it."""
    from comity.server.folder import comity_folder

    if only and not os.environ.get("DATABASE_URL"):
        raise click.UsageError("--only is for a database of your own, which several share: DATABASE_URL names it.")
    _run(comity_folder(), port, demo=False, host=host, only=only or PROGRAMS)


@click.command()
@click.option("--name", prompt="Your name", help="The administrator's name.")
@click.option("--email", prompt="Your e-mail address", help="The address to sign in with.")
@click.password_option(help="The password; asked for where it is not given.")
def setup(name: str, email: str, password: str) -> None:
    """Make the database ready, and its first administrator."""
    check_extra()
    from comity.server.folder import Refusal, comity_folder

    try:
        with open_place(comity_folder()) as place:
            prepare(place, demo=False)
            told = json.dumps({"name": name, "email": email, "password": password})
            preparing(place.environ(), ["administrator"], told)
    except Refusal as error:
        raise Refused(str(error)) from None
    click.echo(f"{email} may sign in. `comity serve` opens the book.")


@click.command()
def doctor() -> None:
    """Look at everything the book stands on, and say how to mend what is wrong."""
    check_extra()
    from comity.server.doctor import Grade, check, closed_folder, examine
    from comity.server.folder import Refusal, comity_folder

    folder = comity_folder()
    try:
        with open_place(folder, alone=False) as place:
            private, lacks = place.stamp is not None, _Lacks(place)
            found = examine(
                folder=place.folder, keys=lacks.keys, url=place.url_for_app, private=private,
                pending=lacks.migrations, journal=lacks.journal,
            )  # fmt: skip
    except Refusal as error:
        found = [check("folder", lambda: closed_folder(folder))] if folder.is_dir() else []
        click.echo(f"fail  {error}")
    for each in found:
        said = " ".join(each.found.split())  # what PostgreSQL says has lines of its own
        cure = f"{'' if said.endswith('?') else '.'} Cure: {each.cure}" if each.cure else ""
        click.echo(f"{each.grade.value:<5} {each.name}: {said}{cure}")
    sys.exit(1 if not found or any(each.grade is Grade.FAIL for each in found) else 0)


@dataclass
class _Lacks:
    """What only Django knows to be lacking; asked once."""

    place: Place

    @cached_property
    def _told(self) -> dict[str, Any]:
        from comity.server.doctor import NotLookedAt

        try:
            told: dict[str, Any] = json.loads(preparing(self.place.environ(owner=True), ["lacking"], quiet=True))
        except Refused:
            raise NotLookedAt("first mend what is said of the database") from None
        return told

    def migrations(self) -> list[str]:
        return list(self._told["migrations"])

    def journal(self) -> Outcome:
        from comity.server.doctor import NotLookedAt, Outcome

        if not (told := self._told["journal"]):
            raise NotLookedAt("the tables are not there yet: comity serve makes them")
        found = f"{told['folder']}, {told['end']:,} lines"
        found += f"; {told['waiting']:,} wait to be appended" if told["waiting"] else ""
        said, _, cure = str(told["trouble"]).partition(" Cure: ")
        return Outcome(f"{found}; nothing is sent: {said}" if said else found, cure or ("mend that" if said else ""))

    def keys(self) -> dict[str, Path]:
        return {"web": self.place.folder / SECRET} | {name: Path(path) for name, path in self._told["keys"].items()}


def _run(folder: Path, port: int | None, *, demo: bool, host: str = LOOPBACK, only: Sequence[str] = PROGRAMS) -> None:
    check_extra()
    from comity.server.folder import Refusal, clear_left_lying, free_port
    from comity.server.processes import ProcessGroup

    try:
        with open_place(folder, alone=set(only) == set(PROGRAMS)) as found:
            if found.stamp:  # a database of one's own may be served from elsewhere too: there the hourly job clears
                clear_left_lying(found.folder)
            listening = free_port(port) if host == LOOPBACK else port or PORT
            place = replace(found, more={**(FOR_THE_DEMO if demo else {}), **_address(host, listening)})
            if WEB in only:
                prepare(place, demo=demo)
                _welcome(host, listening, demo=demo)
            code = ProcessGroup([each for each in programs(place, listening, host) if each.name in only]).run()
    except Refusal as error:
        raise Refused(str(error)) from None
    sys.exit(code)


def _address(host: str, port: int) -> dict[str, str]:
    """Return where browsers of this machine find the book, for the links in messages, where nobody says otherwise."""
    told = "COMITY_ADDRESS" in os.environ or host != LOOPBACK
    return {} if told else {"COMITY_ADDRESS": f"http://localhost:{port}"}


def check_extra() -> None:
    """Refuse, naming the extra, where what the book needs is not installed."""
    lacking = [name for name in ("django", "granian", "psycopg", "cryptography") if find_spec(name) is None]
    if lacking:
        raise Refused(
            f"the book needs an extra that is not installed ({', '.join(lacking)}): pip install 'comity[book]'"
        )


@contextmanager
def open_place(folder: Path, *, alone: bool = True) -> Iterator[Place]:
    """Open the folder, and start its private server where no other database is named and none runs.

    With `alone`, for as long as the block runs, no second Comity may serve from it.
    """
    from comity.server.folder import alone_in, prepare_folder
    from comity.server.postgres import PrivatePostgres
    from comity.server.roles import DATABASE

    with ExitStack() as stack:
        real = prepare_folder(folder)
        if alone:
            stack.enter_context(alone_in(real))
        if given := os.environ.get("DATABASE_URL"):
            owner, dba = os.environ.get("COMITY_OWNER_URL", given), os.environ.get("COMITY_DBA_URL", "")
            yield Place(folder=real, url_for_owner=owner, url_for_app=given, url_for_dba=dba)
            return
        postgres = stack.enter_context(PrivatePostgres(real))
        stamp, dba = postgres.premises.root / READY, postgres.url_for_superuser.replace("/postgres?", f"/{DATABASE}?")
        owner, app = postgres.url_for_owner, postgres.url_for_app
        yield Place(folder=real, url_for_owner=owner, url_for_app=app, url_for_dba=dba, stamp=stamp)


def _secret(folder: Path) -> str:
    path = folder / SECRET
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text("utf-8").strip()


def prepare(place: Place, *, demo: bool) -> None:
    """Make tables, keys and book ready, unless this version did so for the private server of this folder before."""
    stamp, wanted = place.stamp, _version(demo=demo)
    if stamp and stamp.is_file() and stamp.read_text("utf-8") == wanted:
        return
    preparing(place.environ(owner=True), ["tables"])
    click.echo(preparing(place.environ(), ["book", *(["--demo"] if demo else [])]), nl=False)
    if stamp:
        stamp.write_text(wanted, "utf-8")


def preparing(environ: Mapping[str, str], words: Sequence[str], told: str = "", *, quiet: bool = False) -> str:
    """Run the program that makes ready, in which Django lives; return what it says."""
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "comity.web.preparing", *words], env={**os.environ, **environ}, input=told,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Refused("the database could not be made ready; the lines above say why. `comity doctor` looks further")
    return done.stdout


def _version(*, demo: bool) -> str:
    """Return what tells one set of tables from another: our version, and the text of all migrations."""
    from hashlib import sha256

    digest = sha256(f"{__version__} {demo}".encode())
    for path in sorted(Path(__file__).parents[1].glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def programs(place: Place, port: int, host: str = LOOPBACK) -> list[Program]:
    """Return the programs of a book, in the order in which they start."""
    from comity.server.processes import Program

    environ = place.environ()
    web = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port),
        "--workers", "1", "--blocking-threads", "4", "--no-ws", "--log-level", "warning", "comity.web.wsgi:application",
    ]  # fmt: skip
    return [
        Program(name=LEDGER, command=[sys.executable, "-m", "comity.web", "sequence"], environ=environ),
        Program(name=JOBS, command=[sys.executable, "-m", "comity.web", "work"], environ=environ, niceness=PAGES_FIRST),
        Program(name=WEB, command=web, environ=environ),
    ]


def _welcome(host: str, port: int, *, demo: bool) -> None:
    click.echo(f"\nComity is at  http://{host}:{port}/   (Ctrl-C stops it)\n")
    if demo:
        click.echo("Sign in with the password  a-demo-for-everybody  as")
        for email, role in SIGN_INS:
            click.echo(f"  {email:<20} {role}")
        click.echo("")
