"""CPU seconds to take 8 frames of a clip of 30 s, against decoding every frame with PyAV.

    python -m benchmarks.video [--json] [--rounds 3]

The clip is made on the spot: a view that pans over a textured plane, 1280 x 720 at 25 frames/s, in
H.264 with x264's own settings; once with a key frame every second, as cameras and streaming write
it, and once with x264's default of every 250 frames at most, where most frames must be decoded
whatever one does. Both ways use one thread, scale alike, and must give the same bytes. The first
clip is the claim; `settings.measured` tells both, and beside them what `sampling: {kind:
key_frames}` takes: other frames, as many as the clip has of them, so no same output.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
from functools import partial
from io import BytesIO

import av
import numpy as np

from benchmarks.report import Comparison, parse, tell
from mmray.media.video.decode import decode_video
from mmray.media.video.render import render_scaled
from mmray.media.video.sampling import Sampling, VideoLimits

WIDTH, HEIGHT, RATE_HZ, SECONDS, FRAMES, SIDE = 1280, 720, 25, 30, 8, 224
LIMITS = VideoLimits(2**28, 36_000_000, 3600.0, 250_000)
RENDER = partial(render_scaled, height=SIDE, width=SIDE, crop="center")
GROUPS = {"a key frame every second": {"g": "25"}, "a key frame every 250 frames": {}}


def make_clip(options: dict[str, str]) -> bytes:
    """Encode the pan; all of the picture moves in every frame."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 255, (300, 800), dtype=np.uint8)
    plane = av.VideoFrame.from_ndarray(coarse, "gray").reformat(3200, 1200, "rgb24").to_ndarray()
    stream = BytesIO()
    with av.open(stream, "w", format="mp4") as target:
        video = target.add_stream("libx264", rate=RATE_HZ, options=options)
        video.width, video.height, video.pix_fmt, video.thread_count = WIDTH, HEIGHT, "yuv420p", 1
        for number in range(RATE_HZ * SECONDS):
            left = int((0.5 + 0.5 * np.sin(number / 60)) * (plane.shape[1] - WIDTH))
            top = int((0.5 + 0.5 * np.cos(number / 45)) * (plane.shape[0] - HEIGHT))
            view = np.ascontiguousarray(plane[top : top + HEIGHT, left : left + WIDTH])
            target.mux(video.encode(av.VideoFrame.from_ndarray(view, "rgb24")))
        target.mux(video.encode(None))
    return stream.getvalue()


def take(payload: bytes) -> np.ndarray:
    """Our way."""
    sampling = Sampling("uniform", FRAMES)
    return decode_video(payload, render=RENDER, sampling=sampling, limits=LIMITS, threads=1)


def take_key_frames(payload: bytes) -> np.ndarray:
    """Return the key frames: faster, but not the frames in the middles."""
    return decode_video(
        payload, render=RENDER, sampling=Sampling("key_frames", FRAMES), limits=LIMITS
    )


def take_by_decoding_all(payload: bytes) -> np.ndarray:
    """The usual way: decode up to the last wanted frame, and keep those with wanted numbers."""
    count = RATE_HZ * SECONDS
    wanted = [int((place + 0.5) * count / FRAMES) for place in range(FRAMES)]
    taken = []
    with av.open(BytesIO(payload)) as source:
        source.streams.video[0].thread_count = 1
        for number, frame in enumerate(source.decode(video=0)):
            if number in wanted:
                taken.append(RENDER(frame))
            if number == wanted[-1]:
                break
    return np.stack(taken)


def measure(payload: bytes, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of both ways, which take turns; they must give the same frames."""
    ours: list[float] = []
    other: list[float] = []
    take(payload)  # loads what the first clip loads
    for _ in range(rounds):
        seconds, expected = timed(take_by_decoding_all, payload)
        other.append(seconds)
        seconds, frames = timed(take, payload)
        ours.append(seconds)
        if not np.array_equal(frames, expected):
            raise SystemExit("the two ways do not give the same frames")
    return ours, other


def main() -> None:
    """Measure both ways in turn, for each spacing of key frames; the first is the claim."""
    options = parse(__doc__ or "")
    found: list[tuple[list[float], list[float]]] = []
    told: list[dict[str, str | int | float]] = []
    for name, group in GROUPS.items():
        payload = make_clip(group)
        found.append(measure(payload, options.rounds))
        ours, other = (statistics.median(seconds) for seconds in found[-1])
        keys_s, keys = timed(take_key_frames, payload)
        told.append({
            "clip": name, "bytes": len(payload), "ours": round(ours, 3),
            "other": round(other, 3), "ratio": round(other / ours, 2),
            "key_frames": len(keys), "key_frames_ratio": round(other / keys_s, 2),
        })  # fmt: skip
    ours, other = found[0]
    tell(
        Comparison(
            name="video",
            claim="8 frames of a clip of 30 s: at least 4 times as fast as decoding all of it",
            unit="CPU s per clip",
            ours=ours,
            other=other,
            other_name="PyAV: decode up to the last wanted frame, keep the wanted ones",
            is_larger_better=False,
            settings={
                "clip": f"{WIDTH} x {HEIGHT}, {RATE_HZ} frames/s, {SECONDS} s, libx264",
                "frames": FRAMES, "frame": f"{SIDE} x {SIDE}", "threads": 1,
                "rounds": options.rounds, "same_output": "bit for bit", "measured": told,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


def timed(way, payload: bytes):
    """Return seconds of the processor, which other programs do not lengthen, and the result."""
    started = time.process_time()
    result = way(payload)
    return time.process_time() - started, result


if __name__ == "__main__":
    main()
