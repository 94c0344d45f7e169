import os
import shutil

import fsspec
import pytest

from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.core.rejection import Rejection
from mmray.features.payloads.payload import entries_for, payload_key, read_payload
from mmray.media.source import PayloadReader


def key_of(folder, reference):
    return payload_key(reference, str(folder), is_inline=False)


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"one")
    os.utime(folder / "a.png", ns=(0, 1_000))
    return folder


def named(corpus, how):
    return "a.png" if how == "path" else (corpus / "a.png").as_uri()


@pytest.mark.parametrize("how", ["path", "uri"])
@pytest.mark.parametrize(("content", "time_ns"), [(b"longer", 1_000), (b"two", 2_000)])
def test_a_file_that_changes_gets_another_key(corpus, how, content, time_ns):
    before = key_of(corpus, named(corpus, how))

    (corpus / "a.png").write_bytes(content)
    os.utime(corpus / "a.png", ns=(0, time_ns))

    assert key_of(corpus, named(corpus, how)) != before


def test_a_file_that_appears_gets_another_key(corpus):
    before = key_of(corpus, "b.png")

    shutil.copy2(corpus / "a.png", corpus / "b.png")

    assert key_of(corpus, "b.png") != before


def test_equal_names_sizes_and_times_in_two_folders_have_two_keys(corpus, tmp_path):
    copied = shutil.copytree(corpus, tmp_path / "copy")

    assert key_of(copied, "a.png") != key_of(corpus, "a.png")


def test_a_file_that_claims_the_size_and_time_of_the_one_before_gets_another_key(corpus):
    before = key_of(corpus, "a.png")

    (corpus / "new.png").write_bytes(b"two")
    os.utime(corpus / "new.png", ns=(0, 1_000))
    (corpus / "new.png").replace(corpus / "a.png")

    assert key_of(corpus, "a.png") != before


def test_remote_payloads_of_equal_relative_names_have_two_keys():
    keys = {key_of(f"http://h/{version}/", "a.png") for version in ("v1", "v2")}

    assert len(keys) == 2


def test_two_members_of_one_archive_have_two_keys(corpus):
    keys = {key_of(corpus, f"a.tar#x.png@{start}+10") for start in (512, 1536)}

    assert len(keys) == 2


@pytest.mark.parametrize(
    "references", [("one", "One"), (b"one", b"One"), ("s3://pets/a.png", "s3://pets/b.png")]
)
def test_what_is_inline_or_remote_is_named_by_itself(references):
    first, second = (payload_key(r, "/a", is_inline=True) for r in references)

    assert first == payload_key(references[0], "/b", is_inline=True)
    assert first != second


@pytest.mark.parametrize("reference", ["a\0b", "x" * 5000, ""])
def test_a_path_that_cannot_be_one_has_a_key_and_is_rejected_when_read(corpus, reference):
    reader = PayloadReader((), str(corpus), max_bytes=10)

    payload = read_payload(reader, reference, is_inline=False)

    assert len(key_of(corpus, reference)) == 16
    assert isinstance(payload, Rejection)


def test_payloads_are_read_from_files_from_bytes_and_from_the_text_itself(corpus):
    reader = PayloadReader((), str(corpus), max_bytes=10)

    assert read_payload(reader, "a.png", is_inline=False) == b"one"
    assert read_payload(reader, b"\x00", is_inline=False) == b"\x00"
    assert read_payload(reader, "a.png é", is_inline=True) == "a.png é".encode()


def test_a_file_that_is_not_there_is_a_rejection_and_no_error(corpus):
    payload = read_payload(PayloadReader((), str(corpus), 10), "b.png", is_inline=False)

    assert isinstance(payload, Rejection)
    assert payload.reason == "not_found"


def test_only_text_is_inline_and_only_when_it_is_no_file():
    assert TextConfig(column="note").is_inline
    assert not TextConfig(column="note", payload="file").is_inline
    assert not ImageConfig(column="photo").is_inline


def test_only_what_lies_on_this_machine_is_left_to_the_process_that_decodes(corpus):
    fsspec.filesystem("memory").pipe("/pets/b.png", b"two")
    reader = PayloadReader(("memory://pets/",), str(corpus), max_bytes=10)

    def entries(*references, is_inline=False):
        return list(entries_for(reader, references, is_inline=is_inline))

    assert entries("a.png", b"bytes") == ["a.png", b"bytes"]
    assert entries("a.png", "memory://pets/b.png") == [b"one", b"two"]
    assert entries("a.png", is_inline=True) == [b"a.png"]
