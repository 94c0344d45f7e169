import os

import pytest

from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import digest_table
from mmray.errors import ManifestError
from mmray.media.source import PayloadReader
from tests.support.document import make_config
from tests.support.shards import tar_of
from tests.support.table import read_table


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return str(folder)


def error_of(folder, **settings):
    with pytest.raises(ManifestError) as caught:
        read_table(str(folder), **settings)
    return caught.value


def test_a_file_is_a_sample_and_its_folder_the_label(tmp_path):
    table = read_table(make(tmp_path, "dog/b.jpg", "cat/2024/a.jpg", "cat/c.jpg"))

    assert table.rows == [
        {"sample_id": "cat/2024/a.jpg", "file": "cat/2024/a.jpg", "label": "cat"},
        {"sample_id": "cat/c.jpg", "file": "cat/c.jpg", "label": "cat"},
        {"sample_id": "dog/b.jpg", "file": "dog/b.jpg", "label": "dog"},
    ]
    assert PayloadReader((), table.folder, 100).read(table.rows[2]["file"]) == b"dog/b.jpg"


def test_folders_that_are_all_named_as_splits_are_splits(tmp_path):
    rows = read_table(make(tmp_path, "train/cat/a.jpg", "Validation/dog/b.jpg")).rows

    assert [(row["split"], row["label"]) for row in rows] == [("val", "dog"), ("train", "cat")]


def test_a_class_that_is_called_train_is_a_class_among_others(tmp_path):
    rows = read_table(make(tmp_path, "train/a.jpg", "bus/b.jpg")).rows

    assert [row["label"] for row in rows] == ["bus", "train"]


def test_hidden_files_and_what_systems_leave_behind_are_no_samples(tmp_path):
    make(tmp_path, "cat/a.jpg", "cat/.DS_Store", "cat/Thumbs.db", ".git/x.jpg", "README.md")

    assert [row["file"] for row in read_table(str(tmp_path)).rows] == ["cat/a.jpg"]


@pytest.mark.parametrize("workspace", ["work", "cat/work", "mmray-work/pets"])
def test_a_workspace_in_the_corpus_is_no_class(tmp_path, workspace):
    names = "cat/a.jpg", "dog/b.jpg"
    before = digest_table(make(tmp_path, *names))
    work = [f"{workspace}/{name}" for name in (".mmray.lock", "mlflow.db", "prepare/1/m.parquet")]

    folder = make(tmp_path, *names, *work)

    assert [row["label"] for row in read_table(folder).rows] == ["cat", "dog"]
    assert digest_table(folder) == before


def test_the_digest_follows_which_files_there_are_and_not_what_is_in_them(tmp_path):
    before = digest_table(make(tmp_path, "cat/a.jpg"))

    (tmp_path / "cat/a.jpg").write_bytes(b"other")

    assert digest_table(str(tmp_path)) == before != digest_table(make(tmp_path, "cat/b.jpg"))


def test_text_files_are_read_as_files_or_not_at_all(tmp_path):
    table = read_table(make(tmp_path, "cat/a.txt", "cat/b.txt"))
    data = {"manifest": "unused", "split": {"train": 1, "val": 0, "test": 0}}
    text = {"column": "file", "payload": "file"}

    whole = normalise(table, make_config(data=data, modalities={"text": text}))

    assert whole.references["text"] == ["cat/a.txt", "cat/b.txt"]
    with pytest.raises(ManifestError, match="'payload: file'"):
        normalise(table, make_config(modalities={"text": {"column": "file"}}))


def test_a_link_to_a_folder_is_an_error_and_one_to_a_file_outside_is_rejected_later(tmp_path):
    corpus = tmp_path / "corpus"
    make(tmp_path, "secret/a.jpg", "corpus/cat/a.jpg")
    (corpus / "cat" / "b.jpg").symlink_to(tmp_path / "secret" / "a.jpg")
    file = read_table(str(corpus)).rows[1]["file"]
    with pytest.raises(Exception, match="outside_corpus"):
        PayloadReader((), str(corpus), 100).read(file)

    (corpus / "dog").symlink_to(tmp_path / "secret")
    assert error_of(corpus).args[0] == "a link to a folder is not followed"
    (corpus / "dog").unlink()
    (corpus / "cat" / "loop").symlink_to(corpus)
    assert error_of(corpus).where == f"{corpus}/cat/loop"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "there is nothing to read"),
        (["README.md"], "there is nothing to read"),
        (["cat/a.jpg", "b.jpg"], "this file lies in no folder of a class"),
        (["train/a.jpg", "test/cat/b.jpg"], "this file lies in no folder of a class"),
        (["m.csv", "a.tar"], "can be read in several ways: files, webdataset"),
        (["a.tar", "cat/a.jpg"], "can be read in several ways: webdataset, folders"),
        (["cat/.hidden"], "the manifest has no samples"),
    ],
)
def test_a_folder_that_is_empty_or_mixed_is_told(tmp_path, names, words):
    make(tmp_path, *names)

    assert words in str(error_of(tmp_path))


def test_a_mixed_folder_is_read_in_the_way_that_the_document_says(tmp_path):
    make(tmp_path, "cat/a.jpg")
    (tmp_path / "s.tar").write_bytes(tar_of({"k.txt": b"x"}))

    assert read_table(str(tmp_path), layout="folders").rows[0]["label"] == "cat"
    assert read_table(str(tmp_path), layout="webdataset").rows[0]["txt"] == "x"
    assert error_of(tmp_path, layout="files").args[0] == "nothing here is laid out as files"


def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    make(tmp_path, "cat/a.jpg")
    with open(os.fsencode(tmp_path) + b"/cat/\xff.jpg", "wb"):  # noqa: PTH123 (bytes)
        pass

    assert error_of(tmp_path).hint == "rename the file"


def test_files_of_several_kinds_with_one_name_are_one_sample(tmp_path):
    table = read_table(make(tmp_path, "cat/1.wav", "cat/1.txt", "cat/2.flac", "dog/1.txt"))

    assert table.rows == [
        {"sample_id": "cat/1", "text": "cat/1.txt", "audio": "cat/1.wav", "label": "cat"},
        {"sample_id": "cat/2", "audio": "cat/2.flac", "label": "cat"},
        {"sample_id": "dog/1", "text": "dog/1.txt", "label": "dog"},
    ]


def test_pictures_that_differ_in_their_ending_alone_are_two_samples(tmp_path):
    rows = read_table(make(tmp_path, "cat/1.jpg", "cat/1.png")).rows

    assert [row["file"] for row in rows] == ["cat/1.jpg", "cat/1.png"]


def test_two_files_of_one_kind_and_name_beside_others_are_told(tmp_path):
    make(tmp_path, "cat/1.wav", "cat/1.txt", "cat/1.flac")

    assert "the sample 'cat/1' has two files that are audio" in str(error_of(tmp_path))


def notes_of(folder, tasks=None, **modalities):
    data = {"manifest": "unused", "split": {"train": 1, "val": 0, "test": 0}}
    config = make_config(data=data, modalities=modalities, **({"tasks": tasks} if tasks else {}))
    return normalise(read_table(folder), config).warnings


def test_folders_that_lie_one_level_too_deep_are_said(tmp_path):
    make(tmp_path, "pets/cat/a.jpg", "pets/dog/b.jpg")

    (said,) = notes_of(str(tmp_path), image={"column": "file"})

    assert "all files lie below 'pets', which is the only class; if the 2 folders in it" in said
    assert f"'data.manifest: {tmp_path}/pets'" in said


def test_files_that_no_modality_uses_are_said(tmp_path):
    names = {"1.jpg": b"a", "1.cls": b"cat", "2.png": b"b", "2.cls": b"dog", "3.png": b"c"}
    (tmp_path / "0.tar").write_bytes(tar_of(names | {"3.cls": b"cat"}))
    tasks = {"animal": {"kind": "classification", "column": "cls"}}

    said = notes_of(str(tmp_path), tasks, image={"column": "jpg"})

    assert said == ("the column 'png' has 2 files that no modality uses",)
