"""Columns of records compared with the inputs of a model."""

from collections.abc import Sequence

from mmray.config.document import Config
from mmray.core.text.nearest import listed, nearest
from mmray.errors import ManifestError


def check_columns(config: Config, columns: Sequence[str], where: str) -> None:
    """Refuse records of which no column is an input of the model."""
    inputs = _inputs(config)
    if not set(inputs) & set(columns):
        raise ManifestError(
            f"no column of these records is an input of the model: {listed(columns)}",
            where=where,
            hint=f"the model takes: {listed(sorted(inputs))}",
        )


def column_warnings(config: Config, columns: Sequence[str]) -> list[str]:
    """Warn about inputs that no record has, and about unused columns, with nearest names."""
    inputs, known = _inputs(config), _known(config)
    unused = [column for column in columns if column not in inputs]
    warnings: list[str] = []
    for column, modality in inputs.items():
        if column not in columns:
            close = nearest(column, unused)
            hint = f"; did you mean {close!r}?" if close else ""
            warnings.append(f"no record has {column!r}, an input of {modality}{hint}")
    strange = [column for column in unused if column not in known]
    if strange:
        warnings.append(f"not an input of the model, and not used: {listed(strange)}")
    return warnings


def _inputs(config: Config) -> dict[str, str]:
    return {c: name for name, modality in config.modalities.items() for c in modality.columns}


def _known(config: Config) -> set[str | None]:
    """Return columns of a corpus that prediction does not use."""
    data, tasks = config.data, config.tasks.values()
    labels = {getattr(task, "column", None) for task in tasks}
    return labels | {"sample_id", "split", data.id, data.split.group, data.split.column}
