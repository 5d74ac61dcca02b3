"""PostgreSQL goes away and comes back while everything else runs on."""

from __future__ import annotations

from tests.faults.house import House, until

DEFER = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('web', 'web.forget_jobs', '{"timestamp": 1}')
RETURNING id
"""


def test_without_its_database_the_book_says_so_and_goes_on_by_itself(house: House) -> None:
    with house.without_postgres():
        until(lambda: house.page("/people/").code == 503, "each thread of the web server sees it")
        page = house.page("/people/")
        assert (page.code, page.headers["retry-after"]) == (503, "5")
        assert "The database does not answer" in page.body.decode()
        until(lambda: house.ask("GET", "/api/v1/persons").code == 503, "each thread of the web server sees it")
        told = house.ask("GET", "/api/v1/persons")
        assert (told.code, told.headers["content-type"]) == (503, "application/problem+json")
        assert told.headers["retry-after"] == "5"
        assert house.ask("GET", "/healthz/alive").code == 200
    until(lambda: house.ask("GET", "/healthz").code == 200, "the book is ready again")
    for _ in range(8):  # each thread of the web server has a connection of its own, and each was cut
        assert house.page("/people/").code == 200
    assert [process.poll() for process in house.running.values()] == [None, None, None]


def test_the_sequencer_goes_on_when_the_database_is_back(house: House) -> None:
    with house.without_postgres():
        pass
    until(lambda: house.ask("GET", "/healthz").code == 200, "the book is ready again")
    assert house.add("After").code == 201
    until(house.all_is_numbered, "the sequencer numbers again")


def test_the_worker_goes_on_when_the_database_is_back(house: House) -> None:
    with house.without_postgres():
        pass
    until(lambda: house.ask("GET", "/healthz").code == 200, "the book is ready again")
    ((job,),) = house.rows(DEFER)
    done = "SELECT status::text FROM procrastinate_jobs WHERE id = %s"
    until(lambda: house.rows(done, job) == [("succeeded",)], "the worker works again")
