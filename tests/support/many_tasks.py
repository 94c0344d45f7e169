"""Samples with one generated rule per kind of task, labels partly missing, and their training."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmray.config.model.encoder import MlpEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.training.train import TrainConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.build import build_model
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.parallel.sharded import shard
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.alignment import AlignmentTask
from mmray.training.tasks.build import fit_task
from tests.support.training import ignore

SPECS = {
    "text": FeatureSpec(Kind.TEXT, "vector", (6,), "float32"),
    "image": FeatureSpec(Kind.IMAGE, "vector", (5,), "float32"),
}
SIZE = 4


def make_labels(hidden, unlabelled, rng):
    """Labels of every kind that follow from what both modalities show."""
    a, b, c, d = hidden.T
    labels = {
        "classification": [("cat", "dog", "owl")[i] for i in hidden[:, :3].argmax(axis=1)],
        "binary": ["yes" if x > 0.5 else "no" for x in a],
        "multilabel": [
            [name for name, on in zip("xyz", row > 0.3, strict=True) if on] for row in hidden[:, :3]
        ],
        "ordinal": [str(int(np.digitize(x, (-1.0, 0.0, 1.0)))) for x in b],
        "regression": [10.0 + 3.0 * x for x in c],
        "alignment": [None] * len(d),
    }
    return {
        kind: [None if rng.random() < unlabelled else label for label in column]
        for kind, column in labels.items()
    }


def make_parts(configs, *, train=300, val=120, unlabelled=0.3, absent=0.1, seed=0):
    """Return the tasks and the samples of both splits; ``configs`` are by kind."""
    rng = np.random.default_rng(seed)
    count = train + val
    hidden = rng.normal(size=(count, SIZE))
    present = rng.random((count, len(SPECS))) >= absent
    modalities = {}
    for context, (name, spec) in enumerate(SPECS.items()):
        mixed = hidden @ rng.normal(size=(SIZE, *spec.shape))
        values = (mixed + 0.1 * rng.normal(size=mixed.shape)).astype(np.float32)
        modalities[name] = (spec, values, present[:, context])
    labels = make_labels(hidden, unlabelled, rng)
    tasks = {kind: fit_task(config, labels[kind][:train], tuple(SPECS))
             for kind, config in configs.items()}  # fmt: skip

    def part(rows):
        encoded = {kind: task.encode(labels[kind][rows]) for kind, task in tasks.items()}
        for kind, task in tasks.items():
            if isinstance(task, AlignmentTask):
                encoded[kind] = task.paired(encoded[kind], present[rows])
        return Samples(
            [f"s{n}" for n in range(count)[rows]],
            {
                name: ModalityFeatures(spec, values[rows], None, there[rows])
                for name, (spec, values, there) in modalities.items()
            },
            encoded,
        )

    return tasks, part(slice(0, train)), part(slice(train, count))


def make_model(tasks, config, *, seed=0, **model):
    torch.manual_seed(seed)
    return build_model(
        ModelConfig(**{"width": 16, "dropout": 0.0, "modality_dropout": 0.0} | model),
        {name: MlpEncoderConfig(hidden=(32,), dropout=0.0) for name in SPECS},
        SPECS,
        {name: task.head for name, task in tasks.items()},
        config.task_weighting,
    )


def train(configs, *, config=None, context=None, folder=None, wrap=None, on_epoch=ignore, **parts):
    """Train on generated samples; return model, plan and report."""
    tasks, train_part, val_part = make_parts(configs, **parts)
    config = config or TrainConfig(epochs=30, batch_size=32, lr=1e-2)
    plan = TrainPlan(
        tasks, train_part, val_part, config, context or WorkerContext(), folder, auxiliary=0.2
    )
    model = make_model(tasks, config)
    report = fit(model, plan, wrap=wrap or (lambda view: view), on_epoch=on_epoch)
    return model, plan, report


def run_worker(rank, world, folder, configs, config):
    """One of several processes that train with DDP or FSDP."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=world
    )
    model, _, report = train(
        configs, config=config, context=WorkerContext(rank, world),
        wrap=shard if config.parallel == "fsdp" else DistributedDataParallel,
        train=63, val=30,
    )  # fmt: skip
    if rank == 0:
        metrics = [record.metrics for record in report.records]
        torch.save((model.state_dict(), metrics), Path(folder, "found.pt"))
    dist.destroy_process_group()
    os._exit(0)
