"""The weights of a model whose embedding has the fitted vocabulary, against the declared one.

    python -m benchmarks.fitted_sizes [--json] [--rounds 1]

The notes of the embedded corpus, 600 samples, through ``tokens`` with its defaults, and the default
LSTM; beside it the default encoders of a photo of 64 x 64 and of speech. A checkpoint holds every
weight three times, with the optimiser's two moments.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.report import Comparison, parse, tell
from mmray.config.modality.text import TextConfig
from mmray.config.model.encoder import CnnEncoderConfig, LstmEncoderConfig
from mmray.config.model.model import ModelConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.data.demo_corpus.handwriting import load_scans
from mmray.data.demo_corpus.notes import write_note
from mmray.data.demo_corpus.plan import plan_samples
from mmray.features.fit import fit_extractor
from mmray.features.spec import fitted_spec, spec_of
from mmray.models.build import build_model

SAMPLES, COPIES, BYTES = 600, 3, 4


def notes() -> list[bytes]:
    """Return the notes of the train split."""
    digits = load_scans().digits
    return [
        write_note(
            int(digits[plan.scan]), rng=np.random.default_rng([7, 2, plan.number, 1])
        ).encode()
        for plan in plan_samples(SAMPLES, seed=7)
        if plan.split == "train" and "text" not in plan.missing
    ]


def weights(text: FeatureSpec) -> int:
    """Return how many weights the model has."""
    specs = {
        "text": text,
        "image": FeatureSpec(Kind.IMAGE, "pixels", (64, 64, 3), "uint8"),
        "audio": FeatureSpec(Kind.AUDIO, "sequence", (81, 40), "float32"),
    }
    encoders = {
        "text": LstmEncoderConfig(), "image": CnnEncoderConfig(), "audio": LstmEncoderConfig()
    }  # fmt: skip
    model = build_model(ModelConfig(), encoders, specs, {"digit": 10})
    return sum(weight.numel() for weight in model.parameters())


def main() -> None:
    """Count and print."""
    options = parse(__doc__ or "")
    torch.manual_seed(0)
    config = TextConfig(column="note")
    with tempfile.TemporaryDirectory() as folder:
        fit_extractor(config, notes(), Path(folder))
        fitted, declared = fitted_spec(config, Path(folder)), spec_of(config)
    ours, other = weights(fitted), weights(declared)
    tell(
        Comparison(
            name="fitted_sizes",
            claim="megabytes of a checkpoint, with as many embeddings as the vocabulary has",
            unit="MB",
            ours=[COPIES * BYTES * ours / 1e6],
            other=[COPIES * BYTES * other / 1e6],
            other_name="as many as extract.vocabulary",
            is_larger_better=False,
            settings={
                "samples": SAMPLES, "ids": fitted.vocabulary, "declared": declared.vocabulary,
                "weights": ours, "weights_declared": other,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
