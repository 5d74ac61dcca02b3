"""People come in from a file: what is understood, what is not, what is never lost, and how they are taken out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from comity.book.imports import running
from comity.book.imports.actions import (
    Choices,
    begin_import,
    begin_run,
    begin_undo,
    choose,
    drop_import,
    drop_old_imports,
    look_over_import,
    map_columns,
    run_import,
    settle_import,
    stop_import,
    undo_import,
)
from comity.book.imports.languages import language_of
from comity.book.imports.models import Import, RememberedColumn, Stage
from comity.book.imports.parcels import contents_of
from comity.book.models import Activity, ContactPoint, Organisation, Person, Relation, Tag
from comity.book.opening import Look, full_name, names_of
from comity.book.searching import find
from comity.check.sample import PATH
from comity.check.sources import BadFile
from comity.consent.models import Consent, Standing
from comity.counsel.models import OwedDuty
from comity.ledger.models import Entry
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.models import PersonKey, Sealed
from comity.vault.sealing import FieldClass
from tests.book.imported import CHOICES, GRETA, HEADER, MIRA, OLIVER, Bring, table

NOBODY = ("",) * len(HEADER)


def row(**cells: str) -> tuple[str, ...]:
    """Return Greta's row with some cells changed."""
    told = dict(zip(HEADER, GRETA, strict=True)) | {name.replace("_", " "): cell for name, cell in cells.items()}
    return tuple(told[name] for name in HEADER)


def says(one: Import) -> list[tuple[int, str, str]]:
    return [(each.row, each.says, each.why) for each in one.findings.order_by("row", "pk")]


# ---------------------------------------------------------------- who comes in


def test_a_hubspot_export_brings_names_points_facts_and_what_people_said(bring: Bring, look: Look) -> None:
    one = bring([GRETA, OLIVER])
    assert (one.stage, one.persons) == (Stage.DONE, 2)
    greta, oliver = Person.objects.order_by("ref")
    assert (greta.home, sorted(greta.home_from)) == ("DE", ["country", "email", "phone"])
    seen = names_of(look, [greta.ref])
    assert full_name(seen.of(greta.ref, FieldClass.NAME)) == "Greta Grünwald"
    assert Counter(greta.contact_points.values_list("reach", flat=True)) == {"email": 1, "phone": 1}
    yes = Consent.objects.get(person=greta.ref)
    assert (yes.said, yes.channel, yes.said_at.date().isoformat(), yes.source) == (
        "given",
        "email",
        "2025-04-24",
        "Fair form",
    )
    assert Standing.objects.get(person=greta.ref).given == yes
    assert Standing.objects.get(person=oliver.ref).opted_out_on == timezone.now().date()
    assert Relation.objects.get(person=oliver).customer_since is not None


def test_those_who_came_are_found_by_name_and_by_address(bring: Bring, look: Look) -> None:
    bring([GRETA, OLIVER])
    assert [hit.name for hit in find(look, "gruenwald")] == ["Greta Grünwald"]
    assert [hit.name for hit in find(look, "oliver@kettle.example")] == ["Oliver O'Brien"]


def test_a_note_that_says_no_is_an_objection_whatever_the_language(bring: Bring) -> None:
    bring([MIRA])
    mira = Person.objects.get()
    assert mira.objected_at is not None
    assert set(Consent.objects.values_list("said", "channel")) == {("refused", "email")}


def test_a_yes_without_its_day_does_not_count(bring: Bring) -> None:
    one = bring([row(**{"Consent date": ""})])
    assert one.found["unclear"] == 1
    assert not Consent.objects.exists()


def test_a_no_after_a_yes_is_a_withdrawal(bring: Bring) -> None:
    bring([row(**{"Unsubscribed from all email": "TRUE"})])
    standing = Standing.objects.get(channel="email")
    assert (standing.given, standing.withdrawn, standing.opted_out_on) == (None, True, timezone.now().date())


def test_the_sample_export_of_five_thousand_loses_no_refusal(bring: Bring, look_at: Bring) -> None:
    lines = PATH.read_text("utf-8-sig").splitlines(keepends=True)
    few = "".join(lines[:400]).encode()
    looked = look_at(few)
    one = bring(few, for_broken="bring")
    noes = set(Consent.objects.filter(said__in=["refused", "withdrawn"]).values_list("person", flat=True))
    noes |= set(Person.objects.exclude(objected_at=None).values_list("ref", flat=True))
    assert len(noes) == looked.found["opt_outs"] > 20
    assert one.persons == Person.objects.count() > len(noes)


# ---------------------------------------------------------------- kinds of files


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_any_usual_encoding_brings_the_same_people(bring: Bring, look: Look, encoding: str) -> None:
    liu, wang = "劉冠廷,k.liu@example.com,德国,+49 30 1234567,老客户", "王秀英,xy.wang@example.com,德国,,不要再发邮件"
    rows = f"姓名,邮箱,国家,手机号,备注\n{liu}\n{wang}\n"
    one = bring(rows.encode(encoding))
    assert one.persons == 2
    persons = list(Person.objects.order_by("ref"))
    names = {full_name(fields) for fields in names_of(look, [each.ref for each in persons]).opened.values()}
    assert "劉冠廷" in names
    assert persons[1].objected_at is not None


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 renamed", "PDF"),
        (b"Name,Email\n", "no rows"),
        (b"Name,Email,Email\nA,a@b.example,a@b.example\n", "stands twice"),
        (b"\x89PNG\r\n", "picture"),
    ],
    ids=["empty", "a PDF", "a header alone", "a column twice", "a picture"],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(look_at: Bring, file: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        look_at(file)
    assert not Import.objects.exists()


def test_a_zip_bomb_in_a_workbook_is_refused(look_at: Bring, tmp_path: Path) -> None:
    import zipfile

    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", "<Types/>")
        book.writestr("xl/workbook.xml", "<workbook/>")
        book.writestr("xl/worksheets/sheet1.xml", b"0" * (300 * 2**20))
    with pytest.raises(BadFile):
        look_at(bomb.read_bytes(), name="bomb.xlsx")


def test_more_than_two_hundred_megabytes_are_refused(firm: Entity, tom: Staff) -> None:
    piece = b"x" * 2**20
    with pytest.raises(BadFile, match="more than 200 MB"):
        begin_import(name="large.csv", pieces=(piece for _ in range(201)), entity=firm, staff=tom)


def test_a_bare_list_of_addresses_needs_no_header(bring: Bring) -> None:
    one = bring(b"greta@kettle.example\noliver@kettle.example\n", home="DE")
    assert one.persons == 2
    assert set(Person.objects.values_list("home", "home_from__0")) == {("DE", "told")}


# ---------------------------------------------------------------- what cannot be read


def test_a_row_with_a_broken_cell_is_listed_and_left_out(bring: Bring) -> None:
    one = bring(
        [row(Email="greta at kettle"), row(**{"Consent date": "the 35th", "Email": "g2@kettle.example"}), OLIVER]
    )
    assert one.persons == 1
    assert says(one) == [(1, "broken", "email"), (2, "broken", "day")]


def test_a_broken_row_comes_in_without_the_cell_if_that_is_chosen(bring: Bring) -> None:
    one = bring([row(Email="greta at kettle")], for_broken="bring")
    assert one.persons == 1
    assert set(ContactPoint.objects.values_list("reach", flat=True)) == {"phone"}


def test_a_broken_row_with_a_no_comes_in_all_the_same(bring: Bring) -> None:
    one = bring([row(**{"Consent date": "the 35th", "Unsubscribed from all email": "TRUE"})])
    assert one.persons == 1
    assert Standing.objects.get().opted_out_on is not None


def test_a_day_that_could_be_two_is_no_day_until_somebody_says_how_days_are_written(bring: Bring) -> None:
    told = [row(**{"Consent date": "03/04/2025"})]
    assert says(bring(told)) == [(1, "broken", "day")]
    bring(told, dates="dmy")
    assert Consent.objects.get().said_at.date().isoformat() == "2025-04-03"


# ---------------------------------------------------------------- who is here already


def test_who_stands_twice_in_a_file_comes_in_once(bring: Bring) -> None:
    one = bring([GRETA, row(**{"First Name": "G."}), OLIVER])
    assert one.persons == 2
    assert [(each.row, each.says, each.alike) for each in one.findings.all()] == [(2, "repeated", 1)]


def test_who_is_in_the_book_is_left_out_filled_or_added_as_chosen(bring: Bring) -> None:
    bring([row(**{"Phone Number": "", "Country/Region": "Germany"})])
    assert bring([GRETA]).persons == 0
    assert not ContactPoint.objects.filter(reach="phone").exists()
    bring([GRETA], for_known="fill")
    assert ContactPoint.objects.filter(reach="phone").count() == 1
    assert Person.objects.count() == 1
    bring([GRETA], for_known="add")
    assert Person.objects.count() == 2


def test_a_no_about_somebody_in_the_book_is_kept_even_if_the_row_is_left_out(bring: Bring) -> None:
    bring([GRETA])
    greta = Person.objects.get()
    bring([row(Notes="keine Werbung mehr")])
    assert Person.objects.get().objected_at is not None
    assert Standing.objects.get(person=greta.ref, channel="email").withdrawn is True


def test_a_no_in_the_second_row_about_the_same_person_is_kept(bring: Bring) -> None:
    bring([GRETA, row(**{"Unsubscribed from all email": "TRUE"})])
    assert Standing.objects.get(channel="email").opted_out_on is not None


def test_one_number_with_another_name_is_another_person(bring: Bring) -> None:
    bring([GRETA])
    one = bring([row(**{"First Name": "Hans", "Last Name": "Schmidt", "Email": "hans@kettle.example"})])
    assert one.persons == 1


def test_one_number_and_the_same_name_is_probably_the_same_person(bring: Bring) -> None:
    bring([GRETA])
    one = bring([row(Email="other@kettle.example")])
    assert (one.persons, [each.says for each in one.findings.all()]) == (0, ["likely"])


def test_a_namesake_at_the_same_place_is_listed_and_comes_in(bring: Bring) -> None:
    bring([GRETA])
    one = bring([row(**{"Email": "other@kettle.example", "Phone Number": "+49 40 1234567"})])
    assert (one.persons, [each.says for each in one.findings.all()]) == (1, ["namesake"])


# ---------------------------------------------------------------- the law


def test_whom_the_law_does_not_let_us_keep_stays_out_with_the_article(bring: Bring) -> None:
    one = bring(
        [row(**{"Country/Region": "China", "Phone Number": "", "Email": "w@kettle.example", "Consent date": ""})]
    )
    assert one.persons == 0
    ((_, word, why),) = says(one)
    assert word == "held"
    assert "cn-pipl:basis" in why


def test_what_the_law_leaves_open_comes_in_when_a_human_has_settled_it(look_at: Bring, tom: Staff, olga: Staff) -> None:
    told = [row(**{"Country/Region": "Japan", "Phone Number": "", "Email": "aiko@kettle.example"})]
    looked = look_at(told)
    assert [word for _, word, _ in says(looked)] == ["open"]
    with pytest.raises(NotYours):
        settle_import(one=looked, because="I say so.", staff=tom)
    settle_import(one=looked, because="Local counsel was asked.", staff=olga)
    one = run_import(one=begin_run(one=looked, staff=tom))
    assert one.persons == 1
    assert Entry.objects.filter(kind="book.import-settled").count() == 1


def test_left_unsettled_they_stay_out(bring: Bring) -> None:
    one = bring([row(**{"Country/Region": "Japan", "Phone Number": "", "Email": "aiko@kettle.example"})])
    assert one.persons == 0


def test_who_said_no_is_kept_by_address_alone_where_the_law_keeps_the_rest_out(bring: Bring) -> None:
    bring([MIRA])
    assert set(Sealed.objects.exclude(tokens=None).values_list("field_class", flat=True)) == {"contact"}
    assert not Activity.objects.exists()


def test_source_and_notice_stand_on_every_relation(bring: Bring) -> None:
    bring(
        [GRETA, OLIVER], source="third-party", notice="Customers v2", notice_on=datetime(2026, 11, 1, tzinfo=UTC).date()
    )
    assert set(Relation.objects.values_list("source", "notice")) == {("third-party", "Customers v2")}


def test_a_list_from_somebody_else_makes_the_notice_of_article_14_due(bring: Bring) -> None:
    one = bring([GRETA, OLIVER], source="third-party")
    notice = OwedDuty.objects.get(event__about=one.ref, rule="eu-gdpr/notice-of-bought-data")
    assert notice.day == timezone.localdate() + timedelta(days=30)


def test_the_preview_says_what_the_law_would_say_and_why(look_at: Bring) -> None:
    looked = look_at([GRETA, OLIVER])
    assert looked.found["verdicts"] == {"permit": 1, "deny": 1}
    assert all(word != "permit" for word, _, _ in looked.found["reasons"])
    assert not Person.objects.exists()


def test_a_role_brings_in_the_fields_that_it_has_and_no_others(bring: Bring) -> None:
    bring([row(Notes="likes the blue kettle")])
    assert set(Sealed.objects.values_list("field_class", flat=True)) == {"name", "contact"}


# ---------------------------------------------------------------- the record


def test_one_entry_names_up_to_a_thousand_persons(bring: Bring) -> None:
    bring([GRETA, OLIVER, MIRA])
    entries = Entry.objects.filter(kind="book.imported-batch")
    assert [len(entry.persons) for entry in entries] == [3]
    assert b"kettle" not in b"".join(bytes(entry.body) for entry in Entry.objects.all())


def test_no_name_address_or_number_stands_plain_in_any_table_or_file(
    bring: Bring, look_at: Bring, folder: Path
) -> None:
    bring([GRETA, OLIVER])
    look_at([row(**{"First Name": "Hildegard", "Email": "hildegard@kettle.example"})], name="hildegard.csv")
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        dump = ""
        for name in names:
            cursor.execute(f"SELECT t::text FROM {name} t")
            dump += "\n".join(text for (text,) in cursor.fetchall())
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for word in ("Grünwald", "greta@kettle", "5550199", "Hildegard", "hildegard"):
        assert word not in dump
        assert word.encode() not in files


# ---------------------------------------------------------------- stopped and undone


def many(count: int) -> list[tuple[str, ...]]:
    return [
        row(**{"Email": f"p{number}@kettle.example", "Phone Number": "", "Record ID": str(number)})
        for number in range(count)
    ]


def test_an_import_that_was_stopped_goes_on_and_ends_whole(
    look_at: Bring, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "ROWS", 10)
    one = begin_run(one=look_at(many(35)), staff=tom)
    brought, bring_one = [], running.Hands.bring

    def fails_at_the_third(hands: running.Hands, number: int) -> None:
        if number == 2:
            raise MemoryError
        brought.append(number)
        bring_one(hands, number)

    monkeypatch.setattr(running.Hands, "bring", fails_at_the_third)
    with pytest.raises(MemoryError):
        run_import(one=one)
    stop_import(one=one, fault="MemoryError")
    assert Person.objects.count() == 20
    monkeypatch.setattr(running.Hands, "bring", bring_one)
    done = run_import(one=begin_run(one=Import.objects.get(pk=one.pk), staff=tom))
    assert (done.stage, done.persons, Person.objects.count()) == (Stage.DONE, 35, 35)


def test_running_it_twice_brings_nobody_in_twice(bring: Bring) -> None:
    one = bring([GRETA, OLIVER])
    assert run_import(one=one).persons == 2
    assert Person.objects.count() == 2


def test_undoing_takes_everybody_out_and_destroys_their_keys(bring: Bring, tom: Staff) -> None:
    before = Person.objects.count(), PersonKey.objects.count(), Organisation.objects.count()
    one = bring([GRETA, OLIVER, MIRA])
    done = undo_import(one=begin_undo(one=one, changed_too=False, staff=tom), changed_too=False)
    assert (done.stage, done.persons) == (Stage.UNDONE, 0)
    assert (Person.objects.count(), PersonKey.objects.count(), Organisation.objects.count()) == before
    assert not Consent.objects.exists()
    assert not Sealed.objects.exists()
    assert Entry.objects.filter(kind="vault.person-keys-destroyed").count() == 1


def test_who_was_changed_since_stays_and_is_listed_unless_chosen_otherwise(
    bring: Bring, tom: Staff, olga: Staff
) -> None:
    one = bring([GRETA, OLIVER])
    greta = Person.objects.order_by("ref")[0]
    Person.objects.filter(ref=greta.ref).update(language="de", changed_at=timezone.now() + timedelta(minutes=1))
    done = undo_import(one=begin_undo(one=one, changed_too=False, staff=tom), changed_too=False)
    assert (done.persons, list(Person.objects.values_list("ref", flat=True))) == (1, [greta.ref])
    assert [each.person for each in done.findings.filter(says="changed")] == [greta.ref]
    done = undo_import(one=begin_undo(one=done, changed_too=True, staff=olga), changed_too=True)
    assert not Person.objects.exists()


def test_a_dropped_import_leaves_no_file_and_no_key(
    look_at: Bring, tom: Staff, folder: Path, django_capture_on_commit_callbacks: object
) -> None:
    one = look_at([GRETA])
    assert contents_of(one) is not None
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]  # a fixture that is called
        drop_import(one=one, staff=tom)
    assert not [path for path in (folder / "imports").iterdir() if path.is_file()]
    assert Import.objects.get(pk=one.pk).key is None


def test_a_file_that_nobody_brings_in_is_dropped_after_a_week(look_at: Bring, firm: Entity) -> None:
    one = look_at([GRETA])
    assert drop_old_imports(now=one.begun_at + timedelta(days=6), entities=[firm.ref]) == 0
    assert drop_old_imports(now=one.begun_at + timedelta(days=8), entities=[firm.ref]) == 1
    assert Import.objects.get(pk=one.pk).stage == Stage.DROPPED


# ---------------------------------------------------------------- columns


def test_a_column_means_what_was_chosen_and_the_next_file_of_the_kind_remembers(
    look_at: Bring, firm: Entity, tom: Staff
) -> None:
    one = look_at([row(**{"Record ID": "Dr"})])
    map_columns(one=one, meanings={HEADER.index("Record ID"): "title"}, staff=tom)
    assert list(RememberedColumn.objects.values_list("header", "meaning")) == [("recordid", "title")]
    following = begin_import(name="next.csv", pieces=[table([GRETA])], entity=firm, staff=tom)
    assert following.mapping == {str(HEADER.index("Record ID")): "title"}


def test_a_header_that_looks_like_a_cell_is_not_remembered(look_at: Bring, tom: Staff) -> None:
    header = ["Email", "Smith of 4711", "Remarks of ours", "Address 2"]
    one = look_at(table([["g@kettle.example", "a", "b", "c"]], header))
    map_columns(one=one, meanings=dict.fromkeys(range(1, 4), "title"), staff=tom)
    assert set(RememberedColumn.objects.values_list("header", flat=True)) == {"remarksofours", "address2"}


@pytest.mark.parametrize("meaning", ["tags", "notice"])
@pytest.mark.parametrize("cell", ["Grünwald", "greta", "g@kettle.example", "+49 30 555 0199"])
def test_what_names_somebody_is_no_tag_and_no_notice(look_at: Bring, tom: Staff, meaning: str, cell: str) -> None:
    one = look_at(
        [row(**{"Record ID": cell}), row(**{"Record ID": "Fair 2026", "Email": "h@kettle.example", "Phone Number": ""})]
    )
    map_columns(one=one, meanings={HEADER.index("Record ID"): meaning}, staff=tom)
    choose(one=one, choices=Choices(**{**vars(CHOICES), "for_broken": "bring"}), staff=tom)
    one = look_over_import(one=one)
    assert says(one)[0] == (1, "broken", "names")
    run_import(one=begin_run(one=one, staff=tom))
    plain = {*Tag.objects.values_list("name", flat=True), *Relation.objects.values_list("notice", flat=True)}
    assert plain - {""} == {"Fair 2026"}


@pytest.mark.parametrize(
    ("cell", "language"),
    [("de", "de"), ("en_US.UTF-8", "en-US"), ("zh-hans-cn", "zh-Hans-CN"), ("German", "de"), ("Deutsch", "de"),
     ("Ann", None), ("Grünwald", None), ("x@y.example", None), ("", None)],
)  # fmt: skip
def test_a_language_is_a_code_or_the_name_of_one(cell: str, language: str | None) -> None:
    assert language_of(cell) == language


def test_who_may_not_bring_people_in_brings_nobody(firm: Entity, ada: Staff) -> None:
    with pytest.raises(NotYours):
        begin_import(name="list.csv", pieces=[table([GRETA])], entity=firm, staff=ada)
