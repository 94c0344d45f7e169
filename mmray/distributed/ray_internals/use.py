"""Where the rest of mmray uses the hooks; what is off is replaced by Ray's public way."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from mmray.distributed.ray_internals.hook import Hook, is_on

if TYPE_CHECKING:
    from ray.job_config import JobConfig
    from ray.train.torch import TorchTrainer

CORE_SETTINGS = {
    # Nobody asks a node that ends with its command for figures; every process would report them.
    "RAY_enable_metrics_collection": "0",
    # The node's manager and its object store start side by side: the one that is early asks again
    # after so long, not after a second; it gives up after the same ten seconds.
    "RAY_raylet_client_connect_timeout_milliseconds": "50",
    "RAY_raylet_client_num_connect_attempts": "200",
    # Workers that Ray starts beforehand and nothing takes end after so long; else they would look
    # for work a hundred times a second for as long as the node lives.
    "RAY_num_workers_soft_limit": "0",
    "RAY_idle_worker_killing_time_threshold_ms": "10000",
}
"""Variables of Ray's core that its documentation does not name."""


def core_settings() -> dict[str, str]:
    """Return the variables for a local node."""
    return CORE_SETTINGS if is_on(Hook.CORE_SETTINGS) else {}


def lean_node() -> AbstractContextManager[None]:
    """Let ``ray.init`` start a node on loopback, without the processes that serve other people."""
    if not is_on(Hook.NODE):
        return nullcontext()
    from mmray.distributed.ray_internals import node

    return node.lean_node()


def job_config() -> "JobConfig":
    """Return a job whose workers do not search the command's folder for modules."""
    if is_on(Hook.OWN_PATH):
        from mmray.distributed.ray_internals.own_path import OwnPath

        return OwnPath()
    from ray.job_config import JobConfig

    return JobConfig()


def log_messages() -> None:
    """Log what Ray's nodes report about their workers; a failure also raises an exception."""
    if is_on(Hook.MESSAGES):
        from mmray.distributed.ray_internals import messages

        messages.log_messages()


def lean_data() -> AbstractContextManager[Callable[[float], None]]:
    """Let Ray Data use its node alone, if this process started the node.

    The block's function takes how many seconds a task takes.
    """
    from mmray.distributed.ray_internals import data

    if not is_on(Hook.NODE):
        return nullcontext(data.ignore)
    from mmray.distributed.ray_internals import node

    return data.lean_data() if node.has_lean_node() else nullcontext(data.ignore)


def trainer_class(*, is_local: bool) -> "type[TorchTrainer]":
    """Return the trainer without the processes that mmray does not use."""
    from mmray.distributed.ray_internals.train import LeanTrainer, LocalTrainer

    return LocalTrainer if is_local else LeanTrainer
