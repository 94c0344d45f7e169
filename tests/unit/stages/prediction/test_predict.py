"""A table of records in, a row per record out; what is lost on the way is told."""

import json
from datetime import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from mmray.cli.app import app
from mmray.errors import ConfigError, ManifestError
from mmray.stages.prediction.predict import describe_prediction, predict_file
from tests.support.bundle import make_bundle
from tests.support.document import write_lines


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture
def records(tmp_path):
    rows = [{"sample_id": n, "note": "a cat", "age": n} for n in range(3)]
    return write_lines(tmp_path / "records.jsonl", rows)


def test_a_misspelt_column_is_named_with_its_nearest_and_what_is_absent_counted(bundle, tmp_path):
    rows = [{"notes": "a cat", "age": 3, "label": "cat", "colour": "red"}] * 40
    report = predict_file(bundle, write_lines(tmp_path / "r.jsonl", rows), None)

    assert report["warnings"] == [
        "no record has 'note', an input of text; did you mean 'notes'?",
        "no record has 'photo', an input of image",
        "no record has 'sex', an input of table",
        "not an input of the model, and not used: notes, colour",
    ]
    assert report["absent"] == {"text": 40, "image": 40, "table": 0}
    assert "absent: 40 of text, 40 of image" in describe_prediction(report)


def test_records_without_any_input_are_an_error(bundle, tmp_path):
    with pytest.raises(ManifestError, match="no column of these records is an input"):
        predict_file(bundle, write_lines(tmp_path / "r.jsonl", [{"x": 1}]), None)


def test_ids_are_text_whatever_their_type(bundle, tmp_path):
    ids = {
        "time": pa.array([datetime(2024, 5, 31, 12), datetime(2024, 6, 1)]),
        "decimal": pa.array([Decimal("1.50"), Decimal("2.00")]),
        "bytes": pa.array([b"\x00a", b"b"]),
        "gaps": pa.array([3.0, None]),
    }
    found = {}
    for name, column in ids.items():
        path = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table({"sample_id": column, "note": ["a cat", "a dog"]}), path)
        predict_file(bundle, path, tmp_path / "out.jsonl")
        lines = (tmp_path / "out.jsonl").read_text().splitlines()
        found[name] = [json.loads(line)["sample_id"] for line in lines]

    assert found["time"] == ["2024-05-31 12:00:00", "2024-06-01 00:00:00"]
    assert found["decimal"] == ["1.50", "2.00"]
    assert found["bytes"] == ["b'\\x00a'", "b'b'"]
    assert found["gaps"] == ["3", f"{tmp_path / 'gaps.parquet'}:2"]


def test_nothing_that_is_read_is_overwritten(bundle, records, tmp_path):
    before = records.read_bytes()
    (tmp_path / "link.jsonl").symlink_to(records)
    for output in (tmp_path, records, tmp_path / "link.jsonl"):
        with pytest.raises(ConfigError, match="the output"):
            predict_file(bundle, records, output)
    with pytest.raises(ConfigError, match="lies in"):
        predict_file(bundle, tmp_path, tmp_path / "more.jsonl")
    assert records.read_bytes() == before


def test_a_bundle_is_not_overwritten_by_what_it_predicts(bundle, records):
    document = bundle / "bundle.json"
    before = document.read_bytes()

    with pytest.raises(ConfigError, match="lies in, what the model is read from"):
        predict_file(bundle, records, document)

    assert document.read_bytes() == before


def test_the_verb_prints_rows_counts_and_errors(bundle, records, tmp_path):
    rows = CliRunner().invoke(app, ["predict", str(bundle), str(records)])
    wrong = CliRunner().invoke(app, ["predict", str(tmp_path), str(records)])

    assert [json.loads(line)["sample_id"] for line in rows.stdout.splitlines()] == ["0", "1", "2"]
    assert "3 records: 0 without a usable payload" in rows.stderr
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "there is no model bundle" in wrong.stderr
