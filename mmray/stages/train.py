"""Train: the fusion model on all modalities, on Ray Train."""

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.modality.modality import ModalityConfig
from mmray.config.model.pretrained import PretrainedConfig
from mmray.config.task.kind import main_metric
from mmray.core.file.atomic import read_complete, read_success
from mmray.core.fingerprint import fingerprint
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.data.manifest.manifest import Manifest
from mmray.display.terminal import waiting
from mmray.features.checkpoints.checkpoint import checkpoint_identity
from mmray.run.samples import FeatureFolder
from mmray.stages.extract import open_extracted
from mmray.stages.prepare import log_settings, open_prepared
from mmray.stages.workspace import MANIFEST, earlier_report, finish, stage_folder
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "train"
FUSION = "fusion"
TRAIN_VERSION = 1
"""Raised when the same settings would give other weights, or weights of other names."""
NOT_IN_FINGERPRINT = {
    "workers",
    "max_failures",
    "parallel",
    "keep_checkpoints",
    "stream",
    "memory_fraction",
    "watch_modalities",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What training starts from."""

    folder: Path
    """Of this stage, named by its fingerprint."""
    manifest_path: Path
    manifest: Manifest
    features: dict[str, FeatureFolder]
    extraction: dict[str, Any]
    """The extract stage's report."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One training of these modalities with this seed."""

    name: str
    """As people read it in the tracking store, for example ``image alone, seed 1``."""
    modalities: tuple[str, ...]
    seed: int
    first: str = ""
    """The training of the same model with the first seed; its run holds those of further seeds."""

    @property
    def slug(self) -> str:
        """Return the name as a folder."""
        return self.name.replace(",", "").replace(" ", "-")


def run(config: Config, tracker: Tracker) -> Report:
    """Train the fusion and leave it in the stage's folder."""
    started = time.monotonic()
    prepared = open_inputs(config, tracker)
    earlier = earlier_report(prepared.folder)
    variant = fusion_variant(config, config.train.seed)
    if earlier is not None and read_complete(run_folder(prepared, variant)) is not None:
        return earlier
    log_settings(config, tracker, prepared.manifest_path.parent, prepared.manifest)
    train_variants([variant], config=config, inputs=prepared, tracker=tracker)
    success = run_success(prepared, variant)
    logger.debug("%s", _kept(success["features"]))
    report = Report(
        stage=STAGE,
        fingerprint=prepared.folder.name,
        folder=str(prepared.folder),
        seconds=round(time.monotonic() - started, 2),
        counts={"epochs": success["epochs"], "best_epoch": success["best_epoch"]}
        | {"samples": success["samples"], "parameters": success["parameters"]},
        metrics=success["best_metrics"],
        found=_describe(success, config, prepared.manifest.split_sizes()[Split.VAL]),
        next_step="mmray evaluate CONFIG",
    )
    return finish(prepared.folder, report, config)


def open_inputs(config: Config, tracker: Tracker) -> Prepared:
    """Find the manifest and the features, and name the training that follows from them."""
    prepared, manifest = open_prepared(config, tracker)
    extracted, features, report = open_extracted(config, prepared, manifest)
    mark = train_fingerprint(config, extracted)
    return Prepared(
        folder=stage_folder(config, STAGE, mark),
        manifest_path=prepared / MANIFEST,
        manifest=manifest,
        features=features,
        extraction=report,
    )


def train_fingerprint(config: Config, extracted: str) -> str:
    """Name a training by features, labels, architecture and optimisation; not by its workers."""
    return fingerprint(
        TRAIN_VERSION,
        extracted,
        config.model.model_dump(mode="json"),
        config.train.model_dump(mode="json", exclude=NOT_IN_FINGERPRINT),
        {name: task.model_dump(mode="json") for name, task in config.tasks.items()},
        {name: _encode_settings(m) for name, m in config.modalities.items()},
    )


def _encode_settings(modality: ModalityConfig) -> dict[str, Any]:
    """Return what decides how a modality is encoded; a checkpoint is named by its content.

    Augmentation that is not asked for leaves no trace.
    """
    settings = modality.model_dump(mode="json", include={"encode", "augment"})
    encode = modality.encode
    if isinstance(encode, PretrainedConfig):
        settings["encode"]["model"] = checkpoint_identity(encode.model)
    return settings if settings.get("augment") else settings["encode"]


def main_model(config: Config) -> str:
    """Return what the model of all modalities is called: one modality alone is no fusion."""
    names = config.modality_order()
    return FUSION if len(names) > 1 else next(iter(names))


def fusion_variant(config: Config, seed: int) -> Variant:
    """Return the training of all modalities."""
    return seed_variant(main_model(config), config.modality_order(), seed, config)


def seed_variant(model: str, modalities: tuple[str, ...], seed: int, config: Config) -> Variant:
    """Return the training of a model with one of the seeds."""
    if seed == config.train.seed:
        return Variant(model, modalities, seed)
    return Variant(f"{model}, seed {seed}", modalities, seed, first=model)


def run_folder(inputs: Prepared, variant: Variant) -> Path:
    """Return where this training's model lies."""
    return inputs.folder / variant.slug


def run_success(inputs: Prepared, variant: Variant) -> dict[str, Any]:
    """Return what a complete training says of itself."""
    success = read_success(run_folder(inputs, variant))
    assert success is not None  # train_variants raises unless every variant is complete
    return success


def train_variants(
    variants: Sequence[Variant], *, config: Config, inputs: Prepared, tracker: Tracker
) -> None:
    """Train those variants that are not complete, in one group of workers, each in its own run."""
    pending = [v for v in variants if read_complete(run_folder(inputs, v)) is None]
    if not pending:
        return
    # Here and not above: a run with nothing to train must load neither Ray nor torch.
    is_loaded = "mmray.distributed.training.fitting" in sys.modules
    starts = waiting("loading PyTorch and Ray", usually="5 to 15 s")
    with nullcontext() if is_loaded else starts:
        from mmray.display.training_display import TrainingDisplay
        from mmray.distributed.node.session import connect
        from mmray.distributed.training.fitting import fit_runs, plan_workers
        from mmray.run.training_job import TrainingJob
        from mmray.stages.training.runs import TrainingRuns

        size = connect(config.runtime)

    plans = [
        TrainingJob(
            name=variant.name,
            config=config,
            manifest=str(inputs.manifest_path.resolve()),
            features={n: str(inputs.features[n].folder.resolve()) for n in variant.modalities},
            seed=variant.seed,
            folder=str(run_folder(inputs, variant).resolve()),
        )
        for variant in pending
    ]
    share = plan_workers(config.train, size)
    logger.info(
        "training %s on %s%d worker%s with %g CPUs each%s",
        ", ".join(f"'{plan.name}'" for plan in plans),
        "" if share.least is None else f"{share.least} to ", share.workers,
        "s" * (share.workers > 1), share.cpus, " and a GPU" * share.use_gpu,
    )  # fmt: skip
    for plan in plans:
        Path(plan.folder).mkdir(parents=True, exist_ok=True)
    anew = {plan.name for plan in plans if plan.starts_anew}
    runs = TrainingRuns(tracker, config, pending, anew)
    runs.open(pending[0].name)
    with TrainingDisplay([plan.name for plan in plans], config) as display:
        fit_runs(
            plans,
            config=config.train,
            share=share,
            storage=Path(config.workspace) / "ray",
            on_epoch=lambda name, record: display.hear(name, record, runs.hear(name, record)),
        )
    for variant in pending:
        runs.close(variant.name, run_success(inputs, variant), run_folder(inputs, variant))


def _describe(success: dict[str, Any], config: Config, val_samples: int) -> tuple[str, ...]:
    best = success["best_metrics"]
    names = ["val/loss"]
    names += [
        f"val/{name}/{metric}"
        for name, task in config.tasks.items()
        for metric in ("loss", main_metric(task).name)
    ]
    shown = ", ".join(f"{name} {best[name]:.4f}" for name in names if name in best)
    return (
        f"{success['parameters']:,} parameters, {success['samples']} train samples, "
        f"{success['epochs']} epochs",
        f"{_best_model(success)}, {val_samples} val samples: {shown}",
    )


def _kept(features: dict[str, Any]) -> str:
    needed, allowed = (features[name] / 2**20 for name in ("bytes", "allowed_bytes"))
    return (
        f"features {features['kept']}: {needed:,.1f} MiB, and each worker could take "
        f"{allowed:,.0f} MiB"
    )


def _best_model(success: dict[str, Any]) -> str:
    if success["soup"]:
        return f"soup of epochs {', '.join(str(epoch) for epoch in success['soup'])}"
    return f"best epoch {success['best_epoch']}"
