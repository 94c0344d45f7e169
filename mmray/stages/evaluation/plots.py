"""The plots of an evaluation, as files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmray.config.document import Config
from mmray.config.task.kind import kind_of, main_metric
from mmray.evaluation.ablation import subset_name, subset_title
from mmray.evaluation.comparison import Figure
from mmray.evaluation.conclusion import Conclusion
from mmray.evaluation.metric_text import label_unit
from mmray.evaluation.plot.bars import Bar, BarText, plot_bars
from mmray.evaluation.plot.confusion import plot_confusion
from mmray.evaluation.plot.curves import plot_curves
from mmray.evaluation.plot.scatter import plot_predicted
from mmray.evaluation.sentence import counts_text
from mmray.run.epoch_file import EPOCHS, epoch_lines
from mmray.stages.evaluation.evaluated import Evaluated
from mmray.stages.training.variant import main_model, run_folder, run_success
from mmray.stages.workspace import Workspace


def write_plots(workspace: Workspace, folder: Path, evaluated: Evaluated) -> list[Path]:
    """Write curves, comparisons, confusion matrices and predicted against true numbers."""
    files = [_plot_curves(workspace, folder / "curves.svg", evaluated)]
    for found in evaluated.found.values():
        files += _plot_task(workspace.config, folder, found, evaluated)
    return files


def _plot_task(
    config: Config, folder: Path, found: Conclusion, evaluated: Evaluated
) -> Iterator[Path]:
    task = found.task
    details = [each.results[task].details for each in evaluated.main]
    if len(found.figures) > 1:
        path = folder / f"alone_{task}.svg"
        bars = {name: _bar(figure) for name, figure in found.figures.items()}
        title = f"{task}: fusion beside each modality trained alone"
        plot_bars(bars, path, text=_bar_text(config, found, title, found.main))
        yield path
    if task in evaluated.ablation:
        path = folder / f"subsets_{task}.svg"
        bars = _subset_bars(evaluated.ablation[task])
        everything = subset_title(subset_name(config.modality_order()))
        title = f"{task}: the fusion with some of its modalities"
        text = _bar_text(config, found, title, everything)
        plot_bars(bars, path, text=text)
        yield path
    drawing = kind_of(config.tasks[task]).drawing
    if drawing == "confusion matrix":
        path = folder / f"confusion_{task}.svg"
        mean = np.mean([each["confusion_matrix"] for each in details], axis=0)
        title = f"{task}: predictions of {found.main} against labels\n{_counts(found)}"
        plot_confusion(mean, details[0]["classes"], path, title=title)
        yield path
    if drawing == "predicted against true":
        path = folder / f"predicted_{task}.svg"
        _plot_predicted(config, path, found, details[0])
        yield path


def _plot_curves(workspace: Workspace, path: Path, evaluated: Evaluated) -> Path:
    config = workspace.config
    variants = [each.variant for each in evaluated.main]
    trainings = {v.name: epoch_lines(run_folder(workspace, v) / EPOCHS) for v in variants}
    first = variants[0].name
    success = run_success(workspace, variants[0])
    several = f" ({len(variants)} trainings, the first drawn strongest)" * (len(variants) > 1)
    plot_curves(
        trainings,
        path,
        title=f"{config.name}: learning curves of {main_model(config)}{several}",
        panels=[
            (name, main_metric(task), label_unit(task))
            for name, task in config.tasks.items()
            if any(f"val/{name}/{main_metric(task).name}" in e["metrics"] for e in trainings[first])
        ],
        best=success["soup"] or [success["best_epoch"]],
    )
    return path


def _plot_predicted(config: Config, path: Path, found: Conclusion, details: dict[str, Any]) -> None:
    trainings = found.figures[found.main].trainings
    of_which = f", the first of {trainings} trainings" if trainings > 1 else ""
    samples = found.figures[found.main].samples
    shown = f"{len(details['true'])} of {samples}" if len(details["true"]) < samples else samples
    plot_predicted(
        details["true"],
        details["predicted"],
        path,
        title=f"{found.task}: predicted against true\ntest split, {shown} samples{of_which}",
        column=config.tasks[found.task].column or found.task,
        interval=(details["low"], details["high"]) if "low" in details else None,
    )


def _bar_text(config: Config, found: Conclusion, title: str, emphasis: str) -> BarText:
    task = config.tasks[found.task]
    level = f"{100 * config.evaluation.confidence:g} %"
    return BarText(
        title=f"{title}, {_counts(found)}",
        caption=f"Lines and brackets: {level} intervals over the test samples. "
        f"Dashed: constant answer ({found.answer}).",
        metric=found.metric,
        unit=label_unit(task),
        emphasis=emphasis,
        floor=found.baseline.value,
    )


def _counts(found: Conclusion) -> str:
    return f"test split, {counts_text(found.figures[found.main])}"


def _bar(figure: Figure) -> Bar:
    return Bar(figure.value, *figure.interval)


def _subset_bars(table: dict[str, Any]) -> dict[str, Bar]:
    return {
        subset_title(name): Bar(value, *table["intervals"][name])
        for name, value in table["subsets"].items()
    }
