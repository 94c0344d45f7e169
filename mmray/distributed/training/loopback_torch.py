"""How the workers of one machine find each other without listening to the network.

Ray Train lets torch's first worker open a store of keys on all addresses, without a password: who
reaches the port can read and write what the workers agree on. On one machine a file does the same.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray._private import worker
from ray.train._internal.base_worker_group import BaseWorkerGroup
from ray.train.torch import TorchConfig
from ray.train.torch import config as ray_config


@dataclass
class LoopbackTorchConfig(TorchConfig):
    """As Ray's, with a file in place of the store that listens."""

    @property
    def backend_cls(self) -> type["_LoopbackBackend"]:
        """Return what sets the workers up."""
        return _LoopbackBackend


class _LoopbackBackend(ray_config._TorchBackend):  # pyright: ignore[reportPrivateUsage]
    def on_start(self, worker_group: BaseWorkerGroup, backend_config: TorchConfig) -> None:
        """Connect the workers: a new group, also after a failure, meets in a new file."""
        # Only this user may enter the session's folder, and a later command removes nothing there.
        session = worker._global_node.get_session_dir_path()  # pyright: ignore
        meeting = Path(tempfile.mkdtemp(prefix="workers-", dir=session)) / "store"
        worker_group.execute(ray_config._set_torch_distributed_env_vars)  # pyright: ignore[reportPrivateUsage]
        joined: list[Any] = [
            worker_group.execute_single_async(
                rank,
                ray_config._setup_torch_process_group,  # pyright: ignore[reportPrivateUsage]
                backend=backend_config.backend,
                world_rank=rank,
                world_size=len(worker_group),
                init_method=meeting.as_uri(),
                timeout_s=backend_config.timeout_s,
            )
            for rank in range(len(worker_group))
        ]
        ray.get(joined)
