"""The modalities of a document, discriminated by ``kind``."""

from typing import Annotated

from pydantic import Field

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.series import SeriesConfig
from mmray.config.modality.table import TableConfig
from mmray.config.modality.text import TextConfig
from mmray.config.modality.video import VideoConfig

ModalityConfig = Annotated[
    TextConfig | ImageConfig | AudioConfig | VideoConfig | TableConfig | SeriesConfig,
    Field(discriminator="kind"),
]
