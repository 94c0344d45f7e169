"""Where the rest of mmray uses the hooks; what is off is replaced by Ray's public way."""

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from mmray.distributed.ray_internals.hook import Hook, is_on, is_there

if TYPE_CHECKING:
    from ray.job_config import JobConfig

logger = logging.getLogger(__name__)


def lean_node() -> AbstractContextManager[None]:
    """Let ``ray.init`` start a node on loopback, without the processes that serve other people."""
    if not is_on(Hook.NODE):
        return nullcontext()
    from mmray.distributed.ray_internals import node

    return node.lean_node()


def ask_for_token() -> None:
    """Make a local node refuse clients without its token; Ray does so by itself from 2.59 on."""
    setup = "ray._private.authentication.authentication_token_setup"
    if is_there(f"{setup}:enable_token_auth_by_default") or "RAY_AUTH_MODE" in os.environ:
        return
    if not is_on(Hook.TOKEN):
        logger.warning("this Ray asks nobody for a token; set RAY_AUTH_MODE=token")
        return
    from ray._raylet import Config  # pyright: ignore[reportAttributeAccessIssue] (compiled)

    os.environ["RAY_AUTH_MODE"] = "token"
    Config.initialize("")  # Ray has read its settings when it was imported


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


def lean_data() -> AbstractContextManager[None]:
    """Let Ray Data use its node alone, if this process started the node."""
    if not is_on(Hook.NODE):
        return nullcontext()
    from mmray.distributed.ray_internals import data, node

    return data.lean_data() if node.has_lean_node() else nullcontext()
