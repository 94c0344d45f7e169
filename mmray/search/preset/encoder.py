"""The encoders that a preset tries for a feature, each with its own settings."""

from math import prod

from mmray.config.model.encoder import EncoderConfig
from mmray.config.model.pretrained import PretrainedConfig
from mmray.core.spec import FeatureSpec
from mmray.models.pretrained_check import num_layers
from mmray.search.preset.size import Ranges, Section, Size, branch, choice, widened

DROPOUT = {"uniform": [0.0, 0.5]}
PATCHES, MOST_PATCHES = (4, 8, 16, 32), 256
PICTURES = ("pixels", "frames")
LENET_SIDE = 64
"""A LeNet is for pictures of at most this side."""


def encoders(
    config: EncoderConfig, spec: FeatureSpec, size: Size, *, heads: int
) -> dict[str, Section]:
    """Return the sections to choose from, by name; none for an encoder of the user's own.

    ``heads`` divides every width of the space.
    """
    if config.kind == "custom":
        return {}
    if isinstance(config, PretrainedConfig):
        return _tunings(config, size)
    own: Section = config.model_dump(mode="json")
    kinds = _kinds(spec, size)
    return {
        kind: branch(kind, _ranges(kind, spec, size, heads=heads), own)
        for kind in (kinds if config.kind in kinds else (config.kind, *kinds))
    }


def _kinds(spec: FeatureSpec, size: Size) -> tuple[str, ...]:
    """Return the kinds that are worth a trial on features of this layout."""
    attention = ("transformer",) if size.is_thorough and not size.is_small else ()
    match spec.layout:
        case "vector":
            return ("linear", "mlp")
        case "sequence":
            recurrent = ("lstm", "gru") if size.is_thorough else ("lstm",)
            return (*(("mlp",) if size.is_small else ()), "cnn", *recurrent, *attention)
        case "tokens":
            recurrent = ("lstm", "gru") if size.is_thorough else ("lstm",)
            return ("mlp", "cnn", *recurrent, *attention)
        case "pixels":
            has_lenet = min(spec.shape[:2]) >= 2**2 and max(spec.shape[:2]) <= LENET_SIDE
            lenet = ("lenet",) if has_lenet and size.is_thorough else ()
            return ("cnn", *lenet, *(attention if _patches(spec) else ()))
        case "frames":
            return ("cnn", *(attention if _patches(spec) else ()))


def _ranges(kind: str, spec: FeatureSpec, size: Size, *, heads: int) -> Ranges:
    """Return what is searched in an encoder of this kind; the quick preset searches less."""
    found = _every_range(kind, spec, size, heads=heads)
    return {key: one for key, one in found.items() if size.is_thorough or key in QUICK[kind]}


def _every_range(kind: str, spec: FeatureSpec, size: Size, *, heads: int) -> Ranges:
    match kind:
        case "mlp":
            hidden = size.of([[32], [64], [128]], [[64], [128], [256]], [[128], [256], [512]])
            return {"hidden": choice(hidden), "dropout": DROPOUT}
        case "lstm" | "gru":
            return {
                "hidden": choice(size.of([32, 64], [64, 128], [128, 256])),
                "bidirectional": choice([False, True]),
                "pooling": choice(["last", "mean", "max"]),
                "dropout": DROPOUT,
            }
        case "cnn":
            channels = choice(_channels(spec, size))
            return {"channels": channels, "kernel": choice([3, 5]), "dropout": DROPOUT}
        case "transformer":
            patch = {"patch": choice(_patches(spec))} if spec.layout in PICTURES else {}
            found = {"layers": {"int": [1, 3]}, "feedforward": choice([128, 256, 512])}
            return found | {"heads": heads, "dropout": DROPOUT} | patch
        case "lenet":
            deepest = min(4, min(spec.shape[:2]).bit_length() - 1)
            return {"channels": choice([3, 6]), "layers": {"int": [min(2, deepest), deepest]}}
        case _:
            return {}


QUICK = {
    "linear": (),
    "mlp": ("hidden",),
    "lstm": ("hidden", "pooling"),
    "gru": ("hidden", "pooling"),
    "cnn": ("channels",),
    "transformer": ("layers", "heads", "patch"),
    "lenet": ("layers",),
}
"""What the quick preset searches in an encoder. Not its dropout: in the 210 random trials of
benchmarks/search_regret its rank correlation with accuracy is -0.19 to 0.15."""


def _channels(spec: FeatureSpec, size: Size) -> list[list[int]]:
    if spec.layout in ("sequence", "tokens"):
        deep = [64, 96, 128]
        return size.of([[32, 64], [64, 96]], [deep, [128, 128]], [deep, [128, 256]])
    deeper = [[16, 32, 64, 64]] if min(spec.shape[-3:-1]) >= 2**5 else []
    return [*size.of([[16, 32]], [[32, 64, 128]], [[32, 64, 128]]), [16, 32, 64], *deeper]


def _patches(spec: FeatureSpec) -> list[int]:
    """Return the patches that divide a picture into not too many."""
    height, width = spec.shape[-3:-1]
    frames = prod(spec.shape[:-3])
    return [
        side
        for side in PATCHES
        if not (height % side or width % side)
        and 1 < frames * (height // side) * (width // side) <= MOST_PATCHES
    ]


def _tunings(config: PretrainedConfig, size: Size) -> dict[str, Section]:
    """Return ways to train a checkpoint: from none of its weights to all of them."""
    own: Section = config.model_dump(mode="json")
    depth = num_layers(config)
    lr = {"lr": widened(choice([2e-5, 1e-4]), own["lr"])} if size.is_thorough else {}
    layers = {"int": [1, min(4, depth or 1)]}
    ways: dict[str, Section] = {
        "frozen": {"gradient_checkpointing": False},
        "last_layers": lr | {"layers": layers},
        "lora": lr | {"lora": own["lora"] | {"rank": choice([4, 8, 16])}},
        "full": dict(lr),
    }
    if own["tune"] == "last_layers":
        ways["last_layers"]["layers"] = widened(layers, own["layers"])
    if own["tune"] == "lora":
        rank = widened(choice([4, 8, 16]), own["lora"]["rank"])
        ways["lora"]["lora"] = own["lora"] | {"rank": rank}
    left_out = set() if size.is_thorough and not size.is_small else {"full"}
    left_out |= set() if depth else {"last_layers"}
    return {
        way: own | {"tune": way} | settings
        for way, settings in ways.items()
        if way == own["tune"] or way not in left_out
    }
