"""A checkpoint's files, copied to where a bundle keeps them: safetensors, never pickle."""

import shutil
from pathlib import Path
from typing import Any

from mmray.features.checkpoints.checkpoint import NO_CODE, local_folder, quiet_loading

_SMALL = ("*.json", "*.txt", "*.model")


def export_checkpoint(model: str, folder: Path) -> None:
    """Write config, weights, tokenizer and preprocessing of ``model`` into ``folder``."""
    source = local_folder(model) or _download(model)
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in _SMALL:
        for path in sorted(source.glob(pattern)):
            shutil.copyfile(path, folder / path.name)
    weights = sorted(source.glob("*.safetensors"))
    for path in weights:
        shutil.copyfile(path, folder / path.name)
    if not weights:
        _convert(source, folder)


def _download(model: str) -> Path:
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(model, allow_patterns=[*_SMALL, "*.safetensors", "*.bin"]))


def _convert(source: Path, folder: Path) -> None:
    """Turn older weights into safetensors. What was not trained (a pooler) is left out."""
    from transformers import AutoModel

    with quiet_loading():
        network, loading = AutoModel.from_pretrained(
            str(source), output_loading_info=True, **NO_CODE
        )
        module: Any = network
        missing = set(loading["missing_keys"])
        kept = {key: value for key, value in module.state_dict().items() if key not in missing}
        module.save_pretrained(str(folder), state_dict=kept)
