import importlib.util
import logging
import sys
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from benchmarks.dicom import PATIENT, dicom_payload
from mmray.core.rejection import Rejection
from mmray.media.image.decode import ImageSteps, open_image
from tests.support.payload import encode_image, photo

GREY = np.array([[0, 100, 200], [1000, 1040, 1080], [2000, 3000, 4000]], dtype=np.int16)
CHEST = {"RescaleSlope": 1, "RescaleIntercept": -1000, "WindowCenter": 40, "WindowWidth": 400}


def grey(payload):
    colours = np.asarray(open_image(payload, ImageSteps("none", 10_000)))
    assert (colours == colours[..., :1]).all()
    return colours[..., 0]


def rejected(payload, max_pixels=10_000):
    with pytest.raises(Rejection) as rejection:
        open_image(payload, ImageSteps("none", max_pixels))
    return rejection.value


def test_values_are_rescaled_and_windowed():
    # From -160 to 240 after the rescale: 1000 is 0, two fifths of the way.
    assert grey(dicom_payload(GREY, **CHEST)).tolist() == [
        [0, 0, 0], [102, 128, 153], [255, 255, 255],
    ]  # fmt: skip


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_a_window_is_the_one_of_pydicom(function):
    values = np.random.default_rng(0).integers(-500, 1500, (40, 30)).astype(np.int16)
    elements = {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": [300, 9],
                "WindowWidth": [777, 9], "VOILUTFunction": function}  # fmt: skip
    payload = dicom_payload(values, **elements)
    dataset = pydicom.dcmread(BytesIO(payload))
    shown = apply_windowing(apply_modality_lut(values, dataset), dataset)
    low, high = -(2**15) * 2 - 100, (2**15 - 1) * 2 - 100

    expected = (shown - low) / (high - low) * 255

    np.testing.assert_allclose(grey(payload), expected, atol=0.51)


def test_without_a_window_the_least_is_black_and_the_most_is_white():
    assert grey(dicom_payload(GREY[:, :2] + np.int16(50))).tolist() == [
        [0, 8], [85, 88], [170, 255],
    ]  # fmt: skip


def test_where_the_file_means_white_it_is_white():
    payload = dicom_payload(GREY, PhotometricInterpretation="MONOCHROME1", **CHEST)

    assert grey(payload).tolist() == [[255, 255, 255], [153, 127, 102], [0, 0, 0]]


def test_of_several_frames_the_first_is_taken():
    payload = dicom_payload(GREY, frames=[GREY * 0, GREY * 0], **CHEST)

    np.testing.assert_array_equal(grey(payload), grey(dicom_payload(GREY, **CHEST)))


def test_an_enhanced_file_tells_its_window_with_its_frame():
    rescale, window, groups = Dataset(), Dataset(), Dataset()
    rescale.RescaleSlope, rescale.RescaleIntercept = 1, -1000
    window.WindowCenter, window.WindowWidth = 40, 400
    groups.PixelValueTransformationSequence = [rescale]
    groups.FrameVOILUTSequence = [window]
    payload = dicom_payload(GREY, SharedFunctionalGroupsSequence=[groups])

    np.testing.assert_array_equal(grey(payload), grey(dicom_payload(GREY, **CHEST)))


def test_a_table_of_values_is_used_where_there_is_no_window():
    table = Dataset()
    table.LUTDescriptor, table.LUTData = [4, 0, 16], bytes([255, 255, 10, 10, 20, 20, 0, 0])
    values = np.array([[0, 1], [2, 3]], dtype=np.uint8)

    assert grey(dicom_payload(values, VOILUTSequence=[table])).tolist() == [[255, 10], [20, 0]]


def test_colours_stay():
    colours = np.asarray(photo(20, 10))

    image = open_image(dicom_payload(colours), ImageSteps("none", 10_000))

    np.testing.assert_array_equal(np.asarray(image), colours)


@pytest.mark.parametrize("white", [65_535, 255], ids=["16 bits", "8 bits"])
def test_a_palette_is_looked_up_in_the_range_that_it_has(white):
    table = np.arange(256, dtype=np.uint16)
    tables = {"Red": table, "Green": table[::-1], "Blue": table * 0}
    elements = {f"{name}PaletteColorLookupTableDescriptor": [256, 0, 16] for name in tables} | {
        f"{name}PaletteColorLookupTableData": (values * (white // 255)).astype(np.uint16).tobytes()
        for name, values in tables.items()
    }
    payload = dicom_payload(
        np.array([[0, 255]], np.uint8), PhotometricInterpretation="PALETTE COLOR", **elements
    )

    image = open_image(payload, ImageSteps("none", 10_000))

    assert np.asarray(image).tolist() == [[[0, 255, 0], [255, 0, 0]]]


def test_compressed_pixels_are_read():
    picture = photo(40, 30)
    payload = dicom_payload(
        np.asarray(picture), syntax=JPEGBaseline8Bit, PhotometricInterpretation="YBR_FULL_422",
        PixelData=encapsulate([encode_image(picture, "JPEG", quality=95)]),
    )  # fmt: skip
    dataset = pydicom.dcmread(BytesIO(dicom_payload(GREY, **CHEST)))
    dataset.compress(RLELossless)
    stream = BytesIO()
    dataset.save_as(stream)

    image = open_image(payload, ImageSteps("none", 10_000))

    assert np.abs(np.asarray(image).astype(int) - np.asarray(picture)).mean() < 6
    np.testing.assert_array_equal(grey(stream.getvalue()), grey(dicom_payload(GREY, **CHEST)))


def test_what_no_installed_library_reads_is_unsupported():
    packed = dicom_payload(GREY, syntax=JPEGLSLossless, PixelData=encapsulate([b"\xff\xd8"]))
    deflated = dicom_payload(GREY, syntax=DeflatedExplicitVRLittleEndian)

    assert rejected(packed).reason == rejected(deflated).reason == "image_unsupported"
    assert rejected(packed).detail == (
        "no decoder for DICOM transfer syntax JPEG-LS Lossless Image Compression"
    )


def test_without_pydicom_the_rejection_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    monkeypatch.setattr(importlib.machinery.PathFinder, "find_spec", lambda *_: None)

    rejection = rejected(dicom_payload(GREY))

    assert rejection.reason == "image_unsupported"
    assert "install mmray[dicom]" in rejection.detail


def test_more_pixels_than_allowed_are_rejected():
    assert rejected(dicom_payload(GREY), max_pixels=8).reason == "image_too_large"
    assert rejected(dicom_payload(GREY, Rows=65_535)).reason == "image_too_large"


def test_a_file_that_ends_too_early_is_truncated():
    payload = dicom_payload(GREY)

    assert rejected(payload[:-6]).reason == "image_truncated"
    assert rejected(payload[:200]).reason == "image_broken"


def test_nothing_of_the_patient_is_told(caplog, recwarn):
    caplog.set_level(logging.DEBUG)
    payload = dicom_payload(GREY, WindowWidth="400", WindowCenter="40", Manufacturer=PATIENT)
    broken = payload.replace(b"\x28\x00\x50\x10DS", b"\x28\x00\x50\x10US")
    assert broken != payload

    for length in range(140, len(broken), 7):
        for variant in (broken[:length], payload[:length]):
            assert PATIENT not in rejected(variant).detail
    assert PATIENT not in caplog.text
    assert not recwarn.list


def outcome(payload):
    try:
        return open_image(payload, ImageSteps("none", 10_000)).mode
    except Rejection as rejection:
        return rejection.reason


def test_no_damage_escapes_as_an_exception():
    generator = np.random.default_rng(0)
    whole = dicom_payload(GREY, **CHEST)
    for _ in range(300):
        damaged = bytearray(whole)
        for index in generator.integers(132, len(whole), 4):
            damaged[index] = generator.integers(0, 256)
        assert outcome(bytes(damaged)) == "RGB" or outcome(bytes(damaged)).startswith("image_")


def test_the_order_of_bytes_does_not_matter():
    swapped = dicom_payload(
        GREY, syntax=ExplicitVRBigEndian, PixelData=GREY.astype(">i2").tobytes(), **CHEST
    )

    np.testing.assert_array_equal(grey(swapped), grey(dicom_payload(GREY, **CHEST)))
