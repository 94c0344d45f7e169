"""The modalities of a document, told apart by ``kind``."""

from typing import Annotated

from pydantic import Field

from mmray.config.audio import AudioConfig
from mmray.config.image import ImageConfig
from mmray.config.table import TableConfig
from mmray.config.text import TextConfig
from mmray.config.video import VideoConfig

ModalityConfig = Annotated[
    TextConfig | ImageConfig | AudioConfig | VideoConfig | TableConfig, Field(discriminator="kind")
]
