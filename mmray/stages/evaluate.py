"""Evaluate: the fusion, and each modality alone with the same budget, on the test split."""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmray.config.document import Config
from mmray.core.file.atomic import write_json
from mmray.core.fingerprint import fingerprint
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.data.manifest.manifest import Manifest
from mmray.features.custom import custom_code
from mmray.run.bundle.foreign.trust import custom_parts
from mmray.stages.evaluation.delivery import deliver, delivered_files
from mmray.stages.marker import earlier_report
from mmray.stages.train import train_variants
from mmray.stages.training.runs import training_seconds
from mmray.stages.training.variant import (
    Variant,
    fusion_variant,
    main_model,
    run_folder,
    seed_variant,
)
from mmray.stages.workspace import MODEL, Workspace
from mmray.tracking.tracker import Tracker

if TYPE_CHECKING:
    from mmray.stages.evaluation.evaluated import Evaluated

logger = logging.getLogger(__name__)
STAGE = "evaluate"
EVALUATE_VERSION = 2
"""Raised when the same models would get another report."""


def run(workspace: Workspace, tracker: Tracker) -> Report:
    """Evaluate on the test split; leave ``report.json`` and the model bundle in the workspace."""
    started, config = time.monotonic(), workspace.config
    tracker.identify(workspace.key)
    trained = workspace.trained.folder.name
    mark = fingerprint(EVALUATE_VERSION, trained, config.evaluation.model_dump(mode="json"))
    folder = workspace.stage_folder(STAGE, mark)
    earlier = earlier_report(folder)
    if earlier is not None:
        _register(tracker, workspace, folder)
        deliver(config, folder)
        return replace(earlier, next_step=_next_step(config))
    variants = _variants(config)
    manifest = workspace.prepared.manifest
    if not can_measure(config, manifest):  # the model is packaged, and compared with nothing
        variants = {main_model(config): variants[main_model(config)][:1]}
    train_variants([v for group in variants.values() for v in group], workspace, tracker)
    workspace.workers.let_go()  # that was the last training
    # Here and not above: evaluation needs torch, and a skipped stage must not load it.
    from mmray.stages.evaluation.evaluated import evaluate_models, sentences
    from mmray.stages.evaluation.outcome import track_evaluation, write_report
    from mmray.stages.evaluation.predictions import evaluate_variants

    folder.mkdir(parents=True, exist_ok=True)
    evaluated = evaluate_models(
        config, {name: evaluate_variants(group, workspace) for name, group in variants.items()}
    )
    write_json(folder / "details.json", evaluated.details())
    _write_bundle(folder, workspace, evaluated)
    report = Report(
        stage=STAGE,
        fingerprint=mark,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts={"test_samples": manifest.split_sizes()[Split.TEST.value]}
        | {"seeds": config.evaluation.seeds},
        metrics=evaluated.metrics(),
        found=sentences(config, evaluated),
        next_step=_next_step(config),
    )
    track_evaluation(tracker, workspace, evaluated, report)
    _log_bundle(tracker, config, folder)
    write_report(workspace, report, tracker, evaluated)
    workspace.finish(report, files=["details.json", *delivered_files(folder)])
    deliver(config, folder)
    return report


def _next_step(config: Config) -> str:
    return f"mmray ui CONFIG; mmray predict {Path(config.workspace) / MODEL} MANIFEST"


def can_measure(config: Config, manifest: Manifest) -> bool:
    """Return whether test has a label; without a column, samples are the labels."""
    rows = manifest.rows_of(Split.TEST)
    if rows and any(task.column is None for task in config.tasks.values()):
        return True
    return any(found[row] is not None for found in manifest.labels.values() for row in rows)


def _variants(config: Config) -> dict[str, list[Variant]]:
    """Return the trainings of each model by seed, those of the fusion first."""
    order = config.modality_order()
    models = {main_model(config): order}
    if config.evaluation.alone and len(order) > 1 and config.tasks_of(1):
        models |= {name: (name,) for name in order}
    seeds = [config.train.seed + offset for offset in range(config.evaluation.seeds)]
    return {
        model: [
            seed_variant(
                model if modalities == order else f"{model} alone", modalities, seed, config
            )
            for seed in seeds
        ]
        for model, modalities in models.items()
    }


def _write_bundle(folder: Path, workspace: Workspace, evaluated: "Evaluated") -> None:
    from mmray.run.bundle.bundle import write_bundle
    from mmray.run.bundle.ensemble import TrainedModel
    from mmray.stages.evaluation.evaluated import bundle_metrics

    main = evaluated.main[0]
    write_bundle(
        folder / MODEL,
        [TrainedModel(workspace.config, run_folder(workspace, main.variant), main.model)],
        features=workspace.extracted.features,
        metrics=bundle_metrics(workspace.config, main),
    )


def _log_bundle(tracker: Tracker, config: Config, folder: Path) -> None:
    from mmray.run.bundle.served import interface_of

    tracker.child(main_model(config)).log_bundle(
        folder / MODEL,
        interface_of(config),
        code=custom_code_of(config),
        register_as=config.tracking.register_as,
    )


def _register(tracker: Tracker, workspace: Workspace, folder: Path) -> None:
    """Register the model of an evaluation that was complete before it was asked for."""
    config, name = workspace.config, workspace.config.tracking.register_as
    if name is None:
        return
    run = tracker.child(main_model(config))
    if not run.register(name):
        _log_bundle(tracker, config, folder)
    main = fusion_variant(config, config.train.seed)
    run.spent(training_seconds(run_folder(workspace, main)))  # and not until now


def custom_code_of(config: Config) -> list[Path]:
    """Return where the user's own modules are that the document names."""
    found = map(custom_code, custom_parts(config).values())
    return list(dict.fromkeys(path for path in found if path is not None))
