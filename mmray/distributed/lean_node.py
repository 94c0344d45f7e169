"""A Ray node of this machine alone, without the processes that serve others.

Ray starts three that nobody asks of a node that ends with its command: a web server without pages,
for whose start it waits; the monitor of an autoscaler, though no node can be added; and what sends
the workers' log lines to the terminal, though they are not shown. Each is a Python process that has
to import Ray while the command waits for it, and then looks for news for as long as the node lives.
"""

import contextlib
from collections.abc import Generator
from types import ModuleType
from typing import Any, cast

from ray._private import node, utils, worker


class LeanNode(node.Node):
    """As Ray's own; what a release of Ray starts by another name is started."""

    def start_api_server(self, **_: object) -> None:
        """Start no web server, with or without a dashboard."""
        self._webui_url = ""

    def start_monitor(self) -> None:
        """Start no autoscaler."""

    def start_log_monitor(self) -> None:
        """Send no worker's log lines anywhere: they stay in Ray's files."""

    def start_raylet(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Start the node's manager, its agent as where the parts of a dashboard are not installed.

        To see whether they are, Ray would import them in this process.
        """
        with replaced(utils, "get_dashboard_dependency_error", _not_wanted):
            super().start_raylet(*arguments, **options)


@contextlib.contextmanager
def lean_node() -> Generator[None]:
    """Let ``ray.init`` start such a node in the block; it has no argument that says so."""
    with replaced(node, "Node", LeanNode):
        yield


def has_lean_node() -> bool:
    """Say whether this process has started such a node, and is connected to it."""
    return isinstance(cast("object", worker.global_worker.node), LeanNode)


@contextlib.contextmanager
def replaced(owner: ModuleType | type, name: str, value: object) -> Generator[None]:
    """Let a name of a module or class mean another thing in the block, where it means anything."""
    if name not in vars(owner):
        yield
        return
    before = vars(owner)[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _not_wanted() -> ImportError:
    return ImportError("no dashboard is wanted")
