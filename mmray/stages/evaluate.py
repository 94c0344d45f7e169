"""Evaluate: the fusion, and each modality alone with the same budget, on the test split."""

import logging
import time
from pathlib import Path
from typing import Any

from mmray.config.base import CustomConfig
from mmray.config.document import Config
from mmray.core.atomic import read_success, write_json
from mmray.core.fingerprint import fingerprint
from mmray.core.report import Report
from mmray.core.word import Split
from mmray.errors import TrainingError
from mmray.evaluation.ablation import ablation_figures, describe_losses, tabulate
from mmray.evaluation.lagging import compare
from mmray.features.custom import custom_code
from mmray.stages import extract, prepare
from mmray.stages.train import (
    FUSION,
    Prepared,
    Variant,
    fusion_variant,
    open_inputs,
    run_folder,
    train_variants,
)
from mmray.stages.workspace import (
    MODEL,
    REPORT,
    earlier_report,
    finish,
    require_success,
    stage_folder,
)
from mmray.tracking.tracker import Tracker

logger = logging.getLogger(__name__)
STAGE = "evaluate"
Scores = dict[str, dict[str, dict[str, float]]]
"""Model name ("fusion" or a modality) -> task -> metric -> value."""


def run(config: Config, tracker: Tracker) -> Report:
    """Judge on the test split; leave ``report.json`` and the model bundle in the workspace."""
    started = time.monotonic()
    inputs = open_inputs(config, tracker)
    train_success = require_success(inputs.folder, stage="train", error=TrainingError)
    mark = fingerprint(inputs.folder.name, config.evaluation.model_dump(mode="json"))
    folder = stage_folder(config, STAGE, mark)
    earlier = earlier_report(folder)
    if earlier is not None and (Path(config.workspace) / REPORT).is_file():
        return earlier
    variants = _variants(config)
    train_variants(
        [v for group in variants.values() for v in group],
        config=config,
        inputs=inputs,
        tracker=tracker,
    )
    # Here and not above: judging needs torch, and a skipped stage must not load it.
    from mmray.stages.judging import Judged, judge_variants

    folder.mkdir(parents=True, exist_ok=True)
    judged: dict[str, list[Judged]] = {
        name: judge_variants(group, config=config, inputs=inputs)
        for name, group in variants.items()
    }
    scores: Scores = {
        name: mean_scores([j.metrics for j in group]) for name, group in judged.items()
    }
    main = judged[FUSION][0]
    ablation = tabulate(
        [j.ablation for j in judged[FUSION]],
        {name: task.main_metric for name, task in config.tasks.items()},
        config.modality_order(),
    )
    details = {
        task: found | ({"ablation": ablation[task]} if task in ablation else {})
        for task, found in main.details.items()
    }
    write_json(folder / "details.json", details)
    _write_bundle(config, inputs, main)
    metrics = _with_deviations(scores, judged)
    report = Report(
        stage=STAGE,
        fingerprint=mark,
        folder=str(folder),
        seconds=round(time.monotonic() - started, 2),
        counts={"test_samples": inputs.manifest.split_sizes()[Split.TEST.value]}
        | {"seeds": config.evaluation.seeds},
        metrics=metrics,
        found=_describe(scores, ablation, config),
        next_step=f"mmray ui CONFIG; mmray predict {Path(config.workspace) / MODEL} MANIFEST",
    )
    _track(tracker, config, inputs, folder, metrics, details)
    _write_report(config, inputs, train_success, report, tracker, ablation)
    return finish(folder, report, config)


def _variants(config: Config) -> dict[str, list[Variant]]:
    seeds = [config.train.seed + offset for offset in range(config.evaluation.seeds)]
    variants = {FUSION: [fusion_variant(config, seed) for seed in seeds]}
    if not config.evaluation.alone or len(config.modalities) == 1 or not config.tasks_of(1):
        return variants
    for name in config.modality_order():
        variants[name] = [
            Variant(f"{name} alone" + (f", seed {s}" if s != seeds[0] else ""), (name,), s)
            for s in seeds
        ]
    return variants


def mean_scores(runs: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the mean of every task's metrics over the seeds."""
    return {
        task: {name: sum(r[task][name] for r in runs) / len(runs) for name in metrics}
        for task, metrics in runs[0].items()
    }


def _with_deviations(scores: Scores, judged: dict[str, Any]) -> dict[str, Any]:
    """Add, per model and task, the figures of each seed, so that a reader can see their spread."""
    return {
        name: {
            task: metrics
            | ({"seeds": [j.metrics[task] for j in judged[name]]} if len(judged[name]) > 1 else {})
            | {"where_present": judged[name][0].where_present.get(task, {})}
            for task, metrics in tasks.items()
        }
        for name, tasks in scores.items()
    }


def _describe(scores: Scores, ablation: dict[str, Any], config: Config) -> tuple[str, ...]:
    sentences: list[str] = []
    order = config.modality_order()
    for task in scores[FUSION]:
        metric = config.tasks[task].main_metric
        values = {name: tasks[task][metric] for name, tasks in scores.items() if task in tasks}
        shown = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        sentences.append(f"{task}: test {metric} of {shown}")
        subsets: dict[str, float] = ablation[task]["subsets"] if task in ablation else {}
        inside = {name: subsets[name] for name in order if name in subsets}
        sentence = compare(task, metric, values, inside)
        sentences += [] if sentence is None else [sentence]
        sentences += [describe_losses(task, metric, subsets, order)] if subsets else []
    if config.evaluation.seeds > 1:
        sentences.append(f"each figure is the mean of {config.evaluation.seeds} seeds")
    return tuple(sentences)


def _write_bundle(config: Config, inputs: Prepared, main: Any) -> None:  # noqa: ANN401
    from mmray.assembly.bundle import write_bundle

    write_bundle(
        Path(config.workspace) / MODEL,
        config=config,
        features=inputs.features,
        run_folder=run_folder(inputs, fusion_variant(config, config.train.seed)),
        model=main.model,
        metrics=main.metrics,
    )


def _track(
    tracker: Tracker,
    config: Config,
    inputs: Prepared,
    folder: Path,
    metrics: dict[str, Any],
    details: dict[str, Any],
) -> None:
    from mmray.stages.plots import write_plots

    parent = tracker.parent()
    for name, tasks in metrics.items():
        run = tracker.child(FUSION if name == FUSION else f"{name} alone")
        for task, values in tasks.items():
            figures = {key: value for key, value in values.items() if isinstance(value, float)}
            run.log_metrics({f"test/{task}/{key}": value for key, value in figures.items()})
            parent.log_metrics({f"test/{name}/{task}/{k}": v for k, v in figures.items()})
    for task, found in details.items():
        parent.log_metrics(ablation_figures(task, found.get("ablation", {})))
    for path in write_plots(config, inputs, folder, metrics, details):
        (tracker.child(FUSION) if path.name.startswith("curves") else parent).log_file(
            path, folder="plots"
        )
    parent.log_file(folder / "details.json")
    columns = list(dict.fromkeys(c for m in config.modalities.values() for c in m.columns))
    tracker.child(FUSION).log_bundle(
        Path(config.workspace) / MODEL,
        columns,
        code=_custom_code(config),
        register_as=config.tracking.register_as,
    )


def _custom_code(config: Config) -> list[Path]:
    """Return where the user's own modules are that the document names."""
    modalities = config.modalities.values()
    parts = [part for each in modalities for part in (each.extract, each.encode)]
    sections = [config.model.fusion, *parts]
    found = [custom_code(each.factory) for each in sections if isinstance(each, CustomConfig)]
    return list(dict.fromkeys(path for path in found if path is not None))


def _write_report(
    config: Config,
    inputs: Prepared,
    train_success: dict[str, Any],
    report: Report,
    tracker: Tracker,
    ablation: dict[str, Any],
) -> None:
    """Write what the whole workflow found as one JSON document."""
    counts = inputs.extraction["counts"]
    prepared = read_success(prepare.prepared_folder(config))
    assert prepared is not None  # open_inputs has read its manifest
    seconds = {
        prepare.STAGE: prepared["report"]["seconds"],
        extract.STAGE: inputs.extraction["seconds"],
        "train": train_success["report"]["seconds"],
        STAGE: report.seconds,
    }
    path = Path(config.workspace) / REPORT
    parent = tracker.parent()
    write_json(
        path,
        {
            "name": config.name,
            "samples": counts["samples"],
            "usable": counts["usable"],
            "unusable": counts["unusable"],
            "modalities": counts["modalities"],
            "splits": inputs.manifest.split_sizes(),
            "metrics": report.metrics,
            "ablation": ablation,
            "seeds": config.evaluation.seeds,
            "seconds": seconds,
            "model": str(Path(config.workspace) / MODEL),
            "mlflow": {"uri": tracker.uri, "run_id": parent.run_id},
        },
    )
    parent.log_metrics({f"seconds/{stage}": value for stage, value in seconds.items()})
    parent.log_file(path)
