"""Make a database and a folder ready for use: tables, the first keys, for the demo its book. Ready ones are left alone.

Run as a program by `comity demo`, `comity serve` and `comity setup`, which know where the database is:

    python -m comity.web.preparing tables      as the owner of the tables
    python -m comity.web.preparing book        as the application; with --demo, fills an empty book
    python -m comity.web.preparing administrator, replay, lacking
"""

from __future__ import annotations

import json
import os
import sys

import django


def pending() -> list[str]:
    """Return the migrations that the database lacks."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return [f"{each.app_label}.{each.name}" for each, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def lacking() -> dict[str, object]:
    """Return the migrations that the database lacks, and where each key must lie that the database names."""
    from django.conf import settings

    from comity.consent.suppression.keys import key_files
    from comity.ledger.keys import LEDGER
    from comity.vault.epochs import key_file
    from comity.vault.models import Epoch

    if migrations := pending():
        return {"migrations": migrations, "keys": {}, "journal": None}
    standing = Epoch.objects.filter(destroyed_at=None)
    epochs = {
        f"epoch {each.number}": key_file(settings.FOLDER, each.number, bytes(each.check_value)) for each in standing
    }
    keys = {"ledger": settings.FOLDER / LEDGER, **epochs, **dict(key_files())}
    return {"migrations": [], "keys": {name: str(path) for name, path in keys.items()}, "journal": journal()}


def journal() -> dict[str, object]:
    """Return how the journal and this database stand to each other."""
    from dataclasses import asdict

    from comity.ledger.journal.keeping import how_it_stands, journal_folder

    return {"folder": str(journal_folder()), **asdict(how_it_stands())}


def replay() -> None:
    """Bring in what the journal knows and this database does not; where that cannot be, say why, and send nothing."""
    from comity.ledger.journal.lines import JournalTrouble
    from comity.ledger.journal.replaying import in_words
    from comity.ledger.journal.replaying import replay as bring_in

    try:
        sys.stdout.write(f"{in_words(bring_in())}\n")
    except JournalTrouble as error:
        sys.stdout.write(f"Nothing is sent until this is mended: {error}\n")


def prepare_tables() -> None:
    """Bring the tables to what this version wants."""
    from django.core.management import call_command

    if pending():
        call_command("migrate", verbosity=0, interactive=False)


def prepare_book(*, demo: bool) -> None:
    """Make the first keys, if there are none, gather what browsers fetch, and fill the demo's book, if it is empty."""
    from django.conf import settings

    from comity.desk import demo as filling
    from comity.ledger.keys import LEDGER, make_key, new_name
    from comity.ledger.models import Checkpoint
    from comity.vault.models import Epoch
    from comity.vault.rotation import begin_first_epoch
    from comity.web.statics import gather

    if not (settings.FOLDER / LEDGER).exists() and not Checkpoint.objects.exists():
        make_key(settings.FOLDER / LEDGER, new_name())
    if not Epoch.objects.exists():
        begin_first_epoch(staff=None)
    gather()
    if demo and not filling.is_filled():
        sys.stdout.write(f"Filled the demo's book with {filling.fill():,} people who do not exist.\n")


def make_administrator(told: str) -> None:
    """Make the first administrator, as `comity setup` tells in JSON: name, email, password."""
    from django.core.exceptions import ValidationError

    from comity.staff.actions import set_up_first

    try:
        set_up_first(**json.loads(told))
    except ValidationError as error:
        sys.exit(" ".join(error.messages))


def main(words: list[str]) -> None:
    """Do what is asked, in this order; where the database does not answer, say so in one line."""
    from django.db import OperationalError

    try:
        if "tables" in words:
            prepare_tables()
        if "book" in words:
            prepare_book(demo="--demo" in words)
        if "administrator" in words:
            make_administrator(sys.stdin.read())
        if "replay" in words:
            replay()
        if "lacking" in words:
            json.dump(lacking(), sys.stdout)
    except OperationalError as error:
        sys.exit(f"The database does not answer, or not in time: {error}")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.web.settings")
    django.setup()
    main(sys.argv[1:])
