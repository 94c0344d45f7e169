import warnings
from functools import partial

import librosa
import numpy as np
import pytest

from mmray.config.modality.audio import AudioConfig
from mmray.features.audio.spectrum.mel import LogMel
from mmray.features.audio.spectrum.mfcc import Mfcc
from mmray.features.build import build_extractor
from tests.support.payload import clip_payload, tone

CLIPS = [
    (16_000, 128, 2048, 512, 40_000),
    (8_000, 40, 512, 160, 8_000),
    (22_050, 64, 1024, 256, 500_000),  # more frames than are done at once
    (16_000, 64, 401, 160, 16_000),
    (16_000, 40, 2048, 512, 700),  # shorter than the window
    (16_000, 40, 2048, 512, 1),
]


def growing_noise(count):
    """Getting louder over 100 dB, so that top_db matters."""
    loudness = np.logspace(-5, 0, count)
    return (np.random.default_rng(0).normal(size=count) * loudness).astype(np.float32)


def reference(function, samples, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a clip shorter than the window
        return function(y=samples, **options).T


def reference_mfcc(samples, rate_hz, size, mels, fft_size, hop):
    return reference(
        librosa.feature.mfcc, samples, sr=rate_hz, n_mfcc=size, n_mels=mels, n_fft=fft_size,
        hop_length=hop,
    )  # fmt: skip


@pytest.mark.parametrize(("rate_hz", "mels", "fft_size", "hop", "count"), CLIPS)
def test_the_mel_spectrogram_is_librosa_s(rate_hz, mels, fft_size, hop, count):
    samples = growing_noise(count)

    decibels = LogMel(rate_hz, mels=mels, fft_size=fft_size, hop=hop, top_db=80.0)(samples)

    power = reference(
        librosa.feature.melspectrogram, samples, sr=rate_hz, n_mels=mels, n_fft=fft_size,
        hop_length=hop,
    )  # fmt: skip
    np.testing.assert_allclose(decibels, librosa.power_to_db(power), atol=1e-3)


@pytest.mark.parametrize("size", [13, 40])
@pytest.mark.parametrize(("rate_hz", "mels", "fft_size", "hop", "count"), CLIPS)
def test_the_coefficients_are_librosa_s(rate_hz, mels, fft_size, hop, count, size):
    samples = growing_noise(count)
    log_mel = LogMel(rate_hz, mels=mels, fft_size=fft_size, hop=hop, top_db=80.0)

    coefficients = Mfcc(log_mel, mels=mels, coefficients=size, deltas=0)(samples)

    expected = reference_mfcc(samples, rate_hz, size, mels, fft_size, hop)
    np.testing.assert_allclose(coefficients, expected, atol=1e-3)


def audio(decode=None, **extract):
    extract = {"kind": "mfcc", "coefficients": 13, "mels": 40, **extract}
    return AudioConfig(column="c", decode=decode or {}, extract=extract)


def extract(config, samples):
    extractor = build_extractor(config, None)
    return extractor.extract([extractor.decode(clip_payload(samples, subtype="FLOAT"))])[0]


def plain(samples):
    return reference_mfcc(samples, 16_000, 13, 40, 2048, 512)


def test_deltas_are_librosa_s():
    frames = plain(tone(2.0))

    both = extract(audio(deltas=2), tone(2.0))

    slopes = [librosa.feature.delta(frames, order=order, axis=0) for order in (1, 2)]
    np.testing.assert_allclose(both, np.concatenate([frames, *slopes], axis=1), atol=1e-3)
    np.testing.assert_allclose(extract(audio(deltas=1), tone(2.0)), both[:, :26], atol=1e-6)


def test_deltas_of_a_short_clip_repeat_its_ends():
    short = tone(0.1)  # four frames
    frames = plain(short)

    both = extract(audio(deltas=1), short)

    expected = librosa.feature.delta(frames, axis=0, mode="nearest")
    np.testing.assert_allclose(both[:, 13:], expected, atol=1e-3)


def test_pooling_gives_the_mean_and_the_deviation_over_all_frames():
    frames = plain(tone(3.0))
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


WINDOWS = {"windows": {"length_s": 0.5, "hop_s": 0.5}}


def test_vectors_of_segments_become_their_mean_or_a_step_each():
    halves = [plain(tone(1.0)[start : start + 8_000]).mean(axis=0) for start in (0, 8_000)]

    mean = extract(audio(WINDOWS, pooling="mean"), tone(1.0))
    steps = extract(audio(WINDOWS | {"combine": "sequence"}, pooling="mean"), tone(1.0))

    np.testing.assert_allclose(mean, np.mean(halves, axis=0), atol=1e-3)
    np.testing.assert_allclose(steps, halves, atol=1e-3)


def test_sequences_of_segments_are_joined_end_to_end_up_to_the_limit():
    halves = [plain(tone(1.0)[start : start + 8_000]) for start in (0, 8_000)]

    joined = extract(audio(WINDOWS, max_frames=20), tone(1.0))

    np.testing.assert_allclose(joined, np.concatenate(halves)[:20], atol=1e-3)


def test_the_tables_are_made_once():
    build = partial(LogMel, 16_000, mels=40, fft_size=512, hop=160, top_db=80.0)

    assert build()._filters is build()._filters
