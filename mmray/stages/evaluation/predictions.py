"""Predictions and metrics of trained models on the test split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from mmray.evaluation.ablate import Ablation, ablate
from mmray.evaluation.baseline import Baseline, find_baseline
from mmray.evaluation.evaluate import EvaluationResult, evaluate
from mmray.models.fusion_model import FusionModel
from mmray.run.samples import load_samples
from mmray.run.training_run import load_run, load_tasks
from mmray.stages.training.variant import Variant, run_folder
from mmray.stages.workspace import Workspace
from mmray.training.data.samples import Samples
from mmray.training.loop.predict import predict
from mmray.training.tasks.task import Task, Tasks


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """One training's figures on the test split."""

    variant: Variant
    model: FusionModel
    results: dict[str, EvaluationResult]
    """By task, over the same samples for every model: all that are usable by the fusion."""
    where_present: dict[str, dict[str, float]]
    """Only over samples that have one of this model's own modalities."""
    baselines: dict[str, Baseline]
    """By task, a constant answer for the same samples."""
    ablation: Ablation
    """The main metric by task and subset of the modalities; empty where there is none."""
    example: str = ""
    """One sample's predictions beside its labels."""

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The metrics of each task."""
        return {task: result.metrics for task, result in self.results.items()}


def evaluate_variants(variants: Sequence[Variant], workspace: Workspace) -> list[EvaluatedModel]:
    """Evaluate each trained variant."""
    return [_evaluate(variant, workspace) for variant in variants]


def _evaluate(variant: Variant, workspace: Workspace) -> EvaluatedModel:
    config, manifest = workspace.config, workspace.prepared.manifest
    all_features = workspace.extracted.features
    folder = run_folder(workspace, variant)
    features = {name: all_features[name] for name in variant.modalities}
    model = load_run(folder, config, features)
    tasks = load_tasks(folder, config)
    # All modalities are loaded, so that every variant is evaluated on the same samples; the model
    # takes its own from them.
    samples = load_samples(manifest, Split.TEST, all_features, tasks, require_payload=True)
    if len(samples) == 0:
        return EvaluatedModel(variant, model.cpu(), {}, {}, {}, {})
    own = Samples(
        ids=samples.ids,
        modalities={name: samples.modalities[name] for name in variant.modalities},
        labels=samples.labels,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    outputs = predict(
        model.to(device), own, tasks, batch_size=config.train.batch_size, device=device
    )
    ablation = ablate(model, own, tasks, batch_size=config.train.batch_size, device=device)
    present = own.has_payload
    there = evaluate(
        {task: values[present] for task, values in outputs.items()},
        {task: values[present] for task, values in samples.labels.items()},
        tasks,
    )
    results = evaluate(outputs, samples.labels, tasks)
    return EvaluatedModel(
        variant=variant,
        model=model.cpu(),
        results=results,
        where_present={task: result.metrics for task, result in there.items()},
        baselines={
            name: find_baseline(
                tasks[name], _train_labels(manifest, name, tasks[name]), outputs[name],
                samples.labels[name],
            )
            for name in results
        },
        ablation=ablation,
        example=_example(manifest, samples.ids[0], {n: o[0] for n, o in outputs.items()}, tasks),
    )  # fmt: skip


def _example(
    manifest: Manifest, sample: str, outputs: Mapping[str, np.ndarray[Any, Any]], tasks: Tasks
) -> str:
    """Return the prediction for a sample, and its labels."""
    row = list(manifest.ids).index(sample)
    labels = {name: column[row] for name, column in manifest.labels.items()}
    told = [
        f"{name} {_plain(tasks[name].describe(np.asarray(output)))}"
        + ("" if labels.get(name) is None else f" (label: {labels[name]})")
        for name, output in outputs.items()
    ]
    return f"example: sample {sample}: {'; '.join(told)}"


def _plain(prediction: Mapping[str, Any]) -> str:
    """Return the answer, without the probabilities of all others."""
    answer = next(iter(prediction.values()), "")
    probabilities = prediction.get("probabilities")
    if isinstance(probabilities, dict) and answer in probabilities:
        return f"{answer} with probability {probabilities[answer]:.2f}"
    return f"{answer:.4g}" if isinstance(answer, float) else str(answer)


def _train_labels(manifest: Manifest, name: str, task: Task) -> np.ndarray[Any, Any]:
    labels = manifest.labels.get(name, [None] * len(manifest))
    return task.encode([labels[row] for row in manifest.rows_of(Split.TRAIN)])
