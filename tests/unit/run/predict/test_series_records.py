"""Series in records, and in manifests of every form: files, text, lists."""

import base64

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import mmray
from mmray.data.manifest.normalise import normalise
from mmray.run.bundle.example import example_record
from tests.support.bundle import make_bundle
from tests.support.document import make_config
from tests.support.kinds.series import npy
from tests.support.table import read_table

STEPS = [[0, 1.0], [1, 3.0], [2, 2.0]]
TEXT = "t,x\n0,1\n1,3\n2,2\n"
MODALITIES = {
    "series": {
        "column": "signal", "extract": {"kind": "raw"}, "encode": {"kind": "lstm", "hidden": 8},
        "decode": {"columns": [1], "time": 0, "rate_hz": 1},
    },
    "log": {"kind": "series", "column": "log", "payload": "inline"},
    "text": {"column": "note", "extract": {"kind": "bow", "hashing": True, "vocabulary": 16}},
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "a.csv").write_text(TEXT)
    (folder / "b.npy").write_bytes(npy(STEPS))
    return mmray.load(
        make_bundle(tmp_path_factory.mktemp("sound") / "model", modalities=MODALITIES),
        folder=folder,
    )


def probabilities(model, *records):
    rows = model.predict(list(records))
    assert [row["rejected"] for row in rows] == [{}] * len(rows)
    return [list(row["predictions"]["animal"]["probabilities"].values()) for row in rows]


def test_the_same_series_predicts_the_same_from_a_file_a_list_bytes_or_a_data_uri(model):
    uri = f"data:text/csv;base64,{base64.b64encode(TEXT.encode()).decode()}"
    cells = ["a.csv", "b.npy", STEPS, tuple(STEPS), TEXT.encode(), npy(STEPS), uri]

    found = probabilities(model, *({"signal": cell} for cell in cells))
    (other,) = probabilities(model, {"signal": [[0, -9], [1, -9]]})

    np.testing.assert_allclose(found, [found[0]] * len(cells), atol=1e-5)
    assert np.abs(np.subtract(other, found[0])).max() > 1e-4


def test_a_series_that_is_odd_or_absent_costs_itself_alone(model):
    records = [
        {"note": "a cat", "signal": cell}
        for cell in (None, [], [["x", 1]], [[0, 1, 2], [1]], [object()], 7, "none.csv", STEPS)
    ]
    rows = model.predict(records)

    reasons = [row["rejected"].get("series", {}).get("reason") for row in rows]
    assert reasons == [
        None, "series_empty", "series_not_numeric", "series_broken", "wrong_type", "wrong_type",
        "not_found", None,
    ]  # fmt: skip
    assert [sorted(row["present"]) for row in rows] == [["text"]] * 7 + [["series", "text"]]


def test_text_in_an_inline_column_is_the_series_itself(model):
    found = probabilities(model, {"log": "[1,3,2]"}, {"log": "1\n3\n2"}, {"log": [1, 3, 2]})

    np.testing.assert_allclose(found, [found[0]] * 3, atol=1e-5)


def test_the_example_of_the_bundle_can_be_predicted(model):
    (row,) = model.predict(example_record(model.config))

    assert row["rejected"] == {}
    assert row["present"] == list(model.config.modality_order())


def test_lists_of_a_parquet_manifest_are_payloads_beside_paths(tmp_path):
    config = make_config(
        modalities={"series": {"column": "signal"}, "other": {"kind": "series", "column": "path"}}
    )
    rows = {
        "id": ["a", "b", "c"], "label": ["cat", "dog", "cat"],
        "signal": [[1.0, None], None, [0.1]], "path": ["a.csv", "b.npy", None],
    }  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "manifest.parquet")

    manifest = normalise(read_table(str(tmp_path / "manifest.parquet")), config)

    assert list(manifest.references["series"]) == [b"[1.0,null]", None, b"[0.1]"]
    assert list(manifest.references["other"]) == ["a.csv", "b.npy", None]
