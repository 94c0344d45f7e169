"""Extraction through Ray Data against the pure functions."""

import os

import numpy as np
import pytest

from mmray.config.modality.audio import AudioConfig, MfccConfig
from mmray.config.modality.text import TextConfig
from mmray.core.rejection import Rejection
from mmray.distributed.extraction.extraction import ExtractionPlan, PooledJob, extract_all
from mmray.distributed.extraction.planning import ExtractionPool
from mmray.distributed.node.session import WORKER_ENV
from mmray.errors import ExtractionError
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from mmray.features.spec import spec_of
from mmray.features.store import read_current, read_features, write_index
from mmray.features.store.current import sum_tallies
from tests.support.payload import clip_payload, tone
from tests.support.stored import read_outcomes

pytestmark = pytest.mark.ray
CONFIG = AudioConfig(column="speech", extract=MfccConfig(coefficients=13, mels=20))


POOL = ExtractionPool(
    actors=2, most_actors=2, cpus=1.0, gpus=0, threads=1, decoders=1, heap_gib=0.5
)


def write_clips(folder, count=10):
    names = []
    for number in range(count):
        names.append(f"{number}.wav")
        broken = number == 4
        payload = b"RIFF no sound" if broken else clip_payload(tone(0.2 + 0.05 * number))
        (folder / names[-1]).write_bytes(payload)
    return names


def make_plan(corpus, output, config=CONFIG):
    return ExtractionPlan(
        name="audio", config=config, spec=spec_of(config), state=None, output=str(output),
        corpus=str(corpus), allow=(), max_payload_bytes=2**20,
        max_decode_s=60.0,
    )  # fmt: skip


def test_features_equal_those_of_the_pure_function_and_rejections_keep_their_reason(
    cluster, tmp_path
):
    corpus, output = tmp_path / "corpus", tmp_path / "features"
    corpus.mkdir()
    output.mkdir()
    names = write_clips(corpus)
    heard = []

    todo = [(name, name, "k") for name in names]
    extract_all([PooledJob(make_plan(corpus, output), todo, POOL)], on_shard=heard.append)

    write_index(output, dict.fromkeys(names, "k"))
    stored = read_features(output, names, spec_of(CONFIG))
    extractor = build_extractor(CONFIG, None)
    expected = extract_batch(extractor, [(corpus / name).read_bytes() for name in names])
    assert sum(outcome.samples for outcome in heard) == len(names)
    assert [o.rejected for o in heard if o.rejected] == [{"audio_unrecognised": 1}]
    assert read_outcomes(output)["4.wav"][0] == expected.reasons[4] == "audio_unrecognised"
    for row, feature in enumerate(expected.features):
        found = stored.values[stored.offsets[row] : stored.offsets[row + 1]]
        assert stored.present[row] == (feature is not None)
        if feature is not None:
            np.testing.assert_allclose(found, feature, atol=1e-5)


def test_workers_have_the_environment_that_is_meant_for_them(cluster):
    import ray

    @ray.remote
    def told():
        return {name: os.environ.get(name) for name in WORKER_ENV}

    assert ray.get(told.remote()) == WORKER_ENV


def test_redactions_are_counted_where_the_text_is_decoded(cluster, tmp_path):
    config = TextConfig.model_validate(
        {"column": "note", "clean": {"redact": ["email"]},
         "extract": {"kind": "bow", "hashing": True, "vocabulary": 8}}
    )  # fmt: skip
    texts = ["ann@example.com and bob@example.com", "nobody", "eve@example.com"]
    plan = make_plan(tmp_path, tmp_path, config)

    todo = [(name, text, "k") for name, text in zip("abc", texts, strict=True)]
    extract_all([PooledJob(plan, todo, POOL)], on_shard=lambda _: None)

    write_index(tmp_path, {"a": "k", "b": "k"})
    assert sum_tallies(read_current(tmp_path, ["tally"]).table) == {"email": 2}


def test_an_extractor_that_cannot_be_built_is_our_own_error(cluster, tmp_path):
    config = AudioConfig.model_validate(
        {"column": "speech", "extract": {"kind": "custom", "factory": "no.such.module:build"}}
    )
    plan = ExtractionPlan(
        name="audio", config=config, spec=spec_of(CONFIG), state=None, output=str(tmp_path),
        corpus=str(tmp_path), allow=(), max_payload_bytes=1,
        max_decode_s=60.0,
    )  # fmt: skip

    with pytest.raises(ExtractionError, match=r"no\.such\.module"):
        extract_all([PooledJob(plan, [("a", "a", "k")], POOL)], on_shard=lambda _: None)


def test_a_payload_outside_of_the_corpus_is_rejected_where_it_is_read(tmp_path):
    from mmray.features.payloads.payload import read_payload
    from mmray.media.source import PayloadReader

    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret.wav").write_bytes(b"x")
    (tmp_path / "corpus" / "link.wav").symlink_to(tmp_path / "secret.wav")
    reader = PayloadReader(roots=(), folder=str(tmp_path / "corpus"), max_bytes=10)

    found = read_payload(reader, "link.wav", is_inline=False)

    assert isinstance(found, Rejection)
    assert found.reason == "outside_corpus"
