"""The mean of what several models predict. Axes: N samples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def mean_outputs(
    outputs: Sequence[Mapping[str, Array]], weights: Sequence[float]
) -> dict[str, Array]:
    """Return the weighted mean (N, ...) of decoded outputs, task by task; weights add up to one."""
    return {
        task: np.sum(
            [w * each[task].astype(np.float64) for w, each in zip(weights, outputs, strict=True)],
            axis=0,
        ).astype(np.float32)
        for task in outputs[0]
    }
