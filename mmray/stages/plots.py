"""The plots of an evaluation, as files."""

import statistics
from pathlib import Path
from typing import Any

from mmray.assembly.epoch_file import EPOCHS, epoch_lines
from mmray.config.document import Config
from mmray.evaluation.plot import plot_alone, plot_confusion, plot_curves
from mmray.stages.train import FUSION, Prepared, fusion_variant, run_folder


def write_plots(
    config: Config,
    inputs: Prepared,
    folder: Path,
    metrics: dict[str, Any],
    details: dict[str, Any],
) -> list[Path]:
    """Write learning curves, confusion matrices and what fusion adds; return the files."""
    main = run_folder(inputs, fusion_variant(config, config.train.seed))
    curves = folder / "curves.png"
    plot_curves(epoch_lines(main / EPOCHS), curves, title=f"{config.name}: fusion")
    files = [curves]
    for task, found in details.items():
        metric = config.tasks[task].main_metric
        if "confusion_matrix" in found:
            path = folder / f"confusion_{task}.png"
            plot_confusion(
                found["confusion_matrix"], found["classes"], path, title=f"{task}: test split"
            )
            files.append(path)
        if "ablation" in found:
            path = folder / f"ablation_{task}.png"
            subsets = found["ablation"]["subsets"]
            plot_alone(
                {name: (value, 0.0) for name, value in subsets.items()},
                path,
                title=f"{task}: the fusion with some of the modalities only",
                metric=f"test {metric}",
                accent=next(iter(subsets)),
            )
            files.append(path)
        scores = {
            name: _mean_and_deviation(tasks[task], metric)
            for name, tasks in metrics.items()
            if task in tasks
        }
        if len(scores) > 1:
            path = folder / f"alone_{task}.png"
            ordered = {FUSION: scores[FUSION]} | scores
            plot_alone(
                ordered,
                path,
                title=f"{task}: each modality alone, and fusion",
                metric=f"test {metric}",
            )
            files.append(path)
    return files


def _mean_and_deviation(values: dict[str, Any], metric: str) -> tuple[float, float]:
    seeds = [seed[metric] for seed in values.get("seeds", ())]
    return values[metric], statistics.stdev(seeds) if len(seeds) > 1 else 0.0
