"""The samples of a clip as a feature."""

import numpy as np
from pydantic import TypeAdapter

from mmray.config.modality.modality import ModalityConfig
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from mmray.features.spec import spec_of
from tests.support.payload import clip_payload, tone


def extract(clip, **settings):
    document = {"kind": "audio", "column": "c"} | settings
    config = TypeAdapter(ModalityConfig).validate_python(document)
    [feature] = extract_batch(build_extractor(config, None), [clip_payload(clip)]).features
    return feature, spec_of(config)


def test_a_waveform_is_the_clip_s_own_samples_one_per_step():
    clip = tone(0.2)

    feature, spec = extract(clip, extract={"kind": "waveform"})

    assert spec.shape == (160_000, 1)
    np.testing.assert_allclose(feature[:, 0], clip, atol=1 / 32_000)  # 16 bits


def test_a_waveform_is_cut_and_segments_are_joined_end_to_end():
    clip = tone(0.2)  # 3,200 samples
    windows = {"windows": {"length_s": 0.05, "hop_s": 0.1}}

    cut, _ = extract(clip, extract={"kind": "waveform", "max_samples": 1000})
    joined, spec = extract(clip, extract={"kind": "waveform"}, decode=windows)

    np.testing.assert_allclose(cut[:, 0], clip[:1000], atol=1 / 32_000)
    assert spec.shape == (64 * 800, 1)
    expected = np.concatenate([clip[:800], clip[1600:2400], np.zeros(0)])
    np.testing.assert_allclose(joined[: len(expected), 0], expected, atol=1 / 32_000)
