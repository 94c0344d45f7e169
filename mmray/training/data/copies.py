"""Which payloads of a split are the same. Axes: N samples, M modalities."""

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Integer

from mmray.training.data.samples import ModalityFeatures


def payload_numbers(
    modalities: Mapping[str, ModalityFeatures],
) -> Integer[np.ndarray, "N M"]:
    """Return a number per payload, the same for the same features; absent ones are all different.

    Two files with the same content, and two rows that name one file, have the same features.
    """
    return np.stack([_numbers(features) for features in modalities.values()], axis=1)


def _numbers(features: ModalityFeatures) -> Integer[np.ndarray, " N"]:
    known: dict[bytes, int] = {}
    numbers = np.arange(len(features.present), dtype=np.int64)
    for row in np.flatnonzero(features.present).tolist():
        content = _payload(features, row).tobytes()
        numbers[row] = known.setdefault(hashlib.blake2b(content, digest_size=16).digest(), row)
    return numbers


def _payload(features: ModalityFeatures, row: int) -> np.ndarray:
    if features.offsets is None:
        return features.values[row]
    return features.values[features.offsets[row] : features.offsets[row + 1]]
