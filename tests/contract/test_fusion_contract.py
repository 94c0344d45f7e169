"""What every fusion, and the head of late fusion, promises. Axes: B batch, M modalities."""

import math

import numpy as np
import pytest
import torch

from mmray.config.model.model import AttendingFusionConfig, LateFusionConfig
from tests.support.fusion import (
    FUSIONS,
    NAMES,
    B,
    Inputs,
    M,
    formula,
    fuse,
    make_fusion,
    make_inputs,
    map_values,
)
from tests.support.sample import make_model, make_samples


def name(config):
    return "late_learned" if config == LateFusionConfig(weights="learned") else config.kind


@pytest.fixture(params=FUSIONS, ids=name)
def config(request):
    return request.param


@pytest.fixture
def fusion(config):
    return make_fusion(config)


@pytest.fixture
def inputs():
    return make_inputs()


def take(inputs, rows):
    tokens = [type(part)(part.values[rows], part.mask[rows]) for part in inputs.tokens]
    return Inputs(inputs.pooled[rows], tokens, inputs.present[rows])


def test_each_fusion_equals_its_formula(fusion, inputs):
    expected = [formula(fusion, inputs, sample) for sample in range(B)]

    actual = fuse(fusion, inputs).detach().numpy()

    np.testing.assert_allclose(actual, np.array(expected), atol=2e-5)


@pytest.mark.parametrize("intruder", [1e3, math.nan, math.inf])
def test_an_absent_modality_cannot_change_the_output_or_a_gradient(fusion, inputs, intruder):
    def run(inputs):
        leaves = map_values(inputs, lambda _m, values, _mask: values.clone().requires_grad_())
        fusion.zero_grad()
        output = fuse(fusion, leaves)
        output.square().sum().backward()
        grads = [torch.zeros(()) if p.grad is None else p.grad for p in fusion.parameters()]
        values = [part.values.grad for part in leaves.tokens]
        return [output, *values, *(grad.clone() for grad in grads)]

    def intrude(m, values, _mask):
        return torch.where(inputs.present[:, m, None, None], values, intruder)

    changed = map_values(inputs, intrude)

    torch.testing.assert_close(run(inputs), run(changed), atol=0, rtol=0)


def test_a_masked_token_cannot_change_the_output(fusion, inputs):
    changed = map_values(inputs, lambda _m, v, mask: torch.where(mask[..., None], v, math.nan))

    torch.testing.assert_close(fuse(fusion, changed), fuse(fusion, inputs), atol=0, rtol=0)


@pytest.mark.parametrize("modality", range(M))
def test_a_present_modality_changes_the_output(fusion, inputs, modality):
    changed = map_values(inputs, lambda m, values, _mask: -values if m == modality else values)

    moved = (fuse(fusion, inputs) - fuse(fusion, changed)).abs().amax(dim=1) > 1e-4

    assert moved.tolist() == inputs.present[:, modality].tolist()


def test_every_token_that_is_not_masked_changes_a_fusion_over_tokens(fusion, inputs):
    def flip_last(m, values, _mask):
        return torch.cat([values[:, :-1], -values[:, -1:]], dim=1) if m == 1 else values

    moved = (fuse(fusion, inputs) - fuse(fusion, map_values(inputs, flip_last))).abs() > 1e-5

    last = inputs.tokens[1].mask[:, -1] & inputs.present[:, 1]
    assert last.any()
    expected = last if fusion.uses_tokens else torch.zeros(B, dtype=torch.bool)
    assert moved.any(dim=1).tolist() == expected.tolist()


def test_presence_itself_is_seen_even_of_a_zero_embedding(fusion, inputs):
    zero = map_values(inputs, lambda m, values, _mask: values if m == 0 else values * 0)
    everything = zero._replace(present=torch.ones(B, M, dtype=torch.bool))
    without = zero._replace(present=torch.tensor([[True, True, False]]).repeat(B, 1))

    assert (fuse(fusion, everything) - fuse(fusion, without)).abs().max() > 1e-5


def test_nothing_present_is_finite_and_so_are_its_gradients(fusion, inputs):
    leaves = map_values(inputs, lambda _m, values, _mask: values.clone().requires_grad_())

    output = fuse(fusion, leaves._replace(present=torch.zeros(B, M, dtype=torch.bool)))
    output.sum().backward()

    assert output.isfinite().all()
    assert not any(part.values.grad.any() for part in leaves.tokens)
    assert all(p.grad is None or p.grad.isfinite().all() for p in fusion.parameters())


def test_a_stand_in_is_the_same_in_training_and_in_use(fusion, inputs):
    in_use = fuse(fusion.eval(), inputs)

    torch.testing.assert_close(fuse(fusion.train(), inputs), in_use, atol=1e-5, rtol=1e-5)


def test_what_stands_in_is_learnt(fusion, inputs):
    fuse(fusion, inputs).square().sum().backward()

    assert fusion.absent.grad.abs().amax(dim=1).gt(0).all()


def test_permuting_the_batch_permutes_the_output(fusion, inputs):
    order = torch.tensor([3, 0, 4, 2, 1, 5])

    permuted = fuse(fusion, take(inputs, order))

    torch.testing.assert_close(permuted, fuse(fusion, inputs)[order], atol=1e-5, rtol=1e-5)


def test_a_sample_is_the_same_alone_as_in_a_batch(fusion, inputs):
    alone = torch.cat([fuse(fusion, take(inputs, slice(row, row + 1))) for row in range(B)])

    torch.testing.assert_close(alone, fuse(fusion, inputs), atol=1e-5, rtol=1e-5)


def test_the_place_on_the_modality_axis_matters(fusion, inputs):
    everything = inputs._replace(present=torch.ones(B, M, dtype=torch.bool))
    swapped = everything._replace(
        pooled=inputs.pooled[:, [2, 1, 0]], tokens=[inputs.tokens[m] for m in (2, 1, 0)]
    )

    assert (fuse(fusion, everything) - fuse(fusion, swapped)).abs().max() > 1e-3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_half_precision_is_finite_and_near(fusion, inputs, dtype):
    with torch.autocast("cpu", dtype=dtype):
        output = fuse(fusion, inputs)
        output.float().square().sum().backward()

    assert all(p.grad is None or p.grad.isfinite().all() for p in fusion.parameters())
    torch.testing.assert_close(output.float(), fuse(fusion, inputs), atol=0.2, rtol=0.1)


@pytest.mark.parametrize("modalities", [NAMES[:1], NAMES[:2], ("a", "b", "c", "d", "e")])
def test_any_number_of_modalities_is_fused(config, inputs, modalities):
    fusion = make_fusion(config, modalities=modalities)
    places = [m % M for m in range(len(modalities))]
    some = Inputs(
        inputs.pooled[:, places], [inputs.tokens[m] for m in places], inputs.present[:, places]
    )
    changed = map_values(some, lambda m, values, _mask: -values if m == 0 else values)

    moved = (fuse(fusion, some) - fuse(fusion, changed)).abs().amax(dim=1) > 1e-4

    assert moved.tolist() == some.present[:, 0].tolist()


def small_model(config, samples):
    if isinstance(config, AttendingFusionConfig):
        config = config.model_copy(update={"heads": 4})
    if config.kind == "film":
        config = config.model_copy(update={"conditioned": "image"})
    return make_model(samples, fusion=config)


def test_gradients_reach_every_encoder_that_is_present_and_every_weight_has_one(config):
    samples = make_samples(6, absent=0.0)
    batch, model = samples.batch(np.arange(6)), small_model(config, samples).train()
    present = batch.present.clone()
    present[:, 1] = False

    outputs = model(batch.features, present)
    sum(value.square().sum() for value in outputs.values()).backward()

    reached = [any(p.grad.any() for p in encoder.parameters()) for encoder in model.encoders]
    assert reached == [True, False, True]
    # Data parallelism waits for all of them.
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_longer_neighbours_in_a_batch_do_not_change_a_sample(config):
    samples = make_samples(6)
    model = small_model(config, samples).eval()

    def outputs(rows):
        batch = samples.batch(np.array(rows))
        return model(batch.features, batch.present)["digit"]

    alone = torch.cat([outputs([row]) for row in range(6)])

    torch.testing.assert_close(alone, outputs(range(6)), atol=1e-5, rtol=1e-5)
