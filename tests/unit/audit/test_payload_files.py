import pytest

from mmray.audit.payload_files import ALL, SOME, look_for_files
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from tests.support.document import make_config

IMAGE = make_config(modalities={"image": {"column": "photo"}, "text": {"column": "note"}})


def look(folder, *references, config=IMAGE):
    """What is said of these references of pictures."""
    manifest = Manifest(
        folder=str(folder),
        ids=[str(n) for n in range(len(references))],
        splits=[Split.TRAIN] * len(references),
        references={name: list(references) for name in config.modalities},
        labels={},
    )
    (seen,) = look_for_files(manifest, config) or [None]
    return seen


def said(folder, *references, config=IMAGE):
    seen = look(folder, *references, config=config)
    return list(seen.sentences()) if seen else []


def make(folder, *names, content=b"x"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_files_that_are_there_say_nothing(tmp_path):
    make(tmp_path, "photos/a.jpg", "b.png")

    assert said(tmp_path, "photos/a.jpg", "b.png", None) == []
    assert look(tmp_path, "photos/a.jpg", "b.png", None).looked == 2


def test_absent_and_empty_files_are_counted_with_an_example(tmp_path):
    make(tmp_path, "a.jpg")
    make(tmp_path, "empty.jpg", content=b"")
    (tmp_path / "folder.jpg").mkdir()

    found = said(tmp_path, "a.jpg", "empty.jpg", "no.jpg", "folder.jpg")

    assert found[0] == "image: 2 of 4 files are absent, such as 'no.jpg'"
    assert found[1] == "image: 1 of 4 files is empty, such as 'empty.jpg'"


@pytest.mark.parametrize(
    ("there", "named", "words"),
    [
        ("photos/a.jpg", "photos\\a.jpg", "replace the backslashes"),
        ("photos/a.jpg", "a.jpg", "they are below 'photos': begin each path with 'photos/'"),
        ("a.jpg", "photos/a.jpg", "remove 'photos/' from the start of each path"),
        ("photos/A.JPG", "photos/a.jpg", "did you mean 'A.JPG'?"),
        ("photos/a.jpeg", "photos/a.jpg", "did you mean 'a.jpeg'?"),
        ("b.jpg", "a.jpg", "paths start in"),
    ],
)
def test_where_an_absent_file_may_be_is_said(tmp_path, there, named, words):
    make(tmp_path, there)

    assert words in said(tmp_path, named)[1]


def test_a_file_of_another_kind_is_told_by_its_ending(tmp_path):
    make(tmp_path, "a.wav", "a.txt", "a.mp4", "a")
    config = make_config(modalities={"audio": {"column": "speech"}})

    assert said(tmp_path, "a.wav", "a.txt", "a.mp4", "a", config=config) == [
        "audio: 1 of 4 files have an extension of another kind, such as 'a.txt'"
    ]


def test_of_many_files_a_sample_is_looked_for_and_said_to_be_one(tmp_path):
    names = [f"{n}.jpg" for n in range(ALL + 1)]

    seen = look(tmp_path, *names)

    assert seen.looked == len(seen.absent) == SOME
    assert seen.absent == look(tmp_path, *names).absent
    assert "image: 5,000 of 5,000 files checked are absent" in next(seen.sentences())


def test_remote_and_inline_payloads_and_members_of_archives_are_not_looked_for(tmp_path):
    assert said(tmp_path, b"bytes", "s3://pets/a.jpg", "0.tar#a.jpg@512+3", None) == []
