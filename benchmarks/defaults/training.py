"""One model of one corpus with one seed, trained in this process."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.defaults.corpora import Corpus, Draw, take
from benchmarks.defaults.settings import STANDARDISE, Settings, model_config, train_config
from mmray.models.build import build_model
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.data.statistics import fit_statistics, moments
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.predict import predict

TASK = "label"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one training came to."""

    hits: str
    """A ``1`` per test sample whose class is right, in the order of the samples' ids."""
    epochs: int
    best_epoch: int
    seconds: float


def train(corpus: Corpus, modalities: Sequence[str], settings: Settings, *, seed: int) -> Outcome:
    """Train on each fold, and evaluate on its test split."""
    started = time.monotonic()
    right: dict[str, bool] = {}
    epochs, best = [], []
    for draw in corpus.draw(seed):
        hits, report = _train_once(corpus, modalities, settings, draw, seed)
        right |= hits
        epochs.append(report.stopped_after)
        best.append(report.best_epoch + 1)
    hits = "".join(str(int(right[sample])) for sample in sorted(right))
    seconds = time.monotonic() - started
    return Outcome(hits, int(np.mean(epochs)), int(np.mean(best)), round(seconds, 2))


def _train_once(
    corpus: Corpus, modalities: Sequence[str], settings: Settings, draw: Draw, seed: int
) -> tuple[dict[str, bool], Any]:
    config = train_config(settings).model_copy(update={"seed": seed})
    learned, val, test = (only(samples, modalities) for samples in draw)
    learned, val = (take(part, np.flatnonzero(part.has_payload)) for part in (learned, val))
    if settings.get(STANDARDISE):
        learned, val, test = standardised(learned, val, test)
    torch.manual_seed(seed)
    model = build_model(
        model_config(settings),
        {name: corpus.encoders[name] for name in modalities},
        {name: features.spec for name, features in learned.modalities.items()},
        {name: task.head for name, task in corpus.tasks.items()},
    )
    fit_statistics(model, learned)
    auxiliary = settings["model.auxiliary"]
    plan = TrainPlan(corpus.tasks, learned, val, config, auxiliary=auxiliary)
    report = fit(model, plan, wrap=lambda view: view, on_epoch=lambda _: None)
    outputs = predict(
        model, test, corpus.tasks, batch_size=config.batch_size, device=torch.device("cpu")
    )
    hits = outputs[TASK].argmax(axis=1) == test.labels[TASK]
    return dict(zip(test.ids, hits.tolist(), strict=True)), report


def only(samples: Samples, modalities: Sequence[str]) -> Samples:
    """Return the samples with some of their modalities."""
    kept = {name: samples.modalities[name] for name in modalities}
    return Samples(samples.ids, kept, samples.labels)


def standardised(*splits: Samples) -> list[Samples]:
    """Return splits whose vectors have the first one's mean zero and deviation one."""
    found = [dict(samples.modalities) for samples in splits]
    for name, features in splits[0].modalities.items():
        if features.spec.layout != "vector":
            continue
        mean, variance, _ = moments(features)
        deviation = np.sqrt(variance.numpy())
        deviation[deviation < 1e-6] = 1.0
        for modalities in found:
            old = modalities[name]
            values = ((old.values - mean.numpy()) / deviation).clip(-10, 10).astype(np.float32)
            modalities[name] = ModalityFeatures(old.spec, values, old.offsets, old.present)
    return [
        Samples(samples.ids, modalities, samples.labels)
        for samples, modalities in zip(splits, found, strict=True)
    ]
