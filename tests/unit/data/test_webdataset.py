import json
import tarfile

import pytest

from mmray.core.rejection import Rejection
from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import digest_table
from mmray.errors import ManifestError
from mmray.media.location import member_of
from mmray.media.source import PayloadReader
from tests.support.document import make_config
from tests.support.shards import member, tar_in_order, tar_of
from tests.support.table import read_table

SHARD = {
    "dog/0001.jpg": b"jpeg one",
    "dog/0001.txt": "a dog, 狗\n".encode(),
    "dog/0001.json": b'{"age": 3, "tags": ["x"]}',
    "dog/0001.left.cls": b"dog\n",
    "dog/0002.JPG": b"jpeg two",
    "README": b"no sample",
    "dog/.0001.jpg.swp": b"no sample",
}


def shards(folder, **contents):
    for name, content in contents.items():
        (folder / f"{name}.tar").write_bytes(content)
    return str(folder)


def error_of(folder, content, **settings):
    with pytest.raises(ManifestError) as caught:
        read_table(shards(folder, bad=content), **settings)
    return caught.value


def test_a_key_is_a_row_and_an_extension_a_column(tmp_path):
    table = read_table(shards(tmp_path, a=tar_of(SHARD)))

    first, second = table.rows
    assert first | {"jpg": ""} == {
        "sample_id": "dog/0001", "shard_key": "a.tar/dog/0001", "jpg": "", "txt": "a dog, 狗",
        "age": 3, "tags": ["x"], "left.cls": "dog",
    }  # fmt: skip
    assert list(second) == ["sample_id", "shard_key", "jpg"]
    assert table.locations == [f"{tmp_path}/a.tar:dog/0001", f"{tmp_path}/a.tar:dog/0002"]


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_media_stay_in_the_shard_and_are_read_from_their_place(tmp_path, format):
    long = f"{'d' * 90}/{'k' * 60}"
    files = {"a.png": b"a" * 700, f"{long}.png": b"b" * 512, "c.png": b"c", "猫.png": b"d"}
    table = read_table(shards(tmp_path, a=tar_of(files, format=format)))
    reader = PayloadReader((), table.folder, 1000)

    references = [row["png"] for row in table.rows]

    assert [reader.read(reference) for reference in references] == list(files.values())
    assert all(len(reference) < 200 for reference in references)


def test_a_reference_says_what_it_points_to(tmp_path):
    row = read_table(shards(tmp_path, a=tar_of({"k.png": b"abc"}))).rows[0]

    assert row["png"] == "a.tar#k.png@512+3"
    assert member_of(row["png"]) == member_of(str(member_of(row["png"])))


def test_shards_are_read_in_the_order_of_their_names_and_tell_their_split(tmp_path):
    one, two = tar_of({"1.txt": b"one"}), tar_of({"2.txt": b"two"})

    rows = read_table(shards(tmp_path, **{"val-01": two, "train-00": one})).rows

    assert [(row["txt"], row["split"]) for row in rows] == [("one", "train"), ("two", "val")]


def test_one_shard_is_a_corpus(tmp_path):
    shards(tmp_path, a=tar_of({"1.txt": b"one"}), b=tar_of({"2.txt": b"two"}))

    assert [row["txt"] for row in read_table(str(tmp_path / "b.tar")).rows] == ["two"]


def test_the_digest_follows_a_shard_that_changes(tmp_path):
    before = digest_table(shards(tmp_path, a=tar_of({"1.txt": b"one"})))

    assert digest_table(str(tmp_path)) == before
    assert digest_table(shards(tmp_path, a=tar_of({"1.txt": b"one", "2.txt": b"2"}))) != before


def test_a_shard_becomes_a_manifest_with_its_payloads(tmp_path):
    content = tar_of({f"{n}.{e}": b"cat" for n in range(3) for e in ("png", "cls", "txt")})
    config = make_config(
        data={"manifest": "unused", "split": {"train": 1, "val": 0, "test": 0}},
        modalities={"image": {"column": "png"}, "text": {"column": "txt"}},
        tasks={"animal": {"kind": "classification", "column": "cls"}},
    )

    manifest = normalise(read_table(shards(tmp_path, a=content)), config)

    assert manifest.ids == ["0", "1", "2"]
    assert manifest.references["text"] == manifest.labels["animal"] == ["cat"] * 3
    assert [type(r) for r in manifest.references["image"]] == [str] * 3


def test_files_are_not_taken_for_text(tmp_path):
    table = read_table(shards(tmp_path, a=tar_of({"1.caption": b"a cat", "1.cls": b"cat"})))
    config = make_config(
        modalities={"text": {"column": "caption"}},
        tasks={"animal": {"kind": "classification", "column": "cls"}},
    )

    with pytest.raises(ManifestError, match="the column 'caption' holds files and not text"):
        normalise(table, config)


# --- hostile and broken shards -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tar_of({}, member("a.png", tarfile.SYMTYPE, "/etc/passwd")), "is a link, a device"),
        (tar_of({}, member("a.png", tarfile.LNKTYPE, "b.png")), "is a link, a device"),
        (tar_of({}, member("a.png", tarfile.CHRTYPE)), "is a link, a device"),
        (tar_of({}, member("a.png", tarfile.FIFOTYPE)), "is a link, a device"),
        (tar_of({"/etc/a.png": b"x"}), "has a name that leads out of the shard"),
        (tar_of({"b/../../a.png": b"x"}), "has a name that leads out of the shard"),
        (tar_of({"b\\a.png": b"x"}), "has a name that leads out of the shard"),
        (tar_of({"a\x1b[2J.png": b"x"}), "has a name with a character that cannot be printed"),
        (tar_in_order([("a.png", b"x"), ("a.png", b"y")]), "the column 'png' of the sample 'a'"),
        (tar_of({"a.txt": b"x", "a.json": b'{"txt": 1}'}), "the column 'txt' of the sample 'a'"),
        (tar_of({"a.json": b"{"}), "this member is not JSON: Expecting"),
        (tar_of({"a.json": b"[1]"}), "this JSON is not an object"),
        (tar_of({"a.txt": b"\xff"}), "this member cannot be read: 'utf-8'"),
        (tar_of({"a.png": b"x" * 5000})[:3000], "this tar is broken or cut short"),
        (tar_of({"a.png": b"x" * 5000, "b.png": b""})[:6000], "this tar is broken or cut short"),
        (tar_of({"a.png": b"x" * 100})[:1024], "this tar is broken or cut short"),
        (b"no tar at all" * 100, "this tar is broken or cut short"),
        (b"", "this tar is broken or cut short"),
        (tar_of({}), "the manifest has no samples"),
    ],
)
def test_a_shard_that_is_broken_or_hostile_is_an_error_with_its_place(tmp_path, content, words):
    error = error_of(tmp_path, content, layout="webdataset")

    assert words in str(error)
    assert "bad.tar" in error.where or error.where == str(tmp_path)


def test_a_member_of_text_that_is_huge_is_not_read(tmp_path):
    error = error_of(tmp_path, tar_of({"a.txt": b"x" * (2**24 + 1)}))

    assert "has 16777217 bytes" in str(error)


def test_a_key_in_two_shards_is_told_with_both_places(tmp_path):
    content = tar_of({"1.txt": b"one", "1.cls": b"cat"})
    table = read_table(shards(tmp_path, a=content, b=content))
    config = make_config(
        modalities={"text": {"column": "txt"}},
        tasks={"animal": {"kind": "classification", "column": "cls"}},
    )

    with pytest.raises(ManifestError, match="sample_id '1' appears twice") as caught:
        normalise(table, config)

    assert caught.value.where == f"{tmp_path}/a.tar:1 and {tmp_path}/b.tar:1"
    by_shard = config.model_copy(
        update={"data": config.data.model_copy(update={"id": "shard_key"})}
    )
    assert normalise(table, by_shard).ids == ["a.tar/1", "b.tar/1"]


def test_a_compressed_shard_says_why_it_is_not_read(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"x")

    with pytest.raises(ManifestError, match="a compressed tar cannot be read in parts"):
        read_table(str(tmp_path))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("a.tar#k.png@512+4", "unreadable"),  # another size than the header's
        ("a.tar#k.png@513+3", "unreadable"),  # no header before it
        ("a.tar#k.png@0+3", "unreadable"),
        ("a.tar#k.png@99999999+3", "unreadable"),
        ("a.tar#k.png@512+999999999999999", "too_large"),
        ("b.tar#k.png@512+3", "not_found"),
        ("../a.tar#k.png@512+3", "outside_corpus"),
        ("/etc/a.tar#k.png@512+3", "outside_corpus"),
        ("link.tar#k.png@512+3", "outside_corpus"),
        ("empty.tar#k.png@512+0", "empty"),
        ("a.tar#k.png", "not_found"),
    ],
)
def test_a_reference_into_a_tar_that_does_not_hold_is_rejected(tmp_path, reference, reason):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    shards(corpus, a=tar_of({"k.png": b"abc"}), empty=tar_of({"k.png": b""}))
    shards(tmp_path, a=tar_of({"k.png": b"abc"}))
    (corpus / "link.tar").symlink_to(tmp_path / "a.tar")

    with pytest.raises(Rejection) as rejection:
        PayloadReader((), str(corpus), 100).read(reference)

    assert rejection.value.reason == reason


def test_a_shard_that_was_written_again_since_is_noticed_when_it_is_read(tmp_path):
    first = {"a.json": json.dumps({"n": 1}).encode(), "b.png": b"picture"}
    row = read_table(shards(tmp_path, s=tar_of(first))).rows[1]

    shards(tmp_path, s=tar_of({"a.json": b"x" * 600, "b.png": b"picture"}))

    with pytest.raises(Rejection, match="the archive has changed"):
        PayloadReader((), str(tmp_path), 100).read(row["png"])
