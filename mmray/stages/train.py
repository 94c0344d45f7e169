"""Train: the fusion model on all modalities, on Ray Train."""

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.task.kind import main_metric
from mmray.core.file.atomic import read_complete
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.core.text.nearest import listed
from mmray.display.terminal import waiting
from mmray.stages.marker import earlier_report
from mmray.stages.prepare import log_settings
from mmray.stages.training.variant import Variant, fusion_variant, run_folder, run_success
from mmray.stages.workspace import Workspace
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "train"
SHOWN_NAMES = 3


def run(workspace: Workspace, tracker: Tracker) -> Report:
    """Train the fusion and write it to the stage's folder."""
    started = time.monotonic()
    config, folder = workspace.config, workspace.training_folder
    tracker.identify(workspace.key)
    earlier = earlier_report(folder)
    variant = fusion_variant(config, config.train.seed)
    if earlier is not None and read_complete(run_folder(workspace, variant)) is not None:
        return earlier
    log_settings(workspace, tracker, workspace.prepared.manifest)
    is_there = read_complete(run_folder(workspace, variant)) is not None
    train_variants([variant], workspace, tracker)
    success = run_success(workspace, variant)
    if is_there:  # of a search, in whose run its epochs are
        from mmray.stages.training.runs import log_complete

        log_complete(variant, workspace, tracker)
    logger.debug("%s", _kept(success["features"]))
    report = Report(
        stage=STAGE,
        fingerprint=folder.name,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts={"epochs": success["epochs"], "best_epoch": success["best_epoch"]}
        | {"samples": success["samples"], "parameters": success["parameters"]},
        metrics=success["best_metrics"],
        found=_describe(success, config, workspace.prepared.manifest.split_sizes()[Split.VAL]),
        next_step="mmray evaluate CONFIG",
    )
    return workspace.finish(report)


def train_variants(variants: Sequence[Variant], workspace: Workspace, tracker: Tracker) -> None:
    """Train the incomplete variants by the command's workers, each in its own run."""
    pending = [v for v in variants if read_complete(run_folder(workspace, v)) is None]
    if not pending:
        return
    config, features = workspace.config, workspace.extracted.features
    # Here and not above: a run with nothing to train must not load Ray.
    is_loaded = "mmray.distributed.node.session" in sys.modules
    with nullcontext() if is_loaded else waiting("starting Ray", usually="5 to 15 s"):
        from mmray.display.training_display import TrainingDisplay
        from mmray.distributed.node.session import connect
        from mmray.distributed.training.share import plan_workers
        from mmray.run.training_job import TrainingJob
        from mmray.stages.training.runs import TrainingRuns

        size = connect(config.runtime)

    share = plan_workers(config.train, size)
    plans = [
        TrainingJob(
            name=variant.name,
            config=config,
            manifest=str(workspace.prepared.path.resolve()),
            features={n: str(features[n].folder.resolve()) for n in variant.modalities},
            seed=variant.seed,
            folder=str(run_folder(workspace, variant).resolve()),
        )
        for variant in pending
    ]
    logger.info(
        "training %s on %s%d worker%s with %g CPU%s each%s",
        listed([f"'{plan.name}'" for plan in plans], limit=SHOWN_NAMES),
        "" if share.least is None else f"{share.least} to ", share.workers,
        "s" * (share.workers > 1), share.cpus, "s" * (share.cpus > 1),
        " and a GPU" * share.use_gpu,
    )  # fmt: skip
    for plan in plans:
        Path(plan.folder).mkdir(parents=True, exist_ok=True)
    anew = {plan.name for plan in plans if plan.starts_anew}
    runs = TrainingRuns(tracker, config, pending, anew)
    with workspace.workers.using(config, share, workspace.folder / "ray") as group:
        runs.open(pending[0].name)  # while the workers start
        with TrainingDisplay([plan.name for plan in plans], config) as display:
            group.train(
                plans,
                on_epoch=lambda name, record: display.hear(name, record, runs.hear(name, record)),
            )
    for variant in pending:
        runs.close(variant.name, run_success(workspace, variant), run_folder(workspace, variant))


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
