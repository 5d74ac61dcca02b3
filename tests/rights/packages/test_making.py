"""A package is planned, made whole or not at all, opened by its link until its day, and then gone."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.models import Person
from comity.consent.preferences.links import BadLink, May
from comity.consent.preferences.links import make_link as make_other
from comity.consent.preferences.links import read_link as read_other
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.rights.packages import making
from comity.rights.packages.jobs import defer_package
from comity.rights.packages.links import read_link
from comity.rights.packages.making import (
    NotMade,
    begin_package,
    delete_old,
    hand_out,
    link_to,
    make_package,
    path_of,
    say_what_is_others,
    show_page,
    sweep_left_behind,
    tick_chore,
)
from comity.rights.packages.models import Fetch, Package
from comity.rights.packages.planning import NotPlanned, chores_of, plan_package
from comity.rights.requests.models import Request
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.gate import Oneself
from tests.book.people import Add, newcomer
from tests.jobs import run_jobs
from tests.rights.packages.conftest import FILE, ask
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wall(firm: Entity) -> Iterator[None]:
    """Let the tests act for the firm."""
    with behind_wall(staff=None, entities=[firm.ref]):
        yield


def planned(asked: Request, olga: Staff, *, ticked: bool = True) -> Package:
    package = plan_package(request=asked, reader=olga)
    for chore in chores_of(package) if ticked else ():
        package = tick_chore(package=package, chore=chore.id, done=True, staff=olga)
    return package


def made(asked: Request, olga: Staff) -> Package:
    return make_package(package=begin_package(package=planned(asked, olga), reader=olga))


def unzipped(package: Package) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(hand_out(package=package).pieces)))


def test_the_plan_says_what_will_be_in_it_and_what_only_a_human_can_do(asked: Request, olga: Staff) -> None:
    package = planned(asked, olga, ticked=False)
    assert package.plan["tables"]["book.Activity"] == 2
    assert (package.plan["texts"], package.plan["places"]) == (1, 2)
    assert [chore.id for chore in chores_of(package)] == ["read-texts", "look-through-files"]
    assert "Mira" not in json.dumps(package.plan)


def test_nothing_is_made_while_a_chore_is_left(asked: Request, olga: Staff) -> None:
    package = planned(asked, olga, ticked=False)
    with pytest.raises(NotMade, match="only a human"):
        begin_package(package=package, reader=olga)


def test_the_package_has_the_page_json_csv_and_the_original_files(asked: Request, olga: Staff) -> None:
    archive = unzipped(made(asked, olga))
    names = archive.namelist()
    assert names[:2] == ["index.html", "data.json"]
    (file,) = [name for name in names if name.startswith("files/")]
    assert archive.read(file) == FILE
    assert ".." not in file
    assert "<" not in file
    told = json.loads(archive.read("data.json"))
    assert {row["doing"] for row in told["tables"]["book.Activity"]} == {"note", "order"}
    rows = list(csv.DictReader(io.StringIO(archive.read("csv/book-contactpoint.csv").decode("utf-8-sig"))))
    assert {row["email"] for row in rows} == {"mira@kettle.example", ""}
    assert {row["phone"] for row in rows} == {"'+49 30 5550199", ""}  # no spreadsheet runs it


def test_the_page_says_everything_runs_nothing_and_names_nobody_else(asked: Request, olga: Staff) -> None:
    page = unzipped(made(asked, olga)).read("index.html").decode()
    for said in ("Mira Sørensen", "mira@kettle.example", "C01X00T47", "A red kettle.", "GDPR Arts 12(3), 15"):
        assert said in page
    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page.replace("https://", "http").split("<main>")[0]
    assert "Oliver" not in page
    assert "order<1>" not in page
    assert "order&lt;1&gt;" in page


def test_a_chinese_request_is_answered_in_chinese(mira: UUID, firm: Entity, olga: Staff) -> None:
    package = made(ask(mira, firm, olga, language="zh"), olga)
    page = unzipped(package).read("index.html").decode()
    assert package.language == "zh-hans"
    assert '<html lang="zh-hans">' in page
    assert "[他人]" in page


def test_words_that_a_human_said_are_others_go_and_others_stay(asked: Request, olga: Staff) -> None:
    package = planned(asked, olga)
    say_what_is_others(package=package, blacken=["Greta"], keep=["Oliver O'Brien"], staff=olga)
    page = unzipped(make_package(package=begin_package(package=package, reader=olga))).read("index.html").decode()
    assert "Greta" not in page
    assert "Oliver O&#x27;Brien" in page


def test_the_page_alone_is_shown_without_reading_the_rest(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    assert show_page(package=package) == unzipped(package).read("index.html").decode()
    assert list(Fetch.objects.filter(by=None).values_list("what", flat=True).order_by("at")) == ["page", "all"]
    assert Entry.objects.filter(kind="rights.package-opened", persons=[package.person]).count() == 2


def test_what_lies_on_the_disk_is_sealed(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    assert package.file_name
    assert b"mira" not in path_of(package.file_name).read_bytes().lower()
    assert path_of(package.file_name).stat().st_mode & 0o777 == 0o600


def test_the_job_makes_it_and_again_changes_nothing(asked: Request, olga: Staff) -> None:
    package = begin_package(package=planned(asked, olga), reader=olga)
    defer_package(package=package)
    defer_package(package=package)
    assert run_jobs() == ["rights.make_package"] * 2
    package.refresh_from_db()
    assert package.state == "made"
    assert Entry.objects.filter(kind="rights.package-made").count() == 1
    assert len(list(path_of(new_ref()).parent.iterdir())) == 1


def test_two_workers_make_one_package(asked: Request, olga: Staff) -> None:
    package = begin_package(package=planned(asked, olga), reader=olga)
    first, second = make_package(package=package), make_package(package=package)
    assert first.file_name == second.file_name
    assert len(list(path_of(new_ref()).parent.iterdir())) == 1


# ---------------------------------------------------------------- faults


def test_a_disk_that_is_full_leaves_nothing_and_is_tried_again(
    asked: Request, olga: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = begin_package(package=planned(asked, olga), reader=olga)
    with monkeypatch.context() as patch:
        patch.setattr(making, "Parcel", on_a_full_disk)
        with pytest.raises(OSError, match="No space left"):
            make_package(package=package)
    package.refresh_from_db()
    assert (package.state, package.trouble) == ("making", "full")
    with pytest.raises(NotMade):
        hand_out(package=package)
    assert list(path_of(new_ref()).parent.iterdir()) == []
    assert make_package(package=package).state == "made"


def on_a_full_disk(path: Any) -> Any:  # noqa: ANN401 - a parcel
    """Return a parcel whose file the kernel itself lets have no bytes."""
    from comity.vault.parcels import Parcel

    parcel = Parcel(path)
    parcel._file.close()
    parcel._file = open("/dev/full", "wb", buffering=0)  # noqa: PTH123, SIM115 - it is the device itself, and the parcel closes it
    return parcel


def test_a_person_who_was_made_one_with_another_meanwhile_is_planned_anew(
    asked: Request, olga: Staff, oliver: UUID
) -> None:
    package = begin_package(package=planned(asked, olga), reader=olga)
    Person.objects.filter(ref=oliver).update(merged_into=package.person)  # as a merge does, in a word
    before = Entry.objects.filter(kind="vault.opened").count()
    assert make_package(package=package).state == "failed"
    assert Entry.objects.filter(kind="vault.opened").count() == before
    package.refresh_from_db()
    assert package.trouble == "changed"
    assert list(path_of(new_ref()).parent.iterdir()) == []
    Person.objects.filter(ref=oliver).update(merged_into=None)
    assert made(asked, olga).state == "made"


def test_a_person_who_is_made_one_with_another_while_it_is_written_gets_no_package_of_both(
    asked: Request, olga: Staff, oliver: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, write = begin_package(package=planned(asked, olga), reader=olga), making._write

    def meanwhile(*given: Any) -> None:  # noqa: ANN401 - as _write
        write(*given)
        Person.objects.filter(ref=oliver).update(merged_into=package.person)

    monkeypatch.setattr(making, "_write", meanwhile)
    assert make_package(package=package).state == "failed"
    assert list(path_of(new_ref()).parent.iterdir()) == []


def test_that_it_was_sent_is_on_record_once(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    for _ in range(2):
        assert making.mark_sent(package=package, staff=olga).state == "sent"
    assert [step.did for step in asked.steps.all()] == ["package-sent"]
    assert Entry.objects.filter(kind="rights.package-sent").count() == 1


def test_a_person_who_went_into_another_is_planned_for_who_stands_for_both(
    asked: Request, olga: Staff, oliver: UUID
) -> None:
    assert asked.person
    Person.objects.filter(ref=asked.person).update(merged_into=oliver)
    assert plan_package(request=asked, reader=olga).person == oliver


def test_what_a_try_that_died_left_is_swept_and_nothing_else(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    left = path_of(new_ref())
    left.write_bytes(b"half")
    assert sweep_left_behind(now=timezone.now(), named=[package.file_name] if package.file_name else []) == 0
    old = timezone.now() + timedelta(hours=2)
    assert sweep_left_behind(now=old, named=[package.file_name] if package.file_name else []) == 1
    assert not left.exists()
    assert unzipped(package).namelist()


def test_erased_meanwhile_nothing_is_made(asked: Request, olga: Staff) -> None:
    from comity.vault.actions import destroy_person_key

    package = begin_package(package=planned(asked, olga), reader=olga)
    destroy_person_key(person=package.person, staff=olga.ref)
    page = unzipped(make_package(package=package)).read("index.html").decode()
    assert "Mira" not in page


# ---------------------------------------------------------------- links


def test_a_link_opens_its_package_and_no_other_and_a_changed_one_opens_none(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    link = link_to(package)
    assert read_link(link)[:2] == (package.ref, package.entity_id)
    for place in range(0, len(link), 7):
        with pytest.raises(BadLink):
            read_link(link[:place] + ("A" if link[place] != "A" else "B") + link[place + 1 :])
    with pytest.raises(BadLink):
        read_link("A" * 500)


def test_links_of_packages_and_of_choices_are_no_use_for_each_other(asked: Request, olga: Staff) -> None:
    package = made(asked, olga)
    other = make_other(may=May.CHOOSE, person=package.person, entity=package.entity_id, at=timezone.now())
    with pytest.raises(BadLink):
        read_link(other)
    with pytest.raises(BadLink):
        read_other(link_to(package), on=timezone.localdate(), may=May.CHOOSE)


def test_after_its_day_it_is_gone_key_and_file(asked: Request, olga: Staff, firm: Entity) -> None:
    package = made(asked, olga)
    assert package.file_name
    assert delete_old(now=timezone.now(), entity=firm.ref) == 0
    Package.objects.filter(pk=package.pk).update(expires_at=timezone.now())
    with pytest.raises(NotMade):
        hand_out(package=package)
    assert delete_old(now=timezone.now(), entity=firm.ref) == 1
    package.refresh_from_db()
    assert (package.state, package.file_key) == ("gone", None)


# ---------------------------------------------------------------- who may


def test_who_lacks_the_word_plans_and_makes_nothing(asked: Request, olga: Staff) -> None:
    ada = make_staff("sales")
    package = planned(asked, olga)
    with pytest.raises(NotYours):
        plan_package(request=asked, reader=ada)
    with pytest.raises(NotYours):
        begin_package(package=package, reader=ada)
    with pytest.raises(NotYours):
        hand_out(package=made(asked, olga), by=ada)


def test_nobody_is_planned_for_before_it_is_known_who_it_is(asked: Request, olga: Staff) -> None:
    asked.person = None
    with pytest.raises(NotPlanned):
        plan_package(request=asked, reader=olga)


def test_a_person_makes_their_own_where_nothing_waits_for_a_human(add: Add, firm: Entity, olga: Staff) -> None:
    greta = add(newcomer("Greta", "Grünwald", "DE"))
    request = ask(greta, firm, olga)
    themself = Oneself(person=greta, visit=new_ref())
    package = begin_package(package=plan_package(request=request, reader=themself), reader=themself)
    page = unzipped(make_package(package=package)).read("index.html").decode()
    assert "Greta Grünwald" in page
    assert Entry.objects.get(kind="rights.package-made").staff is None
    with pytest.raises(NotPlanned):
        plan_package(request=request, reader=replace(themself, person=new_ref()))


def test_a_large_one_takes_a_second_person(
    asked: Request, olga: Staff, adam: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.rights.packages import planning
    from comity.rights.packages.making import ask_second_person
    from comity.staff.approvals import NotApproved, settle_approval

    monkeypatch.setattr(planning, "LARGE_ROWS", 3)
    package = planned(asked, olga)
    with pytest.raises(NotApproved):
        begin_package(package=package, reader=olga)
    approval = ask_second_person(package=package, reason="She asked for all of it.", asked_by=olga)
    settle_approval(approval=approval, approved=True, settled_by=adam)
    assert begin_package(package=package, reader=olga).approval == approval.ref


def test_numbers_that_a_law_wants_named_alone_are_not_shown(asked: Request, olga: Staff, firm: Entity) -> None:
    firm.facts = firm.facts | {"org.over_thresholds": True}
    firm.save()
    assert asked.person
    Person.objects.filter(ref=asked.person).update(home="US-CA")
    archive = unzipped(made(ask(asked.person, firm, olga), olga))
    for name in ("index.html", "data.json", "csv/book-fieldvalue.csv"):
        held = archive.read(name).decode()
        assert "held, not shown" in held
        assert "C01X00T47" not in held
    assert "Since 1 Jan 2022" in archive.read("index.html").decode()


def test_the_records_of_another_entity_are_not_in_it(asked: Request, olga: Staff, shanghai: Entity) -> None:
    from comity.book.opening import Look, names_of

    with behind_wall(staff=olga.ref, entities=[shanghai.ref]):
        names_of(Look(viewer=olga, entity=shanghai, purpose="security"), [asked.person] if asked.person else [])
    page = json.loads(unzipped(made(asked, olga)).read("data.json"))
    told = json.dumps(page["tables"]["ledger.Entry"]) + json.dumps(page["tables"]["vault.RecordedDecision"])
    assert str(shanghai.ref) not in told
    assert "security" not in told
