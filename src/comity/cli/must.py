"""`comity must` and `comity clock`: what an event makes us owe, and by which day."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from comity.cli import Refused
from comity.cli.lines import wrapped
from comity.cli.may import DAY, plain_errors, read_facts, the_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from comity.law import Lawbook, Owed
    from comity.law.clocks import Almanac, Due
    from comity.law.owed import Longer
    from comity.law.severity import Severity

SCHEMA = "comity.duties/1"
"""The version of the JSON form."""

MANY = 3  # missing facts that fit into a line; of more, the first are named


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--set", "given", multiple=True, metavar="FACT=VALUE", help="One fact; may be given many times.")
@click.option(
    "--day", type=DAY, help="The day of the law that is asked; the event's own if not given, for records today."
)
@click.option("--known-at", type=DAY, help="The law as it was known on this day: what was announced later is left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the duties as JSON.")
def must(
    file: Path | None, given: tuple[str, ...], day: datetime | None, known_at: datetime | None, *, as_json: bool
) -> None:
    """Say what an event makes us owe: FILE is a TOML file of facts about it, --set adds to it or stands alone.

    \b
    comity must --set event.kind=request-received --set event.request=access --set event.on=2026-09-03 \\
                --set person.home=IE --set org.place=IE
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity import law
    from comity.law.duties import settled, severity

    facts = read_facts(file, given)
    with plain_errors(facts):
        book = law.lawbook()
        read = settled(book.vocabulary.read(facts))
        known = book if known_at is None else law.as_known(book, the_day(known_at, "--known-at"))
        ended = read["event.kind"] == "purpose-ended"  # what is kept today is judged by the law of today
        asked = the_day(day) if day is not None or ended else cast("date", read["event.on"])
        owed = law.must(known, facts, day=asked)
        rating = severity(read)
    about = {"kind": read["event.kind"], "on": read["event.on"], "law_of": asked}
    about["known_at"] = known_at and known_at.date()
    if as_json:
        told = {name: value.isoformat() if isinstance(value, date) else value for name, value in about.items()}
        duties = [as_table(item) for item in owed]
        answer = {"schema": SCHEMA, "event": told, "severity": rating and _rated(rating), "duties": duties}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    click.echo("\n".join(_page(owed, rating, known, about)))


def as_table(item: Owed) -> dict[str, Any]:
    """Return a duty as JSON has it."""
    due = item.due
    return {
        "rule": item.rule, "law": item.law, "state": item.state, "certain": item.certain, "says": item.says,
        "cite": item.cite, "url": item.url, "confirmed": item.confirmed, "act": item.act, "to": item.to,
        "body": item.body, "what": item.what, "contents": list(item.contents), "at_once": item.at_once,
        "due": due.day.isoformat() if due else None, "at": due.at.isoformat() if due and due.at else None,
        "later": due.later.isoformat() if due and due.later else None, "steps": list(due.steps) if due else [],
        "earliest": _iso(item.earliest), "opens": _iso(item.opens), "missing": list(item.missing),
        "places": list(item.places), "notes": list(item.notes), "kept_until": _iso(item.kept_until),
        "kept_by": item.kept_by,
        "longer": [
            {"says": one.says, "cite": one.cite, "to": one.to.isoformat(), "tell_by": one.tell_by.isoformat(),
             "contents": list(one.contents), "counted": one.counted}
            for one in item.longer
        ],
    }  # fmt: skip


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _rated(rating: Severity) -> dict[str, Any]:
    return {"severity": rating.score, "band": rating.band, "steps": list(rating.steps), "cite": rating.cite}


# ---------------------------------------------------------------- for a reader


def _page(owed: Sequence[Owed], rating: Severity | None, book: Lawbook, about: Mapping[str, object]) -> Iterator[str]:
    kind = str(about["kind"])
    known = f", as known on {about['known_at']}" if about["known_at"] else ""
    yield f"{kind.replace('-', ' ').capitalize()} on {about['on']} · law of {about['law_of']}{known}"
    if known:
        silent = sum(rule.announced is None for rule in book.rules())
        says = f"{silent:,} rules have no day of announcement in the packs; they count as known from the day they came "
        yield from wrapped(says + "into force.")
    if rating is not None:
        yield from ("", f"Severity {rating.score:g}: {rating.band} ({rating.cite.split(',')[0]})")
        yield from (line for step in rating.steps for line in _wrapped(step))
    groups = (
        ("", [item for item in owed if item.state == "owed"]),
        ("Possibly, for facts are missing", [item for item in owed if item.state == "possible"]),
        ("Not owed here", [item for item in owed if item.state == "stopped"]),
    )
    for heading, items in groups:
        if items and heading:
            yield from ("", heading, "─" * len(heading))
        for item in items:
            yield ""
            yield from _duty(item) if item.state == "owed" else _short(item)
    if not owed:
        laws = {law.id for law in book.laws for rule in law.rules if rule.duty and rule.duty.event == kind}
        yield ""
        says = (
            f"Nothing is owed by the packs' law of that day. {len(laws)} laws in them have duties for such an event; "
        )
        yield from wrapped(says + "none of them governs here then, or its conditions do not hold.")


def _head(item: Owed) -> Iterator[str]:
    to = {"file": "for our own records", "public": "in public"}.get(item.to, f"to the {item.to.replace('-', ' ')}")
    whom = f"{item.act.replace('-', ' ')}, {to}" + (f": {item.body}" if item.body else "")
    where = f" · {', '.join(item.places)}" if item.places else ""
    yield from wrapped(f"{whom}{where}", first=f"{_when(item)}  ", rest=" " * 12)
    yield from _wrapped(item.what)


def _short(item: Owed) -> Iterator[str]:
    """Yield a duty that may not be owed, or is not: what it would be, and what that hangs on."""
    yield from _head(item)
    yield from _wrapped(f"{item.cite} · {item.rule}")
    for note in item.notes if item.state == "stopped" else ():
        if note.startswith("Not owed"):
            yield from _wrapped(note)
    yield from _missing(item) if item.state == "possible" else ()


def _missing(item: Owed) -> Iterator[str]:
    if item.missing:
        more = f" and {len(item.missing) - MANY} more" if len(item.missing) > MANY else ""
        yield from _wrapped(f"Say {', '.join(item.missing[:MANY])}{more}.")


def _duty(item: Owed) -> Iterator[str]:
    yield from _head(item)
    yield from _wrapped("With: " + "; ".join(item.contents)) if item.contents else ()
    doubt = "" if item.confirmed else " · UNCONFIRMED"
    yield from _wrapped(f"{item.cite} · {item.rule}{doubt}")
    yield from _counting(item.due)
    if item.opens:
        yield from _wrapped(f"May be done from {item.opens} on.")
    for one in item.longer:
        cite = f" ({one.cite})" if one.cite else ""
        yield from _wrapped(f"{_longer(one)}: {one.says}{cite}")
    for note in item.notes:
        yield from _wrapped(note)
    if item.kept_until:
        yield from _wrapped(
            f"But {item.kept_by} keeps these records until {item.kept_until}; until then store them and nothing else."
        )
    yield from _missing(item)


def _longer(one: Longer) -> str:
    if one.counted:
        return "Extended"
    if one.told is not None and one.told > one.tell_by:
        return f"Not extended, for the person was told on {one.told}, after {one.tell_by}"
    return f"May be extended to {one.to} if the person is told by {one.tell_by}"


def _when(item: Owed) -> str:
    if item.at_once:
        return "at once   "
    if item.due is None:
        return f"earliest {item.earliest}" if item.earliest else "day unknown"
    hour = f" {item.due.at.strftime('%H:%M%z')}" if item.due.at else ""
    return f"{item.due.day}{hour}"


def _counting(due: Due | None) -> Iterator[str]:
    if due is None:
        return
    for step in due.steps:
        yield from _wrapped(step, first="    · ", hang=6)
    if due.later:
        yield from _wrapped(f"later reading: {due.later}", first="    · ", hang=6)


def _wrapped(text: str, *, first: str | None = None, hang: int = 4) -> list[str]:
    start = first if first is not None else "" if hang > 4 else " " * 4  # noqa: PLR2004 (the plain indent)
    return wrapped(text, first=start, rest=" " * hang)


# ---------------------------------------------------------------- a clock alone


@click.command()
@click.argument("period")
@click.option(
    "--from", "start", required=True, metavar="DAY", help="The day of the event, or its moment with the zone."
)
@click.option(
    "--place", metavar="PLACE", help="Whose holidays count: IE, DE, GB (England and Wales), GB-SCT, GB-NIR, CN."
)
@click.option("--law", "law_id", metavar="LAW", help="The law by which it is counted, as eu-gdpr.")
@click.option("--json", "as_json", is_flag=True, help="Print the day, the steps and the later reading as JSON.")
def clock(period: str, start: str, place: str | None, law_id: str | None, *, as_json: bool) -> None:
    """Count PERIOD from a day as a law counts it, and show the steps.

    \b
    comity clock "1 month" --from 2026-09-03 --place IE --law eu-gdpr
    comity clock "10 working days (cn)" --from 2026-09-21
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity.law import SHIPPED
    from comity.law.clocks import read_almanac, read_period

    with plain_errors():
        almanac = read_almanac(SHIPPED)
        read = read_period(period)
        place = _place(place, almanac)
        reckoning = _reckoning(law_id, place, read.calendar)
        needs_place = almanac.reckoning(reckoning).calendar == "place" or read.calendar in {"eu", "uk"}
        if needs_place and not place:
            raise Refused("its end depends on the holidays of a place; say --place, for example --place IE")
        due = almanac.due(_start(start), read, reckoning, places=[place] if needs_place and place else [])
    if as_json:
        found = {
            "due": due.day.isoformat(), "at": due.at.isoformat() if due.at else None, "steps": list(due.steps),
            "later": _iso(due.later), "reckoning": reckoning,
        }  # fmt: skip
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    click.echo(f"{due.day}" + (f" {due.at.isoformat()}" if due.at else ""))
    click.echo("\n".join(_counting(due)))
    click.echo("\n".join(_wrapped(almanac.reckoning(reckoning).cite)))


ALSO = {"UK": "GB"}


def _place(given: str | None, almanac: Almanac) -> str | None:
    """Return a place whose laws or holidays are known, by its code. Raises Refused."""
    from comity.check.entity import codes_of

    if given is None:
        return None
    place = ALSO.get(given.strip().upper(), given.strip().upper())
    country = place.partition("-")[0]
    if {place, country} & almanac.calendars.keys() or country in {"US", "CN"}:
        return place
    known = ", ".join(sorted(name for name in almanac.calendars if name[:2].isupper()))
    raise Refused(f"no holidays are known for {given!r}{codes_of(given)}; give one of {known}, US or CN")


def _reckoning(law_id: str | None, place: str | None, calendar: str) -> str:
    """Return how a law counts; where none is named, how the laws of the place do."""
    from comity import law
    from comity.law.vocabulary import nearest

    if law_id is not None:
        book = law.lawbook()
        found = [item for item in book.laws if item.id == law_id]
        if not found:
            raise Refused(f"no law is called {law_id!r}{nearest(law_id, [item.id for item in book.laws])}")
        return found[0].counts or "us"
    country = (place or calendar).upper().partition("-")[0]
    known = {"GB": "uk", "UK": "uk", "US": "us", "CN": "cn"}
    if country in known:
        return known[country]
    if not country:
        raise Refused("say by which law it is counted (--law eu-gdpr), or in which place (--place IE)")
    return "eu"


def _start(text: str) -> date | datetime:
    try:
        if len(text.strip()) > len("2026-11-21"):
            moment = datetime.fromisoformat(text.strip())
            if moment.tzinfo is None:
                raise Refused(f"--from {text!r} has no zone; give the moment as 2026-11-21T14:20+01:00")
            return moment
        return date.fromisoformat(text.strip())
    except ValueError as error:
        what = f"--from {text!r} is no day of the calendar ({error})"
        raise Refused(f"{what}; give one as 2026-11-21, or a moment as 2026-11-21T14:20+01:00") from None
