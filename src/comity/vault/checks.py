"""`manage.py check` refuses a stored column whose sensitivity and retention nobody declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error
from django.db.models import Model

from comity.vault.data_map import FILE, THIRD_PARTY, Sensitivity, Table, WrongDataMap, data_map, ours


def every_column_is_declared(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """Compare the models of all apps with the data map, both ways."""
    data_map.cache_clear()
    try:
        declared = data_map()
    except WrongDataMap as error:
        return [Error(str(error), id="comity.E001")]
    configs = app_configs if app_configs is not None else list(apps.get_app_configs())
    return [problem for config in configs for problem in _problems(config, declared)]


def _problems(config: AppConfig, declared: Mapping[tuple[str, str], Table]) -> Iterator[CheckMessage]:
    models = {model.__name__: model for model in config.get_models(include_auto_created=True)}
    for name, model in models.items():
        yield from _of_model(config, model, declared.get((config.label, name)))
    for app, name in declared:
        if app == config.label and name not in models:
            yield Error(f"{_file(config)} declares {name}, which is no model: remove it.", id="comity.E003")


def _of_model(config: AppConfig, model: type[Model], table: Table | None) -> Iterator[CheckMessage]:
    columns = [field.column for field in model._meta.concrete_fields if field.column]  # noqa: SLF001 - it is documented
    if table is None:
        lines = f'[{model.__name__}]\nkeep = "person"\nref = [{", ".join(map(repr, columns))}]'.replace("'", '"')
        yield Error(
            f"{_file(config)} declares nothing of {model.__name__}: how sensitive each column is, and how long kept.",
            hint=f"Begin with this and correct it (docstring of comity.vault.data_map):\n{lines}",
            obj=model,
            id="comity.E002",
        )
        return
    for column in columns:
        if column not in table.columns:
            hint = f"Add it to one of the lists of [{model.__name__}]."
            yield Error(
                f"{_file(config)} declares no {model.__name__}.{column}.", hint=hint, obj=model, id="comity.E002"
            )
    yield from _of_persons(config, model, table, columns)
    clocks = [table.clock, *(column.clock for column in table.columns.values())]
    for name in dict.fromkeys((*table.columns, *(clock.column for clock in clocks if clock.column))):
        if name not in columns:
            yield Error(
                f"{_file(config)} names {model.__name__}.{name}, which is no column.", obj=model, id="comity.E003"
            )


def _of_persons(config: AppConfig, model: type[Model], table: Table, columns: Sequence[str]) -> Iterator[CheckMessage]:
    """Refuse a column that can name a person where nobody said what becomes of it when that person is erased."""
    linked = {link.column for link in table.persons}
    named = {
        name
        for name, told in table.columns.items()
        if told.sensitivity is Sensitivity.REF and LIKE_A_PERSON.fullmatch(name)
    }
    for column in sorted(named - linked):
        hint = f'Say in [{model.__name__}]: person = "{column}" and erased = "delete", "unname" or "stay".'
        yield Error(
            f"{_file(config)} says not what becomes of {model.__name__}.{column} when that person is erased.",
            hint=hint, obj=model, id="comity.E004",
        )  # fmt: skip
    for column in sorted({*linked, *table.cleared, *filter(None, [table.records_if])} - set(columns)):
        yield Error(
            f"{_file(config)} names {model.__name__}.{column}, which is no column.", obj=model, id="comity.E003"
        )


LIKE_A_PERSON: Final = re.compile(r"persons?(_id)?|child|guardian|permitted")


def _file(config: AppConfig) -> str:
    return f"{config.path}/{FILE}" if ours(config) else str(THIRD_PARTY)
