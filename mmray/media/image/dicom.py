"""DICOM: one frame as a doctor sees it. Axes: H height, W width.

Nothing about the patient is read, kept, logged or put into a rejection: only the elements in
``_TAGS`` are read, and a rejection names the kind of the error without its words.
"""

import logging
import struct
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mmray.core.rejection import Rejection
from mmray.media.image.deep import scale_bits
from mmray.media.image.rgb import scale_extent

_PREAMBLE = 128
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_COLOURS = ("Red", "Green", "Blue")
_VIEW = ("WindowCenter", "WindowWidth", "VOILUTFunction")
_TAGS = [
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence", *_VIEW,
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
    "PixelData", "FloatPixelData", "DoubleFloatPixelData",
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in _COLOURS),
    *(f"{colour}PaletteColorLookupTableData" for colour in _COLOURS),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in _COLOURS),
]  # fmt: skip
_ERRORS = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
    AssertionError, RuntimeError, MemoryError, struct.error, Image.DecompressionBombError,
)  # fmt: skip


def is_dicom(payload: bytes) -> bool:
    """Return whether the payload is a DICOM file."""
    return payload[_PREAMBLE : _PREAMBLE + 4] == b"DICM"


def open_dicom(payload: bytes, *, max_pixels: int) -> Image.Image:
    """Return the first frame as RGB: rescaled, windowed, white where the file means white.

    Without a window the frame's own extent becomes black to white. Rejects ``image_unsupported``,
    ``image_too_large``, ``image_truncated`` or ``image_broken``.
    """
    if find_spec("pydicom") is None:
        raise Rejection("image_unsupported", "a DICOM file; install mmray[dicom] to read it")
    if _DEFLATED in payload[:1024]:
        raise Rejection("image_unsupported", "a deflated DICOM file")
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        with _silent():
            return Image.fromarray(_read(payload, max_pixels)).convert("RGB")
    except (*_ERRORS, BytesLengthException, InvalidDicomError) as error:
        is_short = isinstance(error, EOFError) or "less than expected" in str(error)
        reason = "image_truncated" if is_short else "image_broken"
        raise Rejection(reason, f"a DICOM file; {type(error).__name__}") from None


@contextmanager
def _silent() -> Generator[None]:
    """Keep the values of elements, which pydicom logs, out of every log."""
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


def _read(payload: bytes, max_pixels: int) -> npt.NDArray[np.uint8]:
    """Return ``(H, W)`` or ``(H, W, 3)``."""
    from pydicom import dcmread
    from pydicom.pixels.processing import apply_color_lut

    dataset: Any = dcmread(BytesIO(payload), specific_tags=_TAGS)
    _check(dataset, max_pixels)
    pixels = _frame(dataset)
    interpretation = dataset.PhotometricInterpretation
    if interpretation.startswith("MONOCHROME"):
        shown = _window(pixels, _flatten(dataset))
        return 255 - shown if interpretation == "MONOCHROME1" else shown
    if interpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, dataset)[..., :3]
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype.itemsize > 2:
        return scale_extent(pixels)
    # Palette colours have a range of their own, which no element states.
    bits = None if interpretation == "PALETTE COLOR" else int(dataset.BitsStored)
    return scale_bits(pixels.astype(np.uint16), bits)


def _check(dataset: Any, max_pixels: int) -> None:  # noqa: ANN401
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    if rows * columns > max_pixels:
        raise Rejection("image_too_large", f"{columns} x {rows} pixels; the limit is {max_pixels}")
    if int(dataset.SamplesPerPixel) not in (1, 3):
        raise ValueError


def _frame(dataset: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    from pydicom.pixels import get_decoder, pixel_array

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        readable = not syntax.is_encapsulated or get_decoder(syntax).is_available
    except NotImplementedError:
        readable = False
    if not readable:
        raise Rejection("image_unsupported", f"no decoder for DICOM transfer syntax {syntax.name}")
    return pixel_array(dataset, index=0)


def _flatten(dataset: Any) -> Any:  # noqa: ANN401
    """Move the first frame's elements of an enhanced file to where a plain file has them."""
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        groups = dataset.get(keyword) or [{}]
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            for item in list(groups[0].get(name) or [])[:1]:
                dataset.update(item)
    return dataset


def _window(pixels: npt.NDArray[Any], dataset: Any) -> npt.NDArray[np.uint8]:  # noqa: ANN401
    """Return ``(H, W)``: the window's first view from black to white."""
    from pydicom.dataset import Dataset
    from pydicom.pixels.processing import apply_modality_lut, apply_voi, apply_windowing

    values = apply_modality_lut(pixels, dataset)
    if dataset.get("WindowCenter") is None or dataset.get("WindowWidth") is None:
        has_table = "VOILUTSequence" in dataset and np.issubdtype(values.dtype, np.integer)
        return scale_extent(apply_voi(values, dataset) if has_table else values)
    view = Dataset()  # of eight bits without a rescale: windowing then gives 0 to 255
    view.PhotometricInterpretation, view.PixelRepresentation, view.BitsStored = "MONOCHROME2", 0, 8
    for name in _VIEW:
        if name in dataset:
            view[name] = dataset[name]
    return apply_windowing(values, view).round().astype(np.uint8)
