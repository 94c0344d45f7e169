"""The text modality: cleaning and extractors."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from mmray.config.base import ColumnConfig, CustomConfig, StrictModel
from mmray.config.encoder import EncoderConfig, LinearEncoderConfig


class TextCleanConfig(StrictModel):
    """What is done to a text before its extractor sees it."""

    lowercase: bool = True
    html: bool = True
    """Remove tags and resolve entities."""
    segment: bool = True
    """Cut Chinese into words (jieba) so that words, not characters, are counted."""
    stop_words: tuple[str, ...] = ()
    """Languages whose stop words are removed, as ISO 639-1 codes such as ``en`` and ``zh``."""


class TokensConfig(StrictModel):
    """Token ids, for an encoder that is trained on them."""

    kind: Literal["tokens"] = "tokens"
    vocabulary: PositiveInt = 8000
    """Size of the WordPiece vocabulary trained on the train split."""
    tokenizer: str | None = None
    """A ready tokenizer by hub name or local folder, instead of training one."""
    max_tokens: PositiveInt = 128
    """A longer text is cut here."""


class BowConfig(StrictModel):
    """Counts of words, weighted down by sublinear growth; vocabulary from the train split."""

    kind: Literal["bow"] = "bow"
    vocabulary: PositiveInt = 2000


class HFTextConfig(StrictModel):
    """A pretrained text encoder, frozen."""

    kind: Literal["hf_text"] = "hf_text"
    model: str
    """Hub name or local folder."""
    pooling: Literal["cls", "mean", "sequence"] = "cls"
    max_tokens: PositiveInt = 128
    batch_size: PositiveInt = 32
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's own configuration does not tell."""


class CustomTextExtract(CustomConfig):
    """A user's own text extractor."""

    kind: Literal["custom"] = "custom"


TextExtractConfig = Annotated[
    TokensConfig | BowConfig | HFTextConfig | CustomTextExtract, Field(discriminator="kind")
]


class TextConfig(ColumnConfig):
    """A text modality."""

    kind: Literal["text"] = "text"
    payload: Literal["inline", "file"] = "inline"
    """Whether the column holds the text itself or a reference to a UTF-8 file."""
    clean: TextCleanConfig = TextCleanConfig()
    extract: TextExtractConfig = TokensConfig()
    encode: EncoderConfig = LinearEncoderConfig()

    @property
    def is_inline(self) -> bool:
        """Whether the column holds the text itself."""
        return self.payload == "inline"
