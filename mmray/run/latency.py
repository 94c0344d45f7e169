"""How long a model takes for one sample."""

import time
from statistics import median

import numpy as np
import torch

from mmray.models.fusion_model import FusionModel
from mmray.training.data.samples import Samples

BUDGET_S, MOST = 0.2, 20


def measure_latency(model: FusionModel, samples: Samples, device: torch.device) -> float:
    """Return the median milliseconds of a prediction for one sample, without its extraction."""
    batch = samples.batch(np.zeros(1, dtype=np.int64)).to(device)
    was_training = model.training
    model.eval()
    times: list[float] = []
    deadline = time.monotonic() + BUDGET_S
    with torch.inference_mode():
        while len(times) < MOST and (len(times) < 2 or time.monotonic() < deadline):
            started = time.perf_counter()
            for output in model(batch.features, batch.present).values():
                output.cpu()  # a GPU has ended then
            times.append(time.perf_counter() - started)
    model.train(was_training)
    return 1e3 * median(times[1:])  # the first one also warms up
