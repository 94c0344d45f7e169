"""The text modality: cleaning and extractors."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from mmray.config.base import Checkpoint, ColumnConfig, CustomConfig, StrictModel
from mmray.config.modality.language import check_encoding, check_languages, check_regions
from mmray.config.model.encoder import EncoderConfig, LinearEncoderConfig
from mmray.config.training.augment import WordDropoutAugmentConfig

BPE_ALPHABET = 256
"""Byte-level BPE starts from the values of one byte."""


class TextCleanConfig(StrictModel):
    """Cleaning of a text before extraction."""

    encoding: str = "utf-8"
    """Encoding of files without a byte order mark, such as ``gb18030``, ``big5`` or ``cp1252``."""
    max_chars: PositiveInt = 1_000_000
    """A longer text is rejected (``text_too_long``)."""
    html: bool = True
    """Remove tags and resolve entities."""
    redact: tuple[Literal["email", "ip", "cn_id", "card", "us_ssn", "phone"], ...] = ()
    """Personal data to replace by a placeholder such as ``[EMAIL]``."""
    phone_regions: tuple[str, ...] = ("US", "CN")
    """Countries whose phone numbers are recognised without ``+`` and country code (ISO 3166)."""
    lowercase: bool | None = None
    """Lower-case the text. By default yes, except before a checkpoint's own tokenizer, which
    decides."""
    segment: bool | None = None
    """Cut Chinese into words (jieba) so that words, not characters, are counted; by default as
    ``lowercase``."""
    stop_words: tuple[str, ...] = ()
    """Languages whose stop words are removed, as ISO 639-1 codes such as ``en`` and ``zh``."""

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, name: str) -> str:
        return check_encoding(name)

    @field_validator("stop_words")
    @classmethod
    def _languages_are_known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        return check_languages(codes)

    @model_validator(mode="after")
    def _regions_are_known(self) -> Self:
        if "phone" in self.redact:
            check_regions(self.phone_regions)
        return self


class TokensConfig(StrictModel):
    """Token ids, for an encoder that is trained on them."""

    kind: Literal["tokens"] = "tokens"
    algorithm: Literal["wordpiece", "bpe"] = "wordpiece"
    """How the vocabulary is trained; ``bpe`` works on bytes, so no text is unknown."""
    vocabulary: PositiveInt = 8000
    """Largest size of the vocabulary trained on the train split."""
    tokenizer: Checkpoint | None = None
    """A ready tokenizer by hub name or local folder, instead of training one."""
    max_tokens: PositiveInt = 128
    """A longer text is cut here."""

    @model_validator(mode="after")
    def _bytes_fit(self) -> Self:
        least = BPE_ALPHABET + 16
        if self.tokenizer is None and self.algorithm == "bpe" and self.vocabulary < least:
            raise ValueError(f"vocabulary ({self.vocabulary}) must be at least {least} for bpe")
        return self


class BowConfig(StrictModel):
    """Counts of words, weighted down by sublinear growth; vocabulary from the train split."""

    kind: Literal["bow"] = "bow"
    vocabulary: PositiveInt = 2000
    """Number of columns: the words that occur in most texts, or the buckets of the hash."""
    hashing: bool = False
    """Count words by a hash instead of a fitted vocabulary; words may share a column."""


class TfidfConfig(StrictModel):
    """Counts of words times their rarity in the train split (smooth, scaled to length one)."""

    kind: Literal["tfidf"] = "tfidf"
    vocabulary: PositiveInt = 2000
    """Number of columns: the words that occur in most texts, or the buckets of the hash."""
    hashing: bool = False
    """Count words by a hash instead of a fitted vocabulary; words may share a column."""


class WordVectorsConfig(StrictModel):
    """Pretrained word vectors: word2vec (text or binary), GloVe or fastText ``.vec``."""

    kind: Literal["word_vectors"] = "word_vectors"
    path: Checkpoint
    """File with one word and its vector per line, or word2vec's binary form; may be ``.gz``."""
    pooling: Literal["mean", "sequence"] = "mean"
    """The mean of the words' vectors, or all of them in order."""
    max_tokens: PositiveInt = 128
    """Known words that a sequence keeps; a mean is over all of them."""
    limit: PositiveInt = 200_000
    """Number of vectors read from the top of the file, where the commonest words are."""


class HFTextConfig(StrictModel):
    """A pretrained text encoder, frozen."""

    kind: Literal["hf_text"] = "hf_text"
    model: Checkpoint
    """Hub name or local folder."""
    pooling: Literal["cls", "mean", "max", "sequence"] = "cls"
    """``cls`` is the first token, or for CLIP and SigLIP the token that they pool."""
    layer: int = -1
    """Which hidden states are pooled: 0 is the embedding, 1 the first layer, -1 the last."""
    normalise: bool = False
    """Scale every feature to length one."""
    max_tokens: PositiveInt = 128
    """Length of a window, special tokens included."""
    long_text: Literal["truncate", "windows"] = "truncate"
    """A text over ``max_tokens`` is cut, or read in overlapping windows."""
    overlap: NonNegativeInt = 16
    """Tokens that neighbouring windows share."""
    batch_size: PositiveInt = 32
    """Windows of full length in one pass; of shorter ones, as many as have the same number of
    tokens."""
    dim: PositiveInt | None = None
    """Width of the feature, where the checkpoint's configuration does not say."""

    @model_validator(mode="after")
    def _windows_advance(self) -> Self:
        if self.long_text == "truncate":
            return self
        if self.pooling == "sequence":
            raise ValueError("long_text 'windows' needs a pooling of cls, mean or max")
        if 2 * self.overlap > self.max_tokens:
            raise ValueError(
                f"overlap ({self.overlap}) must be at most half of max_tokens ({self.max_tokens})"
            )
        return self


class CustomTextExtract(CustomConfig):
    """A user's own text extractor."""

    kind: Literal["custom"] = "custom"


TextExtractConfig = Annotated[
    TokensConfig | BowConfig | TfidfConfig | WordVectorsConfig | HFTextConfig | CustomTextExtract,
    Field(discriminator="kind"),
]


class TextConfig(ColumnConfig):
    """A text modality."""

    kind: Literal["text"] = "text"
    payload: Literal["inline", "file"] = "inline"
    """Whether the column holds the text itself or a reference to a file."""
    clean: TextCleanConfig = TextCleanConfig()
    """Cleaning of the text."""
    extract: TextExtractConfig = TokensConfig()
    """The frozen extractor."""
    encode: EncoderConfig = LinearEncoderConfig()
    """The encoder that is trained with the fusion."""
    augment: tuple[WordDropoutAugmentConfig, ...] = ()
    """Random changes to the features, in this order, on the train split only."""

    @model_validator(mode="after")
    def _only_files_have_an_encoding(self) -> Self:
        if self.is_inline and self.clean.encoding != "utf-8":
            raise ValueError(
                f"clean.encoding ({self.clean.encoding}) is for 'payload: file': text in a"
                " manifest is already decoded"
            )
        return self

    @property
    def is_inline(self) -> bool:
        """Whether the column holds the text itself."""
        return self.payload == "inline"
