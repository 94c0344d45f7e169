"""Small samples and models for tests."""

import numpy as np
import torch

from mmray.config.model.encoder import CnnEncoderConfig, LinearEncoderConfig, LstmEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.config.task.task import ClassificationConfig, RegressionConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.build import build_model
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.tasks.classification import ClassificationTask
from mmray.training.tasks.regression import RegressionTask

SPECS = {
    "vector": FeatureSpec(Kind.TEXT, "vector", (6,), "float32"),
    "sequence": FeatureSpec(Kind.AUDIO, "sequence", (12, 5), "float32"),
    "tokens": FeatureSpec(Kind.TEXT, "tokens", (12,), "int32", vocabulary=20),
    "pixels": FeatureSpec(Kind.IMAGE, "pixels", (8, 12, 3), "uint8"),
    "frames": FeatureSpec(Kind.VIDEO, "frames", (12, 8, 12, 3), "uint8"),
}
TASKS = {
    "digit": ClassificationTask(ClassificationConfig(column="d"), ("0", "1", "2")),
    "rate": RegressionTask(RegressionConfig(column="r", weight=0.5), 4.0, 2.0),
}


def make_values(spec: FeatureSpec, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if spec.layout == "tokens":
        return rng.integers(1, spec.vocabulary, shape, dtype=np.int32)
    if spec.layout in ("pixels", "frames"):
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.normal(size=shape).astype(np.float32)


def make_features(spec: FeatureSpec, present: np.ndarray, seed: int = 0) -> ModalityFeatures:
    rng = np.random.default_rng(seed)
    if not spec.is_ragged:
        values = make_values(spec, rng, (len(present), *spec.shape))
        return ModalityFeatures(spec, values, None, present)
    lengths = np.where(present, rng.integers(1, spec.shape[0] + 1, len(present)), 0)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = make_values(spec, rng, (int(offsets[-1]), *spec.shape[1:]))
    return ModalityFeatures(spec, values, offsets, present)


def make_samples(count: int, *, seed: int = 0, absent: float = 0.2, unlabelled: float = 0.2):
    """Text, pixels and a sequence; the digit and the rate follow from the text's vector."""
    rng = np.random.default_rng(seed)
    names = {"text": "vector", "image": "pixels", "audio": "sequence"}
    modalities = {
        name: make_features(SPECS[layout], rng.random(count) >= absent, seed)
        for name, layout in names.items()
    }
    vector = modalities["text"].values
    digit = vector[:, :3].argmax(axis=1).astype(np.int64)
    digit[rng.random(count) < unlabelled] = -1
    rate = (vector[:, 3] - vector.mean(axis=1)) / vector.std(axis=1)
    rate[rng.random(count) < unlabelled] = np.nan
    return Samples([f"s{i}" for i in range(count)], modalities, {"digit": digit, "rate": rate})


def make_model(samples: Samples, *, seed: int = 0, dropout: float = 0.0, fusion=None):
    torch.manual_seed(seed)
    config = ModelConfig(width=16, dropout=dropout, modality_dropout=dropout)
    if fusion is not None:
        config = config.model_copy(update={"fusion": fusion})
    encoders = {
        "text": LinearEncoderConfig(),
        "image": CnnEncoderConfig(channels=(8,)),
        "audio": LstmEncoderConfig(hidden=8),
    }
    specs = {name: features.spec for name, features in samples.modalities.items()}
    heads = {name: task.head for name, task in TASKS.items()}
    return build_model(config, encoders, specs, heads)
