import json

import numpy as np
import pyarrow as pa
import pytest

from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import digest_table
from mmray.errors import ManifestError
from mmray.media.source import PayloadReader
from tests.support.document import make_config
from tests.support.table import read_table

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
INFO = {"features": {"photo": {"_type": "Image"}, "speech": {"_type": "Audio"},
                     "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}  # fmt: skip


def rows_of(count, start=0):
    return pa.table(
        {
            "photo": pa.array([{"bytes": b"p%d" % n, "path": None} for n in range(count)], FILE),
            "speech": pa.array(
                [None if n % 2 else {"bytes": None, "path": f"{n}.wav"} for n in range(count)], FILE
            ),
            "raw": pa.array([None if n == 1 else b"r%d" % n for n in range(count)],
                            pa.large_binary()),
            "label": [(start + n) % 2 for n in range(count - 1)] + [-1],
            "note": [f"note {start + n}" for n in range(count)],
            "tags": [["x"] * n for n in range(count)],
        }
    )  # fmt: skip


def save(folder, *tables, info=INFO, compression=None, batch=2):
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{n:05d}-of-{len(tables):05d}.arrow" for n in range(len(tables))]
    options = pa.ipc.IpcWriteOptions(compression=compression)
    for name, table in zip(names, tables, strict=True):
        with pa.ipc.new_stream(folder / name, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=batch)
    write(folder / "state.json", {"_data_files": [{"filename": name} for name in names]})
    write(folder / "dataset_info.json", info)
    return str(folder)


def write(path, content):
    path.write_text(json.dumps(content))


def error_of(folder):
    with pytest.raises(ManifestError) as caught:
        read_table(str(folder))
    return caught.value


@pytest.mark.parametrize("compression", [None, "lz4"])
def test_rows_are_rows_with_names_for_classes_and_files_that_can_be_read(tmp_path, compression):
    table = read_table(save(tmp_path, rows_of(5), rows_of(3, 5), compression=compression))
    reader = PayloadReader((), table.folder, 100)

    def read(cell):
        return cell if cell is None or isinstance(cell, bytes) else reader.read(cell)

    assert [row["label"] for row in table.rows] == [
        "cat", "dog", "cat", "dog", None, "dog", "cat", None,
    ]  # fmt: skip
    assert [row["note"] for row in table.rows] == [f"note {n}" for n in range(8)]
    assert [read(row["photo"]) for row in table.rows] == [b"p0", b"p1", b"p2", b"p3", b"p4",
                                                          b"p0", b"p1", b"p2"]  # fmt: skip
    assert [read(row["raw"]) for row in table.rows[:3]] == [b"r0", None, b"r2"]
    assert [row["speech"] for row in table.rows[:3]] == ["0.wav", None, "2.wav"]
    assert table.rows[3]["tags"] == ["x"] * 3
    assert [row["sample_id"] for row in table.rows] == [str(n) for n in range(8)]


def test_bytes_stay_in_the_arrow_file(tmp_path):
    big = pa.table({"photo": pa.array([{"bytes": bytes(10**6), "path": "a.png"}] * 4, FILE)})

    row = read_table(save(tmp_path, big)).rows[3]

    assert isinstance(row["photo"], str)
    assert row["photo"].startswith("data-00000-of-00001.arrow#photo[1]@")
    assert PayloadReader((), str(tmp_path), 10**6).read(row["photo"]) == bytes(10**6)


def test_a_dictionary_of_data_sets_tells_the_split(tmp_path):
    save(tmp_path / "train", rows_of(3))
    save(tmp_path / "validation", rows_of(2))
    write(tmp_path / "dataset_dict.json", {"splits": ["train", "validation"]})

    table = read_table(str(tmp_path))
    config = make_config(
        data={"manifest": "unused", "split": {"column": "split"}},
        modalities={"image": {"column": "photo"}, "text": {"column": "note"}},
    )

    assert [(row["sample_id"], row["split"]) for row in table.rows] == [
        ("train/0", "train"), ("train/1", "train"), ("train/2", "train"),
        ("validation/0", "val"), ("validation/1", "val"),
    ]  # fmt: skip
    assert normalise(table, config).split_sizes() == {"train": 3, "val": 2, "test": 0}
    assert PayloadReader((), table.folder, 100).read(table.rows[4]["photo"]) == b"p1"


def test_an_id_of_its_own_is_kept(tmp_path):
    table = read_table(save(tmp_path, pa.table({"sample_id": ["x"], "note": ["n"]})))

    assert table.rows == [{"sample_id": "x", "note": "n"}]


def test_the_digest_follows_the_state_and_the_arrow_files(tmp_path):
    before = digest_table(save(tmp_path, rows_of(3)))

    assert digest_table(str(tmp_path)) == before
    assert digest_table(save(tmp_path, rows_of(4))) != before


@pytest.mark.parametrize("name", ["../x.arrow", "/etc/passwd", "a/b.arrow", "", ".hidden", None, 3])
def test_a_state_that_names_a_file_elsewhere_is_refused(tmp_path, name):
    save(tmp_path, rows_of(2))
    write(tmp_path / "state.json", {"_data_files": [{"filename": name}]})

    assert "is not the name of a file beside it" in str(error_of(tmp_path))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"_data_files": [{"filename": "none.arrow"}]}', "cannot read the manifest: No such file"),
        ('{"_indices_data_files": [{"filename": "i.arrow"}]}', "a mapping of indices"),
        ('{"_data_files": []}', "the manifest has no samples"),
    ],
)
def test_a_broken_state_is_told(tmp_path, state, words):
    save(tmp_path, rows_of(2))
    (tmp_path / "state.json").write_text(state)

    assert words in str(error_of(tmp_path))


def test_a_class_that_is_not_there_is_told_with_its_row(tmp_path):
    error = error_of(save(tmp_path, pa.table({"label": [0, 2]})))

    assert error.args[0] == "label: there is no class 2, only 2"
    assert error.where.endswith("data-00000-of-00001.arrow:1")


def test_damaged_arrow_files_are_told_and_never_crash(tmp_path):
    save(tmp_path, rows_of(5))
    path = tmp_path / "data-00000-of-00001.arrow"
    whole, random = path.read_bytes(), np.random.default_rng(7)
    told = 0
    for _ in range(200):
        damaged = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for index in random.integers(0, len(damaged), 3):
            damaged[index] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_table(str(tmp_path))
        except ManifestError:
            told += 1

    assert told > 50


def test_what_the_library_itself_wrote_is_read(tmp_path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {"photo": datasets.Image(), "speech": datasets.Audio(),
         "label": datasets.ClassLabel(names=["cat", "dog"]), "note": datasets.Value("string")}
    )  # fmt: skip
    columns = {
        "photo": [{"bytes": b"p%d" % n, "path": "x.png"} for n in range(7)],
        "speech": [{"bytes": b"s%d" % n, "path": None} for n in range(7)],
        "label": [0, 1, -1, 0, 1, 0, 1],
        "note": ["a", None, "c", "d", "e", "f", "g"],
    }
    whole = datasets.Dataset(pa.table(columns, schema=features.arrow_schema))
    parts = datasets.DatasetDict(train=whole, test=whole.select([4, 2]))

    parts.save_to_disk(tmp_path / "saved", num_shards={"train": 2, "test": 1})
    table = read_table(str(tmp_path / "saved"))
    reader = PayloadReader((), table.folder, 100)

    assert [row["label"] for row in table.rows] == [
        "cat", "dog", None, "cat", "dog", "cat", "dog", "dog", None,
    ]  # fmt: skip
    assert [reader.read(row["photo"]) for row in table.rows] == [
        b"p0", b"p1", b"p2", b"p3", b"p4", b"p5", b"p6", b"p4", b"p2",
    ]  # fmt: skip
    assert [reader.read(row["speech"]) for row in table.rows[-2:]] == [b"s4", b"s2"]
    assert [row["split"] for row in table.rows] == ["train"] * 7 + ["test"] * 2


@pytest.mark.parametrize("kind", ["Sequence", "List", "LargeList", "old"])
def test_lists_of_class_numbers_become_lists_of_names(tmp_path, kind):
    feature = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    tags = [feature] if kind == "old" else {"feature": feature, "_type": kind}
    table = pa.table({"tags": [[1, 0], [], None, [-1, 1]]})
    save(tmp_path / "saved", table, info={"features": {"tags": tags}})

    rows = read_table(str(tmp_path / "saved")).rows

    assert [row["tags"] for row in rows] == [["dog", "cat"], [], None, ["dog"]]


def test_a_list_with_a_class_number_that_is_none_is_refused(tmp_path):
    tags = {"feature": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "_type": "List"}
    save(tmp_path / "saved", pa.table({"tags": [[2]]}), info={"features": {"tags": tags}})

    with pytest.raises(ManifestError, match="tags: there is no class 2, only 2"):
        read_table(str(tmp_path / "saved"))
