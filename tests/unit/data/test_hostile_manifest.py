"""Manifests that somebody wrote to break their reader."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmray.data.table.table import digest_table
from mmray.errors import ManifestError
from tests.support.shards import tar_of
from tests.support.table import read_table


def error_of(path):
    with pytest.raises(ManifestError) as caught:
        read_table(str(path))
    return str(caught.value)


def lines(folder, *rows):
    (folder / "m.jsonl").write_text("\n".join(rows))
    return folder / "m.jsonl"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"a": ' + "[" * 200_000 + "]" * 200_000 + "}", "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "a number of thousands of digits"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' appears twice"),
        ('{"a": 1, "a" : 3}', "the key 'a' appears twice"),
        ('{"a": {"b": 1, "b": ":"}}', "the key 'b' appears twice"),
        (json.dumps(dict.fromkeys(map(str, range(60_000)))), "60,000 keys, 50,000 are read"),
    ],
    ids=["nesting", "digits", "twice", "space", "inner", "keys"],
)
def test_a_line_of_json_that_cannot_be_a_row_is_told(tmp_path, row, words):
    said = error_of(lines(tmp_path, '{"a": 1}', row))

    assert words in said
    assert "m.jsonl:2" in said


def test_columns_are_counted_over_all_rows(tmp_path):
    rows = [json.dumps({f"c{n}-{m}": 1 for m in range(1000)}) for n in range(51)]

    assert "51,000 columns, 50,000 are read" in error_of(lines(tmp_path, *rows))


def test_halves_of_surrogate_pairs_are_mended_wherever_they_are(tmp_path):
    path = lines(tmp_path, r'{"a\ud800": [{"b": "\udfff"}], "c": "x"}')

    assert read_table(str(path)).rows == [{"a?": [{"b": "?"}], "c": "x"}]


def write(folder, table):
    pq.write_table(table, folder / "m.parquet", store_schema=False)
    return folder / "m.parquet"


def test_a_parquet_that_unpacks_to_gigabytes_is_refused_before_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr("mmray.data.layouts.unpacked.MAX_UNPACKED_BYTES", 2**26)
    monkeypatch.setattr("mmray.data.layouts.parquet.BATCH_BYTES", 2**24)
    texts = pa.array(["x" * 1_000_000, "y" * 1_000_000])
    cells = pa.DictionaryArray.from_arrays(pa.array(np.arange(6000, dtype=np.int32) % 2), texts)
    path = write(tmp_path, pa.table({"note": cells}))
    before = pa.default_memory_pool().max_memory()

    assert "unpacks to more than 0.1 GB, and more than 200 times" in error_of(path)
    assert path.stat().st_size < 200_000
    assert pa.default_memory_pool().max_memory() - before < 2**27


def repeated(text, times):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, dtype=np.int32)), [text])


@pytest.mark.parametrize("store_schema", [True, False])
@pytest.mark.parametrize("in_lists", [True, False])
def test_a_text_that_a_dictionary_repeats_counts_each_time(
    tmp_path, monkeypatch, in_lists, store_schema
):
    monkeypatch.setattr("mmray.data.layouts.unpacked.MAX_UNPACKED_BYTES", 2**26)
    monkeypatch.setattr("mmray.data.layouts.parquet.BATCH_BYTES", 2**24)
    cells = repeated("x" * 1_000_000, 300)
    if in_lists:
        cells = pa.ListArray.from_arrays(pa.array([0, 300], pa.int32()), cells)
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"note": cells}), path, store_schema=store_schema)
    before = pa.default_memory_pool().max_memory()

    assert "unpacks to more than 0.1 GB, and more than 200 times" in error_of(path)
    assert path.stat().st_size < 100_000
    assert pa.default_memory_pool().max_memory() - before < 2**26


def test_categories_and_lists_of_texts_are_read_as_they_are(tmp_path):
    cells = pa.array(["a", None, "b", "a"]).dictionary_encode()
    tags = pa.array([["x", "y"], None, [], ["x", None]])
    path = tmp_path / "m.parquet"
    pq.write_table(pa.table({"note": cells, "tags": tags}), path)

    rows = read_table(str(path)).rows

    assert [row["note"] for row in rows] == ["a", None, "b", "a"]
    assert [row["tags"] for row in rows] == [["x", "y"], None, [], ["x", None]]


def test_a_doubled_column_of_parquet_is_told(tmp_path):
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["note", "note"])

    assert "the column 'note' appears twice" in error_of(write(tmp_path, table))


def test_text_of_parquet_that_is_not_utf_8_is_told(tmp_path):
    table = pa.table({"note": pa.array([b"\xff"]).view(pa.string())})

    said = error_of(write(tmp_path, table))

    assert "a cell of this table cannot be read" in said
    assert "text must be UTF-8" in said


def data_set(folder, **files):
    folder.mkdir(exist_ok=True)
    table = pa.table({"note": ["a", "b"], "label": [0, 1]})
    with pa.ipc.new_stream(folder / "data.arrow", table.schema) as writer:
        writer.write_table(table)
    names = {"_type": "ClassLabel", "names": ["cat", "dog"]}
    written = {
        "state": {"_data_files": [{"filename": "data.arrow"}]},
        "dataset_info": {"features": {"label": names}},
    } | files
    for name, content in written.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"state": {"_data_files": 3}}, "'_data_files' is not a list"),
        ({"state": {"_data_files": ["../m.arrow"]}}, "'../m.arrow' is not the name of a file"),
        ({"state": "[" * 200_000}, "nested too deeply"),
        ({"dataset_info": {"features": [1]}}, "'features' is not an object"),
        ({"dataset_info": {"features": {"label": {"_type": "ClassLabel", "names": 1}}}},
         "'names' is not a list"),
        ({"dataset_info": {"features": {"label": {"_type": "ClassLabel", "names": [1, 2]}}}},
         "are not all text"),
        ({"dataset_info": {"features": {"note": {"_type": "ClassLabel", "names": ["x"]}}}},
         "note: 'a' is not a number of a class"),
        ({"dataset_info": " " * (16 * 2**20 + 1)}, "over 16,777,216 bytes"),
        ({"dataset_dict": {"splits": {"train": 1}}}, "'splits' is not a list"),
        ({"dataset_dict": {"splits": [["train"]]}}, "is not the name of a file beside it"),
    ],
    ids=range(10),
)  # fmt: skip
def test_broken_metadata_of_a_data_set_is_told_with_its_file(tmp_path, files, words):
    said = error_of(data_set(tmp_path / "saved", **files))

    assert words in said
    assert "saved/" in said


def test_a_file_of_a_data_set_that_links_out_of_the_corpus_is_not_read(tmp_path):
    data_set(tmp_path / "other")
    saved = data_set(tmp_path / "saved")
    (saved / "data.arrow").unlink()
    (saved / "data.arrow").symlink_to(tmp_path / "other" / "data.arrow")

    assert "this is a link out of the corpus" in error_of(saved)
    with pytest.raises(ManifestError, match="a link out of the corpus"):
        digest_table(str(saved))
    assert len(read_table(str(saved), allow=[str(tmp_path)]).rows) == 2


def test_a_file_of_a_data_set_that_is_absent_or_a_pipe_is_told(tmp_path):
    saved = data_set(tmp_path / "saved")
    (saved / "data.arrow").unlink()

    with pytest.raises(ManifestError, match="cannot read the manifest: No such file"):
        digest_table(str(saved))
    os.mkfifo(saved / "data.arrow")
    assert "this is not a regular file" in error_of(saved)


def test_millions_of_rows_that_take_no_bytes_are_refused(tmp_path):
    saved = data_set(tmp_path / "saved")
    save(saved, pa.table({"note": pa.nulls(200_000_000)}))

    assert "unpacks to more than" in error_of(saved)


def save(folder, table):
    with pa.ipc.new_stream(folder / "data.arrow", table.schema) as writer:
        writer.write_table(table)


def test_a_text_that_a_dictionary_of_a_data_set_repeats_counts_each_time(tmp_path):
    saved = data_set(tmp_path / "saved")
    save(saved, pa.table({"note": repeated("x" * 1_000_000, 6000)}))

    assert "unpacks to more than 1.1 GB" in error_of(saved)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": ' + b"[" * 200_000, "this member is not JSON: it is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number of thousands of digits"),
        (b'{"a": 1, "a": 2}', "the key 'a' appears twice"),
        (b"\xff", "this member cannot be read"),
    ],
    ids=["nesting", "digits", "twice", "bytes"],
)
def test_json_in_a_tar_that_cannot_be_fields_is_told_with_its_member(tmp_path, content, words):
    (tmp_path / "0.tar").write_bytes(tar_of({"cat.json": content}))

    said = error_of(tmp_path / "0.tar")

    assert words in said
    assert "0.tar:cat.json" in said
