"""Shards tell the digest of the bytes that each feature was made from."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.core.fingerprint import digest_bytes
from mmray.distributed.extraction.shard_actor import ExtractionPlan, ModalityWorker
from mmray.distributed.extraction.shard_task import ShardTask
from mmray.features.spec import spec_of
from tests.support.payload import photo_payload

HASHED = {"kind": "bow", "vocabulary": 20, "hashing": True}
PHOTO, NOTE, LONG = photo_payload(16, 12), b"a short note", b"a long note " * 5_000
CASES = {
    "decoded in another process": (ImageConfig(column="file"), PHOTO),
    "decoded here": (TextConfig(column="file", payload="file", extract=HASHED), NOTE),
    "long text": (TextConfig(column="file", payload="file", extract=HASHED), LONG),
}


@pytest.mark.parametrize(("config", "payload"), CASES.values(), ids=CASES)
def test_a_shard_tells_the_digests_of_its_payloads(tmp_path, config, payload):
    corpus, output = tmp_path / "corpus", tmp_path / "features"
    corpus.mkdir()
    output.mkdir()
    (corpus / "good").write_bytes(payload)
    plan = ExtractionPlan(
        name="file", config=config, spec=spec_of(config), state=None, output=str(output),
        corpus=str(corpus), allow=(), max_payload_bytes=10**6, max_decode_s=10.0,
    )  # fmt: skip
    worker = ModalityWorker(plan, decoders=1, takes_turns=False)

    worker.extract(ShardTask(["a", "b"], ["good", "none"], ["1", "1"]))

    worker.close()
    (shard,) = Path(output).glob("shard-*.parquet")
    rows = pq.read_table(shard).to_pydict()
    assert rows["reason"] == ["", "not_found"]
    assert rows["content"] == [digest_bytes(payload), None]
