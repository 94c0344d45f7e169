import librosa
import noisereduce
import numpy as np
import pyloudnorm
import pytest
import scipy.signal

from mmray.media.audio.decode import AudioSteps, decode_audio
from mmray.media.audio.denoise import gate_spectrum
from mmray.media.audio.pause import loud_spans
from tests.support.payload import clip_payload, tone


def segments(samples, **steps):
    return decode_audio(clip_payload(samples, subtype="FLOAT"), AudioSteps(**steps)).segments


def decode(samples, **steps):
    (decoded,) = segments(samples, **steps)
    return decoded


def level_at(samples, hz, rate_hz=16_000):
    steady = samples[len(samples) // 2 :]
    times = np.arange(len(steady)) / rate_hz
    return 2 * np.abs(np.mean(steady * np.exp(-2j * np.pi * hz * times)))


def test_the_high_pass_takes_away_what_is_below_and_keeps_what_is_above():
    low, high = tone(2.0, hz=40), tone(2.0, hz=1_000)

    decoded = decode(low + high, high_pass_hz=120.0)

    assert level_at(decoded, 40) < 0.02 * level_at(low, 40)
    assert level_at(decoded, 1_000) == pytest.approx(level_at(high, 1_000), rel=0.01)


def test_at_its_cutoff_the_high_pass_takes_three_decibels():
    decoded = decode(tone(2.0, hz=200), high_pass_hz=200.0)

    decibels = 20 * np.log10(level_at(decoded, 200) / level_at(tone(2.0, hz=200), 200))
    assert decibels == pytest.approx(-3.01, abs=0.1)


@pytest.mark.parametrize(
    ("rate_hz", "count"),
    [(16_000, 160), (16_000, 48_000), (8_000, 5_000), (44_100, 100_000), (16_000, 700_000)],
)
def test_denoising_is_noisereduce_s(rate_hz, count):
    times = np.arange(count) / rate_hz
    noise = np.random.default_rng(0).normal(0, 0.05, count)
    noisy = noise + 0.4 * np.sin(2 * np.pi * 440 * times) * (np.sin(8 * times) > 0.3)
    noisy = noisy.astype(np.float32)
    padded = np.pad(noisy, (0, max(0, 1_024 - count)))

    expected = noisereduce.reduce_noise(y=padded, sr=rate_hz, stationary=True)[:count]

    np.testing.assert_allclose(gate_spectrum(noisy, rate_hz), expected, atol=1e-6)


def test_denoising_lowers_the_noise_and_keeps_the_tone():
    noise = np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32)
    noisy = noise.copy()
    noisy[12_000:20_000] += tone(0.5)

    decoded = decode(noisy, denoise=True)

    assert len(decoded) == len(noisy)
    assert decoded[:8_000].std() < 0.3 * noisy[:8_000].std()
    tonal = decoded[12_000:20_000]
    assert level_at(tonal, 440) > 10 * level_at(tonal, 700)


@pytest.mark.parametrize("top_db", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("count", [1, 511, 3_000, 50_176, 90_001])
def test_pauses_are_where_librosa_finds_them(count, top_db):
    loudness = 10.0 ** (2 * np.sin(np.arange(count) / 3_000) - 2)
    samples = (np.random.default_rng(count).normal(size=count) * loudness).astype(np.float32)

    spans = loud_spans(samples, top_db)

    np.testing.assert_array_equal(spans, librosa.effects.split(samples, top_db=top_db))
    _, (start, end) = librosa.effects.trim(samples, top_db=top_db)
    assert (spans[0][0], spans[-1][1]) == (start, end)


def test_silence_around_the_clip_is_trimmed():
    quiet = np.zeros(16_000, np.float32)

    decoded = decode(np.concatenate([quiet, tone(), quiet]), trim_db=40.0)

    assert abs(len(decoded) - 16_000) < 4_096


@pytest.mark.parametrize("gain", [0.01, 1.0, 20.0])
def test_any_clip_comes_to_the_same_loudness(gain):
    decoded = decode(gain * tone(2.0), loudness_lufs=-23.0)

    measured = pyloudnorm.Meter(16_000).integrated_loudness(decoded.astype(np.float64))
    assert measured == pytest.approx(-23.0, abs=0.01)


def test_a_clip_shorter_than_a_block_of_loudness_comes_to_the_same_loudness():
    decoded = decode(tone(0.1), loudness_lufs=-23.0)

    meter = pyloudnorm.Meter(16_000, block_size=0.1)
    assert meter.integrated_loudness(decoded.astype(np.float64)) == pytest.approx(-23.0, abs=0.01)


def test_a_clip_too_quiet_to_measure_is_left_as_it_is():
    quiet = 4e-4 * tone()

    np.testing.assert_array_equal(decode(quiet, loudness_lufs=-23.0), quiet)


def test_the_steps_are_done_in_the_order_that_is_told():
    rate_hz, steps = 16_000, {"high_pass_hz": 100.0, "denoise": True, "loudness_lufs": -30.0}
    noisy = tone(2.0) + np.random.default_rng(1).normal(0, 0.05, 32_000).astype(np.float32)
    sections = scipy.signal.butter(4, 100.0, btype="highpass", fs=rate_hz, output="sos")
    cleaned = gate_spectrum(
        scipy.signal.sosfilt(sections, noisy.astype(np.float64)).astype(np.float32), rate_hz
    )
    loudness = pyloudnorm.Meter(rate_hz).integrated_loudness(cleaned.astype(np.float64))

    decoded = decode(noisy, **steps)

    expected = cleaned * 10 ** ((-30.0 - loudness) / 20)
    np.testing.assert_allclose(decoded, expected, atol=1e-6)


def test_a_segment_is_cut_or_padded_to_its_length():
    np.testing.assert_array_equal(decode(tone(), segment_s=0.5), tone()[:8_000])

    padded = decode(tone(), segment_s=2.0)
    assert len(padded) == 32_000
    np.testing.assert_array_equal(padded[16_000:], 0)


def test_windows_overlap_and_the_last_one_is_padded():
    samples = tone(1.0)

    found = segments(samples, windows=(0.4, 0.25))

    assert [len(segment) for segment in found] == [6_400] * 4
    np.testing.assert_array_equal(found[1], samples[4_000:10_400])
    np.testing.assert_array_equal(found[3], np.pad(samples[12_000:], (0, 2_400)))


def test_a_clip_shorter_than_a_window_is_one_window():
    (only,) = segments(tone(0.1), windows=(0.4, 0.25))

    np.testing.assert_array_equal(only, np.pad(tone(0.1), (0, 4_800)))


def test_segments_beyond_the_limit_are_left_out():
    assert len(segments(tone(5.0), windows=(0.1, 0.1), max_segments=7)) == 7


def test_pauses_part_the_segments_and_short_ones_are_dropped():
    pause, click = np.zeros(16_000, np.float32), tone(0.002)
    spoken = np.concatenate([tone(0.5), pause, tone(0.7), pause, click, pause])

    first, second = segments(spoken, by_silence=(40.0, 0.2))

    assert abs(len(first) - 8_000) < 2_600  # pauses are found in windows of 2048 samples
    assert abs(len(second) - 11_200) < 2_600


def test_when_every_segment_is_short_the_longest_is_kept():
    pause = np.zeros(16_000, np.float32)

    (only,) = segments(np.concatenate([tone(0.05), pause, tone(0.3)]), by_silence=(40.0, 5.0))

    assert abs(len(only) - 4_800) < 2_600
