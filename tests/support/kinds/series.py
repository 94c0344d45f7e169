"""Every series extractor, for the contract. Two channels: CSV, JSON and NPY."""

import io

import numpy as np

WAVES = np.sin(np.arange(40)[:, None] * [0.3, 0.7])


def npy(array):
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


def lines(array, header="a,b"):
    rows = (",".join("" if cell != cell else repr(float(cell)) for cell in row) for row in array)
    return "\n".join([*([header] if header else []), *rows, ""]).encode()


PAYLOADS = [
    lines(WAVES), npy(WAVES[:7].astype(np.float32)), b"[[1,2],[null,4],[5,-1e30]]",
    lines(np.where(WAVES > 0.9, np.nan, WAVES), header=None), npy([[3, 4], [5, 7]]),
]  # fmt: skip
EXTRACTS = {
    "statistics": {"kind": "statistics"},
    "statistics windows": {"kind": "statistics", "quantiles": []},
    "raw": {"kind": "raw", "max_steps": 30},
    "raw interpolated": {"kind": "raw"},
    "raw windows": {"kind": "raw"},
}
TWO = {"columns": 2}
WINDOWS = TWO | {"windows": {"length": 4, "hop": 3, "most": 5}}
DECODES = {
    "statistics": TWO, "raw": TWO, "statistics windows": WINDOWS, "raw windows": WINDOWS,
    "raw interpolated": TWO | {"missing": "interpolate"},
}  # fmt: skip
