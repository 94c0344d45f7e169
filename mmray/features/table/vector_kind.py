"""The record of ``table_vector``."""

from operator import gt
from pathlib import Path

from mmray.config.modality.table import TableConfig, TableVectorConfig
from mmray.core.file.atomic import read_json
from mmray.core.spec import FeatureSpec
from mmray.features.extractor import Extractor
from mmray.features.kind import ExtractorKind, Fitting
from mmray.features.state import fitted_file
from mmray.features.table.fit import STATE_FILE, fit_table, row_reader
from mmray.features.table.spec import category_slots, sequence_slots, spec_with, table_spec
from mmray.features.table.vector import (
    TableState,
    TableVectorExtractor,
    other_width,
    state_from_dict,
)


def _build(config: TableConfig, extract: TableVectorConfig, state: Path | None) -> Extractor:
    fitted = _read_state(state)
    spec = _spec_of(config, extract, fitted)
    return TableVectorExtractor(spec, fitted, row_reader(config))


def _fitted_spec(config: TableConfig, extract: TableVectorConfig, state: Path) -> FeatureSpec:
    return _spec_of(config, extract, _read_state(state))


def _read_state(state: Path | None) -> TableState:
    return state_from_dict(read_json(fitted_file(state, STATE_FILE)))


def _spec_of(config: TableConfig, extract: TableVectorConfig, fitted: TableState) -> FeatureSpec:
    """Return the spec; a state with more slots than the settings allow is a ConfigError."""
    spec, most = spec_with(config, fitted.slots), table_spec(config, extract)
    allowed = [category_slots(column, extract) for column in config.categories]
    allowed += [sequence_slots(column, extract) for column in config.sequences]
    slots = [column.slots for column in (*fitted.categories, *fitted.sequences)]
    if spec.shape > most.shape or any(map(gt, slots, allowed)):
        raise other_width(spec.shape[0], most.shape[0])
    return spec


TABLE_VECTOR = ExtractorKind(
    config=TableVectorConfig,
    version=1,
    spec=table_spec,
    build=_build,
    fitting=Fitting(needed=lambda extract: True, run=fit_table, file=STATE_FILE, spec=_fitted_spec),
)
