"""The picture encoder ``cnn``: the cost of a step, and what it learns, by the order of a block.

    python -m benchmarks.image_cnn [--json] [--rounds 3] [--mnist FOLDER]

``after`` halves at the end of a block, as the encoder did at first; ``first`` halves before the
normalisation and the activation, as it does now, so that both see a quarter of the values.
``strided``: besides, the first convolution halves by itself.

A step is forward, backward and AdamW over 32 pictures, in one thread; the ways take turns of one
step, and what counts is the processor time of the thread. Then every way is trained by the
product's own loop, from the same seeds, on photos of the embedded corpus and, where its folder is
given, on a part of MNIST; the epoch that is best on the validation split is evaluated on the test
split. Rounds are seeds.
"""

import argparse
import gzip
import json
import logging
import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import nn

from benchmarks.report import add_options, hardware
from mmray.config.modality.image import ImageConfig, PixelsConfig
from mmray.config.model.encoder import CnnEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.task.task import ClassificationConfig
from mmray.config.training.train import ObjectiveConfig, TrainConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.data.demo_corpus.handwriting import load_scans, make_textures, take_photo
from mmray.data.demo_corpus.plan import plan_samples
from mmray.features.build import build_extractor
from mmray.models.build import build_model
from mmray.models.encoders.cnn import num_groups
from mmray.models.fusion_model import FusionModel
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.validation import validate
from mmray.training.tasks.classification import ClassificationTask

CLASSES = tuple("0123456789")
TASKS = {"digit": ClassificationTask(ClassificationConfig(column="digit"), CLASSES)}
WAYS = ("after", "first", "strided")
DEFAULT, QUICKSTART = (32, 64, 128), (16, 32, 64, 64)
BATCH, STEPS, EPOCHS, WIDTH, RATE = 32, 15, 12, 96, 2e-3
PHOTOS = 2400
DRAWN = {"train": 2000, "val": 1000, "test": 5000}


@dataclass(frozen=True, slots=True)
class Setting:
    """Pictures, and the channels of the encoder over them."""

    channels: tuple[int, ...]
    splits: Mapping[str, Samples]


def blocks(way: str, channels: tuple[int, ...], kernel: int = 3) -> nn.Sequential:
    """Return the blocks of the encoder, in the order of ``way``."""
    layers: list[nn.Module] = []
    for size_in, size_out in pairwise((3, *channels)):
        halves = way == "strided" and not layers
        stride = 2 if halves else 1
        convolve = nn.Conv2d(size_in, size_out, kernel, padding=kernel // 2, stride=stride)
        norm = nn.GroupNorm(num_groups(size_out), size_out)
        pool = nn.Identity() if halves else nn.MaxPool2d(2, ceil_mode=True)
        after, first = (norm, nn.GELU(), pool), (pool, norm, nn.GELU())
        layers += [convolve, *(after if way == "after" else first)]
    return nn.Sequential(*layers)


def build(way: str, channels: tuple[int, ...], side: int) -> FusionModel:
    """Return a model of pictures alone."""
    spec = FeatureSpec(Kind.IMAGE, "pixels", (side, side, 3), "uint8")
    encode = {"image": CnnEncoderConfig(channels=channels, dropout=0.1)}
    model = build_model(ModelConfig(width=WIDTH), encode, {"image": spec}, {"digit": len(CLASSES)})
    model.encoders[0].blocks = blocks(way, channels)
    return model


def seconds_per_step(channels: tuple[int, ...]) -> dict[str, list[float]]:
    """Return the processor time of every step of each way."""
    pictures = torch.randint(0, 256, (BATCH, 64, 64, 3), dtype=torch.uint8)
    encoders = {way: build(way, channels, 64).encoders[0] for way in WAYS}
    rules = {way: torch.optim.AdamW(each.parameters()) for way, each in encoders.items()}
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(STEPS + 2):
        for way, encoder in encoders.items():
            begun = time.thread_time()
            rules[way].zero_grad(set_to_none=True)
            encoder(pictures, None).pooled.square().mean().backward()
            rules[way].step()
            found[way].append(time.thread_time() - begun)
    return {way: seconds[2:] for way, seconds in found.items()}


def as_samples(pictures: np.ndarray, digits: np.ndarray) -> Samples:
    """Return pictures (N, H, W, 3) with their digits."""
    spec = FeatureSpec(Kind.IMAGE, "pixels", pictures.shape[1:], "uint8")
    image = ModalityFeatures(spec, pictures, None, np.ones(len(pictures), dtype=bool))
    ids = [str(row) for row in range(len(pictures))]
    return Samples(ids, {"image": image}, {"digit": digits.astype(np.int64)})


def photos(count: int) -> dict[str, Samples]:
    """Return the photos of the embedded corpus, 64 x 64, by split; none is missing or damaged."""
    config = ImageConfig(column="photo", extract=PixelsConfig(height=64, width=64))
    extractor = build_extractor(config, None)
    scans, textures = load_scans(), make_textures(np.random.default_rng([7, 1]))
    taken: dict[str, list[np.ndarray]] = {"train": [], "val": [], "test": []}
    digits: dict[str, list[int]] = {split: [] for split in taken}
    for plan in plan_samples(count, seed=7):
        rng = np.random.default_rng([7, 2, plan.number, 0])
        payload = take_photo(scans.pixels[plan.scan], textures, rng=rng)
        taken[plan.split].append(extractor.decode(payload))
        digits[plan.split].append(int(scans.digits[plan.scan]))
    return {split: as_samples(np.stack(taken[split]), np.array(digits[split])) for split in taken}


def mnist(folder: Path) -> dict[str, Samples]:
    """Return a part of MNIST by split; validation is from the training pictures."""
    parts = {
        split: _read_mnist(folder, name) for split, name in (("train", "train"), ("test", "t10k"))
    }
    (train, known), (test, asked) = parts["train"], parts["test"]
    end = DRAWN["train"] + DRAWN["val"]
    return {
        "train": as_samples(train[: DRAWN["train"]], known[: DRAWN["train"]]),
        "val": as_samples(train[DRAWN["train"] : end], known[DRAWN["train"] : end]),
        "test": as_samples(test[: DRAWN["test"]], asked[: DRAWN["test"]]),
    }


def _read_mnist(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(folder / f"{name}-images-idx3-ubyte.gz") as stream:
        grey = np.frombuffer(stream.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{name}-labels-idx1-ubyte.gz") as stream:
        digits = np.frombuffer(stream.read(), np.uint8, offset=8)
    return np.repeat(grey[: sum(DRAWN.values()), ..., None], 3, axis=3), digits


def learn(way: str, setting: Setting, *, seed: int) -> float:
    """Return the accuracy on the test split after a training."""
    splits = setting.splits
    config = TrainConfig(
        epochs=EPOCHS, batch_size=BATCH, lr=RATE, seed=seed,
        keep_best=ObjectiveConfig(metric="val/digit/accuracy"),
    )  # fmt: skip
    torch.manual_seed(seed)
    side = splits["train"].modalities["image"].spec.shape[0]
    model = build(way, setting.channels, side)
    plan = TrainPlan(TASKS, splits["train"], splits["val"], config)
    fit(model, plan, wrap=lambda view: view, on_epoch=lambda record: None)
    return validate(model.eval(), splits["test"], plan)["digit/accuracy"]


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--mnist", type=Path, help="the folder of the idx.gz files")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    started = time.monotonic()
    steps = {str(channels): seconds_per_step(channels) for channels in (DEFAULT, QUICKSTART)}
    milliseconds = {
        channels: {way: 1000 * statistics.median(found) for way, found in table.items()}
        for channels, table in steps.items()
    }
    corpora = {"photos": Setting(QUICKSTART, photos(PHOTOS))}
    if options.mnist:
        corpora["mnist"] = Setting(DEFAULT, mnist(options.mnist))
    accuracy = {
        name: {
            way: [learn(way, setting, seed=seed) for seed in range(options.rounds)] for way in WAYS
        }
        for name, setting in corpora.items()
    }
    report(milliseconds, accuracy, as_json=options.json, seconds=time.monotonic() - started)


def report(
    milliseconds: Mapping[str, Mapping[str, float]],
    accuracy: Mapping[str, Mapping[str, list[float]]],
    *,
    as_json: bool,
    seconds: float,
) -> None:
    """Print what was found."""
    settings = {
        "batch": BATCH, "steps": STEPS, "epochs": EPOCHS, "lr": RATE, "width": WIDTH,
        "photos": PHOTOS, "mnist": DRAWN, "threads": 1, "seconds": round(seconds),
    }  # fmt: skip
    ours, other = milliseconds[str(DEFAULT)]["first"], milliseconds[str(DEFAULT)]["after"]
    found: dict[str, Any] = {
        "name": "image_cnn", "ours": ours, "other": other, "ratio": other / ours, "unit": "ms",
        "claim": "processor time of a step of the picture encoder, halving first or last",
        "ms_per_step": milliseconds, "accuracy": accuracy, "settings": settings,
        "hardware": hardware(),
    }  # fmt: skip
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for channels, row in milliseconds.items():
        told = ", ".join(f"{way} {value:.0f}" for way, value in row.items())
        print(f"ms a step of {BATCH} pictures 64 x 64, channels {channels}: {told}")
    for name, table in accuracy.items():
        for way, values in table.items():
            rounds = " ".join(f"{value:.4f}" for value in values)
            print(f"{name:<8}{way:<9}{statistics.mean(values):.4f}  ({rounds})")
    print(f"ratio {found['ratio']:.2f}")
    print(f"settings: {json.dumps(settings)}")
    print(f"hardware: {json.dumps(found['hardware'])}")


if __name__ == "__main__":
    main()
