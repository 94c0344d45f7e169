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

    Before it the vector goes through layer normalisation, save for a table's.
    """

    kind: Literal["linear"] = "linear"


class MlpEncoderConfig(StrictModel):
    """Hidden layers with GELU, and an affine map, over the same vector as ``linear`` has."""

    kind: Literal["mlp"] = "mlp"
    hidden: tuple[PositiveInt, ...] = (256,)
    """Width of each hidden layer."""
    dropout: Fraction = 0.1
    """After each hidden layer."""


class RecurrentEncoderConfig(StrictModel):
    """A recurrent network over a sequence or token ids, as far as each sample is long."""

    hidden: PositiveInt = 128
    """Width of the state."""
    layers: PositiveInt = 1
    """Recurrent layers, one on another."""
    bidirectional: bool = False
    """Whether a second network reads the sequence backwards."""
    embedding: PositiveInt = 128
    """Width of the embedding of token ids; not used for other sequences."""
    pooling: Literal["last", "mean", "max"] = "last"
    """What of the states is the embedding; ``last``: of each direction, where it ends."""
    dropout: Fraction = 0.0
    """Between the layers, and before the affine map to the model's width."""


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
    """One block each: convolution, normalisation (over groups of channels in 2-D, over the features
    of a step in 1-D), GELU, halving."""
    kernel: PositiveInt = 3
    """Width of each convolution."""
    embedding: PositiveInt = 128
    """Width of the embedding of token ids; not used for other features."""
    over_time: Literal["attention", "mean"] = "attention"
    """How the frames of a clip become one: ``mean`` does not see their order. Frames only."""
    dropout: Fraction = 0.0
    """After the last block."""


class LeNetEncoderConfig(StrictModel):
    """Convolutions whose channels double, over small pictures or spectrograms of one length.

    Batch normalisation, so for batches of some size; the encoder of AV-MNIST (MultiBench).
    """

    kind: Literal["lenet"] = "lenet"
    channels: PositiveInt = 6
    """Of the first layer."""
    layers: PositiveInt = 4
    """Each halves height and width."""


class TransformerEncoderConfig(StrictModel):
    """Self-attention over a sequence, token ids, patches of pixels, or patches of all frames."""

    kind: Literal["transformer"] = "transformer"
    layers: PositiveInt = 2
    """Blocks of self-attention."""
    heads: PositiveInt = 4
    """Attention heads; ``model.width`` must be a multiple."""
    feedforward: PositiveInt = 512
    """Width of the layer between two of a block."""
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
