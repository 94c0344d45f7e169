"""A local Ray node without the processes that serve other people.

It listens on the loopback address only. Ray starts three processes that a node does not need if it
ends with its command: a web server without pages, the monitor of an autoscaler that cannot add a
node, and a reader of the workers' logs, which are not shown. Each one imports Ray while the command
waits, and polls for as long as the node lives.
"""

import contextlib
import sys
from collections.abc import Generator
from typing import Any, cast

from ray._private import node, worker
from ray._private.parameter import RayParams

from mmray.distributed.node import with_parent
from mmray.distributed.ray_internals.hook import NEEDS, Hook, is_on
from mmray.distributed.ray_internals.replacing import replaced

LOOPBACK = "127.0.0.1"


class LeanNode(node.Node):
    """Ray's own node, less those processes."""

    def __init__(self, ray_params: RayParams, **options: Any) -> None:  # noqa: ANN401 (as Ray's)
        # 'ray.init' takes an address too, but replaces a loopback address by the machine's.
        ray_params.node_ip_address = LOOPBACK
        super().__init__(ray_params, **options)

    def start_api_server(self, **_: object) -> None:
        """Start no web server."""
        self._webui_url = ""

    def start_monitor(self) -> None:
        """Start no autoscaler."""

    def start_log_monitor(self) -> None:
        """Leave the workers' log lines in Ray's files."""

    def start_raylet(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Start the node's manager, and an agent that ends with it.

        To decide what the agent serves, Ray would import the dashboard in this process.
        """
        with contextlib.ExitStack() as stack:
            if is_on(Hook.AGENT):
                _, dependencies, command = NEEDS[Hook.AGENT]
                stack.enter_context(replaced(dependencies, _no_dashboard))
                stack.enter_context(replaced(command, _command_that_ends_with_the_node))
            super().start_raylet(*arguments, **options)


@contextlib.contextmanager
def lean_node() -> Generator[None]:
    """Let ``ray.init`` start a lean node in the block; no argument of it does that."""
    with replaced("ray._private.node:Node", LeanNode):
        yield


def has_lean_node() -> bool:
    """Return whether this process started such a node and is connected to it."""
    return isinstance(cast("object", worker.global_worker.node), LeanNode)


def _command_that_ends_with_the_node(*_: object, **__: object) -> list[str]:
    return [sys.executable, "-P", "-u", with_parent.__file__]


def _no_dashboard() -> ImportError:
    return ImportError("no dashboard is wanted")
