"""How the workers of one machine find each other without a network port.

Ray Train lets torch's first worker open a key-value store on all addresses, without a password:
anyone who reaches the port can read and write what the workers exchange there. On one machine a
file does the same.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import ray
import ray.train
from ray.train.backend import Backend, BackendConfig

TIMEOUT = timedelta(minutes=30)
"""Longest wait of a worker for the others, as with Ray's own backend for torch."""


@dataclass
class LoopbackTorchConfig(BackendConfig):
    """Torch's workers, with a file in place of the store that listens.

    Not Ray's own settings: those load torch in the processes that only start and watch the workers.
    """

    @property
    def backend_cls(self) -> Any:  # noqa: ANN401 (a class that Ray keeps private)
        """The class that connects the workers."""
        return LoopbackBackend


class LoopbackBackend(Backend):
    """Connects the workers of this machine."""

    share_cuda_visible_devices = True

    def __init__(self) -> None:
        self._folders: list[str] = []

    def on_start(self, worker_group: Any, backend_config: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Connect the workers; a new group, also after a failure, has a new file."""
        folder = tempfile.mkdtemp(prefix="workers-")  # only this user may enter it
        self._folders.append(folder)
        use_gpu = worker_group.get_resources_per_worker().get("GPU", 0) > 0
        options: dict[str, Any] = {
            "backend": "nccl" if use_gpu else "gloo",
            "world_size": len(worker_group),
            "init_method": (Path(folder) / "store").as_uri(),
            "timeout": TIMEOUT,
        }
        joined: list[Any] = [
            worker_group.execute_single_async(rank, _join, options)
            for rank in range(len(worker_group))
        ]
        ray.get(joined)

    def on_shutdown(self, worker_group: Any, backend_config: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Disconnect the workers that are left."""
        worker_group.execute(_leave)
        while self._folders:
            shutil.rmtree(self._folders.pop(), ignore_errors=True)


def _join(options: dict[str, Any]) -> None:
    """Connect this worker to the others; the environment is that of ``torchrun``."""
    import torch.distributed

    context = ray.train.get_context()
    os.environ |= {
        "RANK": str(context.get_world_rank()),
        "WORLD_SIZE": str(context.get_world_size()),
        "LOCAL_RANK": str(context.get_local_rank()),
        "LOCAL_WORLD_SIZE": str(context.get_local_world_size()),
        "NODE_RANK": str(context.get_node_rank()),
    }
    torch.distributed.init_process_group(rank=context.get_world_rank(), **options)


def _leave() -> None:
    import torch.distributed

    torch.distributed.destroy_process_group()
