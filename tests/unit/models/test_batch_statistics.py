"""Encoders that normalise by statistics of the batch, where payloads are absent."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from mmray.config.model.encoder import LeNetEncoderConfig
from mmray.models.batch_statistics import encode_present
from mmray.models.build import build_encoder
from mmray.models.encoders.encoded import pooled_only
from mmray.models.feature_batch import FeatureBatch
from tests.support.sample import SPECS, make_features


class NormalisedVectors(nn.Module):
    """As a user's own encoder may be."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))

    def forward(self, values, lengths):
        return pooled_only(self.layers(values))


def make_lenet(layout):
    torch.manual_seed(0)
    config = LeNetEncoderConfig(channels=4, layers=2)
    return build_encoder(config, SPECS[layout], width=8, name="x").train()


@pytest.mark.parametrize("layout", ["pixels", "sequence"])
def test_statistics_are_those_of_the_present_samples_alone(layout):
    there = np.array([True, False, True, True, False])
    features = make_features(SPECS[layout], there)
    encoder, other = make_lenet(layout), make_lenet(layout)

    together = encode_present(encoder, features.batch(np.arange(5)), torch.tensor(there))
    alone = other(*features.batch(np.flatnonzero(there)))

    torch.testing.assert_close(together.pooled[there], alone.pooled)
    torch.testing.assert_close(encoder.state_dict(), other.state_dict(), atol=0, rtol=0)
    assert together.pooled[~there].abs().max() == 0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_present_samples_have_no_statistics(count):
    encoder = NormalisedVectors().train()
    before = copy.deepcopy(encoder.state_dict())
    values, present = torch.randn(3, 6), torch.arange(3) < count

    encoded = encode_present(encoder, FeatureBatch(values, None), present)
    encoded.pooled[present].sum().backward()

    torch.testing.assert_close(encoded.pooled, copy.deepcopy(encoder).eval()(values, None).pooled)
    torch.testing.assert_close(encoder.state_dict(), before, atol=0, rtol=0)
    assert all(norm.training for norm in encoder.modules())
    assert all(weight.grad is not None for weight in encoder.parameters())
