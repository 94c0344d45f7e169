import numpy as np
import pytest
import scipy.signal

from mmray.core.rejection import Rejection
from mmray.media.audio.decode import AudioSteps, decode_audio
from tests.support.corpora import SHARED
from tests.support.payload import clip_payload, tone
from tests.support.recording import encode_recording


def segments(payload, **steps):
    return decode_audio(payload, AudioSteps(**{"max_duration_s": 10.0, **steps})).segments


def decode(payload, **steps):
    (samples,) = segments(payload, **steps)
    return samples


def reason(payload, **steps):
    with pytest.raises(Rejection) as rejection:
        segments(payload, **steps)
    return rejection.value.reason


def pitch_hz(samples, rate_hz=16_000):
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.fft.rfftfreq(len(samples), 1 / rate_hz)[spectrum.argmax()])


def assert_is_the_tone(decoded):
    assert decoded.dtype == np.float32
    assert abs(pitch_hz(decoded) - 440) < 2
    assert abs(len(decoded) - 16_000) < 600
    assert abs(decoded.std() - tone().std()) < 0.03


@pytest.mark.parametrize(
    ("format", "subtype", "rate_hz"),
    [
        ("WAV", "PCM_U8", 8_000),
        ("WAV", "PCM_16", 44_100),
        ("WAV", "PCM_24", 48_000),
        ("WAV", "PCM_32", 96_000),
        ("WAV", "FLOAT", 22_050),
        ("WAV", "DOUBLE", 11_025),
        ("WAV", "ALAW", 8_000),
        ("WAV", "ULAW", 8_000),
        ("WAV", "MS_ADPCM", 44_100),
        ("FLAC", "PCM_24", 192_000),
        ("AIFF", "PCM_16", 44_100),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("MP3", "MPEG_LAYER_III", 44_100),
        ("CAF", "ALAC_16", 44_100),
    ],
)
def test_every_usual_format_gives_the_same_tone(format, subtype, rate_hz):
    payload = clip_payload(tone(rate_hz=rate_hz), rate_hz, format=format, subtype=subtype)

    assert_is_the_tone(decode(payload))


@pytest.mark.parametrize(
    ("format", "codec"),
    [
        ("ipod", "aac"),  # .m4a
        ("ipod", "alac"),
        ("adts", "aac"),
        ("ogg", "libopus"),
        ("wav", "adpcm_ms"),
        ("mp4", "aac"),
        ("mov", "pcm_s16le"),
        ("matroska", "aac"),
        ("webm", "libopus"),
        ("mpegts", "aac"),
        ("avi", "libmp3lame"),
    ],
)
def test_what_ffmpeg_alone_reads_gives_the_same_tone(format, codec):
    payload = encode_recording(format, codec=codec, samples=tone(rate_hz=48_000))

    assert_is_the_tone(decode(payload))


@pytest.mark.parametrize(("format", "codec"), [("mp4", "aac"), ("matroska", "aac")])
def test_of_a_video_the_sound_track_is_taken(format, codec):
    sound = tone(rate_hz=48_000)

    payload = encode_recording(format, codec=codec, samples=sound, video=True)

    assert_is_the_tone(decode(payload))


def test_both_readers_average_the_channels():
    left, right = tone(hz=300), tone(hz=700, seed=1)
    expected = (left + right) / 2

    by_libsndfile = decode(clip_payload(np.stack([left, right], axis=1), subtype="FLOAT"))
    by_ffmpeg = decode(
        encode_recording("mov", codec="pcm_s16le", samples=np.stack([left, right]), rate_hz=16_000)
    )

    np.testing.assert_allclose(by_libsndfile, expected, atol=1e-7)
    np.testing.assert_allclose(by_ffmpeg, expected, atol=1e-4)  # 16 bit


def test_a_wav_of_floats_comes_back_as_it_was():
    np.testing.assert_array_equal(decode(clip_payload(tone(), subtype="FLOAT")), tone())


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000])
def test_resampling_agrees_with_a_polyphase_filter(rate_hz):
    # Within 1 % of full scale: the two filters differ near the edge of the band and at the ends.
    clean = (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.float32)

    decoded = decode(clip_payload(clean, rate_hz, subtype="FLOAT"))

    expected = scipy.signal.resample_poly(clean.astype(np.float64), 16_000, rate_hz)
    assert len(decoded) == 16_000
    np.testing.assert_allclose(decoded[500:-500], expected[500:-500], atol=0.01)


def test_resampling_block_by_block_is_resampling_at_once():
    import soxr

    long = tone(8.0, 44_100)

    decoded = decode(clip_payload(long, 44_100, subtype="FLOAT"))

    np.testing.assert_allclose(decoded, soxr.resample(long, 44_100, 16_000), atol=1e-6)


@pytest.mark.parametrize("payload", [b"hello", b"\0" * 100, b"\x89PNG\r\n\x1a\n", b"#EXTM3U\n/x\n"])
def test_what_is_no_sound_is_unrecognised(payload):
    assert reason(payload) == "audio_unrecognised"


def test_a_picture_called_a_sound_is_unrecognised():
    from tests.support.payload import photo_payload

    assert reason(photo_payload()) == "audio_unrecognised"
    assert reason(photo_payload(format="JPEG")) == "audio_unrecognised"


def test_a_playlist_opens_no_other_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.wav").write_bytes(clip_payload(tone()))

    assert reason(b"ffconcat version 1.0\nfile other.wav\n") == "audio_unrecognised"


def test_a_payload_without_bytes_or_without_frames_is_empty():
    assert reason(b"") == "audio_empty"
    assert reason(clip_payload(np.zeros(0, np.float32))) == "audio_empty"


@pytest.mark.parametrize("format", ["WAV", "AIFF", "OGG"])
def test_a_file_that_was_cut_off_is_truncated(format):
    payload = clip_payload(tone(), format=format)

    assert reason(payload[: len(payload) * 2 // 3]) == "audio_truncated"


@pytest.mark.parametrize(
    ("format", "codec"),
    [("ipod", "aac"), ("matroska", "aac"), ("webm", "libopus"), ("mp3", "libmp3lame")],
)
def test_a_container_that_was_cut_off_is_truncated(format, codec):
    payload = encode_recording(format, codec=codec, samples=tone(rate_hz=48_000))

    assert reason(payload[: len(payload) * 2 // 3]) == "audio_truncated"


@pytest.mark.parametrize("lacking", [1, 10, 5_000])
@pytest.mark.parametrize(("format", "codec"), [("ipod", "aac"), ("matroska", "aac")])
def test_few_bytes_that_are_missing_are_noticed_as_they_are_in_a_video(format, codec, lacking):
    payload = encode_recording(format, codec=codec, samples=tone(rate_hz=48_000))

    assert reason(payload[:-lacking]) == "audio_truncated"


@pytest.mark.parametrize("format", ["ipod", "mp4", "mov"])
def test_what_follows_the_last_box_is_no_part_of_the_sound(format):
    payload = encode_recording(format, codec="aac", samples=tone(rate_hz=48_000))

    assert_is_the_tone(decode(payload + b"\x7fjunk that some writer left"))
    assert_is_the_tone(decode(payload + b"TAG" + b"x" * 125))


def test_a_damaged_stream_is_broken():
    payload = bytearray(clip_payload(tone(), format="FLAC"))
    middle = len(payload) // 2
    payload[middle : middle + 4_000] = bytes(4_000)

    assert reason(bytes(payload)) == "audio_broken"
    assert reason(bytes(payload[:middle])) == "audio_broken"


def test_a_damaged_aac_stream_is_broken():
    payload = bytearray(encode_recording("adts", codec="aac", samples=tone(rate_hz=48_000)))
    middle = len(payload) // 2
    payload[middle:-400] = b"\xff\xf1" * ((len(payload) - middle - 400) // 2)

    assert reason(bytes(payload)) == "audio_broken"


def test_a_video_without_sound_has_no_stream():
    assert reason(encode_recording("mp4", video=True)) == "audio_no_stream"


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e20])
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


def test_a_clip_of_which_resampling_leaves_no_sample_is_empty():
    assert reason(clip_payload(tone()[:10], 400_000)) == "audio_empty"


def test_a_header_that_lies_about_the_length_does_not_decide():
    payload = bytearray(clip_payload(tone(2.0), format="FLAC"))
    payload[22:26] = (2**32 - 1).to_bytes(4, "big")  # says that it lasts three days

    assert reason(bytes(payload)) == "audio_broken"  # and not too long, nor out of memory


def outcome(payload):
    try:
        return "sound" if np.isfinite(decode(payload)).all() else "not finite"
    except Rejection:
        return "rejected"


def test_no_damage_escapes_as_an_exception():
    generator = np.random.default_rng(0)
    whole = [clip_payload(tone(0.3), format=format) for format in ("WAV", "FLAC", "OGG", "MP3")]
    whole += [
        encode_recording(format, codec="aac", samples=tone(0.3, 48_000))
        for format in ("mp4", "matroska", "adts")
    ]
    for payload in whole:
        for _ in range(25):
            damaged = bytearray(payload)
            for index in generator.integers(0, len(payload), 20):
                damaged[index] = generator.integers(0, 256)
            assert outcome(bytes(damaged)) in ("sound", "rejected")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real corpora are not here")
@pytest.mark.parametrize("pattern", ["fsdd/recordings/*.flac", "noise/*/*.ogg"])
def test_no_real_recording_is_rejected(pattern):
    clips = sorted(SHARED.glob(pattern))[::20]

    lengths = [len(decode(clip.read_bytes())) for clip in clips]

    assert len(lengths) >= 16
    assert min(lengths) >= 2_000
