"""The three roles of the database: one owns the tables, one works with them and owns nothing, one logs in to do so."""

from __future__ import annotations

import os
from collections.abc import Mapping

import psycopg
from psycopg import sql

OWNER = "comity_owner"
LOGIN = "comity_login"
APP = "comity_app"
DATABASE = "comity"

WEAK = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
DEFAULTS = "ALTER DEFAULT PRIVILEGES FOR ROLE comity_owner"

ROLES = (
    *(
        f"""DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role} {may} {WEAK};
  END IF;
END $$"""
        for role, may in ((OWNER, "LOGIN"), (APP, "NOLOGIN"), (LOGIN, "LOGIN"))
    ),
    """DO $$
DECLARE strong text;
BEGIN
  SELECT string_agg(rolname, ', ' ORDER BY rolname) INTO strong FROM pg_roles
    WHERE rolname IN ('comity_owner', 'comity_app', 'comity_login')
      AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication);
  IF strong IS NOT NULL THEN
    RAISE EXCEPTION 'role % may do more than a role of Comity should', strong
      USING HINT = 'ALTER ROLE … NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';
  END IF;
END $$""",
    f"GRANT {APP} TO {LOGIN}",
    f"""DO $$ BEGIN
  IF NOT pg_has_role(current_user, '{OWNER}', 'MEMBER') THEN
    EXECUTE format('GRANT {OWNER} TO %I', current_user);
  END IF;
END $$""",
)
"""In any database of the server. A superuser is a member of every role; whoever else prepares must become one."""

NEW = "CREATE DATABASE {database} OWNER comity_owner TEMPLATE template0 ENCODING 'UTF8'"

RIGHTS = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    f"GRANT CONNECT ON DATABASE {{database}} TO {LOGIN}",
    # For decisions about very many people: tables that one session alone sees, and that end with its transaction.
    f"GRANT TEMPORARY ON DATABASE {{database}} TO {APP}",
    # Whichever program logs in, and whether or not it thinks of it, works as comity_app.
    f"ALTER ROLE {LOGIN} IN DATABASE {{database}} SET role = '{APP}'",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}",
    f"GRANT USAGE ON SCHEMA public TO {APP}",
    f"{DEFAULTS} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APP}",
    f"{DEFAULTS} GRANT USAGE, SELECT ON SEQUENCES TO {APP}",
    f"{DEFAULTS} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    f"{DEFAULTS} GRANT EXECUTE ON FUNCTIONS TO {APP}",
    f"{DEFAULTS} REVOKE USAGE ON TYPES FROM PUBLIC",
    f"{DEFAULTS} GRANT USAGE ON TYPES TO {APP}",
)
"""In the database. What the owner makes from then on, the application may read and write; a migration may take back."""


def roles_sql(database: str = DATABASE) -> str:
    """Return what `prepare_roles` does, as a script for psql, which may run it again. Passwords psql asks for."""
    name = sql.Identifier(database).as_string()
    literal = sql.Literal(database).as_string()
    new = sql.Literal(NEW.format(database=name)).as_string()
    lines = [
        "\\set ON_ERROR_STOP on",
        *(f"{statement};" for statement in ROLES),
        f"SELECT {new} WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {literal}) \\gexec",  # noqa: S608 - it is quoted
        f"\\connect {name}",
        *(f"{statement.format(database=name)};" for statement in RIGHTS),
        f"\\password {OWNER}",
        f"\\password {LOGIN}",
    ]
    return "\n".join(lines) + "\n"


def prepare_roles(superuser_url: str, database: str = DATABASE, *, passwords: Mapping[str, str] | None = None) -> None:
    """Make roles, database and rights on any PostgreSQL from 15 on; what is there already stays.

    `passwords` are set for the roles that they name. They leave this process as SCRAM verifiers: no log of the server
    has them.
    """
    name = sql.Identifier(database)
    with psycopg.connect(superuser_url, autocommit=True) as postgres:
        with postgres.transaction():
            for statement in ROLES:
                postgres.execute(statement.encode())
            for role, password in (passwords or {}).items():
                _set_password(postgres, role, password)
        if not postgres.execute("SELECT FROM pg_database WHERE datname = %s", [database]).rowcount:
            postgres.execute(NEW.format(database=name.as_string()).encode())
    with psycopg.connect(superuser_url, dbname=database) as postgres:
        for statement in RIGHTS:
            postgres.execute(statement.format(database=name.as_string()).encode())


def _set_password(postgres: psycopg.Connection, role: str, password: str) -> None:
    verifier = postgres.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    change = sql.SQL("ALTER ROLE {} PASSWORD {}")
    postgres.execute(change.format(sql.Identifier(role), sql.Literal(verifier.decode())))


def main() -> None:
    """Prepare the database `comity`, as the environment tells: DBA_URL, OWNER_PASSWORD, LOGIN_PASSWORD."""
    given = os.environ
    prepare_roles(given["DBA_URL"], passwords={OWNER: given["OWNER_PASSWORD"], LOGIN: given["LOGIN_PASSWORD"]})


if __name__ == "__main__":
    main()
