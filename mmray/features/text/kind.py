"""The record of text modalities."""

import base64
from typing import Any

from mmray.config.modality.text import CustomTextExtract, TextConfig
from mmray.core.kind import Kind
from mmray.features.custom import custom_extractor
from mmray.features.extractor import Tally
from mmray.features.kind import ModalityKind
from mmray.features.text.bow import BOW
from mmray.features.text.hf_text_kind import HF_TEXT
from mmray.features.text.tfidf import TFIDF
from mmray.features.text.tokens import TOKENS
from mmray.features.text.word_vectors import WORD_VECTORS
from mmray.media.text.redaction import count_redactions

EXAMPLE = "An example of a text, with a few words."


def _example(config: TextConfig) -> dict[str, Any]:
    encoded = base64.b64encode(EXAMPLE.encode()).decode()
    return {config.column: EXAMPLE if config.is_inline else f"data:text/plain;base64,{encoded}"}


def _tally(config: TextConfig) -> Tally | None:
    is_redacted = config.clean.redact and config.extract.kind != "custom"
    return count_redactions if is_redacted else None


TEXT = ModalityKind(
    kind=Kind.TEXT,
    config=TextConfig,
    extractors=(
        TOKENS,
        BOW,
        TFIDF,
        WORD_VECTORS,
        HF_TEXT,
        custom_extractor(CustomTextExtract, Kind.TEXT, version=2),
    ),
    libraries=("jieba", "stopwordsiso", "phonenumbers", "python-stdnum", "python"),
    guard="long",
    format_of=lambda payload: "text",
    example=_example,
    tally=_tally,
)
