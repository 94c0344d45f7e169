"""A pretrained video network over frames. Axes: B clips, T frames, H W frame, L tokens, F."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmray.core.file.atomic import read_json
from mmray.core.spec import FeatureSpec
from mmray.features.video.checkpoint import read_video_checkpoint
from mmray.media.video.sampling import spread
from mmray.models.encoders.encoded import Encoded, at_least_one
from mmray.models.encoders.pretrained.base import FACTS_FILE, PretrainedEncoder, Settings
from mmray.models.encoders.pretrained.brightness import Brightness, brightness_facts
from mmray.models.encoders.pretrained.network import drop_pooler, load_network
from mmray.models.encoders.pretrained.tuning import Tuning


class VideoReader:
    """Runs a video network over clips; the frames of one with too few are shown longer."""

    def __init__(self, network: Any, scale: Brightness) -> None:  # noqa: ANN401
        self._scale = scale
        self._frames: int = network.config.num_frames
        self._has_first = network.config.model_type != "videomae"

    def __call__(self, network: Any, values: Tensor, lengths: Tensor | None) -> Encoded:  # noqa: ANN401
        """Return all tokens (B, L, F) and the first, or their mean (B, F), of (B, T, H, W, 3)."""
        told = at_least_one(values, lengths).tolist()
        places = torch.tensor([list(spread(length, self._frames)) for length in told])
        clips = torch.arange(len(values), device=values.device)[:, None]
        shown = values[clips, places.to(values.device)]  # (B, frames, H, W, 3)
        hidden: Tensor = network(pixel_values=self._scale(shown)).last_hidden_state  # (B, L, F)
        mask = torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
        return Encoded(hidden, mask, hidden[:, 0] if self._has_first else hidden.mean(dim=1))


def build_video_encoder(
    model: str, spec: FeatureSpec, *, width: int, tuning: Tuning, saved: Path | None
) -> PretrainedEncoder:
    """Build the encoder of a checkpoint, or of the settings in ``saved`` without its weights."""
    network, _ = load_network(model, saved)
    drop_pooler(network)
    if saved is None:
        facts = brightness_facts(read_video_checkpoint(model).preprocess.values, model)
    else:
        facts = read_json(saved / FACTS_FILE)
    reader = VideoReader(network, Brightness(facts["slope"], facts["black"]))
    example = torch.zeros(1, 1, *spec.shape[1:], dtype=torch.uint8)
    settings = Settings(network.config, facts)
    return PretrainedEncoder(
        network, reader, example, width=width, tuning=tuning, settings=settings
    )
