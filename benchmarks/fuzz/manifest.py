"""Manifests of every layout, damaged as rows, as text, as bytes, or as files."""

import csv
import io
import json
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz.broken_file import break_file
from benchmarks.fuzz.document import ROWS
from benchmarks.fuzz.oddity import odd_text, odd_tree
from benchmarks.fuzz.subject import Subject
from benchmarks.mutation import mutate
from mmray.config.reading.load import check_document
from mmray.data.manifest.manifest import read_manifest, write_manifest
from mmray.stages.prepare import check_manifest, describe_counts, manifest_counts
from mmray.stages.workspace import Workspace

Rows = list[dict[str, Any]]
TEXT = {"text": {"column": "note"}}
TABLE = {"kind": "table", "numbers": ["age"], "categories": ["sex"], "dates": ["born"],
         "sequences": ["played"]}  # fmt: skip
FULL = {"text": {"column": "note"}, "image": {"column": "photo"}, "table": TABLE}
TASKS = {
    "animal": {"kind": "classification", "column": "label"},
    "score": {"kind": "regression", "column": "score"},
    "tags": {"kind": "multilabel", "column": "tags"},
}
ANIMAL = {"animal": TASKS["animal"]}


def manifest_subject() -> Subject:
    """Return manifests of six layouts in turn."""
    return Subject("manifest", _break, _use)


def _break(folder: Path, seed: int) -> str:
    name = list(_WRITERS)[seed % len(_WRITERS)]
    corpus = folder / "corpus"
    corpus.mkdir()
    rng = np.random.default_rng([max(seed, 0), 7])
    way = "nothing" if seed < 0 else str(rng.choice(["rows", "rows", "text", "bytes", "file"]))
    rows = [dict(row) for row in ROWS]
    if way == "rows":
        rows = _odd_rows(rows, seed, rng)
    try:
        _WRITERS[name](corpus, rows)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, OSError, AttributeError):
        # Not every odd value can be written in every form; JSON takes them all.
        name = "jsonl"
        _write_jsonl(corpus, rows)
    done = _damage(corpus, seed, way, rng)
    (folder / "layout").write_text(name, "ascii")
    return f"{name}, {way} {done}"


def _odd_rows(rows: Rows, seed: int, rng: np.random.Generator) -> Rows:
    if rng.random() < 0.3:  # one column, in every row alike
        column = str(rng.choice(list(rows[0])))
        value = odd_tree({"value": rows[0][column]}, seed).get("value")
        return [row | {column: value} for row in rows]
    found = odd_tree(rows, seed)
    return [row if isinstance(row, dict) else {"note": row} for row in found]


def _damage(corpus: Path, seed: int, way: str, rng: np.random.Generator) -> str:
    files = sorted(path for path in corpus.rglob("*") if path.is_file())
    file = files[rng.integers(len(files))] if files else corpus
    if way == "text" and file.suffix in (".jsonl", ".csv", ".json"):
        text = odd_text(file.read_text("utf-8"), seed)
        file.write_bytes(text.encode(errors="surrogatepass"))
    elif way in ("text", "bytes") and files:
        file.write_bytes(mutate(file.read_bytes(), seed))
    elif way == "file" and files:
        return break_file(file, rng)
    return ""


def _use(folder: Path) -> Any:
    """Prepare it, as 'mmray prepare' does, and read back what it wrote."""
    os.chdir(folder)
    config = check_document(_DOCUMENTS[Path("layout").read_text("ascii")], where="pets.yaml")
    assert Workspace(config).prepared_folder
    manifest = check_manifest(config)
    describe_counts(manifest_counts(manifest))
    write_manifest(manifest, Path("work/manifest.parquet"))
    assert read_manifest(Path("work/manifest.parquet")) == manifest
    return len(manifest)


def _write_jsonl(corpus: Path, rows: Rows) -> None:
    (corpus / "m.jsonl").write_text("\n".join(json.dumps(row) for row in rows), "utf-8")


def _write_csv(corpus: Path, rows: Rows) -> None:
    text = io.StringIO()
    columns = dict.fromkeys(key for row in rows for key in row)
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    for row in rows:
        writer.writerow({k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()})
    (corpus / "m.csv").write_text(text.getvalue(), "utf-8", errors="surrogatepass")


def _write_parquet(corpus: Path, rows: Rows) -> None:
    pq.write_table(pa.Table.from_pylist(rows), corpus / "m.parquet")


def _write_folders(corpus: Path, rows: Rows) -> None:
    for number, row in enumerate(rows):
        path = corpus / str(row.get("label")) / f"{number}.txt"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(str(row.get("note")), "utf-8")


def _write_webdataset(corpus: Path, rows: Rows) -> None:
    with tarfile.open(corpus / "0.tar", "w") as archive:
        for number, row in enumerate(rows):
            for extension, content in (("json", json.dumps(row)), ("jpg", "picture")):
                info = tarfile.TarInfo(f"{number}.{extension}")
                info.size = len(content.encode())
                archive.addfile(info, io.BytesIO(content.encode()))


def _write_huggingface(corpus: Path, rows: Rows) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(corpus / "data.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=10)
    state: Mapping[str, Any] = {"_data_files": [{"filename": "data.arrow"}]}
    (corpus / "state.json").write_text(json.dumps(state), "utf-8")
    (corpus / "dataset_info.json").write_text(json.dumps({"features": {}}), "utf-8")


_WRITERS: Mapping[str, Callable[[Path, Rows], None]] = {
    "jsonl": _write_jsonl,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "folders": _write_folders,
    "webdataset": _write_webdataset,
    "huggingface": _write_huggingface,
}


def _document(modalities: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "pets",
        "data": {"manifest": "corpus"},
        "modalities": modalities,
        "tasks": tasks,
    }


_DOCUMENTS = {name: _document(FULL, TASKS) for name in _WRITERS} | {
    "folders": _document({"text": {"column": "file", "payload": "file"}}, ANIMAL),
    "webdataset": _document(FULL | {"front": {"kind": "image", "column": "jpg"}}, TASKS),
}
