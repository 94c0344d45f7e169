"""Pretrained networks as encoders: which checkpoint, and which of its weights are trained."""

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from mmray.config.base import Checkpoint, Fraction, StrictModel

FULL_LR, LORA_LR = 5e-5, 2e-4


class LoraConfig(StrictModel):
    """Low-rank adapters beside the frozen weights of a checkpoint (Hu 2021)."""

    rank: PositiveInt = 8
    """Rank of each update; a higher rank is more expressive and costs more."""
    alpha: PositiveFloat = 16.0
    """The product of the two small matrices is scaled by ``alpha / rank``."""
    dropout: Fraction = 0.0
    """Dropout on the input of the adapters during training."""
    target: Literal["linear"] | Annotated[tuple[str, ...], Field(min_length=1)] = "linear"
    """Layers with adapters. ``linear``: every affine map, or every convolution of a network without
    affine maps; else the last parts of layer names, such as ``[query, value]``."""


class PretrainedConfig(StrictModel):
    """Settings of all checkpoints that are trained with the fusion."""

    model: Checkpoint
    """Hub name or local folder."""
    tune: Literal["full", "last_layers", "lora", "frozen"] = "full"
    """Which weights of the checkpoint are trained: all, those of the last layers and what follows
    them, adapters beside all of them, or none."""
    layers: PositiveInt = 2
    """Number of layers for ``last_layers``; in a network such as ResNet a layer is a stage."""
    lora: LoraConfig = LoraConfig()
    """The low-rank updates of ``tune: lora``."""
    lr: PositiveFloat | None = None
    """Highest learning rate of the checkpoint's weights; by default 5e-5, and 2e-4 for adapters.
    The rest of the model has ``train.lr``; both follow ``train.schedule``."""
    layer_decay: float = Field(default=1.0, gt=0.0, le=1.0)
    """Each layer has this share of the learning rate of the layer after it; the embedding has the
    lowest."""
    gradient_checkpointing: bool = False
    """Compute the layers again for the gradient instead of keeping their states: less memory, twice
    the forward pass."""

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
    """``cls`` is the first token, or for CLIP and SigLIP the token that they pool."""


class HFImageEncoderConfig(PretrainedConfig):
    """A pretrained vision network over pixels (``extract: pixels``), or each frame of a clip."""

    kind: Literal["hf_image"] = "hf_image"
    pooling: Literal["pooled", "cls", "mean"] = "pooled"
    """``pooled`` is the checkpoint's own output: its trained pooler, else its first token, else the
    mean over patches, or cells of a map."""
    over_time: Literal["attention", "mean"] = "attention"
    """How the frames of a clip become one embedding; ``mean`` ignores their order. Frames only."""


class HFAudioEncoderConfig(PretrainedConfig):
    """A pretrained speech encoder over samples (``extract: waveform``).

    wav2vec 2, HuBERT, WavLM and their relatives, and the encoder of Whisper.
    """

    kind: Literal["hf_audio"] = "hf_audio"
    pooling: Literal["mean", "max"] = "mean"
    """Pooling over the hidden states of each clip's own length."""


class HFVideoEncoderConfig(PretrainedConfig):
    """A pretrained video network (VideoMAE, TimeSformer, ViViT) over ``extract: frames``.

    The embedding is that of the first token, or the mean where there is no such token.
    """

    kind: Literal["hf_video"] = "hf_video"


PretrainedEncoderConfig = (
    HFTextEncoderConfig | HFImageEncoderConfig | HFAudioEncoderConfig | HFVideoEncoderConfig
)
