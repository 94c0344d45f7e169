"""A pretrained checkpoint: a local folder, or a name on the Hugging Face hub."""

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import read_json
from mmray.core.fingerprint import digest_file, digest_lines
from mmray.errors import ConfigError
from mmray.features.checkpoints.hub import find_on_hub

MODEL_FOLDER = "model"
"""The folder of a modality's checkpoint in a bundle."""
NO_CODE = {"trust_remote_code": False}
"""For whatever transformers loads: code that a checkpoint brings is neither run nor asked about."""
_PARTS = ("*.json", "*.safetensors", "*.bin", "*.txt", "*.model")


def local_folder(model: str) -> Path | None:
    """Return the folder that ``model`` names, or None for a hub name."""
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if model.startswith((".", "~", os.sep)) or model.count("/") > 1:
        raise ConfigError(
            f"there is no checkpoint folder {model!r}",
            hint="give a folder with config.json and weights, or a name on the hub",
        )
    return None


def find_file(model: str, name: str) -> Path | None:
    """Return one file of the checkpoint, or None when the checkpoint has no such file.

    A hub name is looked up in the local cache first, then on the hub.
    """
    folder = local_folder(model)
    if folder is not None:
        return folder / name if (folder / name).is_file() else None
    return find_on_hub(model, name)


def read_checkpoint_config(model: str) -> dict[str, Any]:
    """Return the checkpoint's config.json."""
    path = find_file(model, "config.json")
    if path is None:
        raise ConfigError(
            f"checkpoint {model!r} has no config.json",
            hint="give a folder written by save_pretrained, or a name on the hub",
        )
    return read_checkpoint_file(path, model)


def read_checkpoint_file(path: Path, model: str) -> dict[str, Any]:
    """Return one JSON document of a checkpoint; one that is broken is a ConfigError."""
    try:
        found = read_json(path)
    except ValueError as error:
        found = error
    if not isinstance(found, dict):
        raise ConfigError(
            f"{path.name} of checkpoint {model!r} is not a JSON document",
            where=str(path),
            hint="download the checkpoint again; it may be cut short, or a Git LFS pointer",
        )
    return found


def checkpoint_identity(model: str, *, main_file: str = "config.json") -> dict[str, str]:
    """Return what names the weights: a digest of local files, or hub name and commit."""
    folder = local_folder(model)
    if folder is not None:
        files = sorted(path for part in _PARTS for path in folder.glob(part))
        return {"digest": digest_lines(f"{path.name} {digest_file(path)}" for path in files)}
    path = find_file(model, main_file)
    return {"hub": model, "commit": path.parent.name if path else ""}


@contextmanager
def offline() -> Generator[None]:
    """Block access to the hub, whatever a checkpoint names."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def quiet_loading() -> Generator[None]:
    """Keep transformers' progress bars and load reports away from the terminal."""
    from transformers.utils import logging

    before = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def check_complete(model: str, loading: dict[str, Any], *, unused: str | None = None) -> bool:
    """Refuse a checkpoint that lacks weights; return whether it has those of the pooler.

    Weights with ``unused`` in their names need not be there.
    """
    missing = sorted(key for key in loading["missing_keys"] if unused is None or unused not in key)
    lacking = [key for key in missing if "pooler" not in key]
    if lacking:
        raise ConfigError(
            f"checkpoint {model!r} has no weights for {lacking[0]!r} ({len(lacking)} in all)",
            hint="config.json and the weights belong to different models",
        )
    return not missing


def first_width(told: Iterable[object], model: str) -> int:
    """Return the first width in the checkpoint's configuration; none is a ConfigError."""
    for width in told:
        if isinstance(width, int) and width > 0:
            return width
    raise ConfigError(
        f"the config.json of checkpoint {model!r} does not say how wide its output is",
        hint="set extract.dim to the width of the pooled output",
    )
