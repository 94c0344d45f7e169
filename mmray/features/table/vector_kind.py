"""The record of ``table_vector``."""

from pathlib import Path

from mmray.config.modality.table import TableConfig, TableVectorConfig
from mmray.core.file.atomic import read_json
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind, Fitting
from mmray.features.state import fitted_file
from mmray.features.table.fit import STATE_FILE, fit_table, row_reader
from mmray.features.table.spec import table_spec
from mmray.features.table.vector import TableVectorExtractor, state_from_dict


def _build(config: TableConfig, extract: TableVectorConfig, state: Path | None) -> Extractor:
    learnt = state_from_dict(read_json(fitted_file(state, STATE_FILE)))
    return TableVectorExtractor(table_spec(config, extract), learnt, row_reader(config))


TABLE_VECTOR = ExtractorKind(
    config=TableVectorConfig,
    version=1,
    spec=table_spec,
    build=_build,
    fitting=Fitting(needed=lambda extract: True, run=fit_table, file=STATE_FILE),
)
