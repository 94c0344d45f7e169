"""Contrastive losses against their formulas; the head; several workers."""

import math
from itertools import permutations

import numpy as np
import pytest
import torch
import torch.distributed as dist

from mmray.config.task.loss import InfoNceConfig, SiglipConfig, SupervisedContrastiveConfig
from mmray.models.head import AlignmentHead, SharedSpace, split_outputs
from mmray.training.parallel.worker_context import WorkerContext
from mmray.training.tasks.build import task_losses
from tests.support.tasks import alignment
from tests.support.workers import in_one_process, run_on_two

B, M, S = 9, 3, 4
CLASSES = np.array([0, 1, 2, 0, 1, 2, 0, 1, -1])
SCALE, BIAS = 5.0, -2.0
TASKS = {
    "info_nce": alignment(loss=InfoNceConfig()),
    "siglip": alignment(loss=SiglipConfig()),
    "supervised": alignment(column="c", loss=SupervisedContrastiveConfig()),
}


def make_outputs(seed=0):
    """Outputs of a head: three modalities, some absent; sample 4 has one alone."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(B, M, S)).astype(np.float32)
    values /= np.linalg.norm(values, axis=-1, keepdims=True)
    values[1, 0] = values[3, 2] = values[4, :2] = 0.0
    rest = np.tile(np.float32([SCALE, BIAS]), (B, 1))
    return torch.from_numpy(np.concatenate([values.reshape(B, -1), rest], axis=1))


def labels_of(kind):
    labels = CLASSES if kind == "supervised" else np.zeros(B, dtype=np.int64)
    present = split_outputs(make_outputs(), M).present.numpy()
    return torch.from_numpy(np.where(present.sum(axis=1) >= 2, labels, -1))


def formula(kind, values, labels):
    """One anchor, one pair and one candidate after the other."""
    there = (values != 0).any(-1)
    taking_part = [n for n in range(B) if labels[n] >= 0]
    losses = np.zeros(B)
    for i in taking_part:
        terms = []
        for a, b in permutations(range(M), 2):
            if not (there[i, a] and there[i, b]):
                continue
            candidates = [j for j in taking_part if there[j, b]]
            bias = 0.0 if kind != "siglip" else BIAS
            logits = {j: SCALE * values[i, a] @ values[j, b] + bias for j in candidates}
            if kind == "siglip":
                signs = {j: 1 if i == j else -1 for j in candidates}
                terms.append(sum(math.log1p(math.exp(-signs[j] * logits[j])) for j in candidates))
                continue
            total = sum(math.exp(x) for x in logits.values())
            alike = (lambda j, i=i: j == i) if kind == "info_nce" else (
                lambda j, i=i: labels[j] == labels[i])  # fmt: skip
            positives = [j for j in candidates if alike(j)]
            terms.append(-np.mean([math.log(math.exp(logits[j]) / total) for j in positives]))
        losses[i] = np.mean(terms)
    return losses


@pytest.mark.parametrize("kind", TASKS)
def test_contrastive_losses_equal_their_formula_also_with_modalities_absent(kind):
    outputs, labels = make_outputs(), labels_of(kind)
    if kind != "siglip":
        outputs[:, -1] = 0.0

    found = task_losses(TASKS[kind], outputs, labels, labels >= 0)

    values = split_outputs(outputs, M).embeddings.numpy().astype(np.float64)
    expected = formula(kind, values, labels.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert expected[4] == 0.0


def test_two_modalities_without_gaps_are_clips_loss():
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.normal(size=(B, 2, S)).astype(np.float32))
    values = torch.nn.functional.normalize(values, dim=-1)
    rest = torch.tensor([[SCALE, 0.0]]).expand(B, 2)
    task = TASKS["info_nce"]
    task = type(task)(task.config, ("text", "image"))

    found = task.losses(torch.cat([values.flatten(1), rest], dim=1), torch.zeros(B).long()).mean()

    logits, own = SCALE * values[:, 0] @ values[:, 1].T, torch.arange(B)
    both = [torch.nn.functional.cross_entropy(x, own) for x in (logits, logits.T)]
    torch.testing.assert_close(found, (both[0] + both[1]) / 2)


@pytest.mark.parametrize("kind", TASKS)
def test_what_is_absent_or_left_out_changes_no_loss_and_no_gradient(kind):
    labels = labels_of(kind)
    labels[7] = -1
    outputs = make_outputs()
    changed = outputs.clone()
    changed[7] = make_outputs(seed=5)[7]
    gradients = []

    for version in (outputs, changed):
        version.requires_grad_()
        losses = task_losses(TASKS[kind], version, labels, labels >= 0)
        gradients.append(torch.autograd.grad(losses.sum(), version)[0])

    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0].isfinite().all()
    assert not gradients[0][7].any()


# --- the head ------------------------------------------------------------------------------


def make_head(**settings):
    torch.manual_seed(0)
    return AlignmentHead(M, 6, SharedSpace(S, **{"temperature": 0.2} | settings))


def test_the_head_gives_unit_vectors_zeros_where_absent_scale_and_bias():
    head = make_head(bias=-3.0, learns_bias=True)
    present = torch.tensor([[1, 1, 0], [0, 0, 0]], dtype=torch.bool)

    embeddings, scale, bias = split_outputs(head(torch.randn(2, M, 6), present), M)

    torch.testing.assert_close(embeddings.norm(dim=-1), present.float())
    torch.testing.assert_close(scale, torch.full((2,), 5.0))
    torch.testing.assert_close(bias, torch.full((2,), -3.0))


def test_temperature_and_bias_are_learnt_and_the_temperature_has_a_floor():
    head = make_head(bias=-3.0, learns_bias=True)
    outputs = head(torch.randn(B, M, 6), torch.ones(B, M, dtype=torch.bool))

    TASKS["siglip"].losses(outputs, torch.zeros(B).long()).sum().backward()

    assert head.log_scale.grad.abs() > 0
    assert head.bias.grad.abs() > 0
    assert "bias" not in dict(make_head().named_parameters())
    with torch.no_grad():
        head.log_scale.fill_(9.0)
    head.zero_grad()
    outputs = head(torch.randn(B, M, 6), torch.ones(B, M, dtype=torch.bool))
    assert split_outputs(outputs, M).scale.tolist() == [100.0] * B
    TASKS["siglip"].losses(outputs, torch.zeros(B).long()).sum().backward()
    assert head.log_scale.grad.abs() > 0  # so that it can rise again


def test_an_absent_payload_changes_neither_outputs_nor_gradients():
    head, present = make_head(), torch.tensor([[True, True, False]] * 3)
    one = torch.randn(3, M, 6)
    other = one.clone()
    other[:, 2] = 1e6
    gradients = []

    for embeddings in (one, other):
        head.zero_grad()
        TASKS["info_nce"].losses(head(embeddings, present), torch.zeros(3).long()).sum().backward()
        gradients.append([p.grad.clone() for p in head.parameters()])

    torch.testing.assert_close(head(one, present), head(other, present))
    torch.testing.assert_close(gradients[0], gradients[1])


# --- several workers -----------------------------------------------------------------------


def worker(rank, world, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=world
    )
    found = {}
    for kind, task in TASKS.items():
        rows = torch.tensor_split(torch.arange(B), world)[rank]  # 9 samples: uneven shares
        outputs, labels = make_outputs()[rows].requires_grad_(), labels_of(kind)[rows]
        losses = task_losses(task, outputs, labels, labels >= 0, WorkerContext(rank, world))
        losses.sum().backward()
        found[kind] = (losses.detach(), outputs.grad)
    torch.save(found, f"{folder}/found-{rank}.pt")
    dist.destroy_process_group()


@in_one_process
def test_two_workers_have_the_losses_and_the_gradients_of_one(tmp_path):
    run_on_two(worker, str(tmp_path))

    shares = [torch.load(tmp_path / f"found-{rank}.pt") for rank in (0, 1)]
    for kind, task in TASKS.items():
        outputs, labels = make_outputs().requires_grad_(), labels_of(kind)
        losses = task_losses(task, outputs, labels, labels >= 0)
        losses.sum().backward()
        together = [torch.cat(parts) for parts in zip(*(s[kind] for s in shares), strict=True)]
        torch.testing.assert_close(together[0], losses.detach(), atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(together[1], outputs.grad, atol=1e-6, rtol=1e-5)
