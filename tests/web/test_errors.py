from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import OperationalError, connection
from django.test import Client
from procrastinate.exceptions import ConnectorException

from comity.api.tokens import new_token
from comity.staff import queries
from comity.staff.models import Staff

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM = {"login": "ada@comity.example", "password": "x"}


@pytest.fixture
def gone(transactional_db: None) -> Iterator[None]:
    """Send every new connection to a port on which no PostgreSQL listens, and break the one that stands."""
    del transactional_db
    was = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    yield
    connection.close()
    connection.settings_dict.update(was)


@pytest.fixture
def browser() -> Client:
    """Answer as a server does: an error is a page, not an exception."""
    return Client(raise_request_exception=False)


def signed_in(client: Client, staff: Staff) -> Client:
    client.force_login(staff, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.mark.django_db(transaction=True)
def test_without_its_database_every_page_says_so_and_mends_itself(browser: Client, ada: Staff) -> None:
    signed_in(browser, ada)
    was = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    try:
        answer = browser.get("/own/")
        assert answer.status_code == 503
        assert answer["Retry-After"] == "5"
        assert "The database does not answer" in answer.content.decode()
        assert "http-equiv" in answer.content.decode()
        assert browser.get("/healthz").status_code == 503
        assert browser.get("/healthz/alive").status_code == 200
    finally:
        connection.settings_dict.update(was)
    assert browser.get("/own/").status_code == 200
    assert browser.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_cut_is_made_anew(browser: Client, ada: Staff) -> None:
    signed_in(browser, ada)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()
    answers = [browser.get("/own/").status_code for _ in range(2)]
    assert answers[1] == 200
    assert answers[0] in {200, 503}


@pytest.mark.usefixtures("gone")
def test_a_form_that_was_sent_while_the_database_was_gone_is_not_lost_in_silence(browser: Client) -> None:
    answer = browser.post("/sign-in/", FORM)
    assert answer.status_code == 503
    assert "was not saved" in answer.content.decode()


@pytest.mark.usefixtures("gone")
def test_a_program_gets_a_problem_where_people_get_a_page(browser: Client) -> None:
    answer = browser.post("/api/v1/persons", {}, "application/json", headers={"Authorization": f"Bearer {new_token()}"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer["Retry-After"] == "5"


def test_a_job_that_could_not_be_deferred_is_no_fault_of_ours(
    browser: Client, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deferring(_: object) -> None:
        raise ConnectorException

    monkeypatch.setattr(queries, "roles_of", deferring)
    assert signed_in(browser, ada).get("/own/").status_code == 503


def test_what_nobody_expected_is_a_page_of_ours(browser: Client, ada: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "roles_of", lambda _: 1 / 0)
    answer = signed_in(browser, ada).get("/own/")
    assert answer.status_code == 500
    assert "It is our fault" in answer.content.decode()


def test_a_lock_that_was_waited_for_too_long_is_not_our_fault_but_the_databases(
    browser: Client, ada: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(_: object) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(queries, "roles_of", late)
    assert signed_in(browser, ada).get("/own/").status_code == 503


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/nothing/here/", 404, "There is nothing at this address"),
        ("/staff/", 403, "This is not in your role"),
        ("/staff/01900000-0000-7000-8000-000000000000/", 403, "Administrator"),
    ],
)
def test_a_refusal_says_what_and_what_to_do(browser: Client, ada: Staff, path: str, code: int, says: str) -> None:
    answer = signed_in(browser, ada).get(path)
    assert answer.status_code == code
    assert says in answer.content.decode()


def test_a_cut_off_address_is_no_fault_of_ours(browser: Client, olga: Staff, no_second_factor: None) -> None:
    del no_second_factor
    answer = signed_in(browser, olga).get("/staff/?from=x")
    assert answer.status_code == 400
    assert "cannot be read" in answer.content.decode()


def test_a_form_from_elsewhere_is_refused_with_the_way_back(ada: Staff) -> None:
    client = signed_in(Client(enforce_csrf_checks=True), ada)
    answer = client.post("/own/choices/", {"time_zone": "UTC"})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


@pytest.mark.usefixtures("db")
def test_an_error_speaks_chinese_too(browser: Client) -> None:
    assert "此地址没有内容" in browser.get("/nothing/", headers={"Accept-Language": "zh-CN"}).content.decode()
