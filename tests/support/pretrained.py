"""Features, encoders and trainings around small checkpoints."""

import numpy as np
import torch

from mmray.config.audio import AudioConfig
from mmray.config.image import ImageConfig
from mmray.config.text import TextConfig
from mmray.features.build import build_extractor
from mmray.features.extractor import extract_batch
from mmray.models.build import build_encoder
from mmray.training.samples import ModalityFeatures
from tests.support.payload import clip_payload, tone

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


def frozen_features(config_class, extract, payloads):
    """What an extractor gives."""
    config = config_class.model_validate({"column": "c", "extract": extract})
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
