"""An encoder that notes its process, and may kill it once."""

import os
import signal
from pathlib import Path

from torch import nn

from mmray.config.model.encoder import MlpEncoderConfig
from mmray.models.build import build_encoder


class MortalEncoder(nn.Module):
    """An MLP; in its forward pass number ``at`` it kills its process, once."""

    def __init__(self, spec, width, *, folder, at=0):
        super().__init__()
        self.encoder = build_encoder(MlpEncoderConfig(hidden=(8,)), spec, width=width, name="image")
        self.folder, self.at, self.calls = Path(folder), at, 0
        self.folder.mkdir(exist_ok=True)
        (self.folder / str(os.getpid())).touch()

    def forward(self, values, lengths):
        self.calls += 1
        scar = self.folder / "scar"
        if self.calls == self.at and not scar.exists():
            scar.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.encoder(values, lengths)


def pids_in(folder):
    """Return the processes that have built the encoder."""
    return {int(path.name) for path in folder.iterdir() if path.name != "scar"}
