import pytest

from mmray.media.looks import looks_like


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"root:x:0:0:root:/root:/bin/bash\n", "text"),
        (b"\n<!DOCTYPE html><p>Not found", "a page of HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS: the file"),
        (b"PK\x03\x04" + bytes(30), "a file of type application/zip"),
        (bytes(9), "9 bytes, the first of them zeros"),
        (b"\x01\x02secret", "8 bytes of no known type"),
    ],
)
def test_a_payload_is_named_and_not_quoted(payload, expected):
    assert looks_like(payload).startswith(expected)
