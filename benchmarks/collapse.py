"""A modality that learns fast holds back a better one: the effect of balancing.

    python -m benchmarks.collapse [--json] [--rounds 3]

Two generated modalities show one of four classes. *fast*: 100 numbers that show the class directly,
but four samples in ten have a random one; the rest is noise, by which a network soon memorises
every training sample. *slow*: the class is two bits, each the product of two signs, hidden in 24
noisy numbers; one sample in ten has a random class. Once *fast* explains the training labels,
rightly or memorised, little gradient is left for *slow*. Every model has the same encoders, fusion,
data and epochs, keeps the epoch that is best on the validation split, and is evaluated on new
samples. One thread.
"""

import json
import logging
import os
import statistics
import time
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from benchmarks.report import hardware, parse
from mmray.config.model.encoder import MlpEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.task.metric import metric_named
from mmray.config.task.task import ClassificationConfig
from mmray.config.training.balance import (
    GradientBlendingConfig,
    MmParetoConfig,
    NoBalanceConfig,
    OgmGeConfig,
)
from mmray.config.training.train import ObjectiveConfig, TrainConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.evaluation.lagging import LagWatch
from mmray.evaluation.metric_text import difference_text
from mmray.models.build import build_model
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.data.statistics import fit_statistics
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.validation import validate
from mmray.training.tasks.classification import ClassificationTask

CLASSES = ("0", "1", "2", "3")
TASKS = {"label": ClassificationTask(ClassificationConfig(column="label"), CLASSES)}
SIZES = {"fast": 100, "slow": 24}
SPECS = {n: FeatureSpec(Kind.TABLE, "vector", (size,), "float32") for n, size in SIZES.items()}
TRAIN, VAL, TEST, EPOCHS, BATCH, RATE = 1024, 512, 2048, 20, 64, 2e-3
WRONG = {"fast": 0.4, "slow": 0.1}
"""Share of the samples of which a modality tells nothing: its class is drawn by lot."""
METHODS: dict[str, tuple[Any, float, float]] = {
    "none": (NoBalanceConfig(), 0.0, 0.0),
    "modality_dropout": (NoBalanceConfig(), 0.0, 0.3),
    "auxiliary": (NoBalanceConfig(), 1.0, 0.0),
    "ogm_ge": (OgmGeConfig(), 0.0, 0.0),
    "gradient_blending": (GradientBlendingConfig(), 0.0, 0.0),
    "mmpareto": (MmParetoConfig(), 0.0, 0.0),
}
"""Name -> ``train.balance``, ``model.auxiliary`` and ``model.modality_dropout``."""


def make_samples(count: int, *, seed: int) -> Samples:
    """Return samples that lack nothing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, count)
    told = {
        name: np.where(rng.random(count) < wrong, rng.integers(0, 4, count), labels)
        for name, wrong in WRONG.items()
    }
    fast = rng.normal(size=(count, SIZES["fast"]))
    fast[:, :4] += 3.0 * np.eye(4)[told["fast"]]
    bits = np.stack([told["slow"] // 2, told["slow"] % 2], axis=1)  # (N, 2)
    first = rng.integers(0, 2, (count, 2))
    signs = 2.0 * np.concatenate([first, first ^ bits], axis=1) - 1.0  # (N, 4)
    slow = rng.normal(size=(count, SIZES["slow"]))
    slow[:, :4] = 1.5 * signs + 0.5 * slow[:, :4]
    values = {"fast": fast.astype(np.float32), "slow": slow.astype(np.float32)}
    here = np.ones(count, dtype=bool)
    modalities = {n: ModalityFeatures(SPECS[n], v, None, here) for n, v in values.items()}
    return Samples([str(row) for row in range(count)], modalities, {"label": labels})


def only(samples: Samples, names: tuple[str, ...]) -> Samples:
    """Return the samples with some modalities."""
    return Samples(samples.ids, {n: samples.modalities[n] for n in names}, samples.labels)


def learn(method: str, names: tuple[str, ...], *, seed: int) -> tuple[dict[str, float], list[str]]:
    """Train one model; return its metrics on new samples, and the warnings of all epochs."""
    balance, auxiliary, dropped = METHODS[method]
    config = TrainConfig(
        epochs=EPOCHS, batch_size=BATCH, lr=RATE, schedule="constant", warmup=0.0, seed=seed,
        balance=balance, keep_best=ObjectiveConfig(metric="val/label/accuracy"),
    )  # fmt: skip
    train, val, test = (
        only(make_samples(size, seed=3 * seed + part), names)
        for part, size in enumerate((TRAIN, VAL, TEST))
    )
    torch.manual_seed(seed)
    model = build_model(
        ModelConfig(width=64, dropout=0.0, modality_dropout=dropped),
        dict.fromkeys(names, MlpEncoderConfig(hidden=(128,), dropout=0.0)),
        {name: SPECS[name] for name in names},
        {"label": 4},
    )
    fit_statistics(model, train)
    watch, warnings = LagWatch({"label": metric_named("accuracy")}, names), list[str]()
    plan = TrainPlan(TASKS, train, val, config, auxiliary=auxiliary)
    fit(
        model,
        plan,
        wrap=lambda view: view,
        on_epoch=lambda record: warnings.extend(watch.hear(method, record.metrics)),
    )
    return validate(model, test, plan), warnings


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    """Return, for each method and each modality trained alone, its accuracies and warnings."""
    table: dict[str, dict[str, Any]] = {}
    jobs = {f"{name} alone": ("none", (name,)) for name in SIZES}
    jobs |= {name: (name, tuple(SIZES)) for name in METHODS}
    for job, (method, names) in jobs.items():
        started = time.monotonic()
        found = [learn(method, names, seed=seed) for seed in range(rounds)]
        row: dict[str, Any] = {"accuracy": [m["label/accuracy"] for m, _ in found]}
        for name in SIZES if len(names) > 1 else ():
            row[name] = [m[f"label/{name}/accuracy"] for m, _ in found]
        row["while_training"] = next((w[0] for _, w in found if w), None)
        row["seconds"] = (time.monotonic() - started) / rounds
        table[job] = row
    return table


def mean(values: list[float]) -> float:
    """Return the mean in percent."""
    return 100 * statistics.mean(values)


def evaluate(table: dict[str, dict[str, Any]], method: str) -> str:
    """Return how a method compares with the best modality trained alone."""
    scores = {n: statistics.mean(table[f"{n} alone"]["accuracy"]) for n in SIZES}
    best = max(scores, key=lambda name: scores[name])
    gain = statistics.mean(table[method]["accuracy"]) - scores[best]
    return f"{difference_text(gain, metric_named('accuracy'))} beside the best modality, {best}"


def shown(values: list[float]) -> str:
    """Return mean and deviation in percent."""
    deviation = 100 * statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{mean(values):7.1f} +- {deviation:4.1f}"


def main() -> None:
    """Measure and print the table."""
    options = parse(__doc__ or "")
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    started = time.monotonic()
    table = measure(options.rounds)
    says = {method: evaluate(table, method) for method in METHODS}
    settings = {
        "train": TRAIN, "val": VAL, "test": TEST, "epochs": EPOCHS, "batch_size": BATCH, "lr": RATE,
        "rounds": options.rounds, "threads": 1, "seconds": round(time.monotonic() - started),
    }  # fmt: skip
    best = max(METHODS, key=lambda method: mean(table[method]["accuracy"]))
    ours, other = mean(table[best]["accuracy"]), mean(table["none"]["accuracy"])
    if options.json:
        found = {
            "name": "collapse", "ours": ours, "other": other, "ratio": ours / other,
            "unit": "% accuracy", "claim": f"{best} against no balance", "table": table,
            "evaluation_says": says, "settings": settings, "hardware": hardware(),
        }  # fmt: skip
        print(json.dumps(found, indent=2))
        return
    print(f"{'':<20}{'accuracy':>15}{'fast inside':>15}{'slow inside':>15}{'s':>7}")
    for name, row in table.items():
        inside = "".join(f"{shown(row[m]) if m in row else '':>15}" for m in SIZES)
        print(f"{name:<20}{shown(row['accuracy']):>15}{inside}{row['seconds']:7.1f}")
    for method, sentence in says.items():
        print(f"{method}: {sentence}")
        if table[method]["while_training"]:
            print(f"  while training: {table[method]['while_training']}")
    print(f"best against none: ratio {ours / other:.3f}")
    print(f"settings: {json.dumps(settings)}")
    print(f"hardware: {json.dumps(hardware())}")


if __name__ == "__main__":
    main()
