import numpy as np
import torch

from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion_model import drop_modalities
from tests.support.sample import make_model, make_samples


def test_each_modality_lands_in_its_own_place():
    samples = make_samples(6, absent=0.0)
    batch, model = samples.batch(np.arange(6)), make_model(samples).eval()
    changed = dict(batch.features)
    changed["image"] = FeatureBatch(255 - batch.features["image"].values, None)

    moved = (model.embed(batch.features) - model.embed(changed)).abs().amax(dim=(0, 2)) > 1e-4

    assert moved.tolist() == [False, True, False]


def test_an_absent_payload_cannot_change_any_output():
    samples = make_samples(6)
    batch, model = samples.batch(np.arange(6)), make_model(samples).eval()
    noise = torch.where(batch.present[:, :1], batch.features["text"].values, 1e6)
    changed = batch.features | {"text": FeatureBatch(noise, None)}

    before, after = model(batch.features, batch.present), model(changed, batch.present)

    torch.testing.assert_close(before, after, atol=0, rtol=0)


def test_modality_dropout_hides_at_its_rate_and_leaves_one():
    torch.manual_seed(0)
    present = torch.tensor([[True, True, False]]).repeat(20_000, 1)

    kept = drop_modalities(present, 0.4)

    assert not kept[:, 2].any()
    assert kept.any(dim=1).all()
    # Each goes with 0.4, unless both would go (0.16) and it is the luckier one (half of those).
    torch.testing.assert_close(kept.float().mean(0)[:2], torch.full((2,), 0.68), atol=0.015, rtol=0)
    assert not drop_modalities(torch.zeros(4, 3, dtype=torch.bool), 0.4).any()


def test_dropout_is_off_in_use():
    samples = make_samples(6)
    batch, model = samples.batch(np.arange(6)), make_model(samples, dropout=0.5).eval()

    first, second = model(batch.features, batch.present), model(batch.features, batch.present)

    torch.testing.assert_close(first, second, atol=0, rtol=0)
    model.train()
    assert (model(batch.features, batch.present)["digit"] - first["digit"]).abs().max() > 1e-3
