import warnings
from functools import partial

import librosa
import numpy as np
import pytest

from mmray.config.audio import AudioConfig
from mmray.features.audio.mfcc import Mfcc
from mmray.features.build import build_extractor
from tests.support.payload import clip_payload, tone


def reference(samples, rate_hz, size, mels, fft_size, hop):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a clip shorter than the window
        return librosa.feature.mfcc(
            y=samples, sr=rate_hz, n_mfcc=size, n_mels=mels, n_fft=fft_size, hop_length=hop
        ).T


@pytest.mark.parametrize(
    ("rate_hz", "size", "mels", "fft_size", "hop", "count"),
    [
        (16_000, 128, 128, 2048, 512, 40_000),
        (8_000, 20, 40, 512, 160, 8_000),
        (22_050, 13, 64, 1024, 256, 500_000),  # more frames than are done at once
        (16_000, 40, 64, 401, 160, 16_000),
        (16_000, 13, 40, 2048, 512, 700),  # shorter than the window
        (16_000, 13, 40, 2048, 512, 1),
    ],
)
def test_the_coefficients_are_librosa_s(rate_hz, size, mels, fft_size, hop, count):
    # Getting louder over 100 dB, so that top_db matters.
    loudness = np.logspace(-5, 0, count)
    samples = (np.random.default_rng(0).normal(size=count) * loudness).astype(np.float32)
    mfcc = Mfcc(rate_hz, coefficients=size, mels=mels, fft_size=fft_size, hop=hop)

    coefficients = mfcc(samples, top_db=80.0)

    expected = reference(samples, rate_hz, size, mels, fft_size, hop)
    np.testing.assert_allclose(coefficients, expected, atol=1e-3)


def audio(decode=None, **extract):
    extract = {"kind": "mfcc", "coefficients": 13, "mels": 40, **extract}
    return AudioConfig(column="c", decode=decode or {}, extract=extract)


def extract(config, samples):
    extractor = build_extractor(config, None)
    return extractor.extract([extractor.decode(clip_payload(samples, subtype="FLOAT"))])[0]


def test_pooling_gives_the_mean_and_the_deviation_over_all_frames():
    frames = reference(tone(3.0), 16_000, 13, 40, 2048, 512)
    expected = np.concatenate([frames.mean(axis=0), frames.std(axis=0)])

    np.testing.assert_allclose(
        extract(audio(pooling="statistics", max_frames=5), tone(3.0)), expected, atol=1e-3
    )
    np.testing.assert_allclose(
        extract(audio(pooling="mean", max_frames=5), tone(3.0)), expected[:13], atol=1e-3
    )


def test_a_sequence_ends_at_its_limit():
    assert extract(audio(max_frames=5), tone(1.0)).shape == (5, 13)
    assert extract(audio(max_frames=500), tone(1.0)).shape == (1 + 16_000 // 512, 13)


def test_a_segment_of_fixed_length_fills_the_declared_shape_exactly():
    config = audio(decode={"segment_s": 0.7})
    spec = build_extractor(config, None).spec

    assert extract(config, tone(3.0)).shape == spec.shape
    assert extract(config, tone(0.1)).shape == spec.shape


def test_the_tables_are_made_once():
    build = partial(Mfcc, 16_000, coefficients=13, mels=40, fft_size=512, hop=160)

    assert build()._filters is build()._filters
