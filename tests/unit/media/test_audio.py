import numpy as np
import pytest

from mmray.core.rejection import Rejection
from mmray.media.audio import decode_audio
from tests.support.payload import clip_payload, tone

DEFAULTS = {
    "sample_rate_hz": 16_000,
    "denoise": False,
    "trim_db": None,
    "segment_s": None,
    "max_duration_s": 10.0,
}


def decode(payload, **options):
    return decode_audio(payload, **{**DEFAULTS, **options})


def reason(payload, **options):
    with pytest.raises(Rejection) as rejection:
        decode(payload, **options)
    return rejection.value.reason


def pitch_hz(samples, rate_hz=16_000):
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()])


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_every_format_gives_the_same_tone(format):
    decoded = decode(clip_payload(tone(), format=format))

    assert decoded.dtype == np.float32
    assert abs(pitch_hz(decoded) - 440) < 2
    assert abs(len(decoded) - 16_000) < 2_000


def test_a_wav_of_floats_comes_back_as_it_was():
    np.testing.assert_array_equal(decode(clip_payload(tone(), subtype="FLOAT")), tone())


def test_channels_are_averaged():
    stereo = np.stack([tone(), np.zeros(16_000, np.float32)], axis=1)

    decoded = decode(clip_payload(stereo, subtype="FLOAT"))

    np.testing.assert_allclose(decoded, tone() / 2, atol=1e-7)


def test_resampling_keeps_the_pitch_and_the_duration():
    decoded = decode(clip_payload(tone(rate_hz=44_100), 44_100))

    assert len(decoded) == 16_000
    assert abs(pitch_hz(decoded) - 440) < 2


def test_silence_around_the_clip_is_trimmed():
    quiet = np.zeros(16_000, np.float32)
    payload = clip_payload(np.concatenate([quiet, tone(), quiet]))

    assert abs(len(decode(payload, trim_db=40.0)) - 16_000) < 4_096


def test_a_segment_is_cut_or_padded_to_its_length():
    payload = clip_payload(tone(), subtype="FLOAT")

    np.testing.assert_array_equal(decode(payload, segment_s=0.5), tone()[:8_000])
    padded = decode(payload, segment_s=2.0)
    assert len(padded) == 32_000
    np.testing.assert_array_equal(padded[16_000:], 0)


def test_denoising_lowers_the_noise_and_keeps_the_tone():
    noise = np.random.default_rng(0).normal(0, 0.05, 32_000).astype(np.float32)
    noisy = noise.copy()
    noisy[12_000:20_000] += tone(0.5)

    decoded = decode(clip_payload(noisy), denoise=True)

    assert len(decoded) == len(noisy)
    assert decoded[:8_000].std() < 0.3 * noisy[:8_000].std()
    assert abs(pitch_hz(decoded[12_000:20_000]) - 440) < 4


def test_a_clip_shorter_than_the_denoiser_s_window_is_kept():
    assert len(decode(clip_payload(tone(0.01)), denoise=True)) == 160


@pytest.mark.parametrize("payload", [b"hello", b"\0" * 100, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_sound_is_unrecognised(payload):
    assert reason(payload) == "audio_unrecognised"


def test_a_damaged_stream_is_broken():
    payload = bytearray(clip_payload(tone(), format="FLAC"))

    assert reason(bytes(payload[:60])) == "audio_broken"
    assert reason(b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(30)) == "audio_broken"


def test_a_file_without_frames_is_empty():
    assert reason(clip_payload(np.zeros(0, np.float32))) == "audio_empty"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_rejected(value):
    samples = tone()
    samples[5] = value

    assert reason(clip_payload(samples, subtype="FLOAT")) == "audio_not_finite"


def test_silence_is_rejected():
    assert reason(clip_payload(np.full(1_000, 5e-5, np.float32), subtype="FLOAT")) == "audio_silent"


def test_a_clip_over_the_limit_is_rejected():
    payload = clip_payload(tone(2.0))

    assert reason(payload, max_duration_s=1.9) == "audio_too_long"
    assert len(decode(payload, max_duration_s=2.0)) == 32_000


def outcome(payload):
    try:
        return "sound" if np.isfinite(decode(payload)).all() else "not finite"
    except Rejection:
        return "rejected"


def test_no_damage_escapes_as_an_exception():
    generator = np.random.default_rng(0)
    for format in ("WAV", "FLAC", "OGG", "MP3"):
        whole = clip_payload(tone(0.3), format=format)
        for _ in range(25):
            damaged = bytearray(whole)
            for place in generator.integers(0, len(whole), 20):
                damaged[place] = generator.integers(0, 256)
            assert outcome(bytes(damaged)) in ("sound", "rejected")
