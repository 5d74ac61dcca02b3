"""What a law is asked about a person, in one narrow row an entity, so that a million of them are counted in a second.

A person's facts lie in three tables here, and to join these for a million people takes longer than to ask the law. So
PostgreSQL keeps a copy side by side: its own triggers write it, in the transaction of whatever changed, and nobody else
does.

INVARIANT: a row stands for each person of the book (but those merged into somebody else) and each entity of theirs, and
says what their own rows say. Two transactions that change one person at once take these rows one after the other before
they look, so the later one sees what the earlier one did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from comity.book.models import Reach
from comity.refs import as_array
from comity.staff.once import rows_of

PERSON: Final = (
    "home", "language", "birth_year", "birth_month", "capacity", "subscriber", "objected_at", "opt_out_signal_at",
    "restricted_at", "deceased_at", "protected_office",
)  # fmt: skip
"""What is copied of the person."""
RELATION: Final = (
    "customer_since", "contract_running", "address_from_sale", "refusal_offered", "last_purchase_on",
    "last_inquiry_on", "last_mailed_on", "source", "opt_outs_known",
)  # fmt: skip
"""What is copied of the relation with the entity; all NULL where there is none."""


class Known(models.Model):
    """A person as one entity knows them: a copy, kept by PostgreSQL's triggers alone (migration 0009)."""

    pk = models.CompositePrimaryKey("person", "entity")
    person = models.UUIDField()
    entity = models.UUIDField()
    home = models.CharField(max_length=120)
    language = models.CharField(max_length=20)
    birth_year = models.SmallIntegerField(null=True)
    birth_month = models.SmallIntegerField(null=True)
    capacity = models.CharField(max_length=10)
    subscriber = models.CharField(max_length=10)
    objected_at = models.DateTimeField(null=True)
    opt_out_signal_at = models.DateTimeField(null=True)
    restricted_at = models.DateTimeField(null=True)
    deceased_at = models.DateTimeField(null=True)
    protected_office = models.BooleanField(null=True)
    relation = models.UUIDField(null=True)
    customer_since = models.DateField(null=True)
    contract_running = models.BooleanField(null=True)
    address_from_sale = models.BooleanField(null=True)
    refusal_offered = models.BooleanField(null=True)
    last_purchase_on = models.DateField(null=True)
    last_inquiry_on = models.DateField(null=True)
    last_mailed_on = models.DateField(null=True)
    source = models.CharField(max_length=12, null=True)  # noqa: DJ001 - NULL where there is no relation
    opt_outs_known = ArrayField(models.CharField(max_length=20), null=True)
    email_impersonal = models.BooleanField(null=True)
    email_mobile = models.BooleanField(null=True)
    phone_impersonal = models.BooleanField(null=True)
    phone_mobile = models.BooleanField(null=True)
    messenger_impersonal = models.BooleanField(null=True)
    messenger_mobile = models.BooleanField(null=True)
    post_impersonal = models.BooleanField(null=True)
    post_mobile = models.BooleanField(null=True)

    def __str__(self) -> str:
        return str(self.person)


# ---------------------------------------------------------------- how it is kept


def _points(reach: str) -> str:
    """Return what the first contact points of a kind say: of several, what they agree on (see `facts.POINT`)."""
    of = f"FILTER (WHERE reach = '{reach}')"
    return (
        f"bool_and(impersonal) {of} AS {reach}_impersonal, "
        f"CASE WHEN count(mobile) {of} = count(*) {of} AND bool_and(mobile) {of} = bool_or(mobile) {of} "
        f"THEN bool_and(mobile) {of} END AS {reach}_mobile"
    )


POINTS: Final = tuple(f"{reach.value}_{what}" for reach in Reach for what in ("impersonal", "mobile"))
COLUMNS: Final = (*PERSON, "relation", *RELATION, *POINTS)
FRESH: Final = f"""
    SELECT person.ref, of.entity, {", ".join(f"person.{name}" for name in PERSON)},
           relation.ref, {", ".join(f"relation.{name}" for name in RELATION)},
           {", ".join(f"point.{name}" for name in POINTS)}
    FROM book_person AS person
    CROSS JOIN LATERAL (SELECT DISTINCT unnest(person.entities)) AS of(entity)
    LEFT JOIN LATERAL (
        SELECT * FROM book_relation WHERE person_id = person.ref OFFSET 0
    ) AS relation ON relation.entity_id = of.entity
    LEFT JOIN LATERAL (
        SELECT {", ".join(_points(reach.value) for reach in Reach)}
        FROM book_contactpoint WHERE person_id = person.ref AND first
    ) AS point ON true
    WHERE person.merged_into_id IS NULL
"""  # noqa: S608 - our own words
"""What the rows should say."""
WRITE: Final = f"INSERT INTO book_known (person, entity, {', '.join(COLUMNS)}) {FRESH}"

FUNCTIONS: Final = f"""
    CREATE FUNCTION book_know(persons uuid[]) RETURNS void
        LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
    DECLARE
        outside text := coalesce(current_setting('comity.entities', true), '');
    BEGIN
        PERFORM set_config('comity.entities', (SELECT string_agg(ref::text, ',') FROM staff_entity), true);
        PERFORM 1 FROM book_known WHERE person = ANY (persons) ORDER BY person, entity FOR UPDATE;
        DELETE FROM book_known AS known WHERE known.person = ANY (persons) AND NOT EXISTS (
            SELECT 1 FROM book_person AS there
            WHERE there.ref = known.person AND there.merged_into_id IS NULL AND known.entity = ANY (there.entities)
        );
        {WRITE} AND person.ref = ANY (persons)
        ON CONFLICT (person, entity) DO UPDATE SET
            ({", ".join(COLUMNS)}) = ({", ".join(f"excluded.{name}" for name in COLUMNS)})
        WHERE ({", ".join(f"book_known.{name}" for name in COLUMNS)})
              IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in COLUMNS)});
        PERFORM set_config('comity.entities', outside, true);
    END $$
"""  # noqa: S608 - our own words
"""The wall is opened within for all entities, and closed again at its end: who changes a person may not see everybody
whom that concerns, and a copy that is hidden from them must not grow old. It is planned anew each time: a plan that was
made when the book was small looks at everybody for each."""

TABLES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "book_person": ("ref", ("merged_into_id", "entities", *PERSON)),
    "book_relation": ("person_id", ("entity_id", *RELATION)),
    "book_contactpoint": ("person_id", ("reach", "first", "mobile", "impersonal")),
}
"""What the copy is made of: where a table names the person, and the columns of which a change counts."""
ADDED: Final = """
    CREATE FUNCTION {table}_known() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF current_setting('comity.copied_later', true) = 'on' THEN
            RETURN NULL;
        END IF;
        PERFORM book_know(array_agg(DISTINCT {person})) FROM changed HAVING count(*) > 0;
        RETURN NULL;
    END $$;
    CREATE TRIGGER {table}_known_added AFTER INSERT ON {table} REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_known();
    CREATE TRIGGER {table}_known_gone AFTER DELETE ON {table} REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_known()
"""
CHANGED: Final = """
    CREATE FUNCTION {table}_known_anew() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM book_know(array_agg(DISTINCT each))
        FROM changed AS now JOIN before USING (ref), unnest(ARRAY[now.{person}, before.{person}]) AS each
        WHERE ({now}) IS DISTINCT FROM ({before}) HAVING count(*) > 0;
        RETURN NULL;
    END $$;
    CREATE TRIGGER {table}_known_changed AFTER UPDATE ON {table}
        REFERENCING OLD TABLE AS before NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION {table}_known_anew()
"""


def _of(table: str, statement: str) -> str:
    """Return a statement for one of the tables."""
    person, columns = TABLES[table]
    counted = dict.fromkeys((person, *columns))
    now, before = (", ".join(f"{row}.{name}" for name in counted) for row in ("now", "before"))
    return statement.format(table=table, person=person, now=now, before=before)


KEPT: Final = (FUNCTIONS, *(_of(table, statement) for table in TABLES for statement in (ADDED, CHANGED)))
"""All that makes PostgreSQL keep the copy."""
FORGOTTEN: Final = (
    *(f"DROP FUNCTION {table}_known() CASCADE; DROP FUNCTION {table}_known_anew() CASCADE" for table in TABLES),
    "DROP FUNCTION book_know(uuid[])",
)


@contextmanager
def copied_at_once(persons: Sequence[UUID]) -> Iterator[None]:
    """Within, let rows of these persons be added without a look at the copy for each table: it is taken at the end."""
    rows_of("SELECT set_config('comity.copied_later', 'on', true)", [])
    yield
    rows_of("SELECT set_config('comity.copied_later', '', true), book_know(%s::uuid[])", [as_array(persons)])
