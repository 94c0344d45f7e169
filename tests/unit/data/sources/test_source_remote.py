import json
import sys

import pytest

from mmray.config.data import DataConfig
from mmray.core.rejection import Rejection
from mmray.data.manifest.normalise import normalise
from mmray.data.manifest.probe import probe_references
from mmray.data.sources.open import open_source
from mmray.data.table.table import digest_table
from mmray.errors import ExtractionError, ManifestError
from mmray.features.payloads.payload import payload_key, read_payloads, remote_uris
from mmray.features.payloads.remote_version import LISTED_FROM, RemoteVersions
from mmray.media.remote.address import HostGuard
from mmray.media.source import PayloadReader
from tests.support.bucket import environment, serve_bucket
from tests.support.document import make_config, write_lines
from tests.support.shards import tar_of
from tests.support.table import read_table
from tests.support.web import serve, status

ROWS = b'{"photo": "img/a.png", "label": "cat"}\n{"photo": "img/b.png", "label": "dog"}\n'


@pytest.fixture(scope="module")
def server():
    with serve_bucket() as filesystem:
        yield filesystem


@pytest.fixture
def bucket(server):
    server.pipe({"pets/m.jsonl": ROWS, "pets/img/a.png": b"aa", "pets/img/b.png": b"bbb"})
    yield server
    server.rm("pets/", recursive=True)
    server.mkdir("pets", exist_ok=True)


def error_of(uri, **settings):
    with pytest.raises(ManifestError) as caught:
        read_table(uri, **settings)
    return caught.value


# --- manifests and payloads ----------------------------------------------------------------------


def test_a_manifest_and_its_payloads_are_read_from_a_bucket(bucket):
    table = read_table("s3://pets/m.jsonl")
    reader = PayloadReader((), table.folder, 100)

    assert [row["label"] for row in table.rows] == ["cat", "dog"]
    assert table.locations == ["s3://pets/m.jsonl:1", "s3://pets/m.jsonl:2"]
    assert [reader.read(row["photo"]) for row in table.rows] == [b"aa", b"bbb"]


def test_a_folder_in_a_bucket_is_read_like_one_on_a_disk(bucket):
    bucket.pipe({"pets/more/2.csv": b"note\nb\n", "pets/more/1.jsonl": b'{"note": "a"}\n',
                 "pets/more/": b""})  # fmt: skip

    table = read_table("s3://pets/more")

    assert [row["note"] for row in table.rows] == ["a", "b"]
    assert table.folder == "s3://pets/more"


def test_a_folder_per_class_and_shards_are_read_from_a_bucket(bucket):
    bucket.pipe({"pets/classes/cat/1.png": b"cat", "pets/classes/dog/x/2.png": b"dog",
                 "pets/shards/0.tar": tar_of({"k.png": b"x" * 3000, "k.cls": b"cat"})})  # fmt: skip

    classes, shards = read_table("s3://pets/classes"), read_table("s3://pets/shards/")
    files = [PayloadReader((), classes.folder, 100).read(r["file"]) for r in classes.rows]

    assert [row["label"] for row in classes.rows] == ["cat", "dog"]
    assert files == [b"cat", b"dog"]
    assert PayloadReader((), shards.folder, 5000).read(shards.rows[0]["png"]) == b"x" * 3000


def test_a_manifest_and_its_payloads_are_read_from_the_web():
    with serve({"/c/m.jsonl": ROWS, "/c/img/a.png": b"aa", "/c/img/b.png": b"bbb"}) as web:
        table = read_table(f"{web.uri}/c/m.jsonl", allow=[web.uri])
        reader = PayloadReader((web.uri,), table.folder, 100)

        assert table.folder == f"{web.uri}/c"
        assert [reader.read(row["photo"]) for row in table.rows] == [b"aa", b"bbb"]


def test_a_shard_on_the_web_is_read_in_parts():
    shard = tar_of({f"{n}.png": bytes([n]) * 5000 for n in range(9)})
    with serve({"/c/0.tar": shard}) as web:
        table = read_table(f"{web.uri}/c/0.tar", allow=[web.uri])
        web.asked.clear()
        payload = PayloadReader((web.uri,), table.folder, 5000).read(table.rows[7]["png"])

    assert payload == bytes([7]) * 5000
    assert web.asked == ["GET /c/0.tar"]


def test_a_file_of_a_bucket_is_read_in_parts_and_an_error_on_the_way_is_a_manifest_error(bucket):
    content = bytes(range(256)) * 12_000  # three blocks
    bucket.pipe("pets/large.bin", content)
    source = open_source("s3://pets")

    with source.open("large.bin") as stream:
        start = stream.read(10)
        stream.seek(2_500_000)
        middle, rest = stream.read(5), stream.read()
    assert (start, middle) == (content[:10], content[2_500_000:2_500_005])
    assert rest == content[2_500_005:]

    with source.open("large.bin") as stream:
        bucket.rm("pets/large.bin")
        with pytest.raises(ManifestError, match="there is no manifest"):
            stream.read(1)


def test_an_object_over_the_limit_is_rejected_and_an_empty_one_too(bucket):
    bucket.pipe("pets/empty.png", b"")
    reader = PayloadReader((), "s3://pets", 2)

    assert reader.read("img/a.png") == b"aa"
    for name, reason in {"img/b.png": "too_large", "empty.png": "empty", "no": "not_found"}.items():
        with pytest.raises(Rejection) as rejection:
            reader.read(name)
        assert rejection.value.reason == reason


def test_remote_payloads_that_are_read_ahead_keep_their_order(bucket):
    names = [f"img/{n}.png" for n in range(30)]
    bucket.pipe({f"pets/{name}": name.encode() for name in names})
    reader = PayloadReader((), "s3://pets", 100)

    payloads = read_payloads(reader, [*names, "img/none.png"], is_inline=False)

    *found, last = payloads
    assert found == [name.encode() for name in names]
    assert isinstance(last, Rejection)


# --- versions ------------------------------------------------------------------------------------


def keys_of(references, folder="s3://pets", roots=()):
    guard = HostGuard(folder, roots)
    versions = RemoteVersions().of(remote_uris(references, folder), guard, max_s=10)
    return [payload_key(r, folder, is_inline=False, versions=versions) for r in references]


def test_an_object_that_changes_under_its_name_gets_another_key_and_no_other_does(bucket):
    references = ["img/a.png", "s3://pets/img/b.png", "img/none.png"]
    before = keys_of(references)

    bucket.pipe("pets/img/b.png", b"ccc")
    after = keys_of(references)

    assert [a == b for a, b in zip(after, before, strict=True)] == [True, False, True]


def test_many_objects_of_a_folder_are_asked_for_at_once_and_told_the_same(bucket):
    names = [f"img/{n}.png" for n in range(LISTED_FROM)]
    bucket.pipe({f"pets/{name}": name.encode() for name in names})

    listed, alone = keys_of(names), [keys_of([name])[0] for name in names]

    assert listed == alone
    assert len(set(listed)) == len(names)


def test_without_a_version_a_remote_payload_is_named_by_its_uri():
    assert DataConfig(manifest="m.csv").remote_version == "etag"
    assert payload_key("s3://pets/a", "/c", is_inline=False) == payload_key(
        "s3://pets/a", "/d", is_inline=False
    )


def test_a_shard_that_changes_gives_all_its_members_other_keys(bucket):
    references = ["0.tar#a.png@512+1", "0.tar#b.png@1536+1"]
    bucket.pipe("pets/0.tar", b"one")
    before = keys_of(references)

    bucket.pipe("pets/0.tar", b"two")

    assert len({*before, *keys_of(references)}) == 4


def test_the_digest_of_remote_shards_follows_their_content(bucket):
    bucket.pipe("pets/s/0.tar", tar_of({"a.txt": b"one"}))
    before = digest_table("s3://pets/s")

    bucket.pipe("pets/s/0.tar", tar_of({"a.txt": b"two"}))

    assert digest_table("s3://pets/s") != before


def test_a_server_that_is_away_stops_the_work_and_does_not_change_every_key():
    with serve({}) as web:
        away = web.uri

    with pytest.raises(ExtractionError, match="cannot ask for the version") as caught:
        keys_of(["a.png"], folder=away, roots=(away,))

    assert "'data.remote_version: none'" in caught.value.hint


# --- what cannot be reached ----------------------------------------------------------------------


def test_what_is_not_in_a_bucket_is_not_there(bucket):
    for uri in ("s3://pets/none.jsonl", "s3://nobody/m.jsonl"):
        assert error_of(uri).args[0] == f"there is no manifest {uri!r}"


def test_missing_credentials_are_told_with_what_to_set(bucket):
    with environment(
        AWS_ACCESS_KEY_ID=None,
        AWS_SECRET_ACCESS_KEY=None,
        AWS_EC2_METADATA_DISABLED="true",
        AWS_SHARED_CREDENTIALS_FILE="/none",
        AWS_CONFIG_FILE="/none",
    ):
        error = error_of("s3://pets/m.jsonl")

    assert "no credentials were found" in str(error)
    assert "AWS_ACCESS_KEY_ID" in error.hint


def test_a_bucket_server_that_is_away_is_told(bucket):
    with environment(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"):
        error = error_of("s3://pets/m.jsonl")

    assert error.hint == "is the server up, and its address right?"


def test_a_scheme_whose_package_is_not_installed_names_the_extra():
    if "gcsfs" in sys.modules:
        pytest.skip("gcsfs is installed")
    error = error_of("gs://pets/m.jsonl")

    assert error.hint == "pip install 'mmray[gs]'"


def test_a_manifest_on_a_private_host_needs_its_prefix_in_the_document():
    with serve({"/m.jsonl": ROWS, "/403.csv": status(403)}) as web:
        error = error_of(f"{web.uri}/m.jsonl", allow=["http://"])
        denied = error_of(f"{web.uri}/403.csv", allow=[web.uri])

    assert "is the private address 127.0.0.1" in str(error)
    assert error.hint == "list its prefix under 'data.allow' if you mean it"
    assert "answers 403 Forbidden" in str(denied)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("simplecache::s3://pets/m.csv", "chains of filesystems"),
        ("zip://m.csv::s3://pets/a.zip", "chains of filesystems"),
        ("http://user:word@example.com/m.csv", "holds a user name or password"),
        ("https://example.com/", "a folder on the web cannot be listed"),
        ("pigeon://pets/m.csv", "pigeon:// is not known"),
    ],
)
def test_addresses_that_are_not_read_are_told_before_any_request(uri, words):
    error = str(error_of(uri))

    assert words in error
    assert "word" not in error.replace("password", "")


def photos(reference, tmp_path, *allow):
    row = {"photo": reference, "label": "cat", "part": "train"}
    path = write_lines(tmp_path / "m.jsonl", [json.dumps(row)])
    config = make_config(
        data={"manifest": str(path), "allow": list(allow), "split": {"column": "part"}},
        modalities={"image": {"column": "photo"}},
    )  # fmt: skip
    probe_references(normalise(read_table(str(path)), config), config)


def test_a_bucket_of_payloads_is_looked_at_before_any_work(bucket, tmp_path):
    photos("s3://pets/img/a.png", tmp_path, "s3://pets/")
    photos("s3://pets/none.png", tmp_path, "s3://pets/")
    away = environment(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1")
    with away, pytest.raises(ManifestError, match="cannot reach the payload 's3://pets/img"):
        photos("s3://pets/img/a.png", tmp_path, "s3://pets/")


@pytest.mark.parametrize(
    "uri", ["http://169.254.169.254/latest/", "http://[::1]/", "http://127.1/"]
)
def test_a_private_host_in_a_manifest_is_an_error_before_any_work(tmp_path, uri):
    with pytest.raises(ManifestError, match=r"private address|not a plain IP address"):
        photos(uri, tmp_path, "http://")
