"""Fitting of extractors on the train split."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmray.config.modality.modality import ModalityConfig
from mmray.features.extractor import Decode
from mmray.features.kind import TrainSplit, fit_settings
from mmray.features.kinds import kind_of

FIT_VERSION = 1
"""Raised when the same payloads would teach something else."""

DECODE_S = 60.0
"""Default limit of decoding one payload."""


def needs_fit(config: ModalityConfig) -> bool:
    """Return whether the extractor learns something before it can be built."""
    return kind_of(config).needs_fit(config)


def learns_by_network(config: ModalityConfig) -> bool:
    """Return whether a network reads the payloads before fitting."""
    return network_decoder(config) is not None


def network_decoder(config: ModalityConfig) -> Decode | None:
    """Return what decodes payloads for the network that ``learns_by_network`` is about."""
    kind = kind_of(config)
    fitting = kind.extractor(config).fitting
    if fitting is None or fitting.network_decoder is None or not kind.needs_fit(config):
        return None
    return fitting.network_decoder(config)


def fit_identity(config: ModalityConfig) -> list[Any]:
    """Return, as plain JSON, the settings that with the payloads determine the fitted state."""
    fitting = kind_of(config).extractor(config).fitting
    settings = fit_settings if fitting is None else fitting.settings
    return [FIT_VERSION, settings(config, config.extract)]


def fit_extractor(
    config: ModalityConfig,
    payloads: Iterable[bytes],
    folder: Path,
    *,
    timeout_s: float = DECODE_S,
) -> None:
    """Learn from the train split's payloads and write the state into ``folder``.

    Rejected payloads teach nothing, nor do media that take longer than ``timeout_s`` to decode.
    The same payloads give the same state, byte for byte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind_of(config).fit(config, TrainSplit(payloads, timeout_s), folder)
