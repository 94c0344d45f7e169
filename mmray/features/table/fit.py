"""Fitting of table extractors on the train split: scales, names and ids."""

from functools import partial
from pathlib import Path

import numpy as np

from mmray.config.modality.table import TableConfig, TableVectorConfig
from mmray.core.file.atomic import write_json
from mmray.core.rejection import Rejection
from mmray.errors import ExtractionError
from mmray.features.kind import TrainSplit
from mmray.features.table.category import CategoryState, most_frequent
from mmray.features.table.date import fit_date
from mmray.features.table.number import fit_number
from mmray.features.table.row import TableRow, read_row
from mmray.features.table.sequence import SequenceState
from mmray.features.table.spec import category_slots, sequence_slots
from mmray.features.table.vector import TableState

STATE_FILE = "table.json"


def row_reader(config: TableConfig) -> "partial[TableRow]":
    """Return the decoder of this table's payloads."""
    return partial(
        read_row,
        numbers=tuple(column.column for column in config.numbers),
        categories=tuple(column.column for column in config.categories),
        dates=tuple(column.column for column in config.dates),
        sequences=tuple(column.column for column in config.sequences),
    )


def fit_table(
    config: TableConfig, extract: TableVectorConfig, train: TrainSplit, folder: Path
) -> None:
    """Learn from the train split's rows and write the state into ``folder``."""
    read = row_reader(config)
    rows: list[TableRow] = []
    for payload in train.payloads:
        try:
            rows.append(read(payload))
        except Rejection:
            continue
    if not rows:
        raise ExtractionError(
            "the train split has no usable row to fit on",
            hint="check the columns and the split",
        )
    write_json(folder / STATE_FILE, learn(config, extract, rows).to_dict())


def learn(config: TableConfig, extract: TableVectorConfig, rows: list[TableRow]) -> TableState:
    """Return every column, fitted on the rows."""
    return TableState(
        numbers=tuple(
            fit_number(
                column.column,
                np.array([row.numbers[index] for row in rows]),
                scale=column.scale or extract.scale,
                impute=extract.impute,
            )
            for index, column in enumerate(config.numbers)
        ),
        categories=_learn_categories(config, extract, rows),
        dates=tuple(
            fit_date(column.column, np.array([row.dates[index] for row in rows]))
            for index, column in enumerate(config.dates)
        ),
        sequences=_learn_sequences(config, extract, rows),
    )


def _learn_categories(
    config: TableConfig, extract: TableVectorConfig, rows: list[TableRow]
) -> tuple[CategoryState, ...]:
    states: list[CategoryState] = []
    for index, column in enumerate(config.categories):
        most = category_slots(column, extract)
        cells = [row.categories[index] for row in rows]
        groups = [[cell] for cell in cells if cell is not None]
        known = most_frequent(groups, most=most, min_count=extract.min_count)
        states.append(CategoryState(column.column, len(known), known))
    return tuple(states)


def _learn_sequences(
    config: TableConfig, extract: TableVectorConfig, rows: list[TableRow]
) -> tuple[SequenceState, ...]:
    states: list[SequenceState] = []
    for index, column in enumerate(config.sequences):
        most = sequence_slots(column, extract)
        groups = [(row.sequences[index] or ())[-extract.max_items :] for row in rows]
        known = most_frequent(groups, most=most, min_count=extract.min_count)
        states.append(
            SequenceState(
                column.column,
                len(known),
                known,
                weighting=extract.weighting,
                half_life=extract.half_life,
                max_items=extract.max_items,
            )
        )
    return tuple(states)
