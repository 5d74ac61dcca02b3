"""The demo book: the 5,000 people of the sample export, who do not exist, and staff who look after them.

Repeatable: the same people, calls and consents every time. Dates count back from the day on which it is filled.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Final

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from comity.book.actions import NewActivity, Newcomer, NewPoint, add_persons
from comity.book.editing.leave import question as to_keep
from comity.book.models import Capacity, Reach, Source
from comity.book.opening import Look
from comity.check import homes
from comity.check.sample import PATH
from comity.consent.models import Consent, Said, Standing
from comity.consent.notices.samples import publish_samples
from comity.counsel.actions import make_ruling
from comity.counsel.duties import data_came, note_event
from comity.law import lawbook
from comity.outreach.campaigns.actions import sign_as
from comity.outreach.forms.samples import publish_sample
from comity.post.actions import make_gateway
from comity.post.models import Gateway
from comity.refs import new_ref
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.walls import behind_wall

PASSWORD: Final = "a-demo-for-everybody"  # noqa: S105 - printed for whoever starts the demo, whose people are invented

STAFF: Final = (
    ("ada@demo.example", "Ada Byrne", "sales", "en", "Europe/Dublin"),
    ("tom@demo.example", "Tom Okafor", "marketing", "en", "Europe/Dublin"),
    ("sam@demo.example", "Sam Rivera", "support", "en", "America/New_York"),
    ("vera@demo.example", "Vera Lindqvist", "privacy-officer", "en", "Europe/Stockholm"),
    ("lin@demo.example", "林晓", "administrator", "zh-hans", "Asia/Shanghai"),
    ("otto@demo.example", "Otto Brandt", "auditor", "en", "Europe/Berlin"),
)

LONGEST_HOME: Final = 120
PURPOSES: Final = ("service", "marketing")
"""For which counsel let people be looked up where no pack covers their law."""
FOR_A_FIRM, UNDER_CONTRACT = 0.8, 0.7
"""Shares of those who name a firm, and of customers."""

ENTITIES: Final[tuple[tuple[str, str, Mapping[str, object]], ...]] = (
    ("Comity Dublin Ltd", "IE", {"org.lia_on_file": True, "use.in_notice": True}),
    ("Comity Inc", "US-DE", {"org.lia_on_file": True, "use.in_notice": True}),
    ("科美提（上海）有限公司", "CN", {"use.in_notice": True}),
)
ORDINARY: Final[Mapping[str, object]] = {
    "org.public_body": False, "org.nonprofit": False, "org.small_business": False, "org.hipaa_role": "none",
    "org.financial_institution": False, "org.data_broker": False, "org.over_thresholds": True,
    "org.online_for_children": False, "org.ciio": False,
}  # fmt: skip
"""What holds for each of our entities: an ordinary business."""

IMPRINTS: Final[tuple[Mapping[str, str], ...]] = (
    {
        "address": "news@dublin.demo.example", "email": "hello@dublin.demo.example", "language": "en",
        "postal_address": "1 Quay Street\nDublin 2\nIreland", "website": "https://dublin.demo.example",
        "phone": "+353 1 555 0100", "mark": "Comity",
    },
    {
        "address": "news@us.demo.example", "email": "hello@us.demo.example", "language": "en",
        "postal_address": "100 Main Street\nWilmington, DE 19801\nUSA", "website": "https://us.demo.example",
        "phone": "+1 302 555 0100", "mark": "Comity",
    },
    {
        "address": "news@shanghai.demo.example", "email": "hello@shanghai.demo.example", "language": "zh-hans",
        "postal_address": "上海市黄浦区示例路 1 号\n邮编 200001", "website": "https://shanghai.demo.example",
        "phone": "+86 21 5555 0100", "mark": "示例",
    },
)  # fmt: skip
"""How our entities sign, in their order."""

CALLS: Final = (
    "Wants a quote for forty seats before the holidays.", "Asked when the order will arrive.",
    "Happy with the last delivery; may order again in spring.", "Left a message, will try again on Thursday.",
    "Complained about the invoice; corrected copy promised.", "Would rather be written to than called.",
)  # fmt: skip


def is_filled() -> bool:
    """Say whether this database has a book already."""
    return Entity.objects.exists()


@transaction.atomic
def fill(*, day: date | None = None) -> int:
    """Fill an empty book; return how many people are in it."""
    now = timezone.now() if day is None else datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    entities = [
        Entity.objects.create(name=name, place=place, facts={**ORDINARY, **facts}) for name, place, facts in ENTITIES
    ]
    staff = _staff(now)
    with behind_wall(staff=None, entities=[entity.ref for entity in entities]):
        return _fill(entities, staff, now)


def _fill(entities: Sequence[Entity], staff: Mapping[str, Staff], now: datetime) -> int:
    dice = random.Random(20261121)
    _rulings(staff["privacy-officer"], entities, now.date())
    _sending(staff["administrator"], entities)
    by = {"drafted_by": staff["marketing"], "published_by": staff["privacy-officer"]}
    publish_samples(entities=entities, **by)
    publish_sample(entity=entities[0], gateway=Gateway.objects.get(entity=entities[0], channel="email"), **by)
    with PATH.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    made = [(_newcomer(row, dice, staff, now), row) for row in rows]
    shares: dict[int, list[tuple[Newcomer, Mapping[str, str]]]] = {0: [], 1: [], 2: []}
    for newcomer, row in made:
        shares[_entity_of(str(newcomer.facts["home"]))].append((newcomer, row))
    for number, share in shares.items():
        add_persons(newcomers=[newcomer for newcomer, _ in share], entity=entities[number], staff=None)
        _consents(share, entities[number], now)
        _duties(share, entities[number], staff["marketing"], now.date())
    return len(made)


def _staff(now: datetime) -> dict[str, Staff]:
    secret = make_password(PASSWORD)
    made = {}
    for email, name, role, language, zone in STAFF:
        one = made[role] = Staff.objects.create(
            email=email, name=name, language=language, time_zone=zone, password=secret
        )
        RoleGrant.objects.create(staff=one, role=role, reason="the demo", begins_at=now - timedelta(days=400))
    return made


def _rulings(officer: Staff, entities: Iterable[Entity], day: date) -> None:
    """Settle, as counsel would, that people in places for which no pack exists may be looked up."""
    places = lawbook().vocabulary.places
    covered = places.group("EEA", day) | {"GB", "US", "CN"}
    uncovered = sorted(places.countries - covered)
    looks = [Look(viewer=officer, entity=entity, purpose=purpose) for entity, purpose in product(entities, PURPOSES)]
    for look, asks in product(looks, (lambda look: look.question, to_keep)):
        make_ruling(
            question=asks(look),
            places=uncovered, settles=[f"no-law:{code}" for code in uncovered], made_by=officer, entity=look.entity,
            reason="Local counsel was asked, place by place: looking up people whom we serve there is in order, and to "
            "keep what they tell us.",
            begins_on=day - timedelta(days=60), ends_on=day + timedelta(days=305),
        )  # fmt: skip


def _sending(administrator: Staff, entities: Iterable[Entity]) -> None:
    """Say how each entity signs what it sends, and let it go into a folder: nothing of a demo leaves the machine."""
    for entity, told in zip(entities, IMPRINTS, strict=True):
        sign_as(entity=entity, by=administrator, **told)
        make_gateway(
            entity=entity, channel="email", kind="folder", name="Outbox of the demo", settings={}, made_by=administrator
        )
        for channel, kind, name in (
            ("call", "call-list", "Calls of the demo"),
            ("post", "mail-merge", "Letters of the demo"),
        ):
            make_gateway(entity=entity, channel=channel, kind=kind, name=name, settings={}, made_by=administrator)


def _entity_of(home: str) -> int:
    if home.startswith("CN"):
        return 2
    return 1 if home.startswith("US") else 0


def _newcomer(row: Mapping[str, str], dice: random.Random, staff: Mapping[str, Staff], now: datetime) -> Newcomer:
    home = homes.find(
        [homes.Address(countries=[row["Country/Region"]], states=[row["State/Region"]])],
        [row["Phone Number"], row["Mobile Phone Number"]], [row["Email"]],
    )  # fmt: skip
    customer = row["Lifecycle Stage"] in {"Customer", "Evangelist"}
    facts: dict[str, object] = {
        "home": home.text if len(home.text) <= LONGEST_HOME else "",
        "home_from": [name for name, cell in (("country", "Country/Region"), ("phone", "Phone Number")) if row[cell]],
        "language": row["Preferred language"],
        "capacity": Capacity.BUSINESS if row["Company Name"] and dice.random() < FOR_A_FIRM else Capacity.CONSUMER,
        "birth_year": _year(row["Date of birth"]),
    }
    relation: dict[str, object] = {
        "source": Source.THIRD_PARTY if row["Record source"] == "Import" else Source.PERSON,
        "customer_since": (now - timedelta(days=dice.randrange(200, 1500))).date() if customer else None,
        "contract_running": customer and dice.random() < UNDER_CONTRACT,
        "last_purchase_on": (now - timedelta(days=dice.randrange(10, 500))).date() if customer else None,
        "address_from_sale": row["Email from order"] == "Yes",
        "refusal_offered": row["Could refuse at checkout"] == "Yes",
        "notice": "Customers v2" if customer else "Website v4",
        "notice_on": (now - timedelta(days=dice.randrange(200, 1500))).date(),
    }
    return Newcomer(
        name={"given": row["First Name"], "family": row["Last Name"]}, points=list(_points(row, now)), facts=facts,
        relation=relation, organisation=row["Company Name"], activities=list(_activities(dice, staff, now)),
    )  # fmt: skip


def _year(text: str) -> int | None:
    return int(text[:4]) if text[:4].isdigit() and 1920 <= int(text[:4]) <= 2015 else None  # noqa: PLR2004 - years of birth


def _points(row: Mapping[str, str], now: datetime) -> Iterator[NewPoint]:
    if row["Email"]:
        confirmed = now - timedelta(days=300) if row["Email Confirmation Status"] == "Confirmed" else None
        yield NewPoint(reach=Reach.EMAIL, value=row["Email"], verified_at=confirmed)
    number = row["Mobile Phone Number"] or row["Phone Number"]
    if number:
        yield NewPoint(reach=Reach.PHONE, value=number, mobile=True if row["Mobile Phone Number"] else None)
    if row["City"]:
        yield NewPoint(reach=Reach.POST, value=", ".join(filter(None, [row["City"], row["Country/Region"]])))


def _activities(dice: random.Random, staff: Mapping[str, Staff], now: datetime) -> Iterator[NewActivity]:
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3))):
        at = now - timedelta(days=dice.randrange(1, 700), minutes=dice.randrange(1440))
        who = staff[dice.choice(("sales", "support"))]
        doing, minutes = dice.choice((("call", dice.randrange(1, 40)), ("mail", None), ("note", None)))
        yield NewActivity(doing=doing, at=at, text=dice.choice(CALLS), minutes=minutes, staff=who)


def _duties(share: Iterable[tuple[Newcomer, object]], entity: Entity, staff: Staff, day: date) -> None:
    """Note that those who did not come by themselves were brought in lately, and that somebody asked for their data."""
    brought = [one for one, _ in share if one.relation["source"] == Source.THIRD_PARTY]
    for number, days in enumerate((34, 12)):
        some = brought[number::2]
        homes = Counter(str(one.facts["home"]) for one in some)
        event = data_came(on=day - timedelta(days=days), source="third-party", purpose="marketing")
        refs = [one.ref for one in some]
        note_event(event=event, entity=entity, about=new_ref(), persons=refs, staff=staff, homes=homes)
    asked = brought[0]
    request = {"event.kind": "request-received", "event.request": "access", "event.on": day - timedelta(days=9)}
    home = {"person.home": str(asked.facts["home"])} if asked.facts["home"] else {}
    note_event(event=request | home, entity=entity, about=asked.ref, persons=[asked.ref], staff=None)


def _consents(share: Iterable[tuple[Newcomer, Mapping[str, str]]], entity: Entity, now: datetime) -> None:
    said: list[Consent] = []
    standing: list[Standing] = []
    for newcomer, row in share:
        consent = _said(newcomer, row, entity, now)
        if consent is not None:
            said.append(consent)
            standing.append(_standing(consent))
    Consent.objects.bulk_create(said)
    Standing.objects.bulk_create(standing)


def _said(newcomer: Newcomer, row: Mapping[str, str], entity: Entity, now: datetime) -> Consent | None:
    about = {"person": newcomer.ref, "entity": entity, "purpose": "marketing", "channel": "email"}
    if row["Unsubscribed from all email"] == "TRUE" or row["Opted out of email: Newsletter"] == "TRUE":
        return Consent(said=Said.REFUSED, said_at=now - timedelta(days=90), source="preference page", **about)
    if row["Opted in to email: Newsletter"] != "TRUE":
        return None
    notice = "Newsletter v3" if row["Consent wording"] else ""
    return Consent(
        said=Said.GIVEN, said_at=now - timedelta(days=200), express=True, notice=notice,
        source=row["Consent source"][:60], double_opt_in=row["Email Confirmation Status"] == "Confirmed", **about,
    )  # fmt: skip


def _standing(consent: Consent) -> Standing:
    yes = consent.said == Said.GIVEN
    return Standing(
        person=consent.person, entity=consent.entity, purpose=consent.purpose, channel=consent.channel,
        given=consent if yes else None, opted_out_on=None if yes else consent.said_at.date(),
    )  # fmt: skip
