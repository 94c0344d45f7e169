"""Which fusion learns what only two modalities together can tell.

    python -m benchmarks.interaction [--json] [--rounds 3]

Each modality has eight numbers whose sum is positive or negative, and the
label is whether the two signs agree: either modality alone, and any sum of what each of them says,
is as good as chance. All fusions have the same linear encoders, data, batches and steps; accuracy
is on samples that no training saw. One thread.
"""

import json
import os
import statistics
import time
from typing import NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from pydantic import TypeAdapter
from torch import Tensor
from torch.nn import functional as F

from benchmarks.report import hardware, parse
from mmray.config.model.encoder import LinearEncoderConfig
from mmray.config.model.model import FusionConfig, ModelConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.build import build_model
from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion_model import FusionModel

SIZE, WIDTH = 8, 16
TRAIN, TEST, BATCH, STEPS, RATE = 2048, 1024, 128, 100, 1e-2
SPEC = FeatureSpec(Kind.TABLE, "vector", (SIZE,), "float32")
KINDS = (
    "concat", "gated", "gmu", "low_rank", "tensor", "attention", "transformer", "cross_attention",
    "bottleneck", "perceiver", "experts", "film", "late",
)  # fmt: skip


class Outcome(NamedTuple):
    """What one training came to."""

    accuracy: float
    parameters: int
    """Of the fusion and the head."""
    steps_per_s: float


class Sample(NamedTuple):
    """Signs to agree or not. Axes: B batch, F feature."""

    left: Tensor
    right: Tensor
    label: Tensor
    """(B,), 1 where the signs agree."""


def make_samples(count: int, *, seed: int) -> Sample:
    """Return values at least one away from the border of each modality's sign."""
    generator = torch.Generator().manual_seed(seed)
    direction = torch.ones(SIZE) / SIZE**0.5
    values = torch.randn(2, count, SIZE, generator=generator)
    signs = (values @ direction).sign()  # (2, B)
    values = values + signs[..., None] * direction
    return Sample(values[0], values[1], (signs[0] == signs[1]).long())


def make_model(fusion: FusionConfig, *, seed: int) -> FusionModel:
    """Build the product's own model, without dropout."""
    torch.manual_seed(seed)
    names = ("left", "right")
    return build_model(
        ModelConfig(width=WIDTH, fusion=fusion, dropout=0.0, modality_dropout=0.0),
        dict.fromkeys(names, LinearEncoderConfig()),
        dict.fromkeys(names, SPEC),
        {"agree": 2},
    )


def outputs(model: FusionModel, samples: Sample) -> Tensor:
    """Return the logits (B, 2) of samples that lack nothing."""
    features = {
        "left": FeatureBatch(samples.left, None),
        "right": FeatureBatch(samples.right, None),
    }
    return model(features, torch.ones(len(samples.label), 2, dtype=torch.bool))["agree"]


def learn(fusion: FusionConfig, *, seed: int, steps: int = STEPS) -> Outcome:
    """Train for some steps and evaluate on new samples."""
    train, test = make_samples(TRAIN, seed=seed), make_samples(TEST, seed=seed + 1000)
    model = make_model(fusion, seed=seed).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    started = time.monotonic()
    for _ in range(steps):
        rows = torch.randint(TRAIN, (BATCH,))
        batch = Sample(*(part[rows] for part in train))
        loss = F.cross_entropy(outputs(model, batch), batch.label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    speed = steps / (time.monotonic() - started)
    with torch.inference_mode():
        right = outputs(model.eval(), test).argmax(dim=1) == test.label
    learnt = [p for name, p in model.named_parameters() if name.startswith(("fusion.", "heads."))]
    return Outcome(right.float().mean().item(), sum(p.numel() for p in learnt), speed)


def main() -> None:
    """Train every fusion in turn, as often as asked, and print the medians."""
    options = parse(__doc__ or "")
    torch.set_num_threads(1)
    rounds: dict[str, list[Outcome]] = {kind: [] for kind in KINDS}
    for seed in range(options.rounds):
        for kind in KINDS:
            fusion = TypeAdapter(FusionConfig).validate_python({"kind": kind})
            rounds[kind].append(learn(fusion, seed=seed))
    table = {
        kind: {
            "accuracy": statistics.median(found.accuracy for found in outcomes),
            "lowest": min(found.accuracy for found in outcomes),
            "parameters": outcomes[0].parameters,
            "steps_per_s": statistics.median(found.steps_per_s for found in outcomes),
        }
        for kind, outcomes in rounds.items()
    }
    settings = {
        "width": WIDTH, "batch_size": BATCH, "steps": STEPS, "lr": RATE, "train": TRAIN,
        "test": TEST, "rounds": options.rounds, "threads": 1,
    }  # fmt: skip
    if options.json:
        found = {"name": "interaction", "fusions": table, "settings": settings}
        print(json.dumps(found | {"hardware": hardware()}, indent=2))
        return
    print(f"{'fusion':<16}{'accuracy':>9}{'lowest':>8}{'parameters':>12}{'steps/s':>9}")
    for kind, row in table.items():
        print(
            f"{kind:<16}{row['accuracy']:>9.3f}{row['lowest']:>8.3f}{row['parameters']:>12,}"
            f"{row['steps_per_s']:>9.0f}"
        )
    print(f"settings: {json.dumps(settings)}")
    print(f"hardware: {json.dumps(hardware())}")


if __name__ == "__main__":
    main()
