import pandas as pd

from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest, read_manifest, write_manifest

MANIFEST = Manifest(
    folder="/corpus",
    ids=["a", "b", "c"],
    splits=[Split.TRAIN, Split.TEST, Split.TRAIN],
    references={
        "text": ["héllo", None, "你好"],
        "image": [b"\x89PNG\x00", "photos/b.png", None],
        "audio": [b"RIFF", b"", None],
        "front": [None, None, None],
    },
    labels={"animal": ["cat", None, "dog"], "age": [1.5, 2.0, None], "none": [None] * 3},
)


def test_a_manifest_read_back_is_the_same_with_inline_bytes_and_gaps(tmp_path):
    write_manifest(MANIFEST, tmp_path / "m.parquet")

    assert read_manifest(tmp_path / "m.parquet") == MANIFEST


def test_the_stored_manifest_is_a_table_that_pandas_reads(tmp_path):
    write_manifest(MANIFEST, tmp_path / "m.parquet")

    frame = pd.read_parquet(tmp_path / "m.parquet")

    assert frame["sample_id"].tolist() == ["a", "b", "c"]
    assert frame["label.animal"].dropna().tolist() == ["cat", "dog"]
    assert frame["ref.image"].dropna().tolist() == ["photos/b.png"]


def test_rows_and_sizes_follow_the_splits():
    assert MANIFEST.rows_of(Split.TRAIN) == [0, 2]
    assert MANIFEST.rows_of(Split.VAL) == []
    assert MANIFEST.split_sizes() == {"train": 2, "val": 0, "test": 1}
