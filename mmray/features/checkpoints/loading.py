"""Loading what a checkpoint holds with transformers: quietly, and an error says what it needs."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import AutoModel

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import NO_CODE, quiet_loading

_ERRORS = (OSError, ValueError, ImportError, KeyError, TypeError)
"""Exceptions of transformers for files that are missing, broken or of an unknown family."""


@contextmanager
def loading(model: str, *, needs: str, use: str = "") -> Generator[None]:
    """Load parts of a checkpoint in this block; what cannot be loaded is a ConfigError.

    ``needs`` names what the checkpoint must hold, ``use`` what it is loaded for.
    """
    with quiet_loading():
        try:
            yield
        except _ERRORS as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ConfigError(
                f"cannot load checkpoint {model!r}{use}: {reason}", hint=f"it needs {needs}"
            ) from error


def read_weights(
    model: str,
    loader: Any = AutoModel,  # noqa: ANN401 (a class of transformers)
    **settings: object,
) -> tuple[Any, dict[str, Any]]:
    """Return the float32 network of a checkpoint, and which of its weights were not there."""
    return loader.from_pretrained(
        model, dtype=torch.float32, output_loading_info=True, **NO_CODE, **settings
    )
