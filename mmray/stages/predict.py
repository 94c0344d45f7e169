"""Predict: a model bundle and a table of raw records in, a row per record out."""

import json
from pathlib import Path
from typing import Any

from mmray.core.atomic import replacing
from mmray.data.table import open_table
from mmray.errors import ManifestError


def predict_file(bundle: Path, records: Path, output: Path | None) -> dict[str, Any]:
    """Predict every record of a .jsonl, .csv or .parquet file.

    Paths in it are relative to its own folder. With ``output``, rows are written there as .jsonl.
    """
    if not records.exists():
        raise ManifestError(
            f"there is no file of records {str(records)!r}",
            hint="it is a .jsonl, .csv or .parquet with the columns that the model takes",
        )
    table = open_table(str(records))
    chunks = list(table.chunks())
    from mmray.assembly.predictor import load  # not above: a wrong path need not wait for torch

    predictor = load(bundle, folder=table.folder)
    columns = {c for modality in predictor.config.modalities.values() for c in modality.columns}
    if not columns & set(table.columns()):
        raise ManifestError(
            f"no column of this table is an input of the model: {', '.join(table.columns())}",
            where=str(records),
            hint=f"the model takes: {', '.join(sorted(columns))}",
        )
    key = predictor.config.data.id or "sample_id"
    rows = [
        {"sample_id": row.get(key, place)} | prediction
        for chunk in chunks
        for row, place, prediction in zip(
            chunk.rows, chunk.places, predictor.predict(chunk.rows), strict=True
        )
    ]
    summary = {
        "samples": len(rows),
        "unusable": sum(row["predictions"] is None for row in rows),
        "rejected": sum(len(row["rejected"]) for row in rows),
    }
    if output is None:
        return summary | {"rows": rows}
    with replacing(output) as temporary, temporary.open("w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return summary | {"output": str(output)}
