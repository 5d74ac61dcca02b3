"""Invented contacts in HubSpot's raw columns, as many as wanted: dirty country text, phones, free-text opt-outs."""

from __future__ import annotations

from pathlib import Path

import duckdb

WORLD = (
    # weight, spellings of the country, states, phone pattern, e-mail ending
    (16, ("Germany", "germany", "DE", "Deutschland", "GER", "Germany "), ("", "Bavaria", "Berlin"),
     "+49 30 #######", "de"),
    (9, ("France", "FR", "france", "La France"), ("",), "+33 1 ## ## ## ##", "fr"),
    (9, ("United Kingdom", "UK", "England", "Great Britain", "GB"), ("",), "+44 20 #### ####", "co.uk"),
    (5, ("Italy", "Italia", "IT"), ("",), "+39 06 #######", "it"),
    (5, ("Spain", "España", "ES"), ("",), "+34 91 ### ## ##", "es"),
    (4, ("Netherlands", "The Netherlands", "Holland", "NL"), ("",), "+31 20 ### ####", "nl"),
    (3, ("Austria", "Österreich", "AT"), ("",), "+43 1 #######", "at"),
    (3, ("Poland", "Polska"), ("",), "+48 22 ### ## ##", "pl"),
    (2, ("Ireland", "IE"), ("",), "+353 1 ### ####", "ie"),
    (2, ("Sweden", "Sverige"), ("",), "+46 8 ### ## ##", "se"),
    (2, ("Greece", "GR"), ("",), "+30 21 #### ####", "gr"),
    (22, ("United States", "USA", "US", "U.S.A.", "united states"),
     ("California", "CA", "Texas", "TX", "New York", "NY", "Florida", "Ohio", "WA", ""), "+1 (2##) 555-01##", "com"),
    (8, ("China", "中国", "PRC", "CN"), ("", "广东", "Shanghai"), "+86 138 #### ####", "cn"),
    (3, ("India", "IN"), ("",), "+91 22 #### ####", "in"),
    (2, ("Brazil", "Brasil"), ("",), "+55 11 #### ####", "com.br"),
    (2, ("Switzerland", "Schweiz", "Suisse"), ("",), "+41 44 ### ## ##", "ch"),
    (3, ("", "n/a", "Germny"), ("",), "### ### ####", "com"),
)  # fmt: skip

COLUMNS = (
    "Country/Region", "State/Region", "Phone Number", "Email", "Unsubscribed from all email", "Notes",
    "Opted in to email: newsletter", "Consent date", "Consent source", "Date of birth", "Lifecycle Stage", "Record ID",
)  # fmt: skip
"""The columns of the file; all but the last two are read by a check of marketing by e-mail."""

NOTES = (
    "", "", "", "", "called about the renewal", "met at the fair, non-stop talker", "asked for a quote",
    "prefers mornings", "please do not mail any more", "unsubscribed 3/2024", "keine Werbung mehr",
    "ne plus contacter", "不要再发", "wants a demo in May",
)  # fmt: skip


def write(path: Path, rows: int) -> None:
    """Write `rows` contacts to `path`, Parquet or CSV by its ending; the same every time."""
    kind = "(FORMAT parquet, ROW_GROUP_SIZE 250000)" if path.suffix == ".parquet" else "(FORMAT csv, HEADER)"
    with duckdb.connect() as connection:
        connection.execute("SET memory_limit = '4GB'")
        connection.execute(f"COPY ({_query(rows)}) TO '{path}' {kind}")


def _query(rows: int) -> str:
    cumulated, total = [], 0
    for weight, *_ in WORLD:
        total += weight
        cumulated.append(total)
    place = " ".join(f"WHEN w < {limit} THEN {number}" for number, limit in enumerate(cumulated))
    countries = _listed([_texts(spellings) for _, spellings, *_ in WORLD])
    states = _listed([_texts(states) for _, _, states, *_ in WORLD])
    phones = _texts([phone for *_, phone, _ in WORLD])
    endings = _texts([ending for *_, ending in WORLD])
    other = f"CASE WHEN h % 97 = 0 THEN 1 + (h // 7 % {len(WORLD)}) ELSE p END"  # some keep a number from elsewhere
    return f"""
    SELECT
      {countries}[p][1 + h % len({countries}[p])] AS "Country/Region",
      {states}[p][1 + h // 11 % len({states}[p])] AS "State/Region",
      CASE WHEN h % 5 = 0 THEN '' ELSE {_digits(f"{phones}[{other}]")} END AS "Phone Number",
      'p' || i || '@example.' || CASE WHEN h % 3 = 0 THEN {endings}[p] ELSE 'com' END AS "Email",
      CASE WHEN h % 11 = 0 THEN 'true' WHEN h % 4 = 0 THEN 'false' ELSE '' END AS "Unsubscribed from all email",
      {_texts(NOTES)}[1 + h // 13 % {len(NOTES)}]
        || CASE WHEN h % 3 = 0 THEN ' (' || i % 1000 || ')' ELSE '' END AS "Notes",
      CASE WHEN h % 2 = 0 THEN 'Opted in' WHEN h % 7 = 0 THEN 'Opted out' ELSE '' END
        AS "Opted in to email: newsletter",
      CASE WHEN h % 2 = 0 AND h % 5 > 0 THEN strftime(DATE '2019-01-01' + (h // 17 % 2800)::INT, '%Y-%m-%d') ELSE '' END
        AS "Consent date",
      CASE WHEN h % 2 = 0 AND h % 3 > 0 THEN 'web form' ELSE '' END AS "Consent source",
      CASE h // 19 % 4 WHEN 0 THEN strftime(d, '%Y-%m-%d') WHEN 1 THEN strftime(d, '%d.%m.%Y')
        WHEN 2 THEN strftime(d, '%Y') ELSE '' END AS "Date of birth",
      CASE WHEN h % 3 = 0 THEN 'customer' ELSE 'lead' END AS "Lifecycle Stage",
      i AS "Record ID"
    FROM (SELECT i, h, DATE '1945-01-01' + (h // 23 % 25000)::INT AS d, 1 + CASE {place} END AS p
      FROM (SELECT i, h, h // 3 % {total} AS w FROM (SELECT i, (hash(i) >> 4)::BIGINT AS h FROM range({rows}) AS r(i))))
    """


def _digits(pattern: str) -> str:
    """Return SQL that puts digits in the place of the #: nearly every number is another."""
    digits = "lpad((h // 29 % 100000000)::VARCHAR, 8, '0')"
    marks = ["", *(f"substr({digits}, {n}, 2)" for n in (1, 3, 5, 7))]
    filled = pattern
    for pair in marks[1:]:
        filled = f"regexp_replace({filled}, '##', {pair})"
    return f"replace({filled}, '#', substr({digits}, 2, 1))"


def _texts(words: object) -> str:
    return "[" + ", ".join("'" + str(word).replace("'", "''") + "'" for word in words) + "]"  # type: ignore[attr-defined]


def _listed(lists: list[str]) -> str:
    return "[" + ", ".join(lists) + "]"
