"""What every fusion promises. Axes: B batch, M modalities, D width."""

import math

import numpy as np
import pytest
import torch

from mmray.config.model import AttentionFusionConfig, ConcatFusionConfig, GatedFusionConfig
from mmray.models.build import build_fusion

B, M, D = 5, 3, 8
FUSIONS = [
    ConcatFusionConfig(),
    GatedFusionConfig(temperature=0.5),
    AttentionFusionConfig(heads=2, layers=2),
]


@pytest.fixture(params=FUSIONS, ids=lambda config: config.kind)
def fusion(request):
    torch.manual_seed(0)
    return build_fusion(request.param, modalities=M, width=D).eval()


@pytest.fixture
def batch():
    torch.manual_seed(1)
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]]).bool()
    return torch.randn(B, M, D), present


@pytest.mark.parametrize("intruder", [1e3, math.nan, math.inf])
def test_an_absent_modality_cannot_change_the_output_or_a_gradient(fusion, batch, intruder):
    embeddings, present = batch

    def run(values):
        values = values.requires_grad_()
        fusion.zero_grad()
        output = fusion(values, present)
        output.square().sum().backward()
        return [output, values.grad, *(p.grad.clone() for p in fusion.parameters())]

    changed = torch.where(present[..., None], embeddings, intruder)
    torch.testing.assert_close(run(embeddings.clone()), run(changed), atol=0, rtol=0)


def test_a_present_modality_changes_the_output(fusion, batch):
    embeddings, present = batch
    changed = embeddings.clone()
    changed[:, 0] *= -1

    moved = (fusion(embeddings, present) - fusion(changed, present)).abs().amax(dim=1) > 1e-4

    assert moved.tolist() == present[:, 0].tolist()


def test_presence_itself_is_seen_even_of_a_zero_embedding(fusion, batch):
    embeddings, present = torch.zeros(1, M, D), torch.ones(1, M, dtype=torch.bool)
    embeddings[:, 0] = 1.0
    without = present.clone()
    without[:, 2] = False

    assert (fusion(embeddings, present) - fusion(embeddings, without)).abs().max() > 1e-5


def test_nothing_present_is_finite_and_so_are_its_gradients(fusion, batch):
    embeddings = batch[0].requires_grad_()

    output = fusion(embeddings, torch.zeros(B, M, dtype=torch.bool))
    output.sum().backward()

    assert output.isfinite().all()
    assert not embeddings.grad.any()
    assert all(p.grad is None or p.grad.isfinite().all() for p in fusion.parameters())


def test_permuting_the_batch_permutes_the_output(fusion, batch):
    embeddings, present = batch
    order = torch.tensor([3, 0, 4, 2, 1])

    permuted = fusion(embeddings[order], present[order])

    torch.testing.assert_close(permuted, fusion(embeddings, present)[order])


def test_each_fusion_equals_its_formula(fusion, batch):
    embeddings, present = batch
    weights = {name: p.double().numpy() for name, p in fusion.state_dict().items()}
    formula = {"ConcatFusion": concat, "GatedFusion": gated, "AttentionFusion": attention}

    expected = [
        formula[type(fusion).__name__](weights, x.double().numpy(), a.numpy())
        for x, a in zip(embeddings, present, strict=True)
    ]

    actual = fusion(embeddings, present).detach().numpy()
    np.testing.assert_allclose(actual, np.array(expected), atol=1e-5)


def norm(w, name, x):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def affine(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def concat(w, x, present):
    filled = [x[m] if present[m] else w["absent"][m] for m in range(M)]
    return norm(w, "norm", gelu(affine(w, "hidden", np.concatenate([*filled, present]))))


def gated(w, x, present):
    filled = [x[m] if present[m] else w["absent"][m] for m in range(M)]
    scores = np.exp(affine(w, "score", np.concatenate(filled)).reshape(M, D) / 0.5)
    here = [m for m in range(M) if present[m]]
    total = sum(scores[m] for m in here)
    parts = [scores[m] / total * np.tanh(affine(w, f"hidden.{m}", x[m])) for m in here]
    return sum(parts, np.zeros(D))


def attention(w, x, present):
    kept = [x[m] + w["modality"][m] for m in range(M) if present[m]]
    tokens = np.stack([w["query"], *kept])
    for layer in ("stack.layers.0", "stack.layers.1"):
        tokens = tokens + self_attention(w, f"{layer}.self_attn", norm(w, f"{layer}.norm1", tokens))
        hidden = gelu(affine(w, f"{layer}.linear1", norm(w, f"{layer}.norm2", tokens)))
        tokens = tokens + affine(w, f"{layer}.linear2", hidden)
    return norm(w, "stack.norm", tokens)[0]


def self_attention(w, name, x, heads=2):
    joint = x @ w[f"{name}.in_proj_weight"].T + w[f"{name}.in_proj_bias"]
    q, k, v = np.split(joint, 3, axis=-1)
    results = []
    for head in range(heads):
        part = slice(head * D // heads, (head + 1) * D // heads)
        scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(D // heads))
        results.append(scores / scores.sum(-1, keepdims=True) @ v[:, part])
    return affine(w, f"{name}.out_proj", np.concatenate(results, axis=-1))
