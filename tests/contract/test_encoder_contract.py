"""What every encoder promises, for every layout that it fits."""

import numpy as np
import pytest
import torch

from mmray.config.encoder import (
    CnnEncoderConfig,
    GruEncoderConfig,
    LeNetEncoderConfig,
    LinearEncoderConfig,
    LstmEncoderConfig,
    MlpEncoderConfig,
    TransformerEncoderConfig,
)
from mmray.models.build import build_encoder
from mmray.models.fit_check import FITTING
from tests.support.sample import SPECS, make_features

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
CASES = [
    pytest.param(config, layout, id=f"{number}-{config.kind}-{layout}")
    for number, config in enumerate(CONFIGS)
    for layout in SPECS
    if config.kind in FITTING[layout]
]
D, N = 16, 6


def setup(config, layout):
    torch.manual_seed(0)
    encoder = build_encoder(config, SPECS[layout], width=D, name="x").eval()
    present = np.array([True, True, False, True, True, True])
    return encoder, make_features(SPECS[layout], present)


def encode(encoder, features, indices):
    return encoder(*features.batch(np.array(indices)))


@pytest.mark.parametrize(("config", "layout"), CASES)
def test_an_embedding_is_the_same_alone_and_beside_longer_neighbours(config, layout):
    encoder, features = setup(config, layout)

    together = encode(encoder, features, range(N))

    for sample in np.flatnonzero(features.present):  # an absent one stands for nothing
        alone = encode(encoder, features, [sample])
        torch.testing.assert_close(alone.pooled[0], together.pooled[sample], atol=1e-5, rtol=1e-4)
        kept = together.tokens[sample][together.token_mask[sample]]
        torch.testing.assert_close(alone.tokens[0][alone.token_mask[0]], kept, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("config", "layout"), CASES)
def test_what_lies_beyond_the_length_has_no_influence(config, layout):
    encoder, features = setup(config, layout)
    values, lengths = features.batch(np.arange(N))
    changed = values.clone()
    if lengths is not None:
        changed[torch.arange(values.shape[1]) >= lengths[:, None]] = 7

    torch.testing.assert_close(encoder(values, lengths).pooled, encoder(changed, lengths).pooled)


@pytest.mark.parametrize(("config", "layout"), CASES)
def test_a_present_payload_moves_the_embedding_and_all_weights_learn(config, layout):
    encoder, features = setup(config, layout)

    pooled = encode(encoder, features, range(N)).pooled
    pooled.square().sum().backward()

    assert (pooled[0] - pooled[1]).abs().max() > 1e-3
    assert all(p.grad is not None and p.grad.isfinite().all() for p in encoder.parameters())
    assert pooled.shape == (N, D)


@pytest.mark.parametrize(
    ("config", "layout"), [case for case in CASES if case.values[1] in ("sequence", "tokens")]
)
def test_an_absent_sequence_of_length_zero_gives_a_finite_embedding(config, layout):
    encoder, features = setup(config, layout)
    values, lengths = features.batch(np.array([2]))

    zero = encoder(values, torch.zeros_like(lengths)).pooled

    assert zero.isfinite().all()
    torch.testing.assert_close(zero, encoder(values, lengths).pooled)
