"""The record of image modalities."""

from mmray.config.modality.image import CustomImageExtract, ImageConfig
from mmray.core.kind import Kind
from mmray.features.custom import custom_extractor
from mmray.features.image.example import example_picture
from mmray.features.image.hf_image_kind import HF_IMAGE
from mmray.features.image.pixels import PIXELS
from mmray.features.kind import ModalityKind, guessed_format

IMAGE = ModalityKind(
    kind=Kind.IMAGE,
    config=ImageConfig,
    extractors=(
        PIXELS,
        HF_IMAGE,
        custom_extractor(CustomImageExtract, Kind.IMAGE, version=1),
    ),
    libraries=("pillow", "numpy", "pi-heif", "pydicom"),
    guard="always",
    format_of=guessed_format,
    example=example_picture,
)
