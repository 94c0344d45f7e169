"""What every encoder promises, for every layout that it fits."""

import copy
from typing import get_args

import numpy as np
import pytest
import torch

from mmray.config.model.encoder import (
    CnnEncoderConfig,
    EncoderConfig,
    GruEncoderConfig,
    LeNetEncoderConfig,
    LinearEncoderConfig,
    LstmEncoderConfig,
    MlpEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.config.model.pretrained import (
    HFAudioEncoderConfig,
    HFImageEncoderConfig,
    HFTextEncoderConfig,
    HFVideoEncoderConfig,
)
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.models.batch_statistics import encode_present
from mmray.models.build import build_encoder
from mmray.models.encoders.kind import ENCODER_KINDS, encoder_kind, kinds_for
from mmray.models.feature_batch import FeatureBatch
from tests.support.audio_checkpoint import audio_checkpoints
from tests.support.checkpoint import WORDS, checkpoints
from tests.support.sample import SPECS, make_features
from tests.support.text_checkpoint import text_checkpoints
from tests.support.video_checkpoint import video_checkpoints
from tests.support.vision_checkpoint import vision_checkpoints

__all__ = [
    "audio_checkpoints",
    "checkpoints",
    "text_checkpoints",
    "video_checkpoints",
    "vision_checkpoints",
]

CONFIGS = [
    LinearEncoderConfig(),
    MlpEncoderConfig(hidden=(16,)),
    LstmEncoderConfig(hidden=8, layers=2, bidirectional=True),
    LstmEncoderConfig(hidden=8, pooling="mean"),
    LstmEncoderConfig(hidden=8, pooling="max"),
    GruEncoderConfig(hidden=8, layers=2, bidirectional=True),
    GruEncoderConfig(hidden=8, pooling="mean"),
    GruEncoderConfig(hidden=8, pooling="max"),
    CnnEncoderConfig(channels=(8, 12)),
    CnnEncoderConfig(channels=(8, 12, 6), kernel=4, over_time="mean"),
    LeNetEncoderConfig(channels=4, layers=2),
    TransformerEncoderConfig(feedforward=32, patch=4),
]
IDS = FeatureSpec(Kind.TEXT, "tokens", (12,), "int32", vocabulary=len(WORDS))
MOVED_IDS = FeatureSpec(Kind.TEXT, "tokens", (12,), "int32", vocabulary=len(WORDS) + 1)
PICTURE = FeatureSpec(Kind.IMAGE, "pixels", (32, 32, 3), "uint8")
CLIP = FeatureSpec(Kind.VIDEO, "frames", (4, 32, 32, 3), "uint8")
WAVE = FeatureSpec(Kind.AUDIO, "sequence", (1500, 1), "float32")
PRETRAINED = [  # braces name a checkpoint of tests.support
    (HFTextEncoderConfig(model="{bert}"), IDS),
    (HFTextEncoderConfig(model="{bert}", tune="last_layers", layers=1, pooling="mean"), IDS),
    (HFTextEncoderConfig(model="{bert}", tune="lora", pooling="max"), IDS),
    (HFTextEncoderConfig(model="{roberta}", gradient_checkpointing=True), IDS),
    (HFTextEncoderConfig(model="{gpt2}", tune="lora", pooling="mean"), IDS),
    (HFTextEncoderConfig(model="{t5}", layer_decay=0.9, pooling="mean"), IDS),
    (HFTextEncoderConfig(model="{clip}"), IDS),
    (HFTextEncoderConfig(model="{siglip}"), IDS),
    (HFImageEncoderConfig(model="{vit}"), PICTURE),
    (HFImageEncoderConfig(model="{vit}", tune="lora", pooling="cls"), PICTURE),
    (HFImageEncoderConfig(model="{vit-pooler}", tune="last_layers", layers=1), PICTURE),
    (HFImageEncoderConfig(model="{dinov2-registers}", pooling="mean"), PICTURE),
    (HFImageEncoderConfig(model="{clip-vision}"), PICTURE),
    (HFImageEncoderConfig(model="{siglip-vision}", tune="lora"), PICTURE),
    (HFImageEncoderConfig(model="{swin}", layer_decay=0.8), PICTURE),
    (HFImageEncoderConfig(model="{resnet}", tune="last_layers", layers=1), PICTURE),
    (HFImageEncoderConfig(model="{resnet}", tune="lora"), PICTURE),
    (HFImageEncoderConfig(model="{convnext}"), PICTURE),
    (HFImageEncoderConfig(model="{mobilenet_v2}"), PICTURE),
    (HFImageEncoderConfig(model="{resnet}", over_time="mean"), CLIP),
    (HFImageEncoderConfig(model="{vit}", tune="frozen"), CLIP),
    (HFVideoEncoderConfig(model="{videomae}"), CLIP),
    (HFVideoEncoderConfig(model="{timesformer}", tune="lora"), CLIP),
    (HFVideoEncoderConfig(model="{vivit}", tune="last_layers", layers=1), CLIP),
    (HFAudioEncoderConfig(model="{wav2vec2}"), WAVE),
    (HFAudioEncoderConfig(model="{wav2vec2_masked}", tune="last_layers", layers=1), WAVE),
    (HFAudioEncoderConfig(model="{hubert}", tune="lora", pooling="max"), WAVE),
    (HFAudioEncoderConfig(model="{wavlm}", gradient_checkpointing=True), WAVE),
    (HFAudioEncoderConfig(model="{whisper}", tune="last_layers", layers=1), WAVE),
]
PLAIN = [
    (config, SPECS[layout])
    for config in CONFIGS
    for layout in SPECS
    if layout in encoder_kind(config).takes
]
CASES = [
    pytest.param(config, spec, id=f"{number}-{config.kind}-{spec.layout}")
    for number, (config, spec) in enumerate(PLAIN + PRETRAINED)
]
D, N = 16, 6


@pytest.fixture(scope="module")
def made(checkpoints, text_checkpoints, vision_checkpoints, video_checkpoints, audio_checkpoints):
    """Every made checkpoint by the name that configs give it."""
    vision = {
        f"{name}-vision" if name in ("clip", "siglip") else name: path
        for name, path in vision_checkpoints.items()
    }
    return checkpoints | vision | text_checkpoints | video_checkpoints | audio_checkpoints


@pytest.fixture
def setup(made):
    """From a config and a spec to an encoder and features."""

    def build(config, spec):
        if hasattr(config, "model"):
            config = config.model_copy(update={"model": config.model.format(**made)})
        torch.manual_seed(0)
        encoder = build_encoder(config, spec, width=D, name="x").eval()
        present = np.array([True, True, False, True, True, True])
        return encoder, make_features(spec, present)

    return build


def test_there_is_a_record_of_every_section():
    union, _ = get_args(EncoderConfig)

    sections = {section.model_fields["kind"].default: section for section in get_args(union)}

    assert {name: kind.config for name, kind in ENCODER_KINDS.items()} == sections


@pytest.mark.parametrize(
    ("layout", "kinds"),
    [
        ("vector", "linear mlp custom"),
        ("sequence", "linear mlp lstm gru cnn lenet transformer hf_audio custom"),
        ("tokens", "linear mlp lstm gru cnn transformer hf_text custom"),
        ("pixels", "linear mlp cnn lenet transformer hf_image custom"),
        ("frames", "linear mlp cnn transformer hf_image hf_video custom"),
    ],
)
def test_features_of_a_layout_are_taken_by_these_kinds(layout, kinds):
    assert kinds_for(layout) == tuple(kinds.split())


def encode(encoder, features, indices):
    return encoder(*features.batch(np.array(indices)))


@pytest.mark.parametrize(("config", "spec"), CASES)
def test_an_embedding_is_the_same_alone_and_beside_longer_neighbours(config, spec, setup):
    encoder, features = setup(config, spec)

    together = encode(encoder, features, range(N))

    for sample in np.flatnonzero(features.present):  # an absent one stands for nothing
        alone = encode(encoder, features, [sample])
        torch.testing.assert_close(alone.pooled[0], together.pooled[sample], atol=1e-5, rtol=1e-4)
        kept = together.tokens[sample][together.token_mask[sample]]
        torch.testing.assert_close(alone.tokens[0][alone.token_mask[0]], kept, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("config", "spec"), CASES)
def test_what_lies_beyond_the_length_has_no_influence(config, spec, setup):
    encoder, features = setup(config, spec)
    values, lengths = features.batch(np.arange(N))
    changed = values.clone()
    if lengths is not None:
        changed[torch.arange(values.shape[1]) >= lengths[:, None]] = 7

    torch.testing.assert_close(encoder(values, lengths).pooled, encoder(changed, lengths).pooled)


@pytest.mark.parametrize(("config", "spec"), CASES)
def test_a_present_payload_moves_the_embedding_and_all_weights_learn(config, spec, setup):
    encoder, features = setup(config, spec)

    pooled = encode(encoder, features, range(N)).pooled
    pooled.square().sum().backward()

    learning = [p for p in encoder.parameters() if p.requires_grad]
    assert (pooled[0] - pooled[1]).abs().max() > 1e-3
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learning)
    assert pooled.shape == (N, D)


@pytest.mark.parametrize(("config", "spec"), CASES)
def test_what_is_absent_teaches_nothing(config, spec, setup):
    encoder, features = setup(config, spec)
    batch, present = features.batch(np.arange(N)), torch.from_numpy(features.present)
    changed = batch.values.clone()
    changed[2] = changed[0]
    trained = []

    for values in (batch.values, changed):
        learner = copy.deepcopy(encoder).train()
        torch.manual_seed(0)
        pooled = encode_present(learner, FeatureBatch(values, batch.lengths), present).pooled
        pooled[present].square().sum().backward()
        gradients = [p.grad for p in learner.parameters() if p.requires_grad]
        trained.append((pooled[present], gradients, learner.state_dict()))

    torch.testing.assert_close(*trained)


@pytest.mark.parametrize(("config", "spec"), PRETRAINED, ids=lambda part: getattr(part, "kind", ""))
def test_while_training_every_weight_that_is_free_gets_a_gradient(config, spec, setup):
    encoder, features = setup(config, spec)

    encode(encoder.train(), features, range(N)).pooled.square().sum().backward()

    assert [n for n, p in encoder.named_parameters() if p.requires_grad and p.grad is None] == []


@pytest.mark.parametrize(("config", "spec"), [case for case in CASES if case.values[1].is_ragged])
def test_an_absent_sequence_of_length_zero_gives_a_finite_embedding(config, spec, setup):
    encoder, features = setup(config, spec)
    values, lengths = features.batch(np.array([2]))

    zero = encoder(values, torch.zeros_like(lengths)).pooled

    assert zero.isfinite().all()
    torch.testing.assert_close(zero, encoder(values, lengths).pooled)
