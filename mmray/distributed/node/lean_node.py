"""A Ray node of this machine and user alone, without the processes that serve others.

It listens on the loopback address, and keeps its sessions in a folder closed to other users.

Ray starts three that nobody asks of a node that ends with its command: a web server without pages,
for whose start it waits; the monitor of an autoscaler, though no node can be added; and what sends
the workers' log lines to the terminal, though they are not shown. Each is a Python process that has
to import Ray while the command waits for it, and then looks for news for as long as the node lives.
"""

import contextlib
import logging
import os
import stat
import sys
import tempfile
from collections.abc import Generator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from ray._common.utils import get_default_ray_temp_dir
from ray._private import node, services, utils, worker
from ray._private.parameter import RayParams

from mmray.core.text.printable import printable
from mmray.distributed.node import with_parent

logger = logging.getLogger(__name__)
LOOPBACK = "127.0.0.1"


class LeanNode(node.Node):
    """As Ray's own; what a release of Ray starts by another name is started."""

    def __init__(self, ray_params: RayParams, **options: Any) -> None:  # noqa: ANN401 (as Ray's)
        # 'ray.init' takes an address too, and replaces one of loopback by the machine's.
        ray_params.node_ip_address = LOOPBACK
        super().__init__(ray_params, **options)

    def start_api_server(self, **_: object) -> None:
        """Start no web server, with or without a dashboard."""
        self._webui_url = ""

    def start_monitor(self) -> None:
        """Start no autoscaler."""

    def start_log_monitor(self) -> None:
        """Send no worker's log lines anywhere: they stay in Ray's files."""

    def start_raylet(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 (as Ray's)
        """Start the node's manager, its agent as where the parts of a dashboard are not installed.

        To see whether they are, Ray would import them in this process. An agent ends with its node.
        """
        command = "_build_python_executable_command_memory_profileable"
        with (
            replaced(utils, "get_dashboard_dependency_error", _not_wanted),
            replaced(services, command, _ending_with_the_node),
        ):
            super().start_raylet(*arguments, **options)


@contextlib.contextmanager
def lean_node() -> Generator[None]:
    """Let ``ray.init`` start such a node in the block; it has no argument that says so."""
    with replaced(node, "Node", LeanNode):
        yield


def log_messages() -> None:
    """Send what Ray's nodes say of their workers to the log, where ``-v`` shows it.

    Ray prints it to standard output. What fails arrives as an exception besides.
    """
    if "print_to_stdstream" in vars(worker):
        worker.print_to_stdstream = _log


def has_lean_node() -> bool:
    """Say whether this process has started such a node, and is connected to it."""
    return isinstance(cast("object", worker.global_worker.node), LeanNode)


def session_folder() -> str:
    """Return where local nodes keep sockets, logs and spilled objects: for this user alone.

    Every process of Ray opens a session's own folder to all users; so the one above is closed.
    """
    private = Path(get_default_ray_temp_dir()).parent / f"mmray-{os.getuid()}"
    with contextlib.suppress(FileExistsError):
        private.mkdir(mode=0o700)
    status = private.lstat()
    is_private = stat.S_ISDIR(status.st_mode) and not stat.S_IMODE(status.st_mode) & 0o077
    if status.st_uid != os.getuid() or not is_private:  # made by someone else
        private = Path(tempfile.mkdtemp(prefix="mmray-", dir=private.parent))
    return str(private / "ray")


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


def _ending_with_the_node(*_: object, **__: object) -> list[str]:
    """Return how an agent is started."""
    return [sys.executable, "-P", "-u", with_parent.__file__]


def _log(data: Mapping[str, Any], *_: object, **__: object) -> None:
    for line in data["lines"]:
        logger.debug("%s: %s", data["pid"], printable(line))


def _not_wanted() -> ImportError:
    return ImportError("no dashboard is wanted")
