import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import digest_table
from mmray.errors import ManifestError
from tests.support.document import make_config, write_lines
from tests.support.table import read_table

ROWS = [
    {"id": "a", "note": "one, two", "photo": "a.png", "label": "cat", "age": 1.5, "group": 7},
    {"id": "b", "note": 'say "hi"\nthere', "photo": None, "label": "dog", "age": 2.0, "group": 8},
    {"id": "c", "note": None, "photo": "c.png", "label": None, "age": None, "group": None},
    {"id": "d", "note": "猫", "photo": "d.png", "label": "cat", "age": 4.0, "group": 7},
]
CONFIG = make_config(
    data={"manifest": "unused", "id": "id", "split": {"group": "group", "train": 1, "val": 0,
                                                      "test": 0}},
    modalities={"text": {"column": "note"}, "image": {"column": "photo"}},
    tasks={"animal": {"kind": "classification", "column": "label"},
           "age": {"kind": "regression", "column": "age"}},
)  # fmt: skip


def write_csv(path, rows):
    cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
    quoted = [",".join('"' + c.replace('"', '""') + '"' for c in row) for row in cells]
    path.write_bytes("\r\n".join([",".join(rows[0]), *quoted, ""]).encode())
    return path


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


WRITERS = {"jsonl": write_lines, "csv": write_csv, "parquet": write_parquet}


def error_of(path):
    with pytest.raises(ManifestError) as caught:
        read_table(str(path))
    return caught.value


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_same_rows_give_the_same_manifest_in_every_format(tmp_path, suffix):
    expected = read_table(str(write_lines(tmp_path / "m.jsonl", ROWS)))

    found = read_table(str(WRITERS[suffix](tmp_path / f"m.{suffix}", ROWS)))

    assert normalise(found, CONFIG) == normalise(expected, CONFIG)
    assert found.columns() == expected.columns() == list(ROWS[0])


def test_a_folder_of_files_is_one_manifest_in_the_order_of_names(tmp_path):
    write_parquet(tmp_path / "2.parquet", ROWS[1:2])
    write_lines(tmp_path / "1.jsonl", ROWS[:1])
    write_csv(tmp_path / "3.csv", ROWS[2:])
    (tmp_path / "notes.txt").write_text("no manifest")
    (tmp_path / "4.csv").mkdir()

    table = read_table(str(tmp_path))

    assert [row["id"] for row in table.rows] == ["a", "b", "c", "d"]
    assert table.folder == str(tmp_path.resolve())
    assert [Path(location).name for location in table.locations] == [
        "1.jsonl:1", "2.parquet:1", "3.csv:2", "3.csv:3",
    ]  # fmt: skip


def test_a_file_uri_is_read_like_its_path(tmp_path):
    path = write_lines(tmp_path / "m.jsonl", ROWS)

    table = read_table(path.as_uri())

    assert list(table.rows) == ROWS
    assert table.folder == str(tmp_path.resolve())


def test_a_remote_manifest_keeps_its_scheme_in_folder_and_places():
    import fsspec

    fsspec.filesystem("memory").pipe("/pets/m.jsonl", b'{"note": "a"}\n')

    table = read_table("memory://pets/m.jsonl")

    assert list(table.rows) == [{"note": "a"}]
    assert table.folder == "memory:///pets"


def test_places_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    write_lines(tmp_path / "m.jsonl", ROWS[:1])
    monkeypatch.chdir(tmp_path)

    assert read_table("m.jsonl").locations == ["m.jsonl:1"]


def test_a_line_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path):
    (tmp_path / "m.jsonl").write_bytes(b'\xef\xbb\xbf{"note": "a"}\r\n\r\n{"note": "b"}\r\n')
    (tmp_path / "m.csv").write_bytes(b"\xef\xbb\xbfnote,x\r\na,1\r\n\r\nb,2\r\n")

    lines, cells = (read_table(str(tmp_path / name)) for name in ("m.jsonl", "m.csv"))

    assert [row["note"] for row in lines.rows] == [row["note"] for row in cells.rows] == ["a", "b"]
    assert [location[-2:] for location in lines.locations] == [":1", ":3"]
    assert [location[-2:] for location in cells.locations] == [":2", ":4"]


def test_lines_may_end_in_a_carriage_return_alone(tmp_path):
    (tmp_path / "m.jsonl").write_bytes(b'{"note": "a"}\r{"note": "b"}\r')
    (tmp_path / "m.csv").write_bytes(b"note,x\ra,1\rb,2\r")

    for name in ["m.jsonl", "m.csv"]:
        table = read_table(str(tmp_path / name))
        assert [row["note"] for row in table.rows] == ["a", "b"]
        assert table.locations[1] == f"{tmp_path}/{name}:{2 if name == 'm.jsonl' else 3}"


def test_half_of_a_surrogate_pair_becomes_a_question_mark(tmp_path):
    path = write_lines(tmp_path / "m.jsonl", [r'{"note": "cut \ud83d", "whole": "\ud83d\ude00"}'])

    row = read_table(str(path)).rows[0]

    assert row == {"note": "cut ?", "whole": "😀"}


def test_a_csv_that_pandas_wrote_with_its_index_is_read(tmp_path):
    (tmp_path / "m.csv").write_text(",note,label\n0,a,cat\n1,b,dog\n")

    table = read_table(str(tmp_path / "m.csv"))

    assert table.rows == [
        {"": "0", "note": "a", "label": "cat"},
        {"": "1", "note": "b", "label": "dog"},
    ]


@pytest.mark.parametrize(
    ("name", "content", "words", "location"),
    [
        ("m.jsonl", b'{"a": 1}\n{"a": \n', "this line is not JSON: Expecting value", ":2"),
        ("m.jsonl", b'{"a": 1}\n\n[1]\n', "this line is not an object", ":3"),
        ("m.jsonl", b'{"a": "\xff"}\n', "this line is not JSON: not UTF-8", ":1"),
        ("m.jsonl", b"", "the manifest has no samples", ""),
        ("m.csv", b"a,b\n", "the manifest has no samples", ""),
        ("m.csv", b"a,b\n1,2\n1,2,3\n", "this row has 3 cells, the header 2", ":3"),
        ("m.csv", b"a,b\n1\n", "this row has 1 cells, the header 2", ":2"),
        ("m.csv", b"a,b\n1,2\n\xff,2\n", "this line is not UTF-8", ":3"),
        ("m.csv", b'a,b\n1,"2\n', "broken CSV: unexpected end of data", ":2"),
        ("m.csv", b"a,b,a\n1,2,3\n", "the column 'a' appears twice", ""),
        ("m.parquet", b"PAR1 broken", "not a Parquet file: ", ""),
        ("m.xlsx", b"PK", "unknown kind of manifest '.xlsx'", ""),
    ],
)
def test_a_broken_manifest_is_told_with_its_line(tmp_path, name, content, words, location):
    (tmp_path / name).write_bytes(content)

    error = error_of(tmp_path / name)

    assert str(error.args[0]).startswith(words)
    assert error.where == f"{tmp_path / name}{location}"


def test_a_line_far_below_that_is_not_utf_8_is_told(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 9000 + b"\xff,2\n")

    with pytest.raises(ManifestError, match="not UTF-8") as caught:
        read_table(str(path))
    assert caught.value.where == f"{path}:9002"


def test_a_manifest_that_is_not_there_is_told_where_paths_start(tmp_path):
    error = error_of(tmp_path / "m.jsonl")

    assert error.args[0] == f"there is no manifest '{tmp_path}/m.jsonl'"
    assert "relative paths start in the folder where you call mmray" in error.hint


def test_a_folder_without_a_manifest_says_what_it_needs(tmp_path):
    error = error_of(tmp_path)

    assert error.args[0] == "there is nothing to read"
    assert "it needs manifests (.jsonl, .csv, .tsv, .parquet), .tar shards, a folder" in error.hint


def test_an_unknown_scheme_cannot_be_reached():
    assert "cannot reach the manifest 'pigeon://a/m.csv': " in str(error_of("pigeon://a/m.csv"))


def test_the_digest_follows_the_content_of_every_file(tmp_path):
    write_lines(tmp_path / "1.jsonl", ROWS[:2])
    write_lines(tmp_path / "2.jsonl", ROWS[2:])
    before = digest_table(str(tmp_path))

    again = digest_table(str(tmp_path))
    write_lines(tmp_path / "2.jsonl", [*ROWS[2:], json.dumps(ROWS[0])])

    assert again == before != digest_table(str(tmp_path))


def test_a_date_that_python_cannot_hold_is_told(tmp_path):
    column = pa.array([2**62], pa.timestamp("us"))
    pq.write_table(pa.table({"seen": column}), tmp_path / "m.parquet")

    with pytest.raises(ManifestError, match="a cell of this table cannot be read") as caught:
        read_table(str(tmp_path / "m.parquet"))

    assert caught.value.hint == "dates must lie in the years 1 to 9999"
