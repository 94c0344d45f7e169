"""The fusion with every subset of its modalities. Axes: N samples."""

import numpy as np
import torch

from mmray.evaluation.ablation import MAX_MODALITIES, subset_name, subsets_of
from mmray.evaluation.evaluate import EvaluationResult
from mmray.models.fusion_model import FusionModel
from mmray.training.data.samples import Samples
from mmray.training.loop.predict import decode_all, raw_outputs
from mmray.training.modalities.subset_model import ModalitySubsetModel, parts_in_order
from mmray.training.tasks.build import independent_tasks
from mmray.training.tasks.task import Tasks

Ablation = dict[str, dict[str, EvaluationResult]]
"""By task and subset."""


def ablate(
    model: FusionModel, samples: Samples, tasks: Tasks, *, batch_size: int, device: torch.device
) -> Ablation:
    """Evaluate, by task and subset, the main metric over all labelled samples.

    The encoders run once. A sample without any modality of a subset is evaluated too. There is no
    table for one modality or for more than ``MAX_MODALITIES``, nor for an alignment.
    """
    modalities, tasks = tuple(samples.modalities), independent_tasks(tasks)
    if not tasks or not 2 <= len(modalities) <= MAX_MODALITIES:
        return {}
    subsets = subsets_of(modalities)
    view = ModalitySubsetModel(model, subsets).train(model.training)
    order, outputs = raw_outputs(view, samples, batch_size=batch_size, device=device)
    found: Ablation = {}
    parts = parts_in_order(order, outputs, tasks, len(subsets))
    for subset, part in zip(subsets, parts, strict=True):
        for name, decoded in decode_all(part, tasks).items():
            rows = np.flatnonzero(samples.labelled(name))
            if len(rows):
                statistic = tasks[name].main_statistic(decoded[rows], samples.labels[name][rows])
                result = EvaluationResult({}, {}, len(rows), statistic)
                found.setdefault(name, {})[subset_name(subset)] = result
    return found
