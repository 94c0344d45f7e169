"""A space from the document: what is worth a trial for these features, samples and tasks."""

from collections.abc import Mapping
from math import gcd
from typing import Any, Literal

from mmray.config.document import Config
from mmray.config.model.model import AttendingFusionConfig, TensorFusionConfig
from mmray.config.task.kind import kind_of
from mmray.config.training.balance import GradientBlendingConfig, MmParetoConfig
from mmray.config.training.space import SpaceConfig, to_space
from mmray.core.spec import FeatureSpec
from mmray.search.preset.encoder import encoders
from mmray.search.preset.fusion import fusions
from mmray.search.preset.size import Section, Size, choice, settled, widened

Preset = Literal["quick", "thorough"]
Specs = Mapping[str, FeatureSpec]
MOST_HEADS = 4


def search_document(config: Config, specs: Specs, samples: int) -> Config:
    """Return the document with a complete search section: objectives, and all of the space.

    A preset makes the space where the document has none, and where it names one; keys of the
    document's own space replace the preset's. ``samples`` are those of the train split.
    """
    search = config.search_section()
    space = dict(search.space)
    if search.preset is not None or not space:
        made = preset_space(config, specs, samples, search.preset or "quick")
        space = {key: one for key, one in made.items() if not _overlaps(key, space)} | space
    return config.model_copy(update={"search": search.model_copy(update={"space": space})})


def _overlaps(key: str, keys: Mapping[str, object]) -> bool:
    return any(f"{key}.".startswith(f"{own}.") or own.startswith(f"{key}.") for own in keys)


def preset_space(
    config: Config, specs: Specs, samples: int, preset: Preset
) -> dict[str, SpaceConfig]:
    """Return the space of a preset; every sample of it is a valid document."""
    search = config.search_section()
    size = Size(samples, is_thorough=preset == "thorough", trials=search.trials)
    widths = _widths(config, size)
    heads = max(n for n in range(1, MOST_HEADS + 1) if n in (1, 2, 4) and gcd(n, *widths) == n)
    space = _training(config, size) | _model(config, specs, size, widths=widths, heads=heads)
    for name, spec in specs.items():
        sections = encoders(config.modalities[name].encode, spec, size, heads=heads)
        if sections and not _is_fixed(sections):
            space[f"modalities.{name}.encode"] = {"choice": sections}
    space |= _tasks(config, size)
    return {key: to_space(one) for key, one in space.items() if settled(one) == one}


def _is_fixed(sections: Mapping[str, Section]) -> bool:
    """Return whether there is nothing to choose."""
    (first, *others) = sections.values()
    return not others and not any(isinstance(one, dict) for one in first.values())


def _widths(config: Config, size: Size) -> list[int]:
    """Return the widths of the space: multiples of all numbers of heads that the document has."""
    fusion, own = config.model.fusion, config.model.width
    if size.is_brief:
        return [own]
    heads = [fusion.heads] if isinstance(fusion, AttendingFusionConfig) else [1]
    heads += [m.encode.heads for m in config.modalities.values() if m.encode.kind == "transformer"]
    wanted: list[int] = size.of([32, 64, 128], [64, 128, 256], [64, 128, 256])
    if isinstance(fusion, TensorFusionConfig):  # its weights grow with the width
        wanted = [width for width in wanted if width <= own]
    fitting = {width for width in wanted if not any(width % each for each in heads)}
    return sorted(fitting | {own})


def _training(config: Config, size: Size) -> dict[str, Section]:
    train = config.train
    space = {"train.lr": widened({"loguniform": [3e-4, 1e-2]}, train.lr)}
    if size.is_thorough:
        if train.weight_decay > 0:
            space["train.weight_decay"] = widened({"loguniform": [1e-3, 0.1]}, train.weight_decay)
        schedules = ["cosine", "linear", "one_cycle", "constant"]
        space["train.schedule"] = widened(choice(schedules), train.schedule)
    if size.is_brief or train.accumulate > 1 or _compares(config):
        return space
    sizes = size.of([8, 16, 32], [16, 32, 64], [32, 64, 128])
    least = 1 if isinstance(train.workers, str) else train.workers
    least = least if isinstance(least, int) else least.max
    fitting = [each for each in sizes if least <= each <= max(8, size.samples // 4)]
    return space | {"train.batch_size": widened(choice(fitting), train.batch_size)}


def _compares(config: Config) -> bool:
    """Return whether the loss of a sample depends on the batch around it."""
    return any(kind_of(task).compares_modalities for task in config.tasks.values())


def _model(
    config: Config, specs: Specs, size: Size, *, widths: list[int], heads: int
) -> dict[str, Section]:
    model, space = config.model, dict[str, Section]()
    space["model.width"] = choice(widths)
    if not size.is_brief:
        space["model.dropout"] = widened({"uniform": [0.0, 0.5]}, model.dropout)
    if len(specs) < 2:
        return space
    space["model.modality_dropout"] = widened({"uniform": [0.0, 0.4]}, model.modality_dropout)
    if not config.tasks_of(1):  # alignments alone fuse nothing
        return space
    sections = fusions(
        model.fusion,
        size,
        modalities=len(specs),
        width=max(widths),
        heads=heads,
        has_steps=any(spec.layout != "vector" for spec in specs.values()),
    )
    return space | {"model.fusion": {"choice": sections}} | _balance(config, size)


def _balance(config: Config, size: Size) -> dict[str, Section]:
    """Return what keeps modalities in balance: one of two ways that exclude each other."""
    own = config.train.balance.model_dump(mode="json")
    ogm_ge = {"kind": "ogm_ge", "alpha": {"uniform": [0.1, 1.0]}}
    can_balance = config.train.parallel == "ddp" and size.is_thorough
    if isinstance(config.train.balance, GradientBlendingConfig | MmParetoConfig):
        return {"train.balance": {"choice": {own["kind"]: own, "none": {"kind": "none"}}}}
    space = {"model.auxiliary": widened({"uniform": [0.0, 1.0]}, config.auxiliary)}
    if not can_balance:
        return space
    if own["kind"] == "ogm_ge":
        ogm_ge = own | {"alpha": widened({"uniform": [0.1, 1.0]}, own["alpha"])}
    return space | {"train.balance": {"choice": {"none": {"kind": "none"}, "ogm_ge": ogm_ge}}}


def _tasks(config: Config, size: Size) -> dict[str, Section]:
    """Return the weights of tasks besides the first, unless the objective is made with them."""
    summed = {objective.metric for objective in config.search_section().objective}
    if size.is_brief or summed & {"val/loss", "train/loss"}:
        return {}
    _, *others = config.tasks.items()
    space: dict[str, Section] = {
        f"tasks.{name}.weight": {"loguniform": [task.weight / 4, task.weight * 4]}
        for name, task in others
    }
    if others and size.is_thorough and config.train.parallel == "ddp":
        own: dict[str, Any] = config.train.task_weighting.model_dump(mode="json")
        kinds = dict.fromkeys((own["kind"], "fixed", "uncertainty"))
        sections = {kind: own if kind == own["kind"] else {"kind": kind} for kind in kinds}
        space["train.task_weighting"] = {"choice": sections}
    return space
