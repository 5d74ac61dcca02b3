"""A program: takes a file of so many invented people in, looks it over, and defers the job that brings them in."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import django

HEADER = b"First Name,Last Name,Email,Country/Region,Opted in to email: Newsletter,Consent date,Consent source\n"


def lines(first: int, many: int) -> Iterator[bytes]:
    """Give a file of so many people who agreed; those of another first number are others."""
    yield HEADER
    for n in range(first, first + many):
        yield b"Given%d,Family,p%d@kettle.example,Germany,TRUE,2025-04-24,Fair form\n" % (n, n)


def begin(first: int, many: int) -> str:
    """Do what somebody does on the pages of imports, up to the last button."""
    from django.db import transaction

    from comity.book.imports import jobs
    from comity.book.imports.actions import Choices, begin_import, begin_run, choose, look_over_import
    from comity.staff.models import Entity, Staff
    from comity.staff.walls import behind_wall

    staff, entity = Staff.objects.get(name="marketing"), Entity.objects.get()
    choices = Choices(purpose="marketing", asked_purpose="marketing", asked_channel="email", source="person")
    with behind_wall(staff=staff.ref, entities=[entity.ref]):
        one = begin_import(name="list.csv", pieces=lines(first, many), entity=entity, staff=staff)
        choose(one=one, choices=choices, staff=staff)
    look_over_import(one=one)
    with behind_wall(staff=staff.ref, entities=[entity.ref]), transaction.atomic():
        begin_run(one=one, staff=staff)
        jobs.run_job.defer(ref=str(one.ref), entity=str(entity.ref))
    return str(one.ref)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "comity.web.settings"
    django.setup()
    sys.stdout.write(begin(int(sys.argv[1]), int(sys.argv[2])))
