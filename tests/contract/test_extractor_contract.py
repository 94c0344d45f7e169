"""Every extractor keeps its promise. A new kind adds one line to tests/support/kinds/."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from mmray.config.modality.audio import TranscriptConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableVectorConfig
from mmray.config.modality.text import TokensConfig
from mmray.core.rejection import Rejection
from mmray.features.build import build_extractor, export_extractor
from mmray.features.extractor import extract_batch
from mmray.features.fit import fit_extractor
from mmray.features.spec import fitted_spec, spec_of
from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import checkpoints
from tests.support.kinds import audio, image, series, table, text, video
from tests.support.text_checkpoint import text_checkpoints
from tests.support.video_checkpoint import video_checkpoints

__all__ = ["audio_checkpoints", "checkpoints", "text_checkpoints", "video_checkpoints"]

PAYLOADS = {
    "text": text.PAYLOADS,
    "image": image.PAYLOADS,
    "audio": audio.PAYLOADS,
    "video": video.PAYLOADS,
    "table": table.PAYLOADS,
    "series": series.PAYLOADS,
}
SETTINGS = {"table": table.SETTINGS}
KINDS = {
    f"{kind.__name__.rsplit('.', 1)[1]} {name}": (kind.__name__.rsplit(".", 1)[1], extract)
    for kind in (text, image, audio, video, table, series)
    for name, extract in kind.EXTRACTS.items()
}
DECODES = {f"audio {name}": decode for name, decode in audio.DECODES.items()} | {
    f"series {name}": decode for name, decode in series.DECODES.items()
}


@pytest.fixture(scope="module")
def made_checkpoints(checkpoints, text_checkpoints, audio_checkpoints, video_checkpoints):
    """Every made checkpoint by the name that kinds give it."""
    return checkpoints | text_checkpoints | audio_checkpoints | video_checkpoints


@pytest.fixture(scope="module", params=KINDS, ids=lambda name: name.replace(" ", "-"))
def built(request, made_checkpoints, tmp_path_factory):
    """The config, its fitted state and the extractor."""
    kind, extract = KINDS[request.param]
    extract = {
        key: value.format(**made_checkpoints) if isinstance(value, str) else value
        for key, value in extract.items()
    }
    document = {"kind": kind, "extract": extract} | SETTINGS.get(kind, {"column": "c"})
    if request.param in DECODES:
        document["decode"] = DECODES[request.param]
    config = TypeAdapter(ModalityConfig).validate_python(document)
    state = tmp_path_factory.mktemp("state")
    fit_extractor(config, PAYLOADS[kind], state)
    return config, state, build_extractor(config, state)


def features_of(extractor, payloads):
    batch = extract_batch(extractor, payloads)
    assert batch.reasons == [""] * len(payloads)
    return batch.features


def assert_same(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


def test_a_feature_has_the_declared_shape_and_type(built):
    config, _, extractor = built

    for feature in features_of(extractor, PAYLOADS[config.kind]):
        assert feature.dtype == extractor.spec.dtype
        if extractor.spec.is_ragged:
            assert 1 <= feature.shape[0] <= extractor.spec.shape[0]
            assert feature.shape[1:] == extractor.spec.shape[1:]
        else:
            assert feature.shape == extractor.spec.shape
        if extractor.spec.layout == "tokens":
            assert feature.min() > 0
            assert feature.max() < extractor.spec.vocabulary


def test_the_spec_is_the_one_of_the_state_and_at_most_the_one_told_before(built):
    config, state, extractor = built

    told, spec = spec_of(config), extractor.spec

    assert spec == fitted_spec(config, state)
    assert replace(spec, shape=told.shape, vocabulary=told.vocabulary) == told
    assert all(size <= most for size, most in zip(spec.shape, told.shape, strict=True))
    assert spec.vocabulary <= told.vocabulary
    if type(config.extract) not in (TokensConfig, TableVectorConfig, TranscriptConfig):
        assert spec == told


def test_the_same_bytes_give_the_same_feature_alone_and_in_any_batch(built):
    config, _, extractor = built
    payloads = PAYLOADS[config.kind]
    together = features_of(extractor, payloads)

    assert_same([features_of(extractor, [payload])[0] for payload in payloads], together)
    assert_same(features_of(extractor, payloads[::-1])[::-1], together)
    assert_same(features_of(extractor, payloads * 3), together * 3)


def test_different_payloads_give_different_features(built):
    config, _, extractor = built
    features = features_of(extractor, [PAYLOADS[config.kind][0], PAYLOADS[config.kind][4]])

    assert features[0].shape != features[1].shape or np.abs(features[0] - features[1]).max() > 1e-4


def test_a_rejection_keeps_its_place_and_moves_no_other(built):
    config, _, extractor = built
    good = PAYLOADS[config.kind][:2]
    bad = b"\xff\xfe\xfd"

    batch = extract_batch(extractor, [Rejection("not_found", "x.png"), good[0], bad, good[1]])

    assert batch.reasons[0] == "not_found"
    assert batch.details[0] == "x.png"
    assert batch.reasons[2].startswith(config.kind)
    assert [feature is None for feature in batch.features] == [True, False, True, False]
    assert_same([batch.features[1], batch.features[3]], features_of(extractor, good))


def test_a_batch_may_be_empty_or_all_rejected(built):
    _, _, extractor = built

    assert extract_batch(extractor, []).features == []
    assert extract_batch(extractor, [b"\xff"]).features == [None]


def test_an_exported_extractor_gives_the_same_features(built, tmp_path):
    config, state, extractor = built
    export_extractor(config, state, tmp_path / "bundle")

    again = build_extractor(config, tmp_path / "bundle")

    assert again.spec == extractor.spec
    assert_same(
        features_of(again, PAYLOADS[config.kind]), features_of(extractor, PAYLOADS[config.kind])
    )
