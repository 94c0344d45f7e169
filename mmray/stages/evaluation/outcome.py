"""The output of an evaluation: tables, plots, the runs' figures, ``report.json``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmray.core.file.atomic import write_json
from mmray.core.file.csv_table import write_csv
from mmray.core.kind import Split
from mmray.core.report import Report
from mmray.core.text.secret import masked
from mmray.evaluation.description import describe_workflow
from mmray.evaluation.table import (
    METRIC_COLUMNS,
    SHARE_COLUMNS,
    SUBSET_COLUMNS,
    metric_rows,
    share_rows,
    subset_rows,
)
from mmray.stages.evaluation.evaluated import Evaluated
from mmray.stages.evaluation.plots import write_plots
from mmray.stages.training.runs import training_seconds
from mmray.stages.training.variant import run_folder
from mmray.stages.workspace import MODEL, REPORT, Workspace
from mmray.tracking.tracker import Tracker

TABLES, PLOTS = "tables", "plots"


def track_evaluation(
    tracker: Tracker, workspace: Workspace, evaluated: Evaluated, report: Report
) -> None:
    """Log each training's own figures on its run, and what they show together on the workflow's."""
    for group in evaluated.models.values():
        for model in group:
            run = tracker.child(model.variant.name, under=model.variant.first)
            for task, metrics in model.metrics.items():
                run.log_metrics({f"test/{task}/{name}": v for name, v in metrics.items()})
            run.spent(training_seconds(run_folder(workspace, model.variant)))
    folder, parent = Path(report.folder), tracker.parent()
    parent.log_metrics(headline_figures(evaluated))
    for path in _write_tables(folder, report.metrics, evaluated):
        parent.log_file(path, folder=TABLES)
    for path in write_plots(workspace, folder, evaluated):
        parent.log_file(path, folder=PLOTS)
    parent.log_file(folder / "details.json")
    parent.describe(_description(workspace, evaluated, report))


def headline_figures(evaluated: Evaluated) -> dict[str, float]:
    """Return the few figures of the workflow's run: per task the main metric and its gains."""
    figures: dict[str, float] = {}
    for task, found in evaluated.found.items():
        figures[f"test/{task}/{found.metric.name}"] = found.figures[found.main].value
        figures[f"test/{task}/gain_over_constant_answer"] = found.over_baseline.value
        if found.over_best is not None:
            figures[f"test/{task}/gain_over_best_alone"] = found.over_best.value
        figures[f"test/{task}/samples"] = found.figures[found.main].samples
    return figures


def write_report(
    workspace: Workspace, report: Report, tracker: Tracker, evaluated: Evaluated
) -> None:
    """Write what the workflow found as one JSON document."""
    config, prepared = workspace.config, workspace.prepared
    counts = workspace.extracted.report["counts"]
    seconds = {
        "prepare": prepared.report["seconds"],
        "extract": workspace.extracted.report["seconds"],
        "train": workspace.trained.report["seconds"],
        report.stage: report.seconds,
    }
    path, parent = Path(report.folder) / REPORT, tracker.parent()
    write_json(
        path,
        {
            "name": config.name,
            "evaluation": report.fingerprint,
            "samples": counts["samples"],
            "usable": counts["usable"],
            "unusable": counts["unusable"],
            "modalities": counts["modalities"],
            "splits": prepared.manifest.split_sizes(),
            "metrics": report.metrics,
            "comparison": {task: found.to_dict() for task, found in evaluated.found.items()},
            "ablation": evaluated.ablation,
            "seeds": config.evaluation.seeds,
            "seconds": seconds,
            "model": str(workspace.folder / MODEL),
            "mlflow": {"uri": masked(tracker.uri), "run_id": parent.run_id},
        },
    )
    parent.log_metrics({"seconds/total": sum(seconds.values())})
    parent.log_file(path)


def _write_tables(folder: Path, metrics: dict[str, Any], evaluated: Evaluated) -> Iterable[Path]:
    tables = {
        "metrics": (metric_rows(metrics, evaluated.found), METRIC_COLUMNS),
        "subsets": (subset_rows(evaluated.ablation), SUBSET_COLUMNS),
        "shapley": (share_rows(evaluated.ablation), SHARE_COLUMNS),
    }
    for name, (rows, columns) in tables.items():
        if name == "metrics" or evaluated.ablation:
            write_csv(folder / f"{name}.csv", rows, columns)
            yield folder / f"{name}.csv"


def _description(workspace: Workspace, evaluated: Evaluated, report: Report) -> str:
    prepared, extracted = workspace.prepared, workspace.extracted
    sizes = prepared.manifest.split_sizes()
    splits = ", ".join(f"{sizes[split.value]} {split.value}" for split in Split)
    earlier = [*prepared.report["found"], *extracted.report["found"]]
    warnings = [sentence for sentence in earlier if sentence.startswith("warning: ")]
    return describe_workflow(
        list(evaluated.found.values()), [*report.found, *warnings], splits=splits
    )
