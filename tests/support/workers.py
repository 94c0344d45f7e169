"""Two processes that train together, as the workers of a training do."""

import multiprocessing

import pytest
from torch.multiprocessing import start_processes

# Loaded once, in the process that the workers are forked from: it takes each of them seconds.
multiprocessing.set_forkserver_preload(["torch.nn.parallel", "torchmetrics", "transformers"])


in_one_process = pytest.mark.xdist_group("workers")
"""Keeps such tests in one process, which needs one context to fork from."""


def run_on_two(worker, *settings):
    """Run ``worker(rank, 2, *settings)`` in two processes; what one raises is raised here."""
    start_processes(worker, args=(2, *settings), nprocs=2, start_method="forkserver")
