"""Files of which a decoder would read only a part, or the channels of which leave nothing."""

import struct

import numpy as np
import pytest

from mmray.core.rejection import Rejection
from mmray.media.audio.decode import AudioSteps, decode_audio
from mmray.media.audio.mp3_frames import split_mp3
from tests.support.payload import clip_payload, tone
from tests.support.recording import encode_recording


def decode(payload, **steps):
    (samples,) = decode_audio(payload, AudioSteps(**{"max_duration_s": 20.0, **steps})).segments
    return samples


def rejection(payload, **steps):
    with pytest.raises(Rejection) as rejected:
        decode(payload, **steps)
    return rejected.value


def is_heard(samples, seconds):
    """Say whether the tone sounds to the end, and that is where it should be."""
    lasts = abs(len(samples) / 16_000 - seconds) < 0.13
    return lasts and samples[-8_000:-2_000].std() > 0.2


def without_header(mp3):
    return split_mp3(mp3)[0].payload[417:] if mp3[1] & 8 else split_mp3(mp3)[0].payload[144:]


@pytest.mark.parametrize("format", ["MP3", "WAV", "AIFF", "FLAC", "OGG"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_joined_recordings_are_all_heard(format, rate_hz):
    first = clip_payload(tone(1.0), format=format)
    second = clip_payload(tone(3.0, rate_hz), rate_hz, format=format)

    assert is_heard(decode(first + second), 4.0)
    assert is_heard(decode(first + second + second), 7.0)


@pytest.mark.parametrize(("format", "codec"), [("ipod", "aac"), ("matroska", "aac")])
def test_joined_containers_are_all_heard(format, codec):
    parts = [
        encode_recording(format, codec=codec, samples=tone(seconds, 48_000)) for seconds in (1, 3)
    ]

    assert is_heard(decode(b"".join(parts)), 4.0)


def test_an_mp3_with_tags_and_junk_between_its_parts_is_all_heard():
    first, second = (clip_payload(tone(seconds), format="MP3") for seconds in (1.0, 3.0))
    new_tag, old_tag = b"ID3\x03\0\0\0\0\0\x0a" + bytes(10), b"TAG" + b"x" * 125

    assert is_heard(decode(new_tag + first + old_tag + bytes(3_000) + new_tag + second), 4.0)


def test_an_mp3_that_does_not_tell_its_length_is_all_heard():
    quiet = 0.0001 * tone(1.0)  # its small frames would let a decoder expect a short file
    mp3 = clip_payload(np.concatenate([quiet, tone(4.0)]), format="MP3")

    assert is_heard(decode(without_header(mp3)), 5.0)


def test_the_second_layer_of_mpeg_is_all_heard():
    assert is_heard(decode(encode_recording("mp2", codec="mp2", samples=tone(3.0, 48_000))), 3.0)


def test_damage_that_looks_like_a_frame_is_none():
    mp3 = bytearray(clip_payload(tone(3.0), format="MP3"))
    alone = b"\xff\xfb\x90\xc4" + bytes(40)  # says that it is at 44.1 kHz

    (recording,) = split_mp3(bytes(mp3) + alone + bytes(600))

    assert recording.payload == mp3


def test_the_last_of_joined_recordings_may_not_be_cut_off():
    joined = clip_payload(tone(1.0)) + clip_payload(tone(3.0))

    assert rejection(joined[:-4_000]).reason == "audio_truncated"


def resized(payload, *, data, riff=None):
    """Return a WAV with other sizes in its header."""
    at = payload.index(b"data") + 4
    riff = payload[4:8] if riff is None else struct.pack("<I", riff)
    return payload[:4] + riff + payload[8:at] + struct.pack("<I", data) + payload[at + 4 :]


@pytest.mark.parametrize("sizes", [{"data": 0}, {"data": 0, "riff": 0}, {"data": 2**32 - 1}])
def test_a_wav_that_was_written_into_a_pipe_is_all_heard(sizes):
    assert is_heard(decode(resized(clip_payload(tone(2.0)), **sizes)), 2.0)


def test_other_chunks_behind_no_samples_are_no_sound():
    empty = (
        clip_payload(np.zeros(0, np.float32)) + b"LIST" + struct.pack("<I", 4_000) + b"x" * 4_000
    )

    assert rejection(empty).reason == "audio_empty"


def unsized_flac(samples):
    payload = bytearray(clip_payload(samples, format="FLAC"))
    payload[21:26] = bytes((payload[21] & 0xF0, 0, 0, 0, 0))
    return payload


def test_a_flac_that_was_written_into_a_pipe_is_all_heard():
    assert is_heard(decode(bytes(unsized_flac(tone(2.0)))), 2.0)


def test_a_damaged_flac_of_unknown_length_is_broken():
    payload = unsized_flac(tone(2.0))
    middle = len(payload) // 2
    payload[middle : middle + 4_000] = bytes(4_000)

    assert rejection(bytes(payload)).reason == "audio_broken"


def test_a_header_that_denies_samples_which_nothing_reads_is_named():
    payload = clip_payload(tone(), format="AU")

    rejected = rejection(payload[:8] + bytes(4) + payload[12:])

    assert rejected.reason == "audio_empty"
    assert "header says" in rejected.detail


@pytest.mark.parametrize("format", ["WAV", "OGG"])
def test_channels_that_cancel_each_other_are_not_called_silent(format):
    payload = clip_payload(np.stack([tone(), -tone()], axis=1), format=format)

    rejected = rejection(payload)

    assert rejected.reason == "audio_cancelled"
    assert "channels cancel each other" in rejected.detail
    assert is_heard(decode(payload, channels="first"), 1.0)


def test_a_channel_that_is_silent_throughout_does_not_count():
    stereo = np.stack([np.zeros(16_000, np.float32), tone()], axis=1)

    np.testing.assert_allclose(decode(clip_payload(stereo, subtype="FLOAT")), tone(), atol=1e-6)
    assert rejection(clip_payload(stereo), channels="first").reason == "audio_silent"
