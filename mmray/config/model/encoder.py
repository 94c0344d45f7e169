"""Encoders: trained with the fusion, from a feature to an embedding of width D."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from mmray.config.base import CustomConfig, Fraction, StrictModel
from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
)


class LinearEncoderConfig(StrictModel):
    """One affine map of a vector: a sequence, token ids or frames are averaged over time first.

    The vector goes through layer normalisation first, except a table's.
    """

    kind: Literal["linear"] = "linear"


class MlpEncoderConfig(StrictModel):
    """Hidden layers with GELU and an affine map, over the same vector as ``linear``."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (256,)
    """Width of each hidden layer."""
    dropout: Fraction = 0.1
    """Dropout after each hidden layer."""


class RecurrentEncoderConfig(StrictModel):
    """A recurrent network over a sequence or token ids, up to the length of each sample."""

    hidden: PositiveInt = 128
    """Width of the state."""
    layers: PositiveInt = 1
    """Number of stacked recurrent layers."""
    bidirectional: bool = False
    """Whether a second network reads the sequence backwards."""
    embedding: PositiveInt = 128
    """Width of the embedding of token ids; not used for other sequences."""
    pooling: Literal["last", "mean", "max"] = "last"
    """How the states become the embedding. ``last``: the final state of each direction."""
    dropout: Fraction = 0.0
    """Dropout between the layers, and before the affine map to the model's width."""


class LstmEncoderConfig(RecurrentEncoderConfig):
    """Long short-term memory over a sequence or token ids."""

    kind: Literal["lstm"] = "lstm"


class GruEncoderConfig(RecurrentEncoderConfig):
    """Gated recurrent units over a sequence or token ids: a quarter fewer weights than ``lstm``."""

    kind: Literal["gru"] = "gru"


class CnnEncoderConfig(StrictModel):
    """Convolutions: 2-D over pixels and each of the frames, 1-D over a sequence or token ids."""

    kind: Literal["cnn"] = "cnn"
    channels: tuple[PositiveInt, ...] = (32, 64, 128)
    """One block per number: in 2-D convolution, halving, normalisation over groups of channels and
    GELU; in 1-D convolution, normalisation over the features of a step, GELU and halving."""
    kernel: PositiveInt = 3
    """Width of each convolution."""
    pool: Literal["first", "last"] = "first"
    """Whether a block halves before its normalisation and GELU, or after them, which takes half as
    much time again. Pixels and frames only; a bundle that does not say it was trained with
    ``last``."""
    embedding: PositiveInt = 128
    """Width of the embedding of token ids; not used for other features."""
    over_time: Literal["attention", "mean"] = "attention"
    """How the frames of a clip become one embedding; ``mean`` ignores their order. Frames only."""
    dropout: Fraction = 0.0
    """Dropout after the last block."""


class LeNetEncoderConfig(StrictModel):
    """Convolutions with doubling channels, over small pictures or spectrograms of one length.

    It uses batch normalisation, so batches must not be small. The encoder of AV-MNIST (MultiBench).
    """

    kind: Literal["lenet"] = "lenet"
    channels: PositiveInt = 6
    """Channels of the first layer."""
    layers: PositiveInt = 4
    """Number of layers; each halves height and width."""


class TransformerEncoderConfig(StrictModel):
    """Self-attention over a sequence, token ids, patches of pixels, or patches of all frames."""

    kind: Literal["transformer"] = "transformer"
    layers: PositiveInt = 2
    """Blocks of self-attention."""
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    feedforward: PositiveInt = 512
    """Width of the hidden layer of each block."""
    patch: PositiveInt = 8
    """Side of a square patch; used for pixels and frames only."""
    dropout: Fraction = 0.1
    """Share of activations that are zeroed in training."""


class CustomEncoderConfig(CustomConfig):
    """A user's own encoder."""

    kind: Literal["custom"] = "custom"


EncoderConfig = Annotated[
    LinearEncoderConfig
    | MlpEncoderConfig
    | LstmEncoderConfig
    | GruEncoderConfig
    | CnnEncoderConfig
    | LeNetEncoderConfig
    | TransformerEncoderConfig
    | HFTextEncoderConfig
    | HFImageEncoderConfig
    | HFAudioEncoderConfig
    | HFVideoEncoderConfig
    | CustomEncoderConfig,
    Field(discriminator="kind"),
]
