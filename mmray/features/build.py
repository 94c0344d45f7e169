"""From the document to extractors: one ``build`` per kind of modality, and this to choose it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality.audio import AudioConfig, TranscriptConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.config.modality.text import TextConfig, TokensConfig, WordVectorsConfig
from mmray.config.modality.video import VideoConfig
from mmray.errors import BundleError
from mmray.features.audio.build import TEXT_FOLDER, audio_identity, build_audio, export_audio
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER
from mmray.features.extractor import Extractor, Tally
from mmray.features.image.build import build_image, export_image, image_identity
from mmray.features.table.build import build_table, export_table, table_identity
from mmray.features.text.build import VECTORS_FILE, build_text, export_text, text_identity
from mmray.features.text.tokenizer import TOKENIZER_FILE
from mmray.features.video.build import build_video, export_video, video_identity
from mmray.media.text.redaction import count_redactions

NOT_IN_IDENTITY = ("model", "tokenizer", "path", "batch_size", "dim")
"""Settings of an extractor that name what the identity holds by content, or change no feature."""


def build_extractor(config: ModalityConfig, state: Path | None) -> Extractor:
    """Build the extractor of one modality.

    ``state`` holds what ``fit_extractor`` or ``export_extractor`` wrote; a checkpoint exported
    there is used in place of the one that the document names.
    """
    match config:
        case TextConfig():
            return build_text(config, state)
        case ImageConfig():
            return build_image(config, state)
        case AudioConfig():
            return build_audio(config, state)
        case VideoConfig():
            return build_video(config, state)
        case TableConfig():
            return build_table(config, state)
        case _:
            assert_never(config)


def extractor_tally(config: ModalityConfig) -> Tally | None:
    """Return what counts something of note in a decoded payload: redactions in a text."""
    match config:
        case TextConfig() if config.clean.redact and config.extract.kind != "custom":
            return count_redactions
        case _:
            return None


def extractor_identity(config: ModalityConfig, state: Path | None) -> dict[str, Any]:
    """Return, as plain JSON, everything that decides what the features are."""
    settings = config.model_dump(mode="json", include={"kind", "clean", "decode", "extract"})
    for key in NOT_IN_IDENTITY:
        settings["extract"].pop(key, None)
    match config:
        case TextConfig():
            return settings | text_identity(config, state)
        case ImageConfig():
            return settings | image_identity(config, state)
        case AudioConfig():
            return settings | audio_identity(config, state)
        case VideoConfig():
            settings["decode"].pop("threads")  # changes no feature
            return settings | video_identity(config, state)
        case TableConfig():
            return settings | table_identity(config, state)
        case _:
            assert_never(config)


def check_exported(config: ModalityConfig, folder: Path) -> None:
    """Refuse a folder without the files that ``export_extractor`` copies of other places.

    Building from it would look there instead: on the hub, or elsewhere on this machine's disks.
    """
    for name in _exported(config.extract):
        if not (folder / name).is_file():
            raise BundleError(
                f"the bundle lacks {folder.name}/{name}",
                where=str(folder),
                hint="copy the bundle again, or write it again with 'mmray evaluate'",
            )


def _exported(extract: object) -> Iterator[str]:
    match extract:
        case TokensConfig(tokenizer=str()):
            yield TOKENIZER_FILE
        case WordVectorsConfig():
            yield VECTORS_FILE
        case TranscriptConfig():
            yield f"{MODEL_FOLDER}/config.json"
            yield from (f"{TEXT_FOLDER}/{name}" for name in _exported(extract.text.extract))
        case _ if isinstance(getattr(extract, "model", None), str):
            yield f"{MODEL_FOLDER}/config.json"
        case _:
            return


def export_extractor(config: ModalityConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_extractor(config, folder)`` needs on another machine."""
    folder.mkdir(parents=True, exist_ok=True)
    match config:
        case TextConfig():
            export_text(config, state, folder)
        case ImageConfig():
            export_image(config, state, folder)
        case AudioConfig():
            export_audio(config, state, folder)
        case VideoConfig():
            export_video(config, state, folder)
        case TableConfig():
            export_table(config, state, folder)
        case _:
            assert_never(config)
