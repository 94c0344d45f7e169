"""From the table section of the document to an extractor."""

import shutil
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality.table import CustomTableExtract, TableConfig, TableVectorConfig
from mmray.core.file.atomic import read_json
from mmray.core.fingerprint import digest_file
from mmray.core.kind import Kind
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.features.state import fitted_file
from mmray.features.table.fit import STATE_FILE, row_reader
from mmray.features.table.spec import table_spec
from mmray.features.table.vector import TableVectorExtractor, state_from_dict

VERSIONS = {"table_vector": 1, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_table(config: TableConfig, state: Path | None) -> Extractor:
    """Build the extractor of a table modality."""
    match config.extract:
        case TableVectorConfig():
            learnt = state_from_dict(read_json(fitted_file(state, STATE_FILE)))
            return TableVectorExtractor(table_spec(config), learnt, row_reader(config))
        case CustomTableExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.TABLE)
        case _:
            assert_never(config.extract)


def table_identity(config: TableConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    decided = {"version": VERSIONS[config.extract.kind], "columns": config.payload_settings}
    match config.extract:
        case TableVectorConfig():
            return decided | {"fitted": digest_file(fitted_file(state, STATE_FILE))}
        case CustomTableExtract() as extract:
            return decided | {"code": custom_digest(extract.factory)}
        case _:
            assert_never(config.extract)


def export_table(config: TableConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_table(config, folder)`` needs on another machine."""
    match config.extract:
        case TableVectorConfig():
            shutil.copyfile(fitted_file(state, STATE_FILE), folder / STATE_FILE)
        case CustomTableExtract():
            return
        case _:
            assert_never(config.extract)
