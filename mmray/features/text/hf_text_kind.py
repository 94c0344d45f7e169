"""The record of ``hf_text``, without torch or transformers."""

from pathlib import Path

from mmray.config.modality.text import HFTextConfig, TextConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.features.checkpoints.checkpoint import first_width, read_checkpoint_config
from mmray.features.checkpoints.extractor import checkpoint_extractor
from mmray.features.checkpoints.kind import check_kind
from mmray.features.extractor import Extractor
from mmray.features.text.cleaning import text_decoder
from mmray.features.text.position import check_layer, check_positions, text_settings


def _spec(config: TextConfig, extract: HFTextConfig) -> FeatureSpec:
    width = _width(extract)
    if extract.pooling == "sequence":
        return FeatureSpec(Kind.TEXT, "sequence", (extract.max_tokens, width), "float32")
    return FeatureSpec(Kind.TEXT, "vector", (width,), "float32")


def _width(extract: HFTextConfig) -> int:
    checkpoint = read_checkpoint_config(extract.model)
    check_kind(checkpoint, Kind.TEXT, extract.model)
    settings = text_settings(checkpoint)
    check_positions(extract.model, settings, extract.max_tokens)
    check_layer(extract.model, settings, extract.layer)
    names = ("hidden_size", "d_model", "dim", "n_embd")
    # SigLIP's own pooling ends in a projection, which may have a width of its own.
    if extract.pooling == "cls" and str(settings.get("model_type")).startswith("siglip"):
        names = ("projection_size", *names)
    return extract.dim or first_width((settings.get(name) for name in names), extract.model)


def _build(config: TextConfig, extract: HFTextConfig, state: Path | None) -> Extractor:
    from mmray.features.text.hf_text import HFTextExtractor, Reading

    reading = Reading(
        pooling=extract.pooling,
        layer=extract.layer,
        normalise=extract.normalise,
        max_tokens=extract.max_tokens,
        overlap=extract.overlap if extract.long_text == "windows" else None,
        batch_size=extract.batch_size,
    )
    return HFTextExtractor(_spec(config, extract), extract.model, text_decoder(config), reading)


HF_TEXT = checkpoint_extractor(HFTextConfig, version=3, spec=_spec, build=_build)
