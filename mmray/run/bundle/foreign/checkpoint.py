"""The checkpoints inside a bundle: shapes of encoders, and networks of extractors."""

import math
import re
from pathlib import Path
from typing import Any, cast

from mmray.core.file.bounded import parse_json, read_bounded
from mmray.errors import BundleError
from mmray.run.bundle.foreign.number import numbers_in
from mmray.run.bundle.foreign.weights import check_finite, read_shapes

CONFIG = "config.json"
MAX_CONFIG_BYTES = 2**24
MAX_NUMBER, MAX_LAYERS = 10**9, 1000
SPARE = 20
"""A network may have this many times the weights of the bundle: half of it may be unused."""
_LAYERS = re.compile(r"layers|depths?$|blocks|stages")
_HUGE = "the bundle is damaged, or was made to exhaust memory"


def check_checkpoints(folder: Path) -> int:
    """Refuse checkpoints with absurd sizes, code of their own, or weights that are not finite.

    Returns the number of weights in all files of the bundle.
    """
    for path in sorted(folder.rglob(CONFIG)):
        _check_config(path)
        for file in sorted(path.parent.glob("*.safetensors")):
            _check_file(file)
    files = folder.rglob("*.safetensors")
    return sum(math.prod(shape) for file in files for shape in read_shapes(file).values())


def _check_config(path: Path) -> None:
    content = read_bounded(path, max_bytes=MAX_CONFIG_BYTES, error=BundleError)
    settings = parse_json(content, what=CONFIG, where=str(path), error=BundleError)
    if not isinstance(settings, dict):
        raise BundleError("config.json is not a mapping", where=str(path), hint=_HUGE)
    for key, number in numbers_in(cast("dict[str, object]", settings)):
        limit = MAX_LAYERS if _LAYERS.search(key) else MAX_NUMBER
        if number > limit:
            raise BundleError(
                f"{key} is {number:,}, the limit is {limit:,}", where=str(path), hint=_HUGE
            )
    _refuse_code(settings, path)


def _refuse_code(settings: dict[str, Any], path: Path) -> None:
    """Refuse a checkpoint whose network only code of its own could build."""
    from transformers import CONFIG_MAPPING

    if settings.get("auto_map") and settings.get("model_type") not in CONFIG_MAPPING:
        raise BundleError(
            f"config.json names code of the checkpoint, {settings['auto_map']!r:.200}",
            where=str(path),
            hint="mmray never runs it, trusted or not; name a 'custom' factory for such a network",
        )


def _check_file(path: Path) -> None:
    """Read tensor by tensor: a checkpoint may be as large as the free memory."""
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 (it is no mapping)
            check_finite({name: file.get_tensor(name)}, path)
