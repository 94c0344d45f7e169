import os

import fsspec
import pytest

from mmray.core.rejection import Rejection
from mmray.media.location import check_reference
from mmray.media.source import PayloadReader


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_bytes(b"hello")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return folder


def reader(corpus, *roots, max_bytes=100):
    return PayloadReader(roots, str(corpus), max_bytes)


def reason(payload_reader, ref):
    with pytest.raises(Rejection) as rejection:
        payload_reader.read(ref)
    return rejection.value.reason


@pytest.mark.parametrize("ref", ["a.txt", "./a.txt", "{corpus}/a.txt", "file://{corpus}/a.txt"])
def test_a_payload_of_the_corpus_is_read_however_it_is_written(corpus, ref):
    assert reader(corpus).read(ref.format(corpus=corpus)) == b"hello"


@pytest.mark.parametrize("ref", ["b.txt", "", "a\0.txt"])
def test_what_is_not_there_is_not_found(corpus, ref):
    assert reason(reader(corpus), ref) == "not_found"


def test_an_empty_file_is_rejected(corpus):
    (corpus / "empty").touch()

    assert reason(reader(corpus), "empty") == "empty"


def test_a_file_over_the_limit_is_rejected(corpus):
    assert reason(reader(corpus, max_bytes=4), "a.txt") == "too_large"
    assert reader(corpus, max_bytes=5).read("a.txt") == b"hello"


@pytest.mark.parametrize(
    "ref",
    [
        "../secret.txt",
        "{tmp}/secret.txt",
        "file://{tmp}/secret.txt",
        "file:///etc/passwd",
        "file://{tmp}/corpus/%2e%2e/secret.txt",
        "s3://bucket/a.txt",
    ],
)
def test_a_path_out_of_the_corpus_is_refused(corpus, tmp_path, ref):
    assert reason(reader(corpus), ref.format(tmp=tmp_path)) == "outside_corpus"


def test_a_link_out_of_the_corpus_is_refused(corpus, tmp_path):
    (corpus / "link.txt").symlink_to(tmp_path / "secret.txt")
    (corpus / "folder").symlink_to(tmp_path)
    found = reader(corpus)

    assert reason(found, "link.txt") == "outside_corpus"
    assert reason(found, "folder/secret.txt") == "outside_corpus"
    assert found.read("a.txt") == b"hello"
    assert reason(found, "link.txt") == "outside_corpus"  # its folder is known by now


def test_an_allowed_root_opens_what_lies_under_it_and_nothing_beside_it(corpus, tmp_path):
    for name in ("more", "more-evil"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "b.txt").write_bytes(b"b")
    allowed = reader(corpus, str(tmp_path / "more"))

    assert allowed.read("../more/b.txt") == b"b"
    assert reason(allowed, "../more-evil/b.txt") == "outside_corpus"


def test_only_regular_files_are_read(corpus):
    os.mkfifo(corpus / "pipe")
    (corpus / "loop").symlink_to(corpus / "loop")

    assert reason(reader(corpus), "pipe") == "unreadable"
    assert reason(reader(corpus), ".") == "unreadable"
    assert reason(reader(corpus), "loop") == "unreadable"
    assert reason(reader(corpus), "x" * 300) == "unreadable"


def test_a_uri_is_read_when_its_prefix_is_allowed(corpus):
    filesystem = fsspec.filesystem("memory")
    filesystem.pipe("/bucket/a.txt", b"hello")
    filesystem.pipe("/bucket/empty", b"")
    allowed = reader(corpus, "memory://bucket")

    assert allowed.read("memory://bucket/a.txt") == b"hello"
    assert reason(allowed, "memory://bucket/none.txt") == "not_found"
    assert reason(allowed, "memory://bucket/empty") == "empty"
    assert reason(reader(corpus, "memory://bucket", max_bytes=4), "memory://bucket/a.txt") == (
        "too_large"
    )
    assert reason(allowed, "memory://bucket-evil/a.txt") == "outside_corpus"


def test_a_scheme_that_nothing_can_read_is_unreadable(corpus):
    assert reason(reader(corpus, "nosuch://x/"), "nosuch://x/a") == "unreadable"


def test_a_relative_reference_of_a_remote_manifest_lies_beside_it():
    fsspec.filesystem("memory").pipe("/remote/img/a.txt", b"hello")

    assert PayloadReader((), "memory://remote/", 100).read("img/a.txt") == b"hello"


@pytest.mark.parametrize(
    "ref", ["s3://bucket/../x", "s3://bucket/%2e%2e/x", "s3://bucket/a::zip://b", "s3://b\\ucket/a"]
)
def test_a_uri_that_is_not_plain_is_refused_before_any_work(ref):
    assert "outside" not in (check_reference(ref, "/corpus", ("s3://bucket/",)) or "outside")


def test_a_reference_is_checked_without_touching_the_disk():
    assert check_reference("a/b.png", "/no/such/corpus", ()) is None
    assert "lies outside the manifest's folder" in str(check_reference("../b", "/corpus", ()))
    assert "not in data.allow" in str(check_reference("http://10.0.0.1/a", "/corpus", ()))
