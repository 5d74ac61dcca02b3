"""The proof of forgetting: people with a text of their own each, backups, erasures, and a search of every byte left.

    python -m bench.forgetting --people 1000 --erased 100

A book is filled by an import on a PostgreSQL that archives its WAL. A base backup and a dump are taken, some people are
erased, and the old backup is started as a second server: before the horizon everybody must be found in it, or this
search is blind. Then the keys are turned over and the old one is destroyed; everything is searched again, with every
key that still exists: files of both servers, dumps, archived WAL, logs, the folder of Comity; the opened blobs of the
database that is alive and of the one that was put back; tokens of the blind index under every key.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests import private_postgres as server

HEADER = ("Record ID", "First Name", "Last Name", "Email", "Phone Number", "Country/Region", "Notes")
CANARY = re.compile(rb"zq7([0-9a-f]{16})")
AT_ONCE = 1 << 24
BLOCK = 1 << 16
ALIVE, FILES, TEXT, TOKENS = (
    "server that is alive",
    "backups, WAL, dumps, keys, files",
    "text in files: ",
    "tokens in files: ",
)
PLAIN = " -c wal_compression=off -c full_page_writes=on -c wal_level=replica"
FACTS = {
    "org.lia_on_file": True, "use.in_notice": True, "org.public_body": False, "org.nonprofit": False,
    "org.small_business": False, "org.hipaa_role": "none", "org.financial_institution": False,
    "org.data_broker": False, "org.over_thresholds": True, "org.online_for_children": False, "org.ciio": False,
}  # fmt: skip


@dataclass
class Found:
    """Whom a search found, by where."""

    places: dict[str, set[str]] = field(default_factory=dict)

    def add(self, place: str, persons: set[str]) -> None:
        self.places.setdefault(place, set()).update(persons)

    def of(self, persons: set[str]) -> dict[str, int]:
        """Return how many of these were found, by where."""
        return {place: len(found & persons) for place, found in sorted(self.places.items())}

    @property
    def all(self) -> set[str]:
        return set().union(*self.places.values()) if self.places else set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--erased", type=int, default=100)
    options = parser.parse_args()
    binaries = server.binaries()
    assert binaries is not None, "no PostgreSQL server here"
    with tempfile.TemporaryDirectory(prefix="comity-forget-", dir="/tmp") as told:
        root = Path(told)
        root.chmod(0o711)
        wal = _owned(root / "wal")
        archiving = f" -c archive_mode=on -c archive_command='cp %p {wal}/%f'"
        server.SPEED += PLAIN + archiving
        with server.private_postgres(binaries) as url:
            server.SPEED = server.SPEED.replace(archiving, "")
            _prove(options, root, url, binaries)


def _owned(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    os.chown(folder, *server.owner())
    return folder


def _prove(options: argparse.Namespace, root: Path, url: str, binaries: Path) -> None:
    ours = root / "comity"
    ours.mkdir(mode=0o700)
    os.environ |= {
        "DATABASE_URL": url, "COMITY_FOLDER": str(ours), "COMITY_SECRET_KEY": "of the proof alone",
        "DJANGO_SETTINGS_MODULE": "comity.web.settings",
    }  # fmt: skip
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    persons = [secrets.token_hex(8) for _ in range(options.people)]
    (root / "persons").write_text("\n".join(persons))
    gone, left = set(persons[: options.erased]), set(persons[options.erased :])
    entity = _fill(persons, root / "people.csv")
    _backup(binaries, url, root)
    _erase(gone, entity)
    with _put_back(binaries, root) as old:
        before = _search(root, url, old)
        _report("before the horizon, the backup put back", before, gone, left)
        assert gone <= before.all, "the search is blind: it does not find in the old backup whom it must hold"
        assert left <= before.all
        assert before.places[TEXT + FILES] == gone | left, (
            "the search is blind: the list that people came from is there"
        )
    (root / "people.csv").unlink()
    _past_the_horizon()
    with _put_back(binaries, root) as old:
        after = _search(root, url, old)
        _report("past the horizon, with every key that exists", after, gone, left)
        assert not gone & after.all, f"found of the erased: {after.of(gone)}"
        assert left <= after.all, "the search is blind: it does not find those who are still there"
    print(f"forgotten: 0 of {len(gone)} erased found, {len(left & after.all)} of {len(left)} others found")


# ---------------------------------------------------------------- the book


def _fill(persons: Sequence[str], path: Path) -> Any:  # noqa: ANN401 - an Entity, which cannot be imported yet
    from django.utils import timezone

    from comity.book.imports import actions
    from comity.staff.models import Entity, RoleGrant, Staff
    from comity.staff.walls import behind_wall
    from comity.vault import rotation

    rotation.begin_first_epoch(staff=None)
    entity = Entity.objects.create(name="Comity Dublin Ltd", place="IE", facts=FACTS)
    olga = Staff.objects.create(name="Olga Petrova", email="olga@comity.example")
    RoleGrant.objects.create(staff=olga, role="privacy-officer", reason="a proof", begins_at=timezone.now())
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER)
        for number, canary in enumerate(persons):
            rows.writerow((
                f"zq7{canary}i", f"Zq7{canary}".capitalize(), f"zq7{canary}f", f"zq7{canary}e@example.com",
                f"+49 30 {number:08d}", "Germany", f"keep zq7{canary}t to yourself",
            ))  # fmt: skip
    with behind_wall(staff=olga.ref, entities=[entity.ref]):
        one = actions.begin_import(name="people.csv", pieces=iter([path.read_bytes()]), entity=entity, staff=olga)
        choices = actions.Choices(purpose="service", asked_purpose="marketing", asked_channel="email", source="person")
        one = actions.choose(one=one, choices=choices, staff=olga)
    one = actions.look_over_import(one=one)
    with behind_wall(staff=olga.ref, entities=[entity.ref]):
        one = actions.begin_run(one=one, staff=olga)
    one = actions.run_import(one=one)
    assert one.persons == len(persons), f"{one.persons} came in"
    return entity


def _erase(gone: set[str], entity: Any) -> None:  # noqa: ANN401 - as above
    from comity.retention.erasing.actions import erase_person
    from comity.retention.erasing.models import Why

    for person in _persons_of(gone):
        erase_person(person=person, entity=entity, why=Why.ASKED, staff=None)


def _persons_of(canaries: set[str]) -> list[Any]:
    """Return the refs of those whose name holds one of these."""
    return sorted({person for person, texts in _opened(_url()) if texts & canaries})


def _past_the_horizon() -> None:
    """Turn the keys over, bring everybody along, destroy the old key: as the schedule does when its day has come."""
    from comity.vault import rotation
    from comity.vault.models import Epoch

    old = Epoch.objects.latest("number").number
    rotation.rotate_epoch(staff=None)
    rotation.rewrap(staff=None)
    rotation.destroy_epoch(number=old, staff=None)


# ---------------------------------------------------------------- backups


def _url() -> str:
    return os.environ["DATABASE_URL"]


def _backup(binaries: Path, url: str, root: Path) -> None:
    from django.db import connections

    connections.close_all()
    _program(binaries / "pg_basebackup", url, "-D", root / "backup", "-X", "stream", "-c", "fast")
    _program(binaries / "pg_dump", url, "--format=plain", f"--file={root / 'old.sql'}")


def _program(program: Path, url: str, *words: object) -> None:
    """Run a client program of PostgreSQL's, with the password in the environment."""
    from psycopg.conninfo import conninfo_to_dict

    told = conninfo_to_dict(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environ = {**os.environ, **{name: str(told[key]) for key, name in names.items() if key in told}}
    subprocess.run([program, *map(str, words)], env=environ, check=True, capture_output=True)  # noqa: S603 - its own


@contextmanager
def _put_back(binaries: Path, root: Path) -> Iterator[str]:
    """Start a copy of the base backup as a second server; yield its address."""
    data = Path(tempfile.mkdtemp(prefix="comity-old-", dir="/tmp"))
    try:
        shutil.copytree(root / "backup", data / "data")
        for path in (data, data / "data", *(data / "data").rglob("*")):
            os.chown(path, *server.owner())
        (data / "data").chmod(0o700)
        port = 1024 + secrets.randbelow(60_000)
        options = f"-c listen_addresses='' -c unix_socket_directories='{data}' -p {port} -c archive_mode=off"
        run = server.run
        run(binaries / "pg_ctl", "start", "-w", "-D", data / "data", "-l", data / "log", "-o", options, home=data)
        try:
            password = re.search(r"//comity:([^@]+)@", _url())
            assert password
            yield f"postgresql://comity:{password[1]}@/postgres?host={quote(str(data), safe='')}&port={port}"
        finally:
            run(binaries / "pg_ctl", "stop", "-D", data / "data", "-m", "fast", home=data)
            shutil.copytree(data / "data", root / "put-back", dirs_exist_ok=True)
    finally:
        shutil.rmtree(data)


# ---------------------------------------------------------------- searching


def _search(root: Path, alive: str, old: str) -> Found:
    """Search all files for the texts, both databases for what any key opens, and all files for tokens of any key."""
    from django.db import connection, connections

    found = Found()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT pg_switch_wal(), current_setting('data_directory')")
        data = Path(cursor.fetchall()[0][1])
    tokens = _tokens(root)
    for place, where in ((ALIVE, data.parent), (FILES, root)):
        for path in sorted(where.rglob("*")):
            if path.is_file() and path != root / "persons":
                texts, numbers = _in_file(path, tokens)
                found.add(TEXT + place, texts)
                found.add(TOKENS + place, numbers)
    for place, url in (("the database that is alive", alive), ("the database that was put back", old)):
        found.add(f"opened: {place}", set())
        for _, texts in _opened(url):
            found.add(f"opened: {place}", texts)
    connections.close_all()
    return found


def _in_file(path: Path, tokens: dict[int, str]) -> tuple[set[str], set[str]]:
    """Return whose text, and whose token as eight bytes at any place and in either order, is in a file."""
    texts: set[str] = set()
    numbers: set[str] = set()
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(AT_ONCE):
            held = tail + piece
            texts |= {match[1].decode() for match in CANARY.finditer(held.lower())}
            for start in range(0, len(held), BLOCK):
                block = held[start : start + BLOCK + 8]
                if block.count(0) < len(block):
                    numbers |= {tokens[token] for token in _numbers(block) & tokens.keys()}
            tail = held[-64:]
    return texts, numbers


def _numbers(block: bytes) -> set[int]:
    """Return all numbers of eight bytes that stand in a block, at whatever place and in either order."""
    found: set[int] = set()
    for offset in range(8):
        words = array("q", block[offset : offset + (len(block) - offset) // 8 * 8])
        found.update(words)
        words.byteswap()
        found.update(words)
    return found


def _tokens(root: Path) -> dict[int, str]:
    """Return the tokens of everybody's identifiers and names under every key that exists, to whose they are.

    Of the erased nobody knows any more what they were called, so it is read from a note of this proof.
    """
    from comity.vault import keyring
    from comity.vault.models import Epoch
    from comity.vault.sealing import FieldClass

    persons = (root / "persons").read_text().split()
    made: dict[int, str] = {}
    for epoch in Epoch.objects.filter(destroyed_at=None):
        making = keyring.tokens_of(epoch.number, bytes(epoch.check_value))
        for canary in persons:
            named = {"given": f"Zq7{canary}".capitalize(), "family": f"zq7{canary}f"}
            fields: list[tuple[FieldClass, dict[str, Any]]] = [
                (FieldClass.CONTACT, {"email": f"zq7{canary}e@example.com"}), (FieldClass.NAME, named),
                (FieldClass.IDENTIFIER, {"Record ID": f"zq7{canary}i"}),
            ]  # fmt: skip
            for field_class, held in fields:
                for number in making.numbers(field_class, held):
                    made[number] = canary if made.get(number, canary) == canary else ""
    return {number: canary for number, canary in made.items() if canary}


def _opened(url: str) -> Iterator[tuple[Any, set[str]]]:
    """Open every blob of a database that any key that exists opens; give whose it is and the texts in it."""
    import psycopg
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from comity.vault import keyring
    from comity.vault.models import Epoch
    from comity.vault.sealing import BrokenSeal, FieldClass, Label, open_blob, unwrap

    wrapping = [
        keyring.epoch_key(each.number, bytes(each.check_value)).wrapping
        for each in Epoch.objects.filter(destroyed_at=None)
    ]
    with psycopg.connect(url) as postgres:
        blobs: dict[Any, list[Any]] = {}
        sealed = "SELECT person, field_class, kind, record, schema, ciphertext FROM vault_sealed"
        for person, *blob in postgres.execute(sealed).fetchall():
            blobs.setdefault(person, []).append(blob)
        for person, wrapped in postgres.execute("SELECT person, wrapped FROM vault_personkey").fetchall():
            for key in wrapping:
                try:
                    secret = AESGCM(unwrap(key, person, bytes(wrapped)))
                except (InvalidTag, ValueError, BrokenSeal):
                    continue
                texts: set[str] = set()
                for field_class, kind, record, schema, blob in blobs.get(person, ()):
                    label = Label(person, FieldClass(field_class), kind, record)
                    said = str(open_blob(secret, label, schema, bytes(blob))).lower().encode()
                    texts |= {match[1].decode() for match in CANARY.finditer(said)}
                yield person, texts


def _report(when: str, found: Found, gone: set[str], left: set[str]) -> None:
    print(when)
    erased, others = found.of(gone), found.of(left)
    for place in erased:
        print(f"  {place:58} erased {erased[place]:>6,}   others {others[place]:>6,}", flush=True)


if __name__ == "__main__":
    main()
