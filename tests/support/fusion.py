"""Every fusion, small inputs of it, and its formula in numpy. Axes: B batch, M modalities, D width.

The formulas are written for one sample, whose absent modalities and masked tokens are left out.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from mmray.config.model.model import (
    AttentionFusionConfig,
    BottleneckFusionConfig,
    ConcatFusionConfig,
    CrossAttentionFusionConfig,
    ExpertsFusionConfig,
    FilmFusionConfig,
    GatedFusionConfig,
    GmuFusionConfig,
    LateFusionConfig,
    LowRankFusionConfig,
    PerceiverFusionConfig,
    TensorFusionConfig,
    TransformerFusionConfig,
)
from mmray.models.fusion.build import build_fusion, build_head, uses_tokens
from mmray.models.fusion.tokens import ModalityTokens
from mmray.models.head import AffineHead

B, M, D, HEADS = 6, 3, 8, 2
NAMES = ("a", "b", "c")
FUSIONS = [
    ConcatFusionConfig(),
    GatedFusionConfig(temperature=0.5),
    GmuFusionConfig(),
    LowRankFusionConfig(rank=3),
    TensorFusionConfig(size=4),
    AttentionFusionConfig(heads=HEADS, layers=2),
    TransformerFusionConfig(heads=HEADS, layers=2),
    CrossAttentionFusionConfig(heads=HEADS, layers=2),
    BottleneckFusionConfig(tokens=2, heads=HEADS, layers=3),
    PerceiverFusionConfig(latents=3, heads=HEADS, layers=2),
    ExpertsFusionConfig(experts=4, active=2),
    FilmFusionConfig(conditioned="b"),
    LateFusionConfig(),
    LateFusionConfig(weights="learned"),
]


class Inputs(NamedTuple):
    """A batch as the model hands it to a fusion; ``tokens`` begin with ``pooled``."""

    pooled: torch.Tensor
    tokens: list[ModalityTokens]
    present: torch.Tensor


def make_fusion(config, *, modalities=NAMES):
    """Build what maps embeddings and presence to (B, D): a fusion, or a late head."""
    torch.manual_seed(0)
    fusion = build_fusion(config, modalities=modalities, width=D)
    if fusion is None:
        fusion = build_head(config, modalities=len(modalities), width=D, spec=AffineHead(D))
    for name, parameter in fusion.named_parameters():
        if name.endswith("bias") or name in ("absent", "scores"):  # zeros would hide mistakes
            torch.nn.init.normal_(parameter, std=0.3)
    fusion.uses_tokens = uses_tokens(config)
    return fusion.eval()


def make_inputs():
    generator = torch.Generator().manual_seed(1)
    present = torch.tensor(
        [[1, 1, 1], [1, 0, 1], [0, 1, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=torch.bool
    )
    masks = [torch.ones(B, 1, dtype=torch.bool)]  # a vector: no tokens behind its summary
    masks += [torch.rand(B, 1 + steps, generator=generator) > 0.4 for steps in (3, 2)]
    for mask in masks:
        mask[:, 0] = True
    tokens = [
        ModalityTokens(torch.randn(*mask.shape, D, generator=generator), mask) for mask in masks
    ]
    return Inputs(torch.stack([part.values[:, 0] for part in tokens], dim=1), tokens, present)


def fuse(fusion, inputs):
    return fusion(inputs.tokens if fusion.uses_tokens else inputs.pooled, inputs.present)


def map_values(inputs, change):
    """Return inputs with ``change(modality, values (B, T, D), mask)`` in place of the values."""
    tokens = [
        ModalityTokens(change(m, part.values, part.mask), part.mask)
        for m, part in enumerate(inputs.tokens)
    ]
    return Inputs(torch.stack([t.values[:, 0] for t in tokens], dim=1), tokens, inputs.present)


def formula(fusion, inputs, sample):
    """Return the expected output (D) of one sample, in double precision."""
    weights = {name: p.double().numpy() for name, p in fusion.state_dict().items()}
    if fusion.uses_tokens:
        x = [p.values[sample][p.mask[sample]].double().numpy() for p in inputs.tokens]
    else:
        x = inputs.pooled[sample].double().numpy()
    return FORMULAS[type(fusion).__name__](weights, x, inputs.present[sample].numpy())


def norm(w, name, x):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def affine(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x):
    raised = np.exp(x - x.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def fill(w, x, present):
    return [x[m] if present[m] else w["absent"][m] for m in range(M)]


def fill_tokens(w, x, present):
    return [x[m] if present[m] else w["absent"][m : m + 1] for m in range(M)]


def attend(w, name, x, memory):
    (wq, wk, wv), (bq, bk, bv) = (
        np.split(w[f"{name}.in_proj_{part}"], 3, axis=0) for part in ("weight", "bias")
    )
    q, k, v = x @ wq.T + bq, memory @ wk.T + bk, memory @ wv.T + bv
    results = []
    for head in range(HEADS):
        part = slice(head * D // HEADS, (head + 1) * D // HEADS)
        results.append(softmax(q[:, part] @ k[:, part].T / math.sqrt(D // HEADS)) @ v[:, part])
    return affine(w, f"{name}.out_proj", np.concatenate(results, axis=-1))


def self_block(w, name, x):
    normed = norm(w, f"{name}.norm1", x)
    x = x + attend(w, f"{name}.self_attn", normed, normed)
    hidden = gelu(affine(w, f"{name}.linear1", norm(w, f"{name}.norm2", x)))
    return x + affine(w, f"{name}.linear2", hidden)


def cross_block(w, name, x, memory):
    memory = norm(w, f"{name}.memory_norm", memory)
    x = x + attend(w, f"{name}.attend", norm(w, f"{name}.query_norm", x), memory)
    hidden = gelu(affine(w, f"{name}.hidden", norm(w, f"{name}.norm", x)))
    return x + affine(w, f"{name}.project", hidden)


def concat(w, x, present):
    joined = np.concatenate([*fill(w, x, present), present])
    return norm(w, "norm", gelu(affine(w, "hidden", joined)))


def gated(w, x, present):
    scores = affine(w, "score", np.concatenate(fill(w, x, present))).reshape(M, D) / 0.5
    here = [m for m in range(M) if present[m]]
    total = sum(np.exp(scores[m]) for m in here)
    parts = [np.exp(scores[m]) / total * np.tanh(affine(w, f"hidden.{m}", x[m])) for m in here]
    return sum(parts, np.zeros(D))


def gmu(w, x, present):
    gates = affine(w, "gate", np.concatenate(fill(w, x, present))).reshape(M, D)
    here = [m for m in range(M) if present[m]]
    parts = [np.tanh(affine(w, f"hidden.{m}", x[m])) / (1 + np.exp(-gates[m])) for m in here]
    return sum(parts, np.zeros(D))


def low_rank(w, x, present, rank=3):
    filled, total = fill(w, x, present), np.zeros(D)
    for r in range(rank):
        rows, product = slice(r * D, (r + 1) * D), np.ones(D)
        for m in range(M):
            factor = np.c_[w[f"factors.{m}.weight"][rows], w[f"factors.{m}.bias"][rows]]
            product *= factor @ np.append(filled[m], 1.0)
        total += product
    return total / math.sqrt(rank)


def tensor(w, x, present):
    filled = fill(w, x, present)
    parts = [np.append(affine(w, f"reduce.{m}", filled[m]), 1.0) for m in range(M)]
    return affine(w, "project", np.einsum("i,j,k->ijk", *parts).ravel())


def attention(w, x, present):
    return transformer(w, [x[m][None] for m in range(M)], present)


def transformer(w, x, present):
    filled = fill_tokens(w, x, present)
    tokens = np.concatenate([w["query"][None], *(filled[m] + w["modality"][m] for m in range(M))])
    for layer in range(2):
        tokens = self_block(w, f"stack.layers.{layer}", tokens)
    return norm(w, "stack.norm", tokens)[0]


def cross_attention(w, x, present):
    filled, summaries = fill_tokens(w, x, present), []
    for target in range(M):
        learnt = []
        for place, source in enumerate(m for m in range(M) if m != target):
            states = filled[target]
            for layer in range(2):
                name = f"targets.{target}.sources.{place}.{layer}"
                states = cross_block(w, name, states, filled[source])
            learnt.append(states)
        joined = affine(w, f"targets.{target}.join", np.concatenate(learnt, axis=1))
        summaries.append(self_block(w, f"targets.{target}.mix", joined)[0])
    return affine(w, "project", np.concatenate(summaries))


def bottleneck(w, x, present):
    shared, states = w["shared"], fill_tokens(w, x, present)
    for layer in range(3):
        versions = []
        for m in range(M):
            both = self_block(w, f"layers.{layer}.{m}", np.concatenate([shared, states[m]]))
            versions.append(both[: len(shared)])
            states[m] = both[len(shared) :]
        shared = np.mean(versions, axis=0)
    return np.mean([state[0] for state in states], axis=0)


def perceiver(w, x, present):
    filled = fill_tokens(w, x, present)
    memory = np.concatenate([filled[m] + w["modality"][m] for m in range(M)])
    latents = w["latents"]
    for layer in range(2):
        latents = cross_block(w, f"look.{layer}", latents, memory)
        latents = self_block(w, f"think.{layer}", latents)
    return latents.mean(axis=0)


def experts(w, x, present, active=2):
    joined = np.concatenate([*fill(w, x, present), present])
    scores = affine(w, "router", joined)
    chosen = np.argsort(scores)[-active:]
    parts = [
        gate * affine(w, f"experts.{e}.2", gelu(affine(w, f"experts.{e}.0", joined)))
        for e, gate in zip(chosen, softmax(scores[chosen]), strict=True)
    ]
    return sum(parts)


def film(w, x, present, conditioned=1):
    filled = fill(w, x, present)
    others = [filled[m] for m in range(M) if m != conditioned]
    scale, shift = np.split(affine(w, "modulate", np.concatenate([*others, present])), 2)
    return (1 + scale) * affine(w, "hidden", filled[conditioned]) + shift


def late(w, x, present):
    weights = softmax(w.get("scores", np.zeros(M)))
    normed = [norm(w, f"heads.{m}.norm", part) for m, part in enumerate(fill(w, x, present))]
    return sum(weights[m] * affine(w, f"heads.{m}.project", normed[m]) for m in range(M))


FORMULAS = {
    "ConcatFusion": concat,
    "GatedFusion": gated,
    "GmuFusion": gmu,
    "LowRankFusion": low_rank,
    "TensorFusion": tensor,
    "AttentionFusion": attention,
    "TransformerFusion": transformer,
    "CrossAttentionFusion": cross_attention,
    "BottleneckFusion": bottleneck,
    "PerceiverFusion": perceiver,
    "ExpertsFusion": experts,
    "FilmFusion": film,
    "LateHead": late,
}
