"""The figures of an evaluation as rows of tables."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmray.evaluation.conclusion import Conclusion

METRIC_COLUMNS = (
    "model", "task", "metric", "value", "low", "high", "samples", "trainings", "deviation", "over",
)  # fmt: skip
SUBSET_COLUMNS = ("task", "metric", "modalities", "value", "low", "high")
SHARE_COLUMNS = ("task", "metric", "modality", "shapley_value")
EVERYWHERE, PRESENT = "all samples", "samples with its modality"


def metric_rows(
    metrics: Mapping[str, Mapping[str, Mapping[str, Any]]], found: Mapping[str, Conclusion]
) -> Iterator[dict[str, Any]]:
    """Yield a row per model, task and metric; the main metric has an interval."""
    for model, tasks in metrics.items():
        for task, values in tasks.items():
            figure = found[task].figures[model]
            row = {"model": model, "task": task, "samples": figure.samples}
            row["trainings"] = figure.trainings
            for metric, value in values.items():
                if not isinstance(value, float):
                    continue
                of_main = {}
                if metric == figure.metric.name:
                    low, high = figure.interval
                    of_main = {"low": low, "high": high, "deviation": figure.deviation}
                yield row | {"metric": metric, "over": EVERYWHERE, "value": value} | of_main
            for metric, value in values["where_present"].items():
                rest = {"metric": metric, "over": PRESENT, "value": value, "samples": None}
                yield row | rest
    for task, each in found.items():
        base = each.baseline
        yield {
            "model": f"constant answer: {each.answer}", "task": task, "metric": base.metric.name,
            "over": EVERYWHERE, "value": base.value, "samples": base.samples,
        }  # fmt: skip


def subset_rows(ablation: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row per task and subset of the modalities."""
    for task, table in ablation.items():
        for name, value in table["subsets"].items():
            low, high = table["intervals"][name]
            yield {
                "task": task, "metric": table["metric"], "modalities": name, "value": value,
                "low": low, "high": high,
            }  # fmt: skip


def share_rows(ablation: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a row per task and modality: its average contribution."""
    for task, table in ablation.items():
        for name, value in table["shapley"].items():
            yield {
                "task": task, "metric": table["metric"], "modality": name, "shapley_value": value,
            }  # fmt: skip
