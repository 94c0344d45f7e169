"""What a modality's features will look like, told without data, torch or transformers."""

from typing import assert_never

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.modality import ModalityConfig
from mmray.config.modality.table import TableConfig
from mmray.config.modality.text import TextConfig
from mmray.config.modality.video import VideoConfig
from mmray.core.spec import FeatureSpec
from mmray.features.audio.spec import audio_spec
from mmray.features.image.spec import image_spec
from mmray.features.table.spec import table_spec
from mmray.features.text.spec import text_spec
from mmray.features.video.spec import video_spec


def spec_of(config: ModalityConfig) -> FeatureSpec:
    """Return the spec that the built extractor will keep."""
    match config:
        case TextConfig():
            return text_spec(config)
        case ImageConfig():
            return image_spec(config)
        case AudioConfig():
            return audio_spec(config)
        case VideoConfig():
            return video_spec(config)
        case TableConfig():
            return table_spec(config)
        case _:
            assert_never(config)
