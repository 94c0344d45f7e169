"""Corpora of numbers that `collapse` and `interaction` generate, and one with much noise."""

import numpy as np

from benchmarks import collapse, interaction
from mmray.config.model.encoder import EncoderConfig, LinearEncoderConfig, MlpEncoderConfig
from mmray.config.task.task import ClassificationConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.tasks.classification import ClassificationTask
from mmray.training.tasks.task import Tasks

MLP = MlpEncoderConfig()
TABLES: dict[str, EncoderConfig] = {"fast": MLP, "slow": MLP}
SIDES: dict[str, EncoderConfig] = {"left": LinearEncoderConfig(), "right": LinearEncoderConfig()}
SIGNAL: dict[str, EncoderConfig] = {"signal": MLP, "noise": MLP, "more_noise": MLP}
SIZES = {"signal": 8, "noise": 32, "more_noise": 64}


def two_classes() -> Tasks:
    """Return the task of two of the corpora."""
    return {"label": ClassificationTask(ClassificationConfig(column="label"), ("0", "1"))}


def make_interaction(count: int, *, seed: int) -> Samples:
    """Return samples whose label two modalities tell together only."""
    made = interaction.make_samples(count, seed=seed)
    values = {"left": made.left.numpy(), "right": made.right.numpy()}
    return _samples(values, made.label.numpy())


def make_noise(count: int, *, seed: int) -> Samples:
    """Return samples of which one modality shows the class, and two show nothing."""
    generator = np.random.default_rng([17, seed])
    labels = generator.integers(0, 2, count)
    values = {n: generator.normal(size=(count, size)) for n, size in SIZES.items()}
    values["signal"][:, :4] += 0.8 * (2 * labels[:, None] - 1)
    return _samples(values, labels)


def make_collapse(count: int, *, seed: int) -> Samples:
    """Return samples whose better modality is learned slowly."""
    return collapse.make_samples(count, seed=seed)


def _samples(values: dict[str, np.ndarray], labels: np.ndarray) -> Samples:
    here = np.ones(len(labels), dtype=bool)
    modalities = {
        name: ModalityFeatures(
            FeatureSpec(Kind.TABLE, "vector", (array.shape[1],), "float32"),
            array.astype(np.float32),
            None,
            here,
        )
        for name, array in values.items()
    }
    return Samples([str(row) for row in range(len(labels))], modalities, {"label": labels})
