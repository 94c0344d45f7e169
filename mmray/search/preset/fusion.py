"""The fusions that a preset tries, each with its own settings."""

from mmray.config.model.model import FusionConfig
from mmray.models.fit_check import MAX_TENSOR_WEIGHTS
from mmray.search.preset.size import Ranges, Section, Size, branch, choice

LEAST_TENSOR, TENSOR = 4, 12


def fusions(
    config: FusionConfig, size: Size, *, modalities: int, width: int, heads: int, has_steps: bool
) -> dict[str, Section]:
    """Return the sections to choose from, by name.

    ``width`` is the largest of the space, and ``heads`` divides every one of them. ``has_steps``:
    whether some modality has several tokens, which a fusion can attend to.
    """
    own: Section = config.model_dump(mode="json")
    kinds = _kinds(size, modalities=modalities, width=width, has_steps=has_steps)
    kinds = kinds if config.kind in kinds else (config.kind, *kinds)
    ranges = _ranges(size, heads=heads, tensor=_tensor_size(modalities, width))
    return {kind: branch(kind, ranges.get(kind, {}), own) for kind in kinds}


def _kinds(size: Size, *, modalities: int, width: int, has_steps: bool) -> tuple[str, ...]:
    quick = ("concat", "gated", "low_rank", "late")
    if size.is_small:
        return (*quick, "gmu") if size.is_thorough else quick
    if not size.is_thorough:
        # Those that attend to every step of a sequence take many times as long.
        return (*quick, "attention")
    steps = ("bottleneck", "transformer", "cross_attention", "perceiver")
    over_steps = steps if has_steps else ()
    is_small = _tensor_size(modalities, width) < LEAST_TENSOR
    tensor = () if is_small else ("tensor",)
    return (*quick, "gmu", "film", "experts", "attention", *tensor, *over_steps)


def _tensor_size(modalities: int, width: int) -> int:
    """Return the largest size of a tensor fusion that is tried: its weights are limited."""
    fitting = (
        n for n in range(1, TENSOR + 1) if (n + 1) ** modalities * width <= MAX_TENSOR_WEIGHTS
    )
    return max(fitting, default=1)


def _ranges(size: Size, *, heads: int, tensor: int) -> dict[str, Ranges]:
    """Return what is searched in each fusion; nothing in one that is not named."""
    layers = {"int": [1, 3] if size.is_thorough else [1, 2]}
    attention: Ranges = {"heads": heads, "layers": layers}
    found: dict[str, Ranges] = {
        "low_rank": {"rank": {"int": [2, 8]}},
        "tensor": {"size": {"int": [min(LEAST_TENSOR, tensor), tensor]}},
        "attention": attention,
        "transformer": attention,
        "cross_attention": attention,
        "bottleneck": {"heads": heads, "tokens": {"int": [2, 8]}, "layers": {"int": [2, 3]}},
        "perceiver": {**attention, "latents": choice([8, 16, 32])},
        "experts": {"experts": {"int": [3, 6]}},
    }
    if size.is_thorough:
        found["gated"] = {"temperature": {"loguniform": [0.5, 2.0]}}
        found["late"] = {"weights": choice(["mean", "learned"])}
    return found
