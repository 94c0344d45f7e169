import importlib.util

import numpy as np
import pytest

from benchmarks.heic import HEIC
from mmray.core.rejection import Rejection
from mmray.media.image.decode import ImageSteps, open_image


def reason(payload, max_pixels=10_000):
    with pytest.raises(Rejection) as rejected:
        open_image(payload, ImageSteps("none", max_pixels))
    return rejected.value.reason


def test_a_heic_becomes_the_picture_that_was_written():
    pixels = np.asarray(open_image(HEIC, ImageSteps("none", 10_000))).astype(int)

    assert pixels.shape == (48, 64, 3)
    for rows, columns, colour in (
        (slice(0, 6), slice(0, 64), (255, 255, 255)),
        (slice(12, 48), slice(0, 28), (255, 0, 0)),
        (slice(12, 48), slice(36, 64), (0, 0, 255)),
    ):
        assert np.abs(pixels[rows, columns] - colour).mean() < 6


def test_a_heic_that_is_cut_or_damaged_or_too_large_is_rejected():
    assert reason(HEIC[:100]) in ("image_broken", "image_truncated")
    assert reason(HEIC[: len(HEIC) * 2 // 3]) in ("image_broken", "image_truncated")
    assert reason(HEIC, max_pixels=64 * 48 - 1) == "image_too_large"


def test_without_its_plug_in_a_heic_is_unsupported_and_says_what_to_install(monkeypatch):
    monkeypatch.setattr("mmray.media.image.heic.find_spec", lambda name: None)

    with pytest.raises(Rejection, match=r"install mmray\[heic\]") as rejected:
        open_image(HEIC, ImageSteps("none", 10_000))

    assert rejected.value.reason == "image_unsupported"
    assert importlib.util.find_spec("pi_heif") is not None


def test_a_film_called_a_picture_is_unrecognised():
    assert reason(b"\0\0\0\x18ftypisom" + bytes(100)) == "image_unrecognised"
