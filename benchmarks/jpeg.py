"""A large JPEG to a picture of 224 x 224, against plain Pillow.

    python -m benchmarks.jpeg [--json] [--rounds 3]

Photographs of 12 megapixels are made on the spot. Pillow opens one, converts it to RGB, resizes its
shorter side to 256 and cuts 224 x 224 out of the middle. Ours does the same with `decode.draft` at
1.4, the default of `pixels`: the JPEG is decoded at an eighth of its size, which is still 1.4 times
256. Both are one thread. What stays to be done for every JPEG is to unpack its coefficients, so the
gain shrinks as files grow: `settings.measured` tells ratio and mean absolute difference, of 255,
for photographs with usual and with much detail, and for drafts of 1.4 and 2. The first is the
claim.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.report import Comparison, parse, tell
from mmray.features.image.preprocess import Preprocess, decode_for

WIDTH, HEIGHT, SHORTEST, SIDE, QUALITY = 4000, 3000, 256, 224, 90
DRAFTS = (1.4, 2.0)
DETAILS = (0.5, 0.3)
"""By how much the strength of a scale grows with it: the lower, the more detail."""
TOLERANCE = 2.0
"""Mean absolute difference of the two pictures, of 255."""
PHOTOS = 2
BILINEAR, BICUBIC = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
PREPROCESS = Preprocess(
    exact=None, shortest=SHORTEST, longest=None, crop=(SIDE, SIDE), pad=None,
    resample=BILINEAR, values=np.zeros((3, 256), np.float32),
)  # fmt: skip
Pixels = npt.NDArray[np.uint8]
Decode = Callable[[bytes], Pixels]


def photo(seed: int, detail: float) -> bytes:
    """Return a JPEG of noise at many scales, mostly grey, the finer the weaker."""
    generator = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    for scale in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024):
        for strength, colours in ((1.0, (0, 1, 2)), (0.25, (0,)), (0.25, (2,))):
            noise = generator.normal(size=(HEIGHT // scale + 2, WIDTH // scale + 2))
            smooth = Image.fromarray(noise.astype(np.float32)).resize((WIDTH, HEIGHT), BICUBIC)
            picture[..., colours] += strength * scale**detail * np.asarray(smooth)[..., None]
    picture = 127 + 50 * picture / picture.std()
    stream = BytesIO()
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def plain_pillow(payload: bytes) -> Pixels:
    """Decode everything, then make it small."""
    image = Image.open(BytesIO(payload)).convert("RGB")
    width = int(SHORTEST * image.width / image.height)
    image = image.resize((width, SHORTEST), BILINEAR)
    left, top = (width - SIDE) // 2, (SHORTEST - SIDE) // 2
    return np.asarray(image.crop((left, top, left + SIDE, top + SIDE)))


def drafting(draft: float) -> Decode:
    """Return the way that decodes what is needed."""
    options = {"crop": "none", "max_pixels": 64_000_000, "draft": draft}
    return partial(decode_for, preprocess=PREPROCESS, **options)


def rates(ways: list[Decode], payloads: list[bytes]) -> list[float]:
    """Return pictures per second of one core, for each way; they take turns at every picture."""
    seconds = [0.0] * len(ways)
    for payload in payloads:
        for row, way in enumerate(ways):
            started = time.process_time()
            way(payload)
            seconds[row] += time.process_time() - started
    return [len(payloads) / spent for spent in seconds]


def difference(way: Decode, payloads: list[bytes]) -> float:
    """Return the largest mean absolute difference from plain Pillow."""
    return max(
        round(float(np.abs(way(payload).astype(int) - plain_pillow(payload)).mean()), 2)
        for payload in payloads
    )


def measure(detail: float, rounds: int) -> tuple[list[tuple[float, ...]], list[dict[str, float]]]:
    """Return the rates of plain Pillow and of every draft, and what each draft was found to be."""
    payloads = [photo(seed, detail) for seed in range(PHOTOS)]
    drafts = [drafting(draft) for draft in DRAFTS]
    apart = [difference(way, payloads) for way in drafts]
    if max(apart) > TOLERANCE:
        raise SystemExit(f"the ways differ by {max(apart)} of 255, more than {TOLERANCE}")
    found = list(
        zip(*[rates([plain_pillow, *drafts], payloads) for _ in range(rounds)], strict=True)
    )
    plain, *others = (statistics.median(way) for way in found)
    told = [
        {
            "payload_bytes": len(payloads[0]),
            "draft": draft,
            "ratio": round(rate / plain, 2),
            "mean_absolute_difference": gap,
        }
        for draft, rate, gap in zip(DRAFTS, others, apart, strict=True)
    ]
    return found, told


def main() -> None:
    """Measure the ways in turn."""
    options = parse(__doc__ or "")
    (plain, ours, _), usual = measure(DETAILS[0], options.rounds)
    _, dense = measure(DETAILS[1], options.rounds)
    tell(
        Comparison(
            name="jpeg",
            claim="A 12-megapixel JPEG to a 224 crop: at least 4 times as fast as plain Pillow",
            unit="pictures per core second",
            ours=ours,
            other=plain,
            other_name="Pillow: open, convert, resize, crop",
            is_larger_better=True,
            settings={
                "width": WIDTH, "height": HEIGHT, "quality": QUALITY, "threads": 1,
                "rounds": options.rounds, "draft": DRAFTS[0], "tolerance": TOLERANCE,
                "measured": usual + dense,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
