"""Train models on text, images, audio, video and labels: one document, laptop to cluster."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmray.assembly.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(folder: str | Path) -> "Predictor":
    """Load a model bundle: ``mmray.load(folder).predict(records)``."""
    # Here and not above: importing mmray must not load torch.
    from mmray.assembly.predictor import load as load_predictor

    return load_predictor(folder)
