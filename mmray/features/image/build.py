"""From the image section of the document to an extractor."""

from functools import partial
from pathlib import Path
from typing import Any, assert_never

from mmray.config.modality.image import CustomImageExtract, HFImageConfig, ImageConfig, PixelsConfig
from mmray.core.kind import Kind
from mmray.features.checkpoints.checkpoint import MODEL_FOLDER, checkpoint_identity
from mmray.features.checkpoints.export import export_checkpoint
from mmray.features.custom import custom_digest, load_custom
from mmray.features.extractor import Extractor
from mmray.features.image.pixels import PixelsExtractor
from mmray.features.image.spec import image_spec
from mmray.media.image.decode import ImageSteps, decode_image

VERSIONS = {"pixels": 4, "hf_image": 5, "custom": 1}
"""Raise one when that extractor's code, or its decoding, gives other features than before."""


def build_image(config: ImageConfig, state: Path | None) -> Extractor:
    """Build the extractor of an image modality."""
    config = _with_exported(config, state)
    match config.extract:
        case PixelsConfig(height=height, width=width):
            steps = _steps(config, auto_draft=1.4)
            decode = partial(decode_image, height=height, width=width, steps=steps)
            return PixelsExtractor(image_spec(config), decode)
        case HFImageConfig() as extract:
            from mmray.features.image.hf_image import HFImageExtractor
            from mmray.features.image.network import VisionNetwork

            spec = image_spec(config)
            network = VisionNetwork(
                extract.model,
                pooling=extract.pooling,
                batch_size=extract.batch_size,
                precision=extract.precision,
            )
            return HFImageExtractor(spec, network, steps=_steps(config, auto_draft=0.0))
        case CustomImageExtract() as extract:
            return load_custom(extract.factory, extract.options, Kind.IMAGE)
        case _:
            assert_never(config.extract)


def image_identity(config: ImageConfig, state: Path | None) -> dict[str, Any]:
    """Return what beside its settings decides what the features are."""
    config = _with_exported(config, state)
    version = {"version": VERSIONS[config.extract.kind]}
    match config.extract:
        case HFImageConfig(model=model):
            return version | {"checkpoint": checkpoint_identity(model)}
        case CustomImageExtract() as extract:
            return version | {"code": custom_digest(extract.factory)}
        case PixelsConfig():
            return version
        case _:
            assert_never(config.extract)


def export_image(config: ImageConfig, state: Path | None, folder: Path) -> None:
    """Write into ``folder`` what ``build_image(config, folder)`` needs on another machine."""
    config = _with_exported(config, state)
    if isinstance(config.extract, HFImageConfig):
        export_checkpoint(config.extract.model, folder / MODEL_FOLDER)


def _steps(config: ImageConfig, *, auto_draft: float) -> ImageSteps:
    told = config.decode
    draft = {"auto": auto_draft, "never": 0.0}.get(str(told.draft), told.draft)
    bits = None if told.bits == "auto" else told.bits
    return ImageSteps(told.crop, told.max_pixels, float(draft), bits)


def _with_exported(config: ImageConfig, state: Path | None) -> ImageConfig:
    """Point the config at the checkpoint inside of ``state``, if any."""
    if state is None or not (state / MODEL_FOLDER).is_dir():
        return config
    change = {"model": str(state / MODEL_FOLDER)}
    return config.model_copy(update={"extract": config.extract.model_copy(update=change)})
