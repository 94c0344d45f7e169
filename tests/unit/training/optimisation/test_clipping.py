import copy

import pytest
import torch
from torch import nn

from mmray.training.optimisation.clipping import clip_gradients


def model_with_gradients():
    torch.manual_seed(0)
    model = nn.ModuleList([nn.Linear(5, 4), nn.Linear(7, 4), nn.Linear(8, 2), nn.Linear(3, 3)])
    for number, weight in enumerate(list(model.parameters())[:6]):
        weight.grad = torch.randn_like(weight) * (number + 1)
    return model  # the last layer takes no part


@pytest.mark.parametrize("limit", [0.5, 1e3])
def test_gradients_are_clipped_as_torch_does_and_the_norm_of_each_part_is_told(limit):
    model = model_with_gradients()
    usual = copy.deepcopy(model)
    for weight, other in zip(model.parameters(), usual.parameters(), strict=True):
        other.grad = None if weight.grad is None else weight.grad.clone()
    parts = [list(model[index].parameters()) for index in (1, 0, 3)]
    parts.insert(1, [])  # of an encoder without weights
    expected = [
        torch.cat([w.grad.flatten() for w in part if w.grad is not None] or [torch.zeros(1)]).norm()
        for part in parts
    ]

    found = clip_gradients(model.parameters(), parts, limit=limit)
    nn.utils.clip_grad_norm_(usual.parameters(), limit)

    torch.testing.assert_close(found, expected)
    for weight, other in zip(model.parameters(), usual.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, other.grad, rtol=1e-6, atol=0)


def test_without_parts_the_whole_is_clipped():
    model = model_with_gradients()

    assert clip_gradients(model.parameters(), [], limit=1.0) == []
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert nn.utils.get_total_norm(gradients) == pytest.approx(1.0, rel=1e-5)
