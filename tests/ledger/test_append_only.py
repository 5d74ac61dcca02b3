from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from comity.ledger.append_only import APPLICATION_ROLE
from comity.ledger.notes import SigningKey
from tests.ledger.book import a_ledger, found, number, one, told, write

pytestmark = pytest.mark.django_db(transaction=True)

FORBIDDEN = [
    "UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 2",
    "UPDATE ledger_entry SET kind = 'book.other' WHERE leaf_index = 2",
    "UPDATE ledger_entry SET persons = '{}' WHERE leaf_index = 2",
    "UPDATE ledger_entry SET leaf_index = 9 WHERE leaf_index = 2",
    "UPDATE ledger_entry SET leaf_index = NULL WHERE leaf_index = 2",
    "UPDATE ledger_entry SET body = 'x' WHERE leaf_index IS NULL",
    "UPDATE ledger_entry SET body = 'x', leaf_index = 3 WHERE leaf_index IS NULL",
    "UPDATE ledger_entry SET recorded_at = recorded_at - interval '1 day', leaf_index = 3 WHERE leaf_index IS NULL",
    "DELETE FROM ledger_entry WHERE leaf_index = 2",
    "DELETE FROM ledger_entry WHERE leaf_index IS NULL",
    "INSERT INTO ledger_entry SELECT gen_random_uuid(), now(), kind, staff, persons, body, 3 FROM ledger_entry LIMIT 1",
    "UPDATE ledger_tile SET hashes = sha256('x')",
    "UPDATE ledger_tile SET hashes = hashes",
    "UPDATE ledger_tile SET hashes = sha256('x') || sha256('x') || sha256('x') || sha256('x')",
    "UPDATE ledger_tile SET hashes = hashes || 'x'",
    "UPDATE ledger_tile SET level = 1",
    "DELETE FROM ledger_tile",
    "UPDATE ledger_checkpoint SET note = 'x'",
    "DELETE FROM ledger_checkpoint",
    "INSERT INTO ledger_cosignature VALUES ('witness.example/one', 'x', 3); UPDATE ledger_cosignature SET line = 'y'",
    "INSERT INTO ledger_cosignature VALUES ('witness.example/one', 'x', 3); DELETE FROM ledger_cosignature",
]


WHO = {
    "the application": [f"SET LOCAL ROLE {APPLICATION_ROLE}"],
    "the application, granted everything": [
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {APPLICATION_ROLE}",
        f"SET LOCAL ROLE {APPLICATION_ROLE}",
    ],
    "the owner": [],
}


def attempted(*statements: str) -> str:
    """Say what PostgreSQL answers; nothing of it stays."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            transaction.set_rollback(True)
    except (IntegrityError, ProgrammingError) as refused:  # other errors would be of the test
        return str(refused)
    return "done"


@pytest.mark.parametrize("who", WHO)
def test_postgresql_refuses_to_change_what_was_recorded(key: SigningKey, who: str) -> None:
    a_ledger(key, [3])
    write(1)
    told_so = {statement: attempted(*WHO[who], statement) for statement in FORBIDDEN}
    refusals = ("append-only", "permission denied", "ledger_tile_size")
    assert {statement: said for statement, said in told_so.items() if not any(word in said for word in refusals)} == {}
    number(key)
    assert told(found(key)) == []


def test_the_application_may_not_empty_the_tables(key: SigningKey) -> None:
    a_ledger(key, [3])
    assert "permission denied" in attempted(*WHO["the application"], "TRUNCATE ledger_entry CASCADE")
    assert "append-only" in attempted(*WHO["the application, granted everything"], "TRUNCATE ledger_entry CASCADE")


ELSEWHERE = "api_delivery, api_webhook, book_organisation, book_person"
"""What the trigger that tells webhooks reads and writes: of a book's own database the role has it (server/roles.py)."""


def test_the_application_role_is_enough_to_record_number_and_verify(key: SigningKey) -> None:
    options = connection.settings_dict["OPTIONS"]
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT SELECT, INSERT ON {ELSEWHERE} TO {APPLICATION_ROLE}")
    connection.close()
    options["assume_role"] = APPLICATION_ROLE
    try:
        a_ledger(key, [3, 300])
        assert one("SELECT current_user") == APPLICATION_ROLE
        assert told(found(key)) == []
    finally:
        del options["assume_role"]
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(f"REVOKE SELECT, INSERT ON {ELSEWHERE} FROM {APPLICATION_ROLE}")
