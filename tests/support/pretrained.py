"""Features, encoders and trainings around small checkpoints."""

import json
import os
import shutil

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from mmray.config.modality.audio import AudioConfig
from mmray.config.modality.image import ImageConfig
from mmray.config.modality.text import TextConfig
from mmray.config.model.model import ModelConfig
from mmray.config.model.pretrained import HFImageEncoderConfig, HFTextEncoderConfig
from mmray.config.training.train import TrainConfig
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from mmray.models.build import build_encoder, build_model
from mmray.training.augment.picture import Crop
from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import TrainPlan
from mmray.training.parallel.worker_context import WorkerContext
from tests.support.payload import clip_payload, tone
from tests.support.sample import TASKS
from tests.support.training import identity, ignore

D = 8
TEXTS = ["hello world", "a", "quick brown fox jumps", "and again the same", "xyz", "fox"]
TONES = [(0.1, 200), (0.2, 900), (0.06, 400), (0.15, 3000), (0.2, 300), (0.1, 1200)]


def token_features(model, texts=TEXTS, max_tokens=20):
    """Token ids by the checkpoint's own tokenizer."""
    extract = {"kind": "tokens", "tokenizer": str(model), "max_tokens": max_tokens}
    config = TextConfig.model_validate({"column": "c", "extract": extract})
    return _extracted(config, [text.encode() for text in texts])


def pixel_features(count=6, size=32, seed=0):
    """Noise."""
    config = ImageConfig.model_validate(
        {"column": "c", "extract": {"kind": "pixels", "height": size, "width": size}}
    )
    values = np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    spec = build_extractor(config, None).spec
    return ModalityFeatures(spec, values, None, np.ones(count, dtype=bool))


def wave_features(tones=TONES):
    """Samples of tones."""
    config = AudioConfig.model_validate({"column": "c", "extract": {"kind": "waveform"}})
    return _extracted(config, [clip_payload(tone(s, hz=hz)) for s, hz in tones])


def frozen_features(config_class, extract, payloads, **settings):
    """What an extractor gives."""
    config = config_class.model_validate({"column": "c", "extract": extract} | settings)
    return np.stack(extract_batch(build_extractor(config, None), payloads).features)


def encoder_of(config, features, seed=0):
    torch.manual_seed(seed)
    return build_encoder(config, features.spec, width=D, name="x")


def whole(features):
    return features.batch(np.arange(len(features.present)))


def _extracted(config, payloads):
    extractor = build_extractor(config, None)
    batch = extract_batch(extractor, payloads)
    assert batch.reasons == [""] * len(payloads)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in batch.features])])
    present = np.ones(len(payloads), dtype=bool)
    return ModalityFeatures(extractor.spec, np.concatenate(batch.features), offsets, present)


def without_chance(path, folder):
    """Copy a text checkpoint that drops nothing out."""
    shutil.copytree(path, folder)
    settings = json.loads((folder / "config.json").read_text())
    rates = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(settings | rates))
    return folder


def train_together(rank: int, world: int, folder: str, bert: str, resnet: str) -> None:
    """Train two checkpoints, augmented, as one of ``world`` processes; write down the weights."""
    torch.set_num_threads(1)
    if world > 1:
        store = f"file://{folder}/rendezvous"
        dist.init_process_group("gloo", init_method=store, rank=rank, world_size=world)
    modalities = {"text": token_features(bert, TEXTS * 4), "image": pixel_features(24)}
    labels = {"digit": np.arange(24) % 3, "rate": np.arange(24, dtype=np.float32) / 24}
    samples = Samples([str(row) for row in range(24)], modalities, labels)
    encoders = {
        "text": HFTextEncoderConfig(
            model=bert, tune="last_layers", layers=1, gradient_checkpointing=True
        ),
        "image": HFImageEncoderConfig(model=resnet, layer_decay=0.9),
    }
    specs = {name: features.spec for name, features in modalities.items()}
    heads = {name: task.head for name, task in TASKS.items()}
    torch.manual_seed(0)
    model = build_model(
        ModelConfig(width=16, dropout=0.0, modality_dropout=0.0), encoders, specs, heads
    )
    config = TrainConfig(epochs=2, batch_size=8)
    plan = TrainPlan(
        TASKS, samples, samples, config, WorkerContext(rank, world), augment={"image": [Crop(3)]}
    )
    fit(model, plan, wrap=DistributedDataParallel if world > 1 else identity, on_epoch=ignore)
    torch.save(model.state_dict(), f"{folder}/weights-{world}-{rank}.pt")
    if world > 1:
        dist.destroy_process_group()
        # Torch's threads need not be waited for: all is written.
        os._exit(0)
