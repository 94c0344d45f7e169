"""Connection to Ray: to a local cluster of mmray's own, or to an existing one."""

import atexit
import contextlib
import logging
import os
import re
import socket
import sys
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TextIO

import ray

from mmray.config.document import ClusterRuntime, LocalRuntime
from mmray.core.process.exit import end_without_search
from mmray.core.process.stop import kept_signals
from mmray.distributed.jobs.cluster_token import local_token
from mmray.distributed.node.session_folder import session_folder
from mmray.distributed.node.watchdog import watch_node
from mmray.distributed.node.worker_path import path_environment
from mmray.distributed.ray_internals.hook import plain_environment
from mmray.distributed.ray_internals.use import (
    ask_for_token,
    job_config,
    lean_node,
    log_messages,
)
from mmray.errors import ClusterError

WORKER_ENV = {
    # One thread per process, or the processes fight for the cores; trainers raise it themselves.
    "OMP_NUM_THREADS": "1",
    # Threads that wait by spinning take the cores from those that work: on 2 busy cores, training
    # took 20 times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
    # Arrow's own allocators keep apart, and for long, what they freed.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    # Memory that was given back is asked for again with the next batch: every page of it is a fault
    # and has to be cleared. 64 MiB per process are kept instead.
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
}
DRIVER_ENV = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray's C++ core warns on the terminal about how Ray Data itself starts actors; what fails
    # arrives as an exception besides.
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    # The end of a training and the loss of a worker wait for the controller's next poll. Ten polls
    # a second, though, took a tenth of the training.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.4",
    "RAY_TRAIN_ENABLE_STATE_ACTOR_RECONCILIATION": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Workers stay where the command was given, so that relative paths mean the same to all.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


NATIVE_LOG = re.compile(
    rb"\[[\d\- :,]+ \w \d+ \d+\] \w+\.cc:\d+:|[IWEF]\d{4} [\d:.]+ +\d+ \w+\.cc:\d+\]"
)
"""The beginning of log lines of Ray and its libraries."""

REACH_S = 10.0
LOCAL_ENV = {
    # No one takes this machine away while it trains; the watcher is one more process to wait for.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
}


@dataclass(frozen=True, slots=True)
class ClusterSize:
    """The size of the cluster."""

    cpus: int
    gpus: int
    memory_gib: float = 0.0
    """Heap that its workers may take; 0 where that is not known."""
    cpus_per_gpu: float = 0.0
    """On the node with the fewest."""
    object_store_gib: float = 0.0
    """Memory for what travels between processes."""


@contextlib.contextmanager
def without_native_log(stream: TextIO) -> Generator[None]:
    """Hold back what is written to ``stream``; then write it, less what native code logs.

    If the block fails, all of it is written.
    """
    stream.flush()
    descriptor = stream.fileno()
    saved = os.dup(descriptor)
    with tempfile.TemporaryFile() as store:
        os.dup2(store.fileno(), descriptor)
        has_failed = True
        try:
            yield
            has_failed = False
        finally:
            stream.flush()
            os.dup2(saved, descriptor)
            os.close(saved)
            store.seek(0)
            for line in store:
                if has_failed or not NATIVE_LOG.match(line):
                    os.write(descriptor, line)


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Generator[None]:
    """Set environment variables for the block, and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def quiet_ray() -> Generator[None]:
    """Keep Ray's own lines off the terminal in this block; what fails arrives as an exception."""
    ray_logger = logging.getLogger("ray")
    level = ray_logger.level
    if not logging.getLogger().isEnabledFor(logging.INFO):  # with -v all of them are wanted
        ray_logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray_logger.setLevel(level)


def connect(runtime: LocalRuntime | ClusterRuntime) -> ClusterSize:
    """Connect to Ray unless this process is connected; Ray disconnects when the process ends."""
    if not ray.is_initialized():
        is_local = isinstance(runtime, LocalRuntime)
        env = DRIVER_ENV | (LOCAL_ENV if is_local else {})
        for name, value in env.items():
            os.environ.setdefault(name, value)
        with kept_signals(), without_native_log(sys.__stderr__ or sys.stderr):
            address = _connect(runtime)
        # Before Ray's own, which first waits half a second for messages of workers; none are shown.
        atexit.register(disconnect)
        log_messages()
        end_without_search()
        if address:  # a client of a remote cluster has no node under it
            watch_node(address, owns_cluster=is_local)
    return cluster_size()


def train_environment() -> dict[str, str]:
    """Return the variables of this process that Ray Train reads, for a process that runs it."""
    return {name: os.environ[name] for name in DRIVER_ENV | LOCAL_ENV if name in os.environ}


def disconnect() -> None:
    """Leave Ray, and with that free everything that this process holds there."""
    ray.shutdown()


def cluster_size() -> ClusterSize:
    """Return what the connected cluster has."""
    resources = ray.cluster_resources()
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    with_gpu = [node for node in nodes if node.get("GPU")]
    return ClusterSize(
        cpus=int(resources.get("CPU", 0)),
        gpus=int(resources.get("GPU", 0)),
        memory_gib=resources.get("memory", 0.0) / 2**30,
        object_store_gib=resources.get("object_store_memory", 0.0) / 2**30,
        cpus_per_gpu=min((node.get("CPU", 0.0) / node["GPU"] for node in with_gpu), default=0.0),
    )


def check_reachable(address: str) -> None:
    """Raise an OSError when nobody listens there: Ray would try for many minutes, silently.

    What is no ``host:port`` is left to Ray.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()


def loopback_env() -> dict[str, str]:
    """Return what keeps the libraries by which workers exchange weights off the network."""
    names = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    wanted = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
    return {each: name for each in wanted if each not in os.environ for name in names}


def _connect(runtime: LocalRuntime | ClusterRuntime) -> dict[str, str]:
    """Start or join a cluster; return the addresses of the node under this process."""
    try:
        if isinstance(runtime, LocalRuntime):
            # Inherited, and not a runtime environment: so the workers that Ray starts beforehand,
            # while this process waits for it, can be ours.
            env = WORKER_ENV | path_environment() | loopback_env() | local_token()
            env["RAY_TMPDIR"] = session_folder()
            ask_for_token()
            with environment(env), lean_node():
                context = ray.init(
                    address="local",
                    job_config=job_config(),
                    num_cpus=runtime.cpus,
                    include_dashboard=False,
                    logging_level=logging.ERROR,
                    log_to_driver=False,
                )
        else:
            check_reachable(runtime.address)
            env = WORKER_ENV | path_environment() | plain_environment()
            context = ray.init(
                address=runtime.address,
                job_config=job_config(),
                logging_level=logging.ERROR,
                log_to_driver=False,
                runtime_env={"env_vars": env},
            )
    except Exception as error:
        own = to_cluster_error(error, runtime)
        if own is None:
            raise
        raise own from error
    return getattr(context, "address_info", {})


def to_cluster_error(
    error: Exception, runtime: LocalRuntime | ClusterRuntime
) -> ClusterError | None:
    """Return what a failure of Ray to start or to connect is for the user; None for a bug."""
    # Ray raises a bare Exception for a node that did not start in time.
    if type(error) is not Exception and not isinstance(error, OSError | RuntimeError | ValueError):
        return None
    is_local = isinstance(runtime, LocalRuntime)
    return ClusterError(
        f"cannot {'start' if is_local else 'connect to'} Ray: {error}",
        where=f"runtime: {runtime.model_dump(mode='json')}",
        hint="is the machine short of memory, or of room in /tmp? The same command tries again"
        if is_local
        else "is the cluster up ('ray status')? 'runtime.mode=local' needs none",
    )
