"""Samples per second of training BERT and ResNet-50 with the fusion, against a plain loop.

    python -m benchmarks.finetune [--json] [--rounds 3]

Both train networks of the same shapes, with random weights, on the same batch, which lies on the
device: tokens and pixels in, all weights trained by AdamW. On a GPU they are BERT-base (128 tokens)
and ResNet-50 (224 x 224), the forward pass is in bfloat16, and 'settings' holds the share of the
matrix rate measured in the same run. Without a GPU the batch is small and the figures say only that
the code runs.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from transformers import BertConfig, BertModel, ResNetConfig, ResNetModel

from benchmarks.report import Comparison, parse, tell
from mmray.config.model.model import ModelConfig
from mmray.config.model.pretrained import HFImageEncoderConfig, HFTextEncoderConfig
from mmray.config.task.task import ClassificationConfig
from mmray.config.training.train import TrainConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.build import build_model
from mmray.models.encoders.pretrained.base import Settings
from mmray.training.data.batch import Batch
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.plan import TrainPlan
from mmray.training.loop.step import train_step
from mmray.training.modalities.modalities import Modalities
from mmray.training.optimisation.optimizer import build_optimizer
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.classification import ClassificationTask

HAS_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if HAS_GPU else "cpu")
BATCH, TOKENS, SIDE, STEPS, WARM = (128, 128, 224, 20, 5) if HAS_GPU else (2, 32, 64, 2, 1)
BERT, RESNET = BertConfig(), ResNetConfig()
CLASSES = tuple("abcdefghij")
TASKS = {"label": ClassificationTask(ClassificationConfig(column="label"), CLASSES)}
# ImageNet's mean and deviation, as the checkpoints' preprocessing has them.
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
FACTS = {
    "text": {"pad": 0},
    "image": {
        "slope": (1 / 255 / DEVIATION).tolist(),
        "black": (-MEAN / DEVIATION).tolist(),
        "has_pooler": True,
    },
}


def make_samples() -> Samples:
    """Return one batch of random tokens and pixels."""
    generator = np.random.default_rng(0)
    present = np.ones(BATCH, dtype=bool)
    text = FeatureSpec(Kind.TEXT, "tokens", (TOKENS,), "int32", BERT.vocab_size)
    image = FeatureSpec(Kind.IMAGE, "pixels", (SIDE, SIDE, 3), "uint8")
    ids = generator.integers(1, BERT.vocab_size, BATCH * TOKENS, dtype=np.int32)
    pixels = generator.integers(0, 256, (BATCH, SIDE, SIDE, 3), dtype=np.uint8)
    return Samples(
        [str(row) for row in range(BATCH)],
        {
            "text": ModalityFeatures(text, ids, np.arange(BATCH + 1) * TOKENS, present),
            "image": ModalityFeatures(image, pixels, None, present),
        },
        {"label": generator.integers(0, len(CLASSES), BATCH)},
    )


def our_step(samples: Samples, batch: Batch) -> Callable[[], Any]:
    """Return the product's own step."""
    with tempfile.TemporaryDirectory() as folder:
        for name, config in (("text", BERT), ("image", RESNET)):
            Settings(config, FACTS[name]).save(Path(folder) / name)
        model = build_model(
            ModelConfig(width=256),
            {"text": HFTextEncoderConfig(model="x"), "image": HFImageEncoderConfig(model="x")},
            {name: features.spec for name, features in samples.modalities.items()},
            {"label": len(CLASSES)},
            saved=Path(folder),
        )
    model.to(DEVICE)
    config = TrainConfig(batch_size=BATCH)
    plan = TrainPlan(TASKS, samples, samples, config, WorkerContext(device=DEVICE))
    optimizer = build_optimizer(model, config)
    modalities = Modalities(model, plan)
    view = modalities.view.train()
    return lambda: train_step(view, optimizer, plan, batch, modalities)


class Plain(nn.Module):
    """The two networks, their vectors side by side, one hidden layer."""

    def __init__(self) -> None:
        super().__init__()
        self.text = BertModel(BERT, add_pooling_layer=False)
        self.image = ResNetModel(RESNET)
        self.head = nn.Sequential(
            nn.Linear(BERT.hidden_size + RESNET.hidden_sizes[-1], 256),
            nn.GELU(),
            nn.Linear(256, len(CLASSES)),
        )

    def forward(self, ids: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        text = self.text(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state[:, 0]
        image = self.image(pixel_values=pixels).pooler_output.flatten(1)
        return self.head(torch.cat([text, image], dim=1))


def plain_step(batch: Batch) -> Callable[[], Any]:
    """Return the step of a loop as one writes it with transformers alone."""
    model = Plain().to(DEVICE).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    ids = batch.features["text"].values.long()
    mean = torch.tensor(MEAN, dtype=torch.float32, device=DEVICE)[:, None, None]
    deviation = torch.tensor(DEVIATION, dtype=torch.float32, device=DEVICE)[:, None, None]

    def step() -> None:
        pixels = batch.features["image"].values.permute(0, 3, 1, 2).float() / 255
        with torch.autocast(DEVICE.type, dtype=torch.bfloat16, enabled=HAS_GPU):
            logits = model(ids, (pixels - mean) / deviation)
        loss = nn.functional.cross_entropy(logits.float(), batch.labels["label"])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def samples_per_s(step: Callable[[], Any]) -> float:
    """Return the rate of ``STEPS`` steps after some that warm up."""
    for _ in range(WARM):
        step()
    synchronise()
    started = time.perf_counter()
    for _ in range(STEPS):
        step()
    synchronise()
    return STEPS * BATCH / (time.perf_counter() - started)


def matrix_flops() -> float:
    """Return the best rate of large bfloat16 matrix products, in operations per second."""
    best = 0.0
    for size in (4096, 8192):
        one, other = (torch.randn(size, size, device=DEVICE, dtype=torch.bfloat16) for _ in "ab")
        for _ in range(5):
            torch.mm(one, other)
        synchronise()
        started = time.perf_counter()
        for _ in range(30):
            torch.mm(one, other)
        synchronise()
        best = max(best, 30 * 2 * size**3 / (time.perf_counter() - started))
    return best


def synchronise() -> None:
    """Wait for the GPU, if there is one."""
    if HAS_GPU:
        torch.cuda.synchronize()


def on_gpu(rate: float, step: Callable[[], Any]) -> dict[str, Any]:
    """Return what of the GPU's measured matrix rate the training uses."""
    if not HAS_GPU:
        return {"gpu": "none: the figures say only that the code runs"}
    with FlopCounterMode(display=False) as counter:
        step()
    used, peak = counter.get_total_flops() / BATCH * rate, matrix_flops()
    return {
        "gpu": torch.cuda.get_device_name(),
        "tflops": round(used / 1e12, 1),
        "matrix_tflops": round(peak / 1e12, 1),
        "share_of_matrix_rate": round(used / peak, 3),
        "memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 1),
    }


def main() -> None:
    """Measure both ways in turn."""
    options = parse(__doc__ or "")
    torch.manual_seed(0)
    if not HAS_GPU:
        torch.set_num_threads(1)
    samples = make_samples()
    batch = samples.batch(np.arange(BATCH)).to(DEVICE)
    ways = our_step(samples, batch), plain_step(batch)
    rates: tuple[list[float], list[float]] = [], []
    for _ in range(options.rounds):
        for way, found in zip(ways, rates, strict=True):
            found.append(samples_per_s(way))
    ours, other = rates
    tell(
        Comparison(
            name="finetune",
            claim="BERT-base and ResNet-50 trained with the fusion, against a plain loop"
            + ("" if HAS_GPU else " (NO GPU HERE: a small batch in float32 on one thread)"),
            unit="samples/s",
            ours=ours,
            other=other,
            other_name="transformers' networks and one hidden layer in a bare PyTorch loop",
            is_larger_better=True,
            settings={
                "batch": BATCH, "tokens": TOKENS, "side": SIDE, "steps": STEPS,
                "precision": "bfloat16" if HAS_GPU else "float32", "rounds": options.rounds,
            } | on_gpu(max(ours), ways[0]),
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
