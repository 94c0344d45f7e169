"""What extractors learn from the train split."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.config.modality.text import TextConfig
from mmray.features.audio.fit import audio_fit_identity, audio_needs_fit, fit_audio
from mmray.features.table.fit import fit_table, table_needs_fit
from mmray.features.text.fit import fit_text, text_needs_fit

FIT_VERSION = 1
"""Raised when the same payloads would teach something else."""

DECODE_S = 60.0
"""How long a payload may take to decode, where nobody says otherwise."""


def needs_fit(config: ModalityConfig) -> bool:
    """Say whether the extractor learns something before it can be built."""
    match config:
        case TextConfig():
            return text_needs_fit(config)
        case AudioConfig():
            return audio_needs_fit(config)
        case TableConfig():
            return table_needs_fit(config)
        case _:
            return False


def learns_by_network(config: ModalityConfig) -> bool:
    """Say whether a network makes of the payloads what is learnt from."""
    return isinstance(config, AudioConfig) and audio_needs_fit(config)


def fit_identity(config: ModalityConfig) -> list[Any]:
    """Return, as plain JSON, what beside the payloads decides what is learnt."""
    match config:
        case AudioConfig():
            return [FIT_VERSION, audio_fit_identity(config)]
        case _:
            return [FIT_VERSION, config.model_dump(mode="json", exclude={"encode", "augment"})]


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
    match config:
        case TextConfig():
            fit_text(config, payloads, folder)
        case AudioConfig():
            fit_audio(config, payloads, folder, timeout_s=timeout_s)
        case TableConfig():
            fit_table(config, payloads, folder)
        case _:
            return
