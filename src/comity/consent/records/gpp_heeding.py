"""Acting on a GPP string that a website passed on with somebody's data, as a form of ours on another's site does."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from comity.book.models import Person
from comity.consent.records.gpc import refuse_selling
from comity.consent.records.gpp import read
from comity.consent.records.gpp_meaning import OPT_OUTS, meaning_of
from comity.staff.models import Entity

SOURCE: Final = "IAB GPP string"
SIGNAL: Final = "signal"
NOES: Final = {about for about, _use in OPT_OUTS.values()} | {SIGNAL}


def honour_string(*, person: Person, entity: Entity, text: str, at: datetime) -> bool:
    """Take the noes of a GPP string for the person's; return whether they were news. A string never makes a yes.

    A no counts wherever it was said, whatever the place of its section. Raises BadString, with where and why.

    BLIND SPOT: what a string says of sensitive data and of children is read (`meaning_of`) and not recorded here.
    """
    noes = {each.about for each in meaning_of(read(text)) if each.is_no} & NOES
    if not noes:
        return False
    return refuse_selling(person=person, entity=entity, at=at, signal=SIGNAL in noes, source=SOURCE)
