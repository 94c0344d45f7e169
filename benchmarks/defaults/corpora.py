"""The corpora: what a training with one seed starts from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.collapse import TASKS
from benchmarks.defaults import generated, media
from mmray.config.model.encoder import EncoderConfig
from mmray.core.kind import Split
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.tasks.task import Tasks

FOLDS, TEST = 4, 600


class Draw(NamedTuple):
    """The samples of one training."""

    train: Samples
    val: Samples
    test: Samples


@dataclass(frozen=True, slots=True)
class Corpus:
    """A corpus of one size."""

    name: str
    tasks: Tasks
    encoders: Mapping[str, EncoderConfig]
    draw: Callable[[int], list[Draw]]
    """From a seed: one set of splits, or several folds whose test splits add up."""


def corpora(work: Path, parts: Path | None) -> dict[str, Callable[[], Corpus]]:
    """Return what opens each corpus, by name; those of real media need ``parts``."""
    found: dict[str, Callable[[], Corpus]] = {}
    if parts is not None:
        found |= _of_media(work, parts)
    makers = {
        "collapse": (generated.make_collapse, generated.TABLES, TASKS, (250, 1000, 3000)),
        "interaction": (
            generated.make_interaction, generated.SIDES, generated.two_classes(), (250, 1000),
        ),
        "noise": (generated.make_noise, generated.SIGNAL, generated.two_classes(), (24, 100, 400)),
    }  # fmt: skip
    for name, (make, encoders, tasks, sizes) in makers.items():
        for size in sizes:
            draw = partial(_generate, make, size)
            label = f"{name}/{size}"
            found[label] = partial(Corpus, label, tasks, encoders, draw)
    return found


def _of_media(work: Path, parts: Path) -> dict[str, Callable[[], Corpus]]:
    documents: dict[str, tuple[Callable[[], dict[str, Any]], tuple[int, ...]]] = {
        "embedded": (partial(media.embedded, work, parts, is_frozen=False), (80, 400)),
        "embedded frozen": (
            partial(media.embedded, work, parts, is_frozen=True),
            (24, 80, 400, 2000),
        ),
        "av_mnist": (partial(media.av_mnist, work, parts, has_notes=False), (400,)),
        "av_mnist notes": (partial(media.av_mnist, work, parts, has_notes=True), (100, 400)),
        "fsdd notes": (partial(media.fsdd, work, parts), (200, 1000)),
        "cxr": (partial(media.cxr, work, parts, is_frozen=False), (71,)),
        "cxr frozen": (partial(media.cxr, work, parts, is_frozen=True), (71,)),
    }
    found: dict[str, Callable[[], Corpus]] = {}
    for name, (document, sizes) in documents.items():
        load = cache(lambda document=document: media.load_pool(document(), work))
        for size in sizes:
            label = f"{name}/{size}"
            found[label] = partial(_open, label, load, size, is_folded=name.startswith("cxr"))
    return found


def _open(name: str, load: Callable[[], media.Pool], size: int, *, is_folded: bool) -> Corpus:
    pool = load()
    draw = partial(_fold, pool) if is_folded else partial(_subset, pool, size)
    return Corpus(name, pool.tasks, pool.encoders, draw)


def _generate(make: Callable[..., Samples], size: int, seed: int) -> list[Draw]:
    val = max(8, size // 5)
    return [
        Draw(
            make(size, seed=3 * seed + 1), make(val, seed=3 * seed + 2), make(TEST, seed=1_000_000)
        )
    ]


def _subset(pool: media.Pool, size: int, seed: int) -> list[Draw]:
    """Return a draw from train and a fifth as many from val; test is complete."""
    train, val = pool.splits[Split.TRAIN], pool.splits[Split.VAL]
    return [
        Draw(
            take(train, _some(len(train), size, seed)),
            take(val, _some(len(val), max(8, size // 5), seed)),
            pool.splits[Split.TEST],
        )
    ]


def _fold(pool: media.Pool, seed: int) -> list[Draw]:
    """Return folds whose test splits are all samples; a sixth of the rest evaluates epochs."""
    samples = pool.splits[Split.TRAIN]
    rows = np.random.default_rng([23, seed]).permutation(len(samples))
    draws = []
    for fold in range(FOLDS):
        test = rows[fold::FOLDS]
        rest = rows[~np.isin(rows, test)]
        draws.append(Draw(take(samples, rest[9:]), take(samples, rest[:9]), take(samples, test)))
    return draws


def _some(count: int, size: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng([19, seed]).permutation(count)[:size])


def take(samples: Samples, rows: np.ndarray) -> Samples:
    """Return some of the samples."""
    return Samples(
        [samples.ids[row] for row in rows],
        {name: _take(features, rows) for name, features in samples.modalities.items()},
        {task: values[rows] for task, values in samples.labels.items()},
    )


def _take(features: ModalityFeatures, rows: np.ndarray) -> ModalityFeatures:
    offsets, values = features.offsets, features.values
    if offsets is None:
        return ModalityFeatures(features.spec, values[rows], None, features.present[rows])
    parts = [values[offsets[row] : offsets[row + 1]] for row in rows]
    ends = np.cumsum([0, *(len(part) for part in parts)])
    return ModalityFeatures(features.spec, np.concatenate(parts), ends, features.present[rows])
