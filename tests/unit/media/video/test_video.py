import gc
from fractions import Fraction
from functools import partial
from io import BytesIO

import av
import numpy as np
import psutil
import pytest

from mmray.core.rejection import Rejection
from mmray.media.video.decode import decode_video
from mmray.media.video.render import render_picture, render_scaled
from mmray.media.video.sampling import Sampling, VideoLimits
from tests.support.payload import tone
from tests.support.video import clip, moving_scene, numbered, numbers_of, sound_only

LIMITS = VideoLimits(2**28, 36_000_000, 3600.0, 250_000)
CODECS = {
    "h264 one key frame": {},
    "h264 keys": {"g": "12"},
    "h264 open groups": {"container": "matroska", "x264-params": "open-gop=1:keyint=12"},
    "h264 no key frames but refresh": {"x264-params": "intra-refresh=1:keyint=12"},
    "h264 in avi": {"container": "avi"},
    "hevc": {"codec": "libx265", "x265-params": "keyint=12:log-level=0"},
    "hevc in mov": {"codec": "libx265", "container": "mov", "x265-params": "log-level=0"},
    "vp8": {"codec": "libvpx", "container": "webm", "auto-alt-ref": "1", "g": "15"},
    "vp9": {"codec": "libvpx-vp9", "container": "webm", "deadline": "realtime", "g": "15"},
    "mpeg4": {"codec": "mpeg4", "bf": "2"},
    "mpeg4 in avi": {"codec": "mpeg4", "container": "avi"},
    "mpeg4 in avi, reordered": {"codec": "mpeg4", "container": "avi", "bf": "2"},
    "mjpeg in avi": {"codec": "mjpeg", "container": "avi"},
    "mjpeg in mov": {"codec": "mjpeg", "container": "mov"},
}


def decode(payload, frames=8, *, kind="uniform", height=48, width=64, crop="none", limits=LIMITS,
           per_second=1.0, threads=1):  # fmt: skip
    return decode_video(
        payload,
        render=partial(render_scaled, height=height, width=width, crop=crop),
        sampling=Sampling(kind, frames, per_second=per_second),
        limits=limits,
        threads=threads,
    )


def reason(payload, **options):
    with pytest.raises(Rejection) as rejected:
        decode(payload, **options)
    return rejected.value.reason


def limited(**changes):
    return VideoLimits(**{**{key: getattr(LIMITS, key) for key in LIMITS.__slots__}, **changes})


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("frames", [1, 4, 40])
def test_uniform_frames_are_the_middles_of_equal_parts(codec, frames):
    payload = clip(numbered(40), **CODECS[codec])

    taken = decode(payload, frames)

    assert numbers_of(taken) == [int((k + 0.5) * 40 / frames) for k in range(frames)]


@pytest.mark.parametrize("codec", CODECS)
def test_frames_read_near_key_frames_are_those_of_decoding_everything(codec):
    payload = clip(moving_scene(60), **CODECS[codec])
    with av.open(BytesIO(payload)) as source:
        everything = [
            render_scaled(frame, height=48, width=64, crop="none")
            for frame in source.decode(video=0)
        ]

    taken = decode(payload, 7)

    expected = [everything[int((k + 0.5) * 60 / 7)] for k in range(7)]
    np.testing.assert_array_equal(taken, expected)


def test_more_threads_give_the_same_frames():
    payload = clip(moving_scene(40))

    np.testing.assert_array_equal(decode(payload), decode(payload, threads=3))


def test_a_rate_takes_what_is_shown_at_each_moment_from_the_start():
    payload = clip(numbered(75), rate_hz=25)

    assert numbers_of(decode(payload, 10, kind="rate", per_second=2.0)) == [0, 12, 25, 37, 50, 62]


def test_a_rate_that_gives_too_many_frames_is_spread_over_the_whole_clip():
    payload = clip(numbered(75), rate_hz=25)

    fast = decode(payload, 3, kind="rate", per_second=5.0)

    assert numbers_of(fast) == numbers_of(decode(payload, 3)) == [12, 37, 62]


def test_a_clip_of_fewer_frames_than_wanted_gives_each_once():
    assert numbers_of(decode(clip(numbered(3)), 8)) == [0, 1, 2]


@pytest.mark.parametrize("container", ["mp4", "matroska"])
def test_frames_that_are_shown_longer_are_taken_by_time_and_not_by_number(container):
    # Ten frames in the first second, then one every second.
    times = [n / 10 for n in range(10)] + [float(n) for n in range(1, 9)]
    payload = clip(numbered(18), times_s=times, container=container)

    taken = decode(payload, 30, kind="rate", per_second=2.0)

    # 0.0 and 0.5 s, then every second shows one frame; no frame is taken twice.
    assert numbers_of(taken)[:4] == [0, 5, 10, 11]
    assert numbers_of(taken)[-1] == 17


@pytest.mark.parametrize(
    ("options", "frames", "expected"),
    [
        ({"g": "10", "keyint_min": "10", "sc_threshold": "0"}, 8, [0, 10, 20, 30]),
        ({"g": "10", "keyint_min": "10", "sc_threshold": "0"}, 2, [10, 30]),
        ({"g": "250", "sc_threshold": "0"}, 8, [0]),
        ({"container": "matroska", "x264-params": "open-gop=1:keyint=10:scenecut=0:bframes=3"}, 8,
         [0, 10, 20, 30]),
        ({"codec": "mjpeg", "container": "avi"}, 4, [5, 15, 25, 35]),
    ],
)  # fmt: skip
def test_key_frames_are_taken_where_the_encoder_put_them(options, frames, expected):
    payload = clip(numbered(40), **options)

    assert numbers_of(decode(payload, frames, kind="key_frames")) == expected


def test_key_frames_of_a_clip_that_does_not_tell_them_are_uniform():
    payload = clip(numbered(40), container="avi")

    taken = decode(payload, 4, kind="key_frames")

    np.testing.assert_array_equal(taken, decode(payload, 4))


def test_scenes_give_the_first_frame_of_each():
    dark, bright = np.full((48, 64, 3), 30, np.uint8), np.full((48, 64, 3), 220, np.uint8)
    stripes = np.where(np.arange(64)[None, :, None] // 8 % 2, dark, bright)
    payload = clip([dark] * 7 + [bright] * 9 + [stripes] * 8, g="250")

    taken = decode(payload, 5, kind="scenes")

    assert len(taken) == 3
    for frame, scene in zip(taken, (dark, bright, stripes), strict=True):
        assert np.abs(frame.astype(int) - scene).mean() < 12


def test_of_too_many_scenes_the_strongest_changes_are_kept():
    greys = [np.full((48, 64, 3), level, np.uint8) for level in (40, 100, 240, 200)]
    payload = clip([frame for frame in greys for _ in range(6)])

    taken = decode(payload, 2, kind="scenes")

    np.testing.assert_allclose(taken.mean(axis=(1, 2, 3)), [40, 240], atol=6)


def test_a_clip_that_is_one_scene_is_sampled_uniformly():
    payload = clip([np.full((48, 64, 3), 90 + n, np.uint8) for n in range(20)])

    np.testing.assert_array_equal(decode(payload, 4, kind="scenes"), decode(payload, 4))


@pytest.mark.parametrize("container", ["mp4", "mov", "matroska"])
@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_frames_are_turned_upright(container, rotation, mirrored):
    upright = np.full((64, 96, 3), 30, np.uint8)
    upright[:32, :48] = (200, 40, 40)
    upright[32:, :48] = (40, 200, 40)
    # The display turns what is stored counterclockwise, and then mirrors it.
    stored = np.rot90(upright[:, ::-1] if mirrored else upright, -rotation // 90)
    payload = clip([stored] * 4, container=container, rotation=rotation, mirrored=mirrored)

    taken = decode(payload, 1, height=64, width=96)[0]

    assert np.abs(taken.astype(int) - upright).mean() < 10


def test_the_middle_square_is_cut_before_a_frame_is_resized():
    wide = np.full((48, 144, 3), 20, np.uint8)
    wide[:, 48:96] = 200
    payload = clip([wide] * 3)

    centre, whole = (decode(payload, 1, height=24, width=24, crop=c) for c in ("center", "none"))

    assert centre.shape == whole.shape == (1, 24, 24, 3)
    assert centre[:, :, 2:-2].min() > 180
    assert whole[:, :, :6].max() < 60


@pytest.mark.parametrize("crop", ["none", "center"])
@pytest.mark.parametrize("size", [(31, 17), (16, 2), (255, 33)])
def test_frames_of_odd_sizes_are_taken(size, crop):
    scene = [np.full((size[1], size[0], 3), 200, np.uint8)] * 3

    taken = decode(clip(scene, codec="mjpeg", container="avi"), 1, height=40, width=24, crop=crop)

    assert taken.shape == (1, 40, 24, 3)
    assert np.abs(taken.astype(int) - 200).max() < 6


def test_a_header_without_duration_changes_nothing():
    payload = clip(numbered(40), container="matroska", live="1")
    stream = BytesIO()
    with (
        av.open(BytesIO(payload)) as source,
        av.open(stream, "w", format="matroska", options={"live": "1"}) as target,
    ):
        copy = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = copy
                target.mux(packet)
    with av.open(BytesIO(stream.getvalue())) as source:
        assert source.duration is None

    assert numbers_of(decode(stream.getvalue(), 4)) == [5, 15, 25, 35]


def test_sound_beside_the_frames_changes_nothing():
    silent, sounding = clip(numbered(25)), clip(numbered(25), sound=tone(1.0))

    np.testing.assert_array_equal(decode(silent), decode(sounding))


def test_metadata_that_is_no_text_changes_nothing():
    payload = clip(numbered(25), container="matroska")
    spoilt = payload.replace(b"Lavf", b"\xff\xfe\xfd\xfc")
    assert spoilt != payload

    np.testing.assert_array_equal(decode(spoilt), decode(payload))


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("kept", [0.99, 0.7, 0.2])
def test_a_clip_that_was_cut_off_is_rejected(container, kept):
    payload = clip(numbered(40), container=container)

    assert reason(payload[: int(len(payload) * kept)]) == "video_truncated"


@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_a_cut_clip_whose_index_comes_first_is_rejected_too(kept, tmp_path):
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as target:
        video = target.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for pixels in numbered(20):
            target.mux(video.encode(av.VideoFrame.from_ndarray(np.array(pixels), "rgb24")))
        target.mux(video.encode(None))
    payload = path.read_bytes()
    assert payload.index(b"moov") < payload.index(b"mdat")

    assert reason(payload[: int(len(payload) * kept)]) == "video_truncated"


def test_a_clip_with_overwritten_frames_is_rejected():
    payload = bytearray(clip(moving_scene(30)))
    start = payload.index(b"mdat") + 2500
    payload[start : start + 3000] = bytes(3000)

    assert reason(bytes(payload)) == "video_broken"


def test_damage_in_a_part_that_is_not_needed_is_not_noticed():
    payload = clip(numbered(40), g="10", bf="0")
    with av.open(BytesIO(payload)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
    damaged = bytearray(payload)
    end = packets[-1].pos + packets[-1].size
    damaged[packets[-1].pos + 8 : end] = bytes(end - packets[-1].pos - 8)

    assert numbers_of(decode(bytes(damaged), 2)) == [10, 30]


def test_a_header_without_index_is_rejected():
    payload = clip(numbered(10)).replace(b"moov", b"xxxx")

    assert reason(payload) == "video_broken"


def test_a_file_with_sound_alone_has_no_video():
    assert reason(sound_only(tone(0.5))) == "video_no_stream"


def test_a_cover_picture_is_no_video():
    stream = BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        cover = target.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        target.mux(cover.encode(av.VideoFrame(32, 32, "yuvj420p")))
        target.mux(cover.encode(None))

    assert reason(stream.getvalue()) in ("video_no_stream", "video_empty")


def test_a_stream_without_frames_is_empty():
    stream = BytesIO()
    with av.open(stream, "w", format="avi") as target:
        video = target.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 32, 32, "yuv420p"
        target.start_encoding()

    assert reason(stream.getvalue()) == "video_empty"
    assert reason(b"") == "video_empty"


@pytest.mark.parametrize(
    "payload",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        b"RIFF\x24\0\0\0WAVEfmt ",
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"plain text",
    ],
)
def test_what_is_no_video_is_unrecognised_whatever_its_name(payload):
    assert reason(payload) == "video_unrecognised"


def test_a_codec_without_decoder_is_named():
    payload = clip(numbered(5)).replace(b"avc1", b"zzzz")

    with pytest.raises(Rejection, match=r"no decoder for stream 0") as rejected:
        decode(payload)
    assert rejected.value.reason == "video_unsupported"


def test_joined_clips_are_rejected_where_only_the_first_would_be_seen():
    joined = clip(numbered(5)) + clip(numbered(10))

    assert reason(joined) == "video_joined"


@pytest.mark.parametrize("container", ["mp4", "avi"])
def test_limits_are_kept(container):
    payload = clip(numbered(50), container=container)

    assert reason(payload, limits=limited(max_bytes=100)) == "video_too_large"
    assert reason(payload, limits=limited(max_pixels=64 * 48 - 1)) == "video_too_large"
    assert reason(payload, limits=limited(max_duration_s=1.9)) == "video_too_long"
    assert reason(payload, limits=limited(max_frames=49)) == "video_too_long"
    exact = limited(max_bytes=len(payload), max_pixels=64 * 48, max_duration_s=2.0, max_frames=50)
    assert len(decode(payload, limits=exact)) == 8


@pytest.mark.parametrize("codec", CODECS)
def test_frames_that_are_too_large_are_told_whatever_the_codec(codec):
    payload = clip(numbered(4), **CODECS[codec])

    assert reason(payload, limits=limited(max_pixels=64 * 48 - 1)) == "video_too_large"


def test_a_single_frame_far_in_the_future_is_too_long():
    payload = clip(numbered(3), times_s=[0, 1, 4000])

    assert reason(payload) == "video_too_long"


def large_frames_alive():
    return sum(type(one) is av.VideoFrame and one.width == 320 for one in gc.get_objects())


@pytest.mark.parametrize("render", ["scaled", "whole"])
def test_what_a_clip_needed_is_gone_when_its_frames_are_there(render):
    payload = clip(numbered(40, 320, 240))
    whole = partial(render_picture, crop="none", resize=np.asarray)
    render = (
        partial(render_scaled, height=24, width=32, crop="none") if render == "scaled" else whole
    )
    threads, frames = [], []

    def watched(frame):
        pixels = render(frame)
        threads.append(psutil.Process().num_threads())
        frames.append(large_frames_alive())
        return pixels

    before = psutil.Process().num_threads()
    gc.disable()
    try:
        sampling = Sampling("uniform", 8)
        decode_video(payload, render=watched, sampling=sampling, limits=LIMITS, threads=1)
        after = large_frames_alive()
    finally:
        gc.enable()

    assert max(threads) <= before  # scaling starts none
    assert max(frames) <= 4  # those that the decoder hands out together at its end
    assert after == 0


def frames_or_reason(payload):
    try:
        return decode(payload, 4).shape[1:]
    except Rejection as rejection:
        return rejection.reason


def test_any_damage_gives_frames_or_a_rejection():
    generator = np.random.default_rng(0)
    seeds = [clip(numbered(12), **CODECS[codec]) for codec in ("h264 keys", "vp8", "mpeg4 in avi")]
    for number in range(90):
        damaged = np.frombuffer(seeds[number % 3], np.uint8).copy()
        offsets = generator.integers(0, len(damaged), 8)
        damaged[offsets] = generator.integers(0, 256, 8)
        outcome = frames_or_reason(damaged.tobytes())
        assert outcome == (48, 64, 3) or outcome.startswith("video_")


def test_frames_per_second_may_be_a_fraction():
    payload = clip(numbered(30), rate_hz=Fraction(30000, 1001))

    assert numbers_of(decode(payload, 3)) == [5, 15, 25]
