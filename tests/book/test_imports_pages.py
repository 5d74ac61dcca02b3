"""The pages of imports: from the file to the book and back, in a browser and without one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from playwright.sync_api import Page
from pytest_django import Settings

from comity.book.imports import actions
from comity.book.imports.actions import begin_undo, stop_import
from comity.book.imports.models import Import, Stage
from comity.book.models import Person
from comity.book.opening import Look, names_of
from comity.check.sources import BadFile
from comity.staff.models import Entity, Staff
from tests.book.imported import GRETA, MIRA, OLIVER, Bring, table
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.staff.people import client_of

pytestmark = pytest.mark.django_db

WHAT_FOR = {
    "purpose": "marketing", "source": "third-party", "asked_purpose": "marketing", "asked_channel": "email",
    "for_known": "skip", "for_broken": "leave", "dates": "auto",
}  # fmt: skip


@pytest.fixture(autouse=True)
def without_second_factor(settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"


def brought_by(client: Client, firm: Entity, file: bytes, name: str = "list.csv") -> str:
    """Bring a file; return the address of its import."""
    answer = client.post("/imports/new/", {"entity": firm.ref, "file": SimpleUploadedFile(name, file)})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_from_the_file_to_the_book_and_back_without_a_script(firm: Entity, tom: Staff) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, table([GRETA, OLIVER, ("Bad", "Row", "nope", *[""] * 9)]))
    page = client.get(address).content.decode()
    assert "HubSpot contact export" in page
    assert "greta@kettle.example" in page
    page = client.post(f"{address}look/", WHAT_FOR, follow=True).content.decode()
    assert "Bring 2 people in" in page
    assert "Greta Grünwald" in page
    assert "This is no e-mail address." in client.get(f"{address}?tab=problems").content.decode()
    page = client.post(f"{address}run/", follow=True).content.decode()
    assert "In the book" in page
    assert Person.objects.count() == 2
    page = client.post(f"{address}undo/", follow=True).content.decode()
    assert "Undone" in page
    assert Person.objects.count() == 0


def test_rows_that_do_not_come_in_can_be_fetched_and_no_spreadsheet_runs_them(firm: Entity, tom: Staff) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, table([('=HYPERLINK("x")', "Row", "nope", *[""] * 9)]))
    client.post(f"{address}look/", WHAT_FOR)
    answer = client.get(f"{address}problems.csv")
    assert answer["Content-Disposition"].startswith("attachment")
    text = b"".join(answer).decode("utf-8-sig")
    assert "'=HYPERLINK" in text
    assert "Cannot be read (Email): This is no e-mail address." in text


def test_a_large_file_lies_in_our_own_folder_alone_while_it_comes_in(
    firm: Entity, tom: Staff, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []

    def told(*, pieces: object, **more: object) -> None:
        del pieces, more
        seen.extend(folder.rglob("*.upload"))
        raise BadFile("it was seen", where="here", cure="None")

    monkeypatch.setattr(actions, "begin_import", told)
    file = table([GRETA]) + b"x" * 3 * 2**20
    client_of(tom).post("/imports/new/", {"entity": firm.ref, "file": SimpleUploadedFile("x.csv", file)})
    assert [path.parent for path in seen] == [folder / "uploads"]
    assert (folder / "uploads").stat().st_mode & 0o077 == 0
    assert not seen[0].exists()


def test_a_file_that_is_too_large_is_stopped_on_its_way_in(
    firm: Entity, tom: Staff, folder: Path, settings: Settings
) -> None:
    settings.LARGEST_UPLOAD = 2**20
    file = SimpleUploadedFile("x.csv", b"x" * 3 * 2**20)
    page = client_of(tom).post("/imports/new/", {"entity": firm.ref, "file": file}).content.decode()
    assert "more than 200 MB" in page
    assert "Choose a file first" not in page
    assert not list((folder / "uploads").iterdir())


@pytest.mark.parametrize("name", ["column-²", "column-" + "9" * 500, "finding-²", "finding-" + "9" * 500])
def test_what_is_no_number_of_a_column_or_row_is_passed_over(firm: Entity, tom: Staff, name: str) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, table([GRETA]))
    verb = "columns" if name.startswith("column") else "choices"
    assert client.post(f"{address}{verb}/", {name: "email" if verb == "columns" else "skip"}).status_code == 302


@pytest.mark.parametrize("verb", ["look", "run"])
def test_a_file_that_is_gone_is_a_message(firm: Entity, tom: Staff, folder: Path, verb: str) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, table([GRETA]))
    if verb == "run":
        client.post(f"{address}look/", WHAT_FOR)
    stage = Import.objects.get().stage
    for path in (folder / "imports").glob("*.rows"):
        path.unlink()
    page = client.post(f"{address}{verb}/", WHAT_FOR, follow=True)
    assert "no longer kept" in page.content.decode()
    assert Import.objects.get().stage == stage


def test_an_undo_that_stopped_can_only_be_undone_further(tom: Staff, bring: Bring) -> None:
    one = bring([GRETA, OLIVER])
    stop_import(one=begin_undo(one=one, changed_too=False, staff=tom), fault="job")
    assert Import.objects.get().stage == Stage.STOPPED
    client = client_of(tom)
    page = client.get(f"/imports/{one.ref}/").content.decode()
    assert "Its undoing stopped half-way" in page
    assert "Go on" not in page
    assert "nobody more comes in" in client.post(f"/imports/{one.ref}/run/", follow=True).content.decode()
    assert Import.objects.get().stage == Stage.STOPPED
    assert "Undone" in client.post(f"/imports/{one.ref}/undo/", follow=True).content.decode()
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    ("file", "says"), [(b"%PDF-1.4", "PDF document"), (b"\n\n", "empty"), (b"A,A\n1,2\n", "twice")]
)
def test_a_bad_file_is_refused_beside_the_field(firm: Entity, tom: Staff, file: bytes, says: str) -> None:
    answer = client_of(tom).post("/imports/new/", {"entity": firm.ref, "file": SimpleUploadedFile("x.csv", file)})
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not Import.objects.exists()


def test_what_stands_in_the_file_is_for_whoever_brought_it_alone(firm: Entity, tom: Staff, olga: Staff) -> None:
    address = brought_by(client_of(tom), firm, table([GRETA]))
    others = client_of(olga)
    assert "greta" not in others.get(address).content.decode().lower()
    client_of(tom).post(f"{address}look/", WHAT_FOR)
    page = others.get(address).content.decode()
    assert "greta" not in page.lower()
    assert others.get(f"{address}problems.csv").status_code == 404
    assert others.post(f"{address}run/").status_code == 404


def test_who_sells_sees_no_imports(ada: Staff) -> None:
    assert client_of(ada).get("/imports/").status_code == 403


def test_a_larger_file_is_a_job_and_says_how_far_it_has_come(
    firm: Entity, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    from comity.book.imports import views

    monkeypatch.setattr(views, "AT_ONCE", 1)
    client = client_of(tom)
    address = brought_by(client, firm, table([GRETA, OLIVER]))
    page = client.post(f"{address}look/", WHAT_FOR, follow=True).content.decode()
    assert "0 of 2 rows" in page
    assert "hx-get" in page
    assert Import.objects.get().stage == Stage.LOOKING
    assert "0 of 2 rows" in client.get(f"{address}progress/").content.decode()


def test_every_naughty_string_comes_in_as_it_is_or_is_refused_with_a_reason(
    firm: Entity, olga: Staff, look: Look
) -> None:
    data = Path(os.environ.get("COMITY_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
    if not (data / "naughty-strings.json").exists():
        pytest.skip(f"{data} has no naughty-strings.json (COMITY_TEST_DATA names another folder)")
    told = json.loads((data / "naughty-strings.json").read_text("utf-8"))
    words = list(dict.fromkeys(word.strip() for word in told if word.strip()))
    rows = [
        ["", word, f"n{number}@kettle.example", "", "Germany", *[""] * 5, str(number), ""]
        for number, word in enumerate(words)
    ]
    client = client_of(olga)
    address = brought_by(client, firm, table(rows))
    page = client.post(f"{address}look/", {**WHAT_FOR, "purpose": "service", "for_known": "add"}, follow=True)
    assert page.status_code == 200
    for tab in ("people", "problems", "duplicates", "law"):
        assert client.get(f"{address}?tab={tab}").status_code == 200
    client.post(f"{address}run/")
    one = Import.objects.get()
    assert (one.stage, one.persons + one.found.get("broken", 0)) == (Stage.DONE, len(words))
    refs = list(Person.objects.values_list("ref", flat=True))
    names: set[str] = set()
    for start in range(0, len(refs), 500):
        opened = names_of(look, refs[start : start + 500]).opened.values()
        names |= {str(fields.get("family")) for fields in opened}
    left = {word for word in words if word not in names}
    assert all(len(word) > 300 or word.casefold() in {"null", "none", "n/a", "nan", "-", "--"} for word in left), left


# ---------------------------------------------------------------- in a browser


SignIn = Callable[[Staff], Page]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page_of_an_import(signed_in: SignIn, tom: Staff, tmp_path: Path, theme: str) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(table([GRETA, OLIVER, MIRA, GRETA, ("Bad", "Row", "nope", *[""] * 9)]))
    page = signed_in(tom)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    wrong: list[str] = []

    def look_closely() -> None:
        wrong.extend(found_by_axe(page))
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        if wide := wider_than_screen(page):
            wrong.append(f"{page.url} is {wide} pixels wider than a phone")
        page.set_viewport_size({"width": 1280, "height": 900})

    page.goto("/imports/")
    look_closely()
    page.goto("/imports/new/")
    look_closely()
    page.set_input_files("input[type=file]", str(file))
    page.click("main form.form button.main")
    page.wait_for_selector(".import-columns")
    look_closely()
    page.select_option("select[name=source]", "person")
    page.click(".import-form button.main")
    page.wait_for_selector(".import-numbers")
    preview = page.url
    for tab in ("people", "problems", "duplicates", "law"):
        page.goto(f"{preview}?tab={tab}")
        look_closely()
    page.click(".import-go button.main")
    page.wait_for_selector("button.danger")
    look_closely()
    assert wrong == []
    assert Person.objects.count() == 3


def test_a_file_is_dropped_on_its_field(signed_in: SignIn, tom: Staff) -> None:
    page = signed_in(tom)
    page.goto("/imports/new/")
    page.wait_for_selector(".dropping-hint:not([hidden])")
    page.evaluate(
        """() => {
          const held = new DataTransfer();
          held.items.add(new File(["Name,Email\\nGreta,greta@kettle.example\\n"], "dropped.csv", {type: "text/csv"}));
          document.querySelector(".dropping").dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true}));
        }"""
    )
    page.click("main form.form button.main")
    page.wait_for_selector(".import-columns")
    assert "dropped.csv" in page.title()


def test_columns_changed_on_the_way_to_the_preview_are_kept(firm: Entity, tom: Staff) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, b"Name,Email,Sparte\nGreta Berg,greta@kettle.example,lamps\n")
    page = client.get(address).content.decode()
    assert 'name="column-2" form="look-over"' in page
    client.post(f"{address}look/", WHAT_FOR | {"column-0": "name", "column-1": "email", "column-2": "tags"})
    assert Import.objects.get().mapping["2"] == "tags"


def test_rows_are_called_by_their_number_in_the_file_whatever_could_not_be_read(firm: Entity, tom: Staff) -> None:
    rows = ["First Name,Email", "Ann,ann@kettle.example", "Bob,bob@kettle.example,much,too,long", "Cy,nobody at all"]
    client = client_of(tom)
    address = brought_by(client, firm, "\n".join([*rows, "Di,di@kettle.example"]).encode())
    client.post(f"{address}look/", WHAT_FOR)
    one = Import.objects.get()
    assert sorted(one.findings.filter(says="broken").values_list("row", flat=True)) == [2, 3]
    problems = client.get(f"{address}?tab=problems").content.decode()
    assert "nobody at all" in problems
    assert "di@kettle.example" not in problems
    people = client.get(address).content.decode()
    assert re.findall(r'<td class="num">(\d+)</td><th scope="row">(\w+)', people) == [
        ("1", "Ann"),
        ("3", "Cy"),
        ("4", "Di"),
    ]


def test_an_encoding_is_named_whole(firm: Entity, tom: Staff) -> None:
    client = client_of(tom)
    address = brought_by(client, firm, "Name,Email\nJörg,j@kettle.example\n".encode("utf-16"))
    assert "(UTF-16)" in client.get(address).content.decode()
