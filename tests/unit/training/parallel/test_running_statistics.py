"""Batch normalisation on two workers."""

import torch

from tests.support.batch_norm import train_lenets
from tests.support.workers import in_one_process, run_on_two


@in_one_process
def test_two_workers_end_with_the_same_running_statistics(tmp_path):
    run_on_two(train_lenets, str(tmp_path))

    for parallel in ("ddp", "fsdp"):
        one, two = (torch.load(tmp_path / f"{parallel}-{rank}.pt") for rank in (0, 1))
        means = [name for name in one if name.endswith("running_mean")]
        assert len(means) == 4
        assert all(one[name].abs().max() > 1e-3 for name in means)
        for name, value in one.items():
            torch.testing.assert_close(value, two[name], atol=0, rtol=0)
