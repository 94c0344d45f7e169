"""Ends this process with words when Ray's node under it has died.

Ray itself ends a process that has lost its node: late, silently, and not always with a code that
says so. The usual reason is memory: the system ends the process that takes most.
"""

import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import ray
from ray._private import worker
from ray._private.node import Node

from mmray.core.process.stop import is_stopping
from mmray.errors import ClusterError

POLL_S = 0.5
TIMEOUT_S = 5.0


def watch_node() -> None:
    """Begin to watch the node that this process is connected to, until it disconnects."""
    node = _node()
    if node is None:
        return  # a client of a cluster elsewhere has no node under it
    threading.Thread(target=_watch, args=(node,), name="node", daemon=True).start()


def _watch(node: Node) -> None:
    path = Path(str(node.raylet_socket_name))
    # Of a node that this process has started, also what keeps its books: without that nothing
    # starts any more, and Ray would wait a minute for it to come back.
    while is_alive(path) and not node.dead_processes():
        time.sleep(POLL_S)
        if not _is_connected(node):
            return
    # A process that disconnects says so first, and ends its node then; one that is being stopped
    # may have been stopped together with its node.
    if _is_connected(node) and not is_stopping():
        _end()


def _is_connected(node: Node) -> bool:
    return ray.is_initialized() and _node() is node


def _node() -> Node | None:
    """Return the node of this process; Ray has no public way to ask."""
    return worker._global_node  # pyright: ignore[reportPrivateUsage]


def is_alive(path: Path) -> bool:
    """Return whether a process listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(TIMEOUT_S)
        try:
            client.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:  # a queue that is full, or a process too busy to answer
            return True
    return True


def _end() -> NoReturn:
    error = ClusterError(
        "the Ray node under this process has died",
        hint="most often memory was short: fewer actors in 'runtime.resources' or a smaller "
        "'train.batch_size' need less; run the same command to resume",
    )
    sys.stderr.write(f"error: {error}\n")
    sys.stderr.flush()
    os._exit(error.exit_code)
