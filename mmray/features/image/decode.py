"""From the decode section of an image modality to the steps that read a payload."""

from mmray.config.modality.image import ImageDecodeConfig
from mmray.media.image.decode import ImageSteps


def image_steps(config: ImageDecodeConfig, *, auto_draft: float) -> ImageSteps:
    """Return the steps; ``auto_draft`` is what ``draft: auto`` means to an extractor."""
    draft = {"auto": auto_draft, "never": 0.0}.get(str(config.draft), config.draft)
    bits = None if config.bits == "auto" else config.bits
    return ImageSteps(config.crop, config.max_pixels, float(draft), bits)
