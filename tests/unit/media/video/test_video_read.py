from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mmray.media.video.clip import open_clip
from mmray.media.video.container import find_format
from mmray.media.video.read import read_frames_at, read_stamps
from mmray.media.video.render import render_scaled
from mmray.media.video.sampling import VideoLimits
from tests.support.video import clip, moving_scene

LIMITS = VideoLimits(2**28, 36_000_000, 3600.0, 250_000)
RENDER = partial(render_scaled, height=24, width=32, crop="none")
CODECS = {
    "h264": {},
    "h264 keys": {"g": "12"},
    "h264 open groups": {"container": "matroska", "x264-params": "open-gop=1:keyint=12"},
    "hevc": {"codec": "libx265", "x265-params": "keyint=12:log-level=0"},
    "vp9": {"codec": "libvpx-vp9", "container": "webm", "deadline": "realtime", "g": "15"},
    "mpeg4": {"codec": "mpeg4", "bf": "2"},
    "mpeg4 in avi": {"codec": "mpeg4", "container": "avi"},
    "mjpeg": {"codec": "mjpeg", "container": "mov"},
}


def opened(payload):
    return open_clip(payload, find_format(payload), limits=LIMITS, threads=1)


@pytest.mark.parametrize("codec", CODECS)
def test_reading_near_key_frames_gives_each_frame_as_decoding_everything_does(codec):
    payload = clip(moving_scene(40), **CODECS[codec])
    with opened(payload) as source:
        everything = read_frames_at(source, list(range(40)), RENDER)

    for indices in ([0], [39], [3, 4, 5, 11, 12, 30], list(range(40))):
        with opened(payload) as source:
            frames = read_stamps(source, source.timeline.stamps[indices].tolist(), RENDER)
        np.testing.assert_array_equal(frames, [everything[index] for index in indices])


def test_frames_that_nothing_depends_on_are_left_out():
    payload = clip(moving_scene(60), g="30", bf="3")
    decoded = []

    with opened(payload) as source:
        stamps = source.timeline.stamps[[25]].tolist()
        read_stamps(_counting(source, decoded), stamps, RENDER)

    assert 0 < len(decoded) < 20


def test_a_container_without_times_of_showing_is_not_trusted_with_reordered_frames():
    with opened(clip(moving_scene(20), container="avi")) as source:
        assert source.timeline is None


class _CountingCodec:
    """The decoder, noting what comes out."""

    def __init__(self, codec, decoded):
        self.__dict__.update(_codec=codec, _decoded=decoded)

    def __getattr__(self, name):
        return getattr(self._codec, name)

    def __setattr__(self, name, value):
        setattr(self._codec, name, value)

    def decode(self, packet):
        frames = self._codec.decode(packet)
        self._decoded.extend(frames)
        return frames


def _counting(source, decoded):
    return replace(source, codec=_CountingCodec(source.codec, decoded))
