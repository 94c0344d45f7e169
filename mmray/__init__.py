"""Train models on text, images, audio, video and labels: one document, laptop to cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmray.run.predict.predictor import Predictor

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def load(
    bundle: str | Path,
    *,
    folder: str | Path | None = None,
    allow: Sequence[str] | None = None,
    trust: bool = False,
) -> "Predictor":
    """Load a model bundle: ``mmray.load("work/model").predict(records)``.

    Relative paths in records start in ``folder``, by default the current one; files outside of it
    are read only below the folders and URI prefixes in ``allow``, by default the document's
    ``data.allow``. A bundle that names code of its author is refused unless ``trust``.
    """
    # Here and not above: importing mmray must not load torch.
    from mmray.run.predict.predictor import load as load_predictor

    return load_predictor(bundle, folder=folder, allow=allow, trust=trust)
