"""Keys of this room: outside the database, made once, known again, and nothing goes without the right one."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction

from comity.book.models import Reach
from comity.consent.suppression import keys
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import KeptKey
from comity.vault.epochs import KeyMissing, KeyTooOpen, WrongKey

pytestmark = pytest.mark.django_db
GRETA = "greta@kettle.example"


@pytest.fixture(autouse=True)
def fresh(folder: Path) -> None:
    """Give each test a folder without keys, and a process that holds none."""
    del folder
    keys.forget()


def file_of() -> Path:
    ((_, path),) = keys.key_files()
    return path


def test_the_key_is_made_when_it_is_first_needed_and_lies_where_only_we_may_read() -> None:
    keys.suppression_key()
    assert file_of().stat().st_mode & 0o777 == 0o600
    assert KeptKey.objects.get().check_value != bytes.fromhex(file_of().read_text())


def test_a_key_that_is_gone_stops_everything_and_no_other_is_made() -> None:
    keys.suppression_key()
    file_of().rename(file_of().with_suffix(".away"))
    keys.forget()
    with pytest.raises(KeyMissing, match=r"suppression-1-.* is missing.*Put it back"):
        mark_of(Reach.EMAIL, GRETA)
    assert KeptKey.objects.count() == 1


def test_another_key_in_its_place_is_refused() -> None:
    keys.suppression_key()
    file_of().write_text("ab" * 32)
    keys.forget()
    with pytest.raises(WrongKey, match="not the key that this database was used with"):
        mark_of(Reach.EMAIL, GRETA)


@pytest.mark.parametrize("text", ["", "not hexadecimal", "ab" * 31])
def test_a_file_without_a_key_is_refused(text: str) -> None:
    keys.suppression_key()
    file_of().write_text(text)
    keys.forget()
    with pytest.raises(WrongKey, match="64 hexadecimal digits"):
        mark_of(Reach.EMAIL, GRETA)


def test_a_key_that_others_can_read_is_refused() -> None:
    keys.suppression_key()
    file_of().chmod(0o640)
    keys.forget()
    with pytest.raises(KeyTooOpen, match="chmod 600"):
        mark_of(Reach.EMAIL, GRETA)


def test_a_database_from_before_the_key_takes_the_file_that_is_there() -> None:
    """A backup from before the first refusal has no row of the key; the file knows every refusal of the journal."""
    before = mark_of(Reach.EMAIL, GRETA)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE consent_keptkey")
    keys.forget()
    assert mark_of(Reach.EMAIL, GRETA) == before


def test_two_files_of_which_the_database_knows_none_are_a_question(folder: Path) -> None:
    (folder / "keys").mkdir(mode=0o700)
    for name in ("suppression-1-00000000.key", "suppression-1-11111111.key"):
        (folder / "keys" / name).write_text("ab" * 32)
    with pytest.raises(WrongKey, match="leave the one that it was used with"):
        keys.suppression_key()


def test_the_key_of_addresses_is_never_a_second_one() -> None:
    keys.suppression_key()
    with pytest.raises(DatabaseError), transaction.atomic():
        KeptKey.objects.create(serves="suppression", number=2, check_value=b"x")
    with pytest.raises(DatabaseError), transaction.atomic():
        KeptKey.objects.update(check_value=b"x")


def test_links_may_turn_to_a_new_key_and_the_old_one_stays() -> None:
    first = keys.link_key()
    assert keys.turn_link_key() == 2
    assert keys.link_key().number == 2
    assert keys.link_key_of(1) == first
    assert keys.link_key_of(3) is None
