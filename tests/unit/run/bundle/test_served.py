"""What a served model takes and gives."""

import pytest

from mmray.run.bundle.example import example_record
from mmray.run.bundle.served import interface_of, output_columns, to_columns
from mmray.run.predict.predictor import load
from tests.support.bundle import make_bundle
from tests.support.document import make_config

EVERY_KIND = {
    "text": {"column": "note", "extract": {"kind": "bow", "hashing": True, "vocabulary": 16}},
    "page": {"kind": "text", "column": "page", "payload": "file",
             "extract": {"kind": "bow", "hashing": True, "vocabulary": 16}},
    "image": {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}},
    "audio": {"column": "clip", "extract": {"kind": "log_mel", "mels": 16}},
    "video": {"column": "clip", "extract": {"kind": "frames", "height": 8, "width": 8}},
    "speech": {"kind": "audio", "column": "sound", "extract": {"kind": "log_mel", "mels": 16}},
}  # fmt: skip
EVERY_TASK = {
    "animal": {"kind": "classification", "column": "label"},
    "pet": {"kind": "binary", "column": "label", "positive": "cat"},
    "tags": {"kind": "multilabel", "column": "label"},
    "grade": {"kind": "ordinal", "column": "label", "classes": ["cat", "dog", "owl"]},
    "size": {"kind": "regression", "column": "size", "loss": {"kind": "quantile"}},
    "age": {"kind": "regression", "column": "size"},
    "pair": {"kind": "alignment", "size": 4},
}


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    tasks = {name: task for name, task in EVERY_TASK.items() if name != "pet"}
    folder = tmp_path_factory.mktemp("served") / "model"
    return load(make_bundle(folder, modalities=EVERY_KIND, tasks=tasks), reads_files=False)


def test_the_example_is_a_record_of_which_every_payload_is_used(predictor):
    (row,) = predictor.predict(example_record(predictor.config))

    assert row["rejected"] == {}
    assert set(row["present"]) == set(EVERY_KIND)


def test_every_column_is_there_whatever_was_usable(predictor):
    columns = list(output_columns(predictor.config))
    full, empty = predictor.predict([example_record(predictor.config), {}])

    assert list(to_columns(full, columns)) == list(to_columns(empty, columns)) == columns
    cells = to_columns(full, columns)
    assert all(cells[column] is not None for column in columns)
    assert sum(cells["animal_probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    nothing = to_columns(empty, columns)
    assert {column for column in columns if nothing[column] is not None} == {"present", "rejected"}


def test_columns_are_typed_by_the_tasks_of_the_document():
    interface = interface_of(make_config(modalities=EVERY_KIND, tasks=EVERY_TASK))

    assert interface.inputs == ("note", "page", "photo", "clip", "sound")
    assert interface.outputs == {
        "animal": "text", "animal_probabilities": "numbers_by_name",
        "pet": "text", "pet_probabilities": "numbers_by_name",
        "tags": "texts", "tags_probabilities": "numbers_by_name",
        "grade": "text", "grade_probabilities": "numbers_by_name",
        "size": "number", "size_low": "number", "size_high": "number",
        "age": "number", "pair": "vectors_by_name", "present": "texts", "rejected": "text",
    }  # fmt: skip


def test_an_example_of_a_table_has_a_cell_of_every_column():
    table = {"numbers": ["age"], "categories": ["sex"], "sequences": ["tracks"],
             "dates": ["born", {"column": "seen", "format": "unix_ms"},
                       {"column": "day", "format": "%d.%m.%Y"}]}  # fmt: skip

    assert example_record(make_config(modalities={"table": table})) == {
        "age": 1.0, "sex": "a", "tracks": "a|b", "born": "2024-05-31T00:00:00+00:00",
        "seen": 1717113600000.0, "day": "31.05.2024",
    }  # fmt: skip
