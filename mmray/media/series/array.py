"""Series as arrays: NPY files and JSON lists. Axes: T steps, F columns."""

import json
import math
import re
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.media.series.plan import SeriesPlan, Table, check_steps, chosen

NPY = b"\x93NUMPY"
NUMBERS = "biuf"
MAX_HEADER = 10_000
_HEADER = (
    re.compile(r"'descr':\s*'([^']{1,9})'"),
    re.compile(r"'fortran_order':\s*(True|False)"),
    re.compile(r"'shape':\s*\(([\d, ]*)\)"),
)


def read_npy(payload: bytes, plan: SeriesPlan) -> Table:
    """Read ``(T,)`` or ``(T, F)`` of numbers; nothing is unpickled, nor is more than is there."""
    dtype, is_fortran, shape, start = _read_header(payload)
    if dtype.kind not in NUMBERS:
        raise Rejection("series_not_numeric", f"an array of {dtype}")
    if len(shape) not in (1, 2):
        raise Rejection("series_broken", f"an array of shape {shape}, not (T,) or (T, F)")
    check_steps(shape[0], plan)
    size = math.prod(shape)
    if len(payload) - start < size * dtype.itemsize:
        detail = f"{len(payload)} bytes do not hold an array of shape {shape}"
        raise Rejection("series_broken", detail[:200])
    flat = np.frombuffer(payload, dtype, size, start)
    return chosen(flat.reshape(shape, order="F" if is_fortran else "C"), plan)


def _read_header(payload: bytes) -> tuple[np.dtype[Any], bool, tuple[int, ...], int]:
    """Return type, order, shape, and where the numbers start.

    NumPy's own reader evaluates the header as Python's; three of its parts are all that is needed.
    """
    prefix = 4 if payload[6:7] > b"\x01" else 2  # bytes of the length field, by version
    start = 8 + prefix + int.from_bytes(payload[8 : 8 + prefix], "little")
    header = payload[8 + prefix : min(start, MAX_HEADER)].decode("latin-1")
    found = [pattern.search(header) for pattern in _HEADER]
    try:
        descr, order, sizes = (match[1] for match in found if match is not None)
        shape = tuple(int(size) for size in sizes.replace(" ", "").split(",") if size)
        return np.dtype(descr), order == "True", shape, start
    except (ValueError, TypeError, SyntaxError):
        raise Rejection("series_broken", "the header of the NPY file cannot be read") from None


def read_json(payload: bytes, plan: SeriesPlan) -> Table:
    """Read a list of numbers, or a list of lists: the columns of each step; null is missing."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Rejection("series_broken", f"not JSON: {error}"[:200]) from None
    if not isinstance(found, list):
        raise Rejection("series_broken", "not a JSON list")
    check_steps(len(found), plan)
    return chosen(_array(found), plan)


def _array(found: list[Any]) -> npt.NDArray[np.float64]:
    cells: list[Any] = found
    if any(isinstance(step, list) for step in found):
        widths = {len(step) if isinstance(step, list) else -1 for step in found}
        if len(widths) > 1 or not widths <= set(range(1, 1 + max(widths))):
            raise Rejection("series_broken", "the steps have different numbers of columns, or none")
        cells = list(chain.from_iterable(found))
    odd = set(map(type, cells)) - {int, float, type(None)}
    if odd:
        raise Rejection("series_not_numeric", f"a list of {odd.pop().__name__} and not of numbers")
    try:
        return np.array(found, dtype=np.float64)
    except OverflowError:
        raise Rejection("series_not_numeric", "a number is too large") from None
