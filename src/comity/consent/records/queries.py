"""Where somebody stands with selling and sharing, for a GPP string."""

from __future__ import annotations

from comity.book.models import Person
from comity.consent.models import Standing
from comity.consent.records.gpc import CHANNEL, PURPOSE
from comity.consent.records.gpp import layouts, write
from comity.consent.records.gpp_meaning import Stands, section_for
from comity.staff.models import Entity

NATIONAL = "usnat"


def stands_of(person: Person, entity: Entity, *, told: bool) -> Stands:
    """Return where a person stands with one of our entities; `told` of the choice to opt out, or not.

    An objection to advertising is a no to selling and sharing for it, too.
    """
    rows = Standing.objects.filter(person=person.ref, entity=entity, purpose=PURPOSE, channel=CHANNEL)
    refused = any(row.withdrawn or row.opted_out_on for row in rows)
    return Stands(
        opted_out=refused or person.objected_at is not None, signal=person.opt_out_signal_at is not None, told=told
    )


def gpp_of(person: Person, entity: Entity, *, told: bool, covered: bool = False) -> str:
    """Return the GPP string that says where a person stands, for where they live; empty outside the United States.

    Of who lives in one state that has a section, that one; of others in the country, the national one. `covered` by
    IAB's Multi-State Privacy Agreement.
    """
    homes = {home for home in person.home.split("|") if home == "US" or home.startswith("US-")}
    if not homes:
        return ""
    named = [name for name, layout in layouts().items() if homes == {layout.place} and layout.kinds]
    name = named[0] if named else NATIONAL
    return write([section_for(name, stands_of(person, entity, told=told), covered=covered)])
