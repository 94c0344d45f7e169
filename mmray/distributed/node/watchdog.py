"""Ends this process with a message when the Ray node under it has died.

Ray itself ends a process that has lost its node: late, silently, and not always with an exit code
that says so. The usual reason is memory: the system ends the process that takes most.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from typing import NoReturn

import ray

from mmray.core.process.stop import is_stopping
from mmray.errors import ClusterError

POLL_S = 0.5
TIMEOUT_S = 5.0


def watch_node(address: Mapping[str, str], *, owns_cluster: bool) -> None:
    """Watch the node that this process is connected to, until it disconnects.

    ``address`` is that of ``ray.init``. Of a cluster that this process started, the control service
    is watched too: without it nothing starts, and Ray would wait a minute for it to come back.
    """
    parts: list[str | tuple[str, int]] = [address["raylet_socket_name"]]
    if owns_cluster:
        host, _, port = address["gcs_address"].rpartition(":")
        parts.append((host.strip("[]"), int(port)))
    arguments = (address["gcs_address"], parts)
    threading.Thread(target=_watch, args=arguments, name="node", daemon=True).start()


def _watch(cluster: str, parts: list[str | tuple[str, int]]) -> None:
    while all(is_alive(part) for part in parts):
        time.sleep(POLL_S)
        if not _is_connected(cluster):
            return
    # A process that disconnects says so first, and ends its node then; one that is being stopped
    # may have been stopped together with its node.
    if _is_connected(cluster) and not is_stopping():
        _end()


def _is_connected(cluster: str) -> bool:
    return ray.is_initialized() and ray.get_runtime_context().gcs_address == cluster


def is_alive(address: str | tuple[str, int]) -> bool:
    """Return whether a process listens at the path of a Unix socket, or at a host and port."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(TIMEOUT_S)
        try:
            client.connect(address)
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
