"""Pretrained networks as encoders: which checkpoint, and what of it is trained with the fusion."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import Checkpoint, Fraction, StrictModel

FULL_LR, LORA_LR = 5e-5, 2e-4


class LoraConfig(StrictModel):
    """Low-rank adapters beside the weights of a checkpoint, which stay (Hu 2021)."""

    rank: PositiveInt = 8
    """Rank of each update; higher can learn more and costs more."""
    alpha: PositiveFloat = 16.0
    """The product of the two small matrices is scaled by ``alpha / rank``."""
    dropout: Fraction = 0.0
    """On what goes into the adapters, while training."""
    target: Literal["linear"] | Annotated[tuple[str, ...], Field(min_length=1)] = "linear"
    """``linear`` is every affine map, or every convolution of a network that has no affine map;
    else last parts of the names of layers, such as ``[query, value]``."""


class PretrainedConfig(StrictModel):
    """What all checkpoints that are trained with the fusion have in common."""

    model: Checkpoint
    """Hub name or local folder."""
    tune: Literal["full", "last_layers", "lora", "frozen"] = "full"
    """Which weights of the checkpoint are trained: all, those of the last layers and what follows
    them, adapters beside all of them, or none."""
    layers: PositiveInt = 2
    """How many layers ``last_layers`` are; the stages of a network such as ResNet count as such."""
    lora: LoraConfig = LoraConfig()
    """The low-rank updates of ``tune: lora``."""
    lr: PositiveFloat | None = None
    """Highest learning rate of the checkpoint's weights; by default 5e-5, and 2e-4 of adapters. The
    rest of the model has ``train.lr``; both follow ``train.schedule``."""
    layer_decay: float = Field(default=1.0, gt=0.0, le=1.0)
    """Each layer learns at this share of the rate of the layer after it, the embedding slowest."""
    gradient_checkpointing: bool = False
    """Compute the layers again for the gradient instead of keeping their states: less memory, and
    their forward pass is paid for twice."""

    @property
    def peak_lr(self) -> float:
        """The highest learning rate of the weights that are trained."""
        return self.lr or (LORA_LR if self.tune == "lora" else FULL_LR)

    @model_validator(mode="after")
    def _something_to_recompute(self) -> Self:
        if self.tune == "frozen" and self.gradient_checkpointing:
            raise ValueError("gradient_checkpointing saves nothing where tune is frozen")
        return self


class HFTextEncoderConfig(PretrainedConfig):
    """A pretrained text encoder over the ids of its own tokenizer (``extract: tokens``)."""

    kind: Literal["hf_text"] = "hf_text"
    pooling: Literal["cls", "mean", "max"] = "cls"
    """``cls`` is the first token, or for CLIP and SigLIP the one that stands for the text."""


class HFImageEncoderConfig(PretrainedConfig):
    """A pretrained vision network over pixels (``extract: pixels``), or each frame of a clip."""

    kind: Literal["hf_image"] = "hf_image"
    pooling: Literal["pooled", "cls", "mean"] = "pooled"
    """``pooled`` is what the checkpoint itself makes of a picture: its trained pooler, else its
    first token, else the mean over patches, or cells of a map."""
    over_time: Literal["attention", "mean"] = "attention"
    """How the frames of a clip become one: ``mean`` does not see their order. Frames only."""


class HFAudioEncoderConfig(PretrainedConfig):
    """A pretrained speech encoder over samples (``extract: waveform``).

    wav2vec 2, HuBERT, WavLM and their relatives, and the encoder of Whisper.
    """

    kind: Literal["hf_audio"] = "hf_audio"
    pooling: Literal["mean", "max"] = "mean"
    """Over the hidden states of each clip's own length."""


class HFVideoEncoderConfig(PretrainedConfig):
    """A pretrained video network (VideoMAE, TimeSformer, ViViT) over ``extract: frames``.

    The embedding is of the first token, or of the mean where there is no such token.
    """

    kind: Literal["hf_video"] = "hf_video"


PretrainedEncoderConfig = (
    HFTextEncoderConfig | HFImageEncoderConfig | HFAudioEncoderConfig | HFVideoEncoderConfig
)
