"""How a text is cleaned for the extractor that the document names."""

from mmray.config.modality.text import HFTextConfig, TextConfig, TokensConfig
from mmray.media.text.decode import Cleaning


def cleaning_of(config: TextConfig) -> Cleaning:
    """Return the settings with what is left open decided.

    A checkpoint's own tokenizer knows whether case matters, and cuts Chinese as it was trained to.
    """
    match config.extract:
        case HFTextConfig() | TokensConfig(tokenizer=str()):
            default = False
        case _:
            default = True
    settings = config.clean.model_dump()
    for key in ("lowercase", "segment"):
        settings[key] = default if settings[key] is None else settings[key]
    return Cleaning(**settings)
