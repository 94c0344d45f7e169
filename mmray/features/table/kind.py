"""The record of table modalities."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mmray.config.modality.table import CustomTableExtract, DateColumn, TableConfig
from mmray.core.kind import Kind
from mmray.features.custom import custom_extractor
from mmray.features.kind import ModalityKind, decisive_settings
from mmray.features.table.vector_kind import TABLE_VECTOR

DAY = datetime(2024, 5, 31, tzinfo=UTC)


def _settings(config: TableConfig) -> dict[str, Any]:
    return decisive_settings(config) | {"columns": config.payload_settings}


def _example(table: TableConfig) -> dict[str, Any]:
    return dict(_cells(table))


def _cells(table: TableConfig) -> Iterator[tuple[str, Any]]:
    for number in table.numbers:
        yield number.column, 1.0
    for category in table.categories:
        yield category.column, "a"
    for date in table.dates:
        yield date.column, _day(date)
    for sequence in table.sequences:
        yield sequence.column, "a|b"


def _day(date: DateColumn) -> str | float:
    match date.format:
        case "iso":
            return DAY.isoformat()
        case "unix_s":
            return DAY.timestamp()
        case "unix_ms":
            return DAY.timestamp() * 1000
        case written:
            return DAY.strftime(written)


TABLE = ModalityKind(
    kind=Kind.TABLE,
    config=TableConfig,
    extractors=(
        TABLE_VECTOR,
        custom_extractor(CustomTableExtract, Kind.TABLE, version=1),
    ),
    libraries=("numpy",),
    guard="never",
    format_of=lambda payload: "table",
    example=_example,
    settings=_settings,
)
