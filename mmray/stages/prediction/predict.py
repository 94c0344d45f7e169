"""Predict: a model bundle and a table of raw records in, a row per record out."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from mmray.core.file.atomic import replacing
from mmray.core.label.cell import is_missing
from mmray.data.table.cell import name_of
from mmray.data.table.table import RawTable, open_table
from mmray.errors import ConfigError, ManifestError
from mmray.stages.prediction.columns import check_columns, column_warnings

if TYPE_CHECKING:
    from mmray.run.predict.predictor import Predictor

logger = logging.getLogger(__name__)
Row = dict[str, Any]


def predict_file(
    bundle: Path,
    records: Path,
    output: Path | None,
    *,
    allow: Sequence[str] | None = None,
    trust: bool = False,
) -> dict[str, Any]:
    """Predict every record of a .jsonl, .csv or .parquet file, or of another corpus layout.

    Paths in it are relative to its own folder, and may leave it only for the folders and URI
    prefixes in ``allow``. With ``output``, rows are written there as .jsonl.
    """
    if not records.exists():
        raise ManifestError(
            f"there is no file of records {str(records)!r}",
            hint="it is a .jsonl, .csv or .parquet with the columns that the model takes",
        )
    if output is not None:
        _check_output(output, {"records are": records, "model is": bundle})
    table = open_table(str(records))
    from mmray.run.predict.predictor import load  # not above: a wrong path need not wait for torch

    predictor = load(bundle, folder=table.folder, allow=allow, trust=trust)
    tally = _Tally(predictor)
    rows = _rows(predictor, table, tally)
    if output is None:
        found: dict[str, Any] = {"rows": list(rows)}
    else:
        with replacing(output) as temporary, temporary.open("w", encoding="utf-8") as stream:
            _write(rows, stream)
        found = {"output": str(output)}
    warnings = column_warnings(predictor.config, table.columns())
    for warning in warnings:
        logger.warning("%s", warning)
    return tally.to_dict() | {"warnings": warnings} | found


def _rows(predictor: "Predictor", table: RawTable, tally: "_Tally") -> Iterator[Row]:
    key = predictor.config.data.id or "sample_id"
    for number, chunk in enumerate(table.chunks()):
        if number == 0:  # records that hold nothing of use are not all read first
            check_columns(predictor.config, table.columns(), table.uri)
        predictions = predictor.predict(chunk.rows)
        for row, location, prediction in zip(chunk.rows, chunk.locations, predictions, strict=True):
            tally.add(prediction)
            yield {"sample_id": _id_of(row, key, location)} | prediction


def _write(rows: Iterator[Row], stream: TextIO) -> None:
    stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _id_of(row: Mapping[str, Any], key: str, location: str) -> str:
    """Return a record's id as prepare writes it; without one, its position."""
    value = row.get(key)
    return location if is_missing(value) else name_of(value)


def _check_output(output: Path, read: Mapping[str, Path]) -> None:
    """Refuse an output that is a folder or would overwrite an input."""
    if output.is_dir():
        raise ConfigError(
            f"the output {str(output)!r} is a folder",
            hint=f"name a file in it, such as {output / 'predictions.jsonl'}",
        )
    target = output.resolve()
    for what, place in read.items():
        if place.resolve() in (target, *target.parents):
            raise ConfigError(
                f"the output {str(output)!r} is, or lies in, what the {what} read from",
                where=str(place),
                hint="write it elsewhere: inputs are never overwritten",
            )


class _Tally:
    """Counts of the outcomes of records."""

    def __init__(self, predictor: "Predictor") -> None:
        self._modalities = tuple(predictor.config.modalities)
        self._counts: Counter[str] = Counter()
        self._absent: Counter[str] = Counter()

    def add(self, prediction: Row) -> None:
        self._counts["samples"] += 1
        self._counts["unusable"] += prediction["predictions"] is None
        self._counts["rejected"] += len(prediction["rejected"])
        there = {*prediction["present"], *prediction["rejected"]}
        self._absent.update(name for name in self._modalities if name not in there)

    def to_dict(self) -> dict[str, Any]:
        counts = {key: self._counts[key] for key in ("samples", "unusable", "rejected")}
        return counts | {"absent": {name: self._absent[name] for name in self._modalities}}


def describe_prediction(report: Mapping[str, Any]) -> str:
    """Return a report's counts as a sentence."""
    absent = [f"{count} of {name}" for name, count in report["absent"].items() if count]
    return (
        f"{report['samples']} records: {report['unusable']} without a usable payload, "
        f"{report['rejected']} payloads rejected, absent: {', '.join(absent) or 'none'}"
    )
