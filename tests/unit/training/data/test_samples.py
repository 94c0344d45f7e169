from dataclasses import replace

import numpy as np
import pytest
import torch

from mmray.training.data.epoch import eval_indices, train_batches
from mmray.training.data.sampling import shuffled
from tests.support.sample import SPECS, make_features, make_samples


def test_a_batch_is_padded_to_its_own_longest_and_absent_is_zeros_of_that_length():
    features = make_features(SPECS["sequence"], np.array([True, False, True]))

    values, lengths = features.batch(np.array([2, 1]))

    start, end = features.offsets[2:4]
    np.testing.assert_array_equal(values[0], features.values[start:end])
    assert lengths.tolist() == [end - start, end - start]
    assert values.shape[1] == end - start
    assert not values[1].any()


def test_an_absent_pixel_payload_is_zeros_and_stays_uint8():
    values, lengths = make_features(SPECS["pixels"], np.array([True, False])).batch(np.arange(2))

    assert lengths is None
    assert values.dtype == torch.uint8
    assert values[0].any()
    assert not values[1].any()


@pytest.mark.parametrize("world", [1, 2, 3])
def test_workers_share_the_same_global_batches(world):
    samples = make_samples(23)

    def epoch(rank, world, number=0):
        order = shuffled(len(samples), seed=1, epoch=number)
        return list(train_batches(samples, order, batch_size=5, rank=rank, world=world))

    shares = [epoch(rank, world) for rank in range(world)]

    for alone, *parts in zip(epoch(0, 1), *shares, strict=True):
        for task in samples.labels:
            joined = torch.cat([part.labels[task] for part in parts])
            torch.testing.assert_close(joined, alone.labels[task], equal_nan=True, atol=0, rtol=0)
            assert all(part.label_totals == alone.label_totals for part in parts)
            assert alone.label_totals[task] == sum(int(p.labelled[task].sum()) for p in parts)
    first, second = (torch.cat([b.labels["rate"] for b in epoch(0, 1, n)]) for n in (0, 1))
    assert not torch.equal(first.nan_to_num(), second.nan_to_num())


def test_a_last_batch_too_small_for_all_workers_is_left_out_for_all():
    samples = make_samples(11)

    counts = [
        len(list(train_batches(samples, np.arange(len(samples)), batch_size=5, rank=rank, world=2)))
        for rank in range(2)
    ]

    assert counts == [2, 2]


def test_evaluation_covers_every_sample_exactly_once_over_the_workers():
    samples = make_samples(11)

    shares = [list(eval_indices(samples, batch_size=3, rank=rank, world=3)) for rank in range(3)]

    seen = sorted(int(i) for share in shares for indices in share for i in indices)
    assert seen == list(range(11))
    batches = [samples.batch(indices) for share in shares for indices in share]
    assert sum(len(batch.present) for batch in batches) == 11


def test_a_sample_with_a_payload_of_one_modality_has_one():
    samples = make_samples(4)
    vector, steps = list(samples.modalities)[:2]
    present = {vector: [True, True, False, False], steps: [True, False, True, False]}
    samples = replace(
        samples,
        modalities={
            name: replace(samples.modalities[name], present=np.array(there))
            for name, there in present.items()
        },
    )

    assert samples.has_payload.tolist() == [True, True, True, False]
