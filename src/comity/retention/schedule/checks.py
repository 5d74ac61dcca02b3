"""`manage.py check` refuses a table that no category of the schedule names, and a clock that nobody put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error

from comity.counsel.keeping import kinds_of_records, unknown_rules
from comity.retention.schedule.categories import FILE, Schedule, WrongSchedule, schedule
from comity.vault.data_map import Table, WrongDataMap, data_map


def everything_is_scheduled(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Compare the schedule with the data maps and with the models of all apps, both ways."""
    del app_configs  # a category spans apps
    schedule.cache_clear()
    try:
        told, declared = schedule(), data_map()
    except (WrongSchedule, WrongDataMap) as error:
        return [Error(str(error), id="comity.E011")]
    return [*_of_tables(told, declared), *_of_clocks(told, declared), *_of_the_law(told)]


def _of_tables(told: Schedule, declared: Mapping[tuple[str, str], Table]) -> Iterator[CheckMessage]:
    named = {table for category in told.categories for table in category.tables}
    there = {f"{app}.{model}" for app, model in declared}
    for table in sorted(there - named):
        yield Error(
            f"{FILE} puts {table} into no category: what is it to whoever reads the policy?",
            hint="Add it to the tables of the category that people would look for it in.",
            id="comity.E012",
        )
    for table in sorted(named - there):
        yield Error(f"{FILE} names {table}, which no data map declares: remove it.", id="comity.E013")
    for table in sorted(told.own_job.keys() - there):
        yield Error(f"{FILE} has a job for {table}, which no data map declares.", id="comity.E013")


def _of_clocks(told: Schedule, declared: Mapping[tuple[str, str], Table]) -> Iterator[CheckMessage]:
    """Refuse a clock that runs from a column that is not there, or from one that has no words."""
    for (app, model), table in declared.items():
        columns = {field.column for field in apps.get_model(app, model)._meta.concrete_fields}  # noqa: SLF001 - it is documented
        clocks = [table.clock, *(column.clock for column in table.columns.values())]
        for column in dict.fromkeys(clock.column for clock in clocks if clock.column):
            if column not in columns:
                yield Error(f"The clock of {app}.{model} runs from {column}, which is no column.", id="comity.E014")
            elif column not in told.since:
                yield Error(
                    f"The clock of {app}.{model} runs from {column}, for which {FILE} has no words.",
                    hint=f'Say under [since] what people call it: {column} = "it was closed".',
                    id="comity.E014",
                )


def _of_the_law(told: Schedule) -> Iterator[CheckMessage]:
    for category in told.categories:
        for rule in unknown_rules(category.rules):
            yield Error(f"{FILE}: {category.id} rests on {rule}, which no law pack has.", id="comity.E015")
        for kind in sorted(set(category.records) - kinds_of_records()):
            yield Error(f"{FILE}: {category.id} asks about {kind}, which is no kind of records.", id="comity.E015")
