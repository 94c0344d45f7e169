import numpy as np
import torch

from mmray.config.model.model import LateFusionConfig, TransformerFusionConfig
from mmray.models.encoders.encoded import Encoded
from mmray.models.encoders.transformer import sine_positions
from mmray.models.feature_batch import FeatureBatch
from mmray.models.fusion.transformer import TransformerFusion
from mmray.models.fusion_model import drop_modalities, tokens_of
from tests.support.sample import make_model, make_samples


def test_each_modality_lands_in_its_own_place():
    samples = make_samples(6, absent=0.0)
    batch, model = samples.batch(np.arange(6)), make_model(samples).eval()
    changed = dict(batch.features)
    changed["image"] = FeatureBatch(255 - batch.features["image"].values, None)

    before, after = (
        model.embed(features, batch.present).pooled for features in (batch.features, changed)
    )

    assert ((before - after).abs().amax(dim=(0, 2)) > 1e-4).tolist() == [False, True, False]


def test_an_absent_payload_cannot_change_any_output():
    samples = make_samples(6)
    batch, model = samples.batch(np.arange(6)), make_model(samples).eval()
    noise = torch.where(batch.present[:, :1], batch.features["text"].values, 1e6)
    changed = batch.features | {"text": FeatureBatch(noise, None)}

    before, after = model(batch.features, batch.present), model(changed, batch.present)

    torch.testing.assert_close(before, after, atol=0, rtol=0)


def test_a_fusion_over_tokens_gets_each_summary_before_the_tokens_of_its_modality():
    samples = make_samples(6, absent=0.0)
    batch = samples.batch(np.arange(6))
    model = make_model(samples, fusion=TransformerFusionConfig()).eval()

    embedded = model.embed(batch.features, batch.present)

    text, image, audio = embedded.tokens
    assert text.values.shape[1] == 1  # a linear encoder has no tokens
    assert image.values.shape[1] == 1 + 4 * 6  # one token per cell of the halved 8 x 12 picture
    assert audio.mask.sum(dim=1).tolist() == [1 + n for n in batch.features["audio"].lengths]
    first = torch.stack([part.values[:, 0] for part in embedded.tokens], dim=1)
    torch.testing.assert_close(first, embedded.pooled, atol=0, rtol=0)
    tokens = image.values[:, 1:] - sine_positions(4 * 6, image.values.shape[2])
    torch.testing.assert_close(tokens.mean(dim=2), torch.zeros(6, 24), atol=1e-5, rtol=0)


def test_tokens_are_not_made_for_a_fusion_that_does_not_use_them():
    samples = make_samples(2)
    batch = samples.batch(np.arange(2))

    assert make_model(samples).embed(batch.features, batch.present).tokens == ()


def test_what_a_modality_adds_to_late_fusion_does_not_depend_on_the_others():
    samples = make_samples(6, absent=0.0)
    batch, model = (
        samples.batch(np.arange(6)),
        make_model(samples, fusion=LateFusionConfig()).eval(),
    )

    def outputs(*modalities):
        present = torch.tensor([m in modalities for m in range(3)]).repeat(6, 1)
        return model(batch.features, present)["digit"]

    alone = outputs(0) - outputs()
    assert alone.abs().max() > 0.01
    torch.testing.assert_close(outputs(0, 1, 2) - outputs(1, 2), alone)


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


def test_a_fusion_over_tokens_sees_their_order():
    torch.manual_seed(0)
    steps, mask = torch.randn(6, 5, 8), torch.ones(6, 5, dtype=torch.bool)
    fusion = TransformerFusion(1, 8, heads=2).eval()

    def fused(steps):
        encoded = Encoded(steps, mask, steps.mean(dim=1))
        tokens = tokens_of(encoded, encoded.pooled, torch.nn.LayerNorm(8))
        return fusion([tokens], torch.ones(6, 1, dtype=torch.bool))

    assert ((fused(steps) - fused(steps.flip(1))).abs().amax(dim=1) > 1e-2).all()
