import csv
import json
import math
from datetime import UTC, date, datetime
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.data.manifest.normalise import normalise
from mmray.data.manifest.reference import reference_of
from mmray.errors import ManifestError
from tests.support.document import make_config, write_lines
from tests.support.table import read_table

COLUMNS = {
    "numbers": ["age", "weight"],
    "categories": ["sex", "ward"],
    "dates": ["visited"],
    "sequences": ["tracks"],
}


def config_of(kind, **settings):
    return TypeAdapter(ModalityConfig).validate_python({"kind": kind} | settings)


def row_of(row, **settings):
    reference = reference_of(config_of("table", **(COLUMNS | settings)), row)
    return None if reference is None else json.loads(reference)


# --- rows -----------------------------------------------------------------------------------

WRITTEN = [
    {"age": 34, "weight": 70.5, "sex": "f", "ward": 3, "visited": datetime(2024, 5, 31, 10, 30),
     "tracks": ["t1", "t2", "t1"]},
    {"age": None, "weight": 1e-3, "sex": None, "ward": None, "visited": None, "tracks": None},
    {"age": None, "weight": None, "sex": None, "ward": None, "visited": None, "tracks": None},
    {"age": 8, "weight": None, "sex": "女", "ward": 12, "visited": datetime(1999, 1, 1),
     "tracks": ["t9"]},
]  # fmt: skip
EXPECTED = [
    '{"age":34.0,"sex":"f","tracks":["t1","t2","t1"],"visited":"2024-05-31T10:30:00.000+00:00",'
    '"ward":"3","weight":70.5}',
    '{"weight":0.001}',
    None,
    '{"age":8.0,"sex":"女","tracks":["t9"],"visited":"1999-01-01T00:00:00.000+00:00","ward":"12"}',
]


def write_as(suffix, folder):
    path = folder / f"m{suffix}"
    labelled = [row | {"sample_id": str(n), "label": "ab"[n % 2]} for n, row in enumerate(WRITTEN)]
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(labelled), path)
    elif suffix == ".pandas.parquet":
        pd.DataFrame(labelled).to_parquet(path)
    elif suffix == ".jsonl":
        write_lines(path, [r | {"visited": r["visited"] and str(r["visited"])} for r in labelled])
    else:
        texts = [
            row
            | {"tracks": row["tracks"] and "|".join(row["tracks"])}
            | {"ward": row["ward"] and float(row["ward"])}
            for row in labelled
        ]
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(texts[0]))
            writer.writeheader()
            writer.writerows(texts)
    return str(path)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet", ".pandas.parquet"])
def test_the_same_rows_are_the_same_payloads_in_every_format(suffix, tmp_path):
    config = make_config(
        data={"manifest": "m", "split": {"train": 1, "val": 0, "test": 0}},
        modalities={"table": COLUMNS},
    )

    manifest = normalise(read_table(write_as(suffix, tmp_path)), config)

    assert manifest.references["table"] == EXPECTED


def test_a_cell_that_cannot_be_read_says_so_in_its_place_and_spoils_no_other():
    row = {"age": "abc", "weight": "1", "sex": b"f", "visited": "soon", "tracks": "[1,"}

    assert row_of(row) == {
        "age": {"unreadable": "'abc' is not a number"},
        "weight": 1.0,
        "sex": {"unreadable": "b'f' is not a name"},
        "visited": {
            "unreadable": "'soon' is not a date in the format ISO 8601, such as 2024-05-31"
        },
        "tracks": {"unreadable": "'[1,' is not a list of ids: write a JSON list, or a|b|c"},
    }


def test_texts_that_stand_for_nothing_are_missing_where_the_document_lists_them():
    row = {"age": "NA", "weight": -999.0, "sex": "NA", "tracks": "?", "ward": "NAN"}

    assert row_of(row, missing=["NA", "-999", "?"]) == {"ward": "NAN"}
    assert row_of({"age": "NA"}, missing=["NA"]) is None
    assert row_of({"age": "NA"}) == {"age": {"unreadable": "'NA' is not a number"}}


def test_blanks_around_text_do_not_count():
    assert row_of({"age": " 3 ", "sex": " f", "visited": " 2024-05-31", "weight": "  "}) == {
        "age": 3.0,
        "sex": "f",
        "visited": "2024-05-31T00:00:00.000+00:00",
    }


def test_half_a_character_becomes_text_that_can_be_written():
    reference = reference_of(
        config_of("table", **COLUMNS), {"sex": "a\ud800", "tracks": ["b\udc00"], "age": "\ud800"}
    )

    assert json.loads(reference.encode()) == {
        "sex": "a?",
        "tracks": ["b?"],
        "age": {"unreadable": "'?' is not a number"},
    }


def test_records_of_a_program_give_the_payloads_of_a_manifest():
    record = {"age": 34, "sex": "f", "ward": 3.0, "visited": pd.Timestamp("2024-05-31"),
              "tracks": ("t1",), "weight": math.nan, "more": object()}  # fmt: skip

    assert row_of(record) == {
        "age": 34.0,
        "sex": "f",
        "ward": "3",
        "visited": "2024-05-31T00:00:00.000+00:00",
        "tracks": ["t1"],
    }


def test_a_column_that_is_not_there_is_answered_with_the_one_meant(tmp_path):
    config = make_config(modalities={"table": {"numbers": ["age", "weigth"]}})
    path = write_lines(tmp_path / "m.jsonl", [{"age": 1, "weight": 2, "label": "a"}])

    with pytest.raises(ManifestError) as caught:
        normalise(read_table(str(path)), config)

    expected = "the manifest has no column 'weigth', which 'modalities.table' names"
    assert caught.value.args[0] == expected
    assert caught.value.hint == "did you mean 'weight'?"


# --- files and text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "reference"),
    [
        ("a.png", "a.png"), (PurePosixPath("a/b.png"), "a/b.png"), (b"\x89PNG", b"\x89PNG"),
        (bytearray(b"\x89PNG"), b"\x89PNG"), (memoryview(b"\x89PNG"), b"\x89PNG"),
        ({"bytes": b"\x89PNG", "path": "a.png"}, b"\x89PNG"), ({"bytes": b"\x89PNG"}, b"\x89PNG"),
        ({"bytes": None, "path": "a.png"}, "a.png"), ({"path": "a.png"}, "a.png"),
        ({"bytes": None, "path": None}, None), ({"bytes": None, "path": ""}, None),
    ],
)  # fmt: skip
def test_a_file_is_a_path_or_bytes_also_as_data_sets_hold_it(cell, reference):
    assert reference_of(config_of("image", column="c"), {"c": cell}) == reference


@pytest.mark.parametrize("cell", [5, {}, {"array": [0.0]}, {"bytes": b"", "size": 1}, ["a.png"]])
def test_what_is_no_file_is_refused(cell):
    with pytest.raises(ValueError, match="a payload must be text, a path or bytes"):
        reference_of(config_of("image", column="c"), {"c": cell})


def test_inline_bytes_of_a_parquet_file_are_the_payloads(tmp_path):
    cells = [{"bytes": b"one", "path": "1.png"}, {"bytes": None, "path": "two.png"}, None]
    rows = [
        {"sample_id": str(n), "photo": cell, "scan": b"scan" if n else None, "label": "a"}
        for n, cell in enumerate(cells)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "m.parquet")
    images = {name: {"kind": "image", "column": name} for name in ("photo", "scan")}
    config = make_config(
        data={"manifest": "m", "split": {"train": 1, "val": 0, "test": 0}}, modalities=images
    )

    manifest = normalise(read_table(str(tmp_path / "m.parquet")), config)

    assert manifest.references["photo"] == [b"one", "two.png", None]
    assert manifest.references["scan"] == [None, b"scan", b"scan"]


def test_a_path_beside_bytes_is_checked_like_any_other(tmp_path):
    rows = [{"sample_id": "1", "photo": {"bytes": None, "path": "../x.png"}, "label": "a"}]
    path = write_lines(tmp_path / "m.jsonl", rows)
    config = make_config(modalities={"image": {"column": "photo"}})

    with pytest.raises(ManifestError, match="lies outside the manifest's folder"):
        normalise(read_table(str(path)), config)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (8001, "8001"), (8001.0, "8001"), (2.5, "2.5"), (date(2024, 5, 31), "2024-05-31"),
        (datetime(2024, 5, 31, 10, tzinfo=UTC), "2024-05-31T10:00:00+00:00"),
        (math.nan, None), (pd.NaT, None), (pd.NA, None),
    ],
)  # fmt: skip
def test_a_number_or_a_date_can_be_read_as_text(cell, text):
    assert reference_of(config_of("text", column="c"), {"c": cell}) == text
