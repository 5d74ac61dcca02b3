from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from comity.server.postgres import PrivatePostgres
from comity.server.roles import APP, LOGIN, OWNER, prepare_roles, roles_sql

BARRED = psycopg.errors.InsufficientPrivilege


@pytest.fixture(scope="module")
def table(running: PrivatePostgres) -> Iterator[str]:
    """Give the name of a table made by the owner, as a migration makes it, with one row that a policy hides."""
    with psycopg.connect(running.url_for_owner) as postgres:
        postgres.execute("CREATE TABLE deeds (id bigserial PRIMARY KEY, hidden boolean NOT NULL)")
        postgres.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        postgres.execute("ALTER TABLE deeds ENABLE ROW LEVEL SECURITY")
        postgres.execute("CREATE POLICY open_alone ON deeds USING (NOT hidden)")
        postgres.execute("INSERT INTO deeds (hidden) VALUES (true)")
    yield "deeds"
    with psycopg.connect(running.url_for_owner) as postgres:
        postgres.execute("DROP TABLE deeds")
        postgres.execute("DROP FUNCTION one")


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as postgres:
        return postgres.execute(query.encode()).fetchall()


def test_the_application_reads_and_writes_what_the_owner_made(running: PrivatePostgres, table: str) -> None:
    url = running.url_for_app
    [(number, one)] = rows(url, f"INSERT INTO {table} (hidden) VALUES (false) RETURNING id, one()")
    assert one == 1
    assert rows(url, f"UPDATE {table} SET hidden = false WHERE id = {number} RETURNING id") == [(number,)]
    assert rows(url, f"DELETE FROM {table} WHERE id = {number} RETURNING id") == [(number,)]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE deeds DISABLE ROW LEVEL SECURITY",
        "DROP TABLE deeds",
        "TRUNCATE deeds",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SET ROLE comity_owner",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY deeds TO PROGRAM 'true'",
    ],
)
def test_the_application_owns_nothing_and_cannot_change_that(
    running: PrivatePostgres, table: str, statement: str
) -> None:
    del table
    with psycopg.connect(running.url_for_app, autocommit=True) as postgres, pytest.raises(BARRED):
        postgres.execute(statement.encode())


def test_what_the_application_makes_for_a_session_ends_with_it(running: PrivatePostgres) -> None:
    with psycopg.connect(running.url_for_app, autocommit=True) as postgres:
        postgres.execute("CREATE TEMPORARY TABLE mine (id int)")
        assert not rows(running.url_for_app, "SELECT FROM pg_class WHERE relname = 'mine' AND relpersistence <> 't'")
    with psycopg.connect(running.url_for_app) as postgres, pytest.raises(psycopg.errors.UndefinedTable):
        postgres.execute("SELECT FROM mine")


def test_a_policy_binds_the_application_even_where_it_resets_its_role(running: PrivatePostgres, table: str) -> None:
    for before in ("", "RESET ROLE;", "SET ROLE comity_login;", "SET row_security = off; RESET row_security;"):
        with psycopg.connect(running.url_for_app) as postgres:
            postgres.execute(before.encode() or b"SELECT 1")
            assert postgres.execute(f"SELECT FROM {table} WHERE hidden".encode()).rowcount == 0
    assert rows(running.url_for_owner, f"SELECT count(*) FROM {table} WHERE hidden") == [(1,)]


def test_the_roles_are_no_more_than_they_should_be(running: PrivatePostgres) -> None:
    found = rows(
        running.url_for_superuser,
        "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication "
        "FROM pg_roles WHERE rolname LIKE 'comity%' ORDER BY rolname",
    )
    assert found == [(APP, False, False), (LOGIN, True, False), (OWNER, True, False)]
    owned = "SELECT count(*) FROM pg_shdepend WHERE deptype = 'o' AND refobjid::regrole::text ~ 'comity_(app|login)'"
    assert rows(running.url_for_superuser, owned) == [(0,)]


def test_a_stranger_may_nothing(running: PrivatePostgres, table: str) -> None:
    rights = (
        "has_database_privilege('stranger', 'comity', 'CONNECT, TEMPORARY')",
        "has_schema_privilege('stranger', 'public', 'USAGE, CREATE')",
        f"has_table_privilege('stranger', '{table}', 'SELECT, INSERT, UPDATE, DELETE')",
        f"has_sequence_privilege('stranger', '{table}_id_seq', 'USAGE, SELECT')",
        "has_function_privilege('stranger', 'one()', 'EXECUTE')",
    )
    with psycopg.connect(running.url_for_superuser, dbname="comity") as postgres:
        postgres.execute("CREATE ROLE stranger")
        assert postgres.execute(f"SELECT {', '.join(rights)}".encode()).fetchone() == (False,) * len(rights)
        postgres.rollback()


def test_preparing_again_changes_nothing_that_a_migration_took_back(running: PrivatePostgres, table: str) -> None:
    with psycopg.connect(running.url_for_owner) as postgres:
        postgres.execute(f"REVOKE DELETE ON {table} FROM {APP}".encode())
    prepare_roles(running.url_for_superuser)
    with psycopg.connect(running.url_for_app) as postgres, pytest.raises(BARRED):
        postgres.execute(f"DELETE FROM {table}".encode())
    with psycopg.connect(running.url_for_owner) as postgres:
        postgres.execute(f"GRANT DELETE ON {table} TO {APP}".encode())


def test_a_role_that_may_too_much_is_refused(running: PrivatePostgres) -> None:
    with psycopg.connect(running.url_for_superuser, autocommit=True) as postgres:
        postgres.execute("ALTER ROLE comity_login BYPASSRLS")
        try:
            with pytest.raises(psycopg.errors.RaiseException, match="comity_login may do more"):
                prepare_roles(running.url_for_superuser)
        finally:
            postgres.execute("ALTER ROLE comity_login NOBYPASSRLS")


def test_the_printed_sql_does_in_psql_what_the_function_does(running: PrivatePostgres, tmp_path: Path) -> None:
    name = 'by "script" {of} ours'
    script = tmp_path / "roles.sql"
    script.write_text("".join(line for line in roles_sql(name).splitlines(keepends=True) if "\\password" not in line))
    for _ in range(2):
        subprocess.run(["psql", "-X", "-q", "-f", script, running.url_for_superuser], check=True, capture_output=True)
    described = (
        "SELECT datdba::regrole::text, datacl::text, (SELECT array_agg(defaclacl::text ORDER BY defaclobjtype) "
        "FROM pg_default_acl), (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public') "
        "FROM pg_database WHERE datname = current_database()"
    )
    with psycopg.connect(running.url_for_superuser, dbname=name) as by_script:
        found = by_script.execute(described.encode()).fetchone()
    with psycopg.connect(running.url_for_superuser, dbname="comity") as by_function:
        assert found == by_function.execute(described.encode()).fetchone()
    with psycopg.connect(running.url_for_superuser, autocommit=True) as postgres:
        postgres.execute(b'DROP DATABASE "by ""script"" {of} ours"')


def test_whoever_may_make_roles_and_databases_can_prepare_without_being_superuser(tmp_path: Path) -> None:
    postgres = PrivatePostgres(tmp_path / "comity", durable=False)
    with postgres:
        with psycopg.connect(postgres.url_for_superuser, autocommit=True) as superuser:
            superuser.execute("DROP DATABASE comity")
            for role in (LOGIN, APP, OWNER):
                superuser.execute(f"DROP ROLE {role}".encode())
            superuser.execute("CREATE ROLE keeper CREATEROLE CREATEDB LOGIN PASSWORD 'of keeper'")
        with postgres.premises.admission.open("a") as admission:
            admission.write("local all keeper scram-sha-256\n")
        with psycopg.connect(postgres.url_for_superuser) as superuser:
            superuser.execute("SELECT pg_reload_conf()")
        where = postgres.url_for_superuser.partition("@")[2]
        prepare_roles(f"postgresql://keeper:of%20keeper@{where}", passwords={LOGIN: "of login", OWNER: "of owner"})
        for role, words, current in ((LOGIN, "of%20login", APP), (OWNER, "of%20owner", OWNER)):
            url = f"postgresql://{role}:{words}@{where.replace('/postgres?', '/comity?')}"
            assert rows(url, "SELECT current_user::text") == [(current,)]
    postgres.remove()
