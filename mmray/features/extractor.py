"""What every extractor promises, and how one runs over payloads of which some are bad."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from mmray.core.rejection import Rejection
from mmray.core.spec import FeatureSpec

Decoded: TypeAlias = Any
Feature: TypeAlias = npt.NDArray[Any]


class Extractor(Protocol):
    """Frozen and pure: the same bytes give the same feature, alone or in any batch."""

    spec: FeatureSpec

    def decode(self, payload: bytes) -> Decoded:
        """Return what ``extract`` takes, or raise a Rejection."""
        ...

    def extract(self, decoded: Sequence[Decoded]) -> list[Feature]:
        """Return one feature per item, in order.

        A ragged feature has between 1 and ``spec.shape[0]`` steps; every other one ``spec.shape``.
        """
        ...


@dataclass(frozen=True, slots=True)
class ExtractedBatch:
    """One entry per payload, in order. A rejected one has no feature and a reason."""

    features: list[Feature | None]
    reasons: list[str]
    """Empty where a feature was extracted."""
    details: list[str]


def extract_batch(extractor: Extractor, payloads: Sequence[bytes | Rejection]) -> ExtractedBatch:
    """Decode and extract in order. A payload that is already a Rejection stays one."""
    features: list[Feature | None] = [None] * len(payloads)
    reasons = [""] * len(payloads)
    details = [""] * len(payloads)
    kept: list[int] = []
    decoded: list[Decoded] = []
    for row, payload in enumerate(payloads):
        try:
            if isinstance(payload, Rejection):
                raise payload
            decoded.append(extractor.decode(payload))
            kept.append(row)
        except Rejection as rejection:
            reasons[row], details[row] = rejection.reason, rejection.detail
    extracted = extractor.extract(decoded) if kept else []
    for row, feature in zip(kept, extracted, strict=True):
        if np.issubdtype(feature.dtype, np.floating) and not np.isfinite(feature).all():
            reasons[row] = "feature_not_finite"
            details[row] = "the extractor gave an infinite value or not a number"
        else:
            features[row] = feature
    return ExtractedBatch(features, reasons, details)
