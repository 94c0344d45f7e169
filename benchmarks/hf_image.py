"""Features of a vision checkpoint, against transformers' image-feature-extraction pipeline.

    python -m benchmarks.hf_image [--json] [--rounds 3]

Both read the same JPEG files with the same checkpoint, batch size and one thread, and their
features agree to 1e-4. The checkpoint is a MobileNetV1 (0.75, 224): the pretrained one where the
corpora are (MMRAY_CORPORA, else ../shared/data), otherwise one with random weights.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import MobileNetV1Config, MobileNetV1Model, pipeline

from benchmarks.report import Comparison, parse, tell
from mmray.config.modality.image import ImageConfig
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch

ROOT = Path(__file__).parents[1]
CORPORA = Path(os.environ.get("MMRAY_CORPORA", ROOT.parent / "shared" / "data"))
PICTURES, BATCH, WIDTH, HEIGHT, QUALITY = 64, 16, 640, 480, 90
TOLERANCE = 1e-4
Features = npt.NDArray[np.float32]


def write_pictures(folder: Path) -> list[Path]:
    """Write smooth noise as JPEG files."""
    generator = np.random.default_rng(0)
    paths = [folder / f"{number}.jpg" for number in range(PICTURES)]
    for path in paths:
        noise = generator.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3), dtype=np.uint8)
        smooth = Image.fromarray(noise).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        smooth.save(path, quality=QUALITY)
    return paths


def find_checkpoint(folder: Path) -> tuple[Path, str]:
    """Return the pretrained checkpoint, or a made one, and which of them it is."""
    pretrained = CORPORA / "weights" / "mobilenet_v1_0.75_224"
    if pretrained.is_dir():
        return pretrained, "pretrained"
    torch.manual_seed(0)
    model = MobileNetV1Model(MobileNetV1Config(depth_multiplier=0.75))
    with torch.no_grad():  # statistics as after a training: fresh ones let every signal die away
        model.train()(pixel_values=torch.randn(8, 3, 224, 224))
    model.eval().save_pretrained(folder)
    settings = {"image_processor_type": "MobileNetV1ImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder, "random"


def ours(extractor: Any, paths: list[Path]) -> Features:
    """Read, decode and extract as a stage does."""
    batch = extract_batch(extractor, [path.read_bytes() for path in paths])
    return np.stack([feature for feature in batch.features if feature is not None])


def theirs(network: Any, paths: list[Path]) -> Features:
    """Run the pipeline over the same files."""
    found = network([str(path) for path in paths], pool=True, batch_size=BATCH, return_tensors=True)
    return np.stack([np.ravel(pooled.numpy()) for pooled in found])


def main() -> None:
    """Measure both ways in turn."""
    options = parse(__doc__ or "")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        paths = write_pictures(Path(place))
        model, weights = find_checkpoint(Path(place) / "checkpoint")
        network = pipeline("image-feature-extraction", model=str(model), device="cpu")
        extract = {"kind": "hf_image", "model": str(model), "batch_size": BATCH}
        config = ImageConfig.model_validate(
            {"column": "photo", "decode": {"crop": "none"}, "extract": extract}
        )
        extractor = build_extractor(config, None)
        apart = float(np.abs(ours(extractor, paths) - theirs(network, paths)).max())
        if apart > TOLERANCE:
            raise SystemExit(f"the features differ by {apart:.1e}, more than {TOLERANCE:.0e}")
        fast: list[float] = []
        slow: list[float] = []
        for _ in range(options.rounds):
            for rates, way, tool in ((slow, theirs, network), (fast, ours, extractor)):
                started = time.perf_counter()
                way(tool, paths)
                rates.append(PICTURES / (time.perf_counter() - started))
    tell(
        Comparison(
            name="hf_image",
            claim="Features of a vision checkpoint at least as fast as with transformers' pipeline",
            unit="pictures/s",
            ours=fast,
            other=slow,
            other_name="transformers pipeline('image-feature-extraction', pool=True)",
            is_larger_better=True,
            settings={
                "pictures": PICTURES, "width": WIDTH, "height": HEIGHT, "batch_size": BATCH,
                "threads": 1, "rounds": options.rounds, "weights": weights,
                "largest_difference": apart, "tolerance": TOLERANCE,
            },
        ),
        as_json=options.json,
    )  # fmt: skip


if __name__ == "__main__":
    main()
