"""The MLflow UI on a document's store."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import suppress
from typing import IO

from mmray.config.document import Config
from mmray.core.text.secret import masked
from mmray.errors import ClusterError
from mmray.tracking.database import check_database, database_file
from mmray.tracking.open import MLFLOW_ENV, tracking_uri
from mmray.tracking.relocation import relocate_artifacts

ENDED = 128 + signal.SIGTERM
PORT = 5000
WEB = ("http://", "https://")
TRAINING = "workflowType=machine_learning"
"""In an address: without it, a new browser shows pages of language models, which leave out the
description of a run."""
START_S, POLL_S = 120.0, 0.5
"""Longest start of the server, and the polling interval."""
GRACE_S = 5.0
"""Time for the server to end by itself."""


def serve(config: Config, *, host: str, port: int | None, chatty: bool = False) -> None:
    """Run the MLflow UI until interrupted; of a store that is a server, only print the address.

    ``port`` must be free; the default is ``PORT``, or any free one.
    """
    uri = tracking_uri(config)
    if uri.startswith(WEB):
        say(f"the tracking server is at {masked(uri)}{_page(config, uri)}")
        return
    file = database_file(uri)
    if file is not None and not file.is_file():
        raise ClusterError(
            "there is no tracking store yet",
            where=masked(uri),
            hint="run a workflow on this document first",
        )
    if file is not None:
        check_database(file)
        relocate_artifacts(file)
    address = f"http://{host}:{_choose_port(host, port)}"
    _announce_when_up(address, f"{address}{_page(config, uri)}")
    command = [
        sys.executable, "-m", "mlflow", "server",
        "--host", host, "--port", address.rpartition(":")[2], "--workers", "1",
    ]  # fmt: skip
    # Not among the arguments, which every user of the machine can list.
    environment = {**MLFLOW_ENV, **os.environ, "MLFLOW_BACKEND_STORE_URI": uri}
    with tempfile.TemporaryFile() as log:
        output = None if chatty else log
        status = _run_as_group(command, environment, output=output)
        if status:
            log.seek(0)
            last = log.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ClusterError(f"the MLflow UI ended with status {status}", hint="".join(last))


def _choose_port(host: str, port: int | None) -> int:
    """Return the requested port, else the usual or a free one."""
    problem = ""
    for wanted in (PORT, 0) if port is None else (port,):
        try:
            with socket.create_server((host, wanted)) as listener:
                return int(listener.getsockname()[1])
        except OSError as error:
            problem = f"cannot listen on {host}:{wanted}: {os.strerror(error.errno or 0)}"
    raise ClusterError(problem, where="--port", hint="leave it out to use a free port")


def _announce_when_up(address: str, page: str) -> None:
    """Print the UI's address once it answers."""
    say("starting the MLflow UI (about 10 s)")

    def wait() -> None:
        for _ in range(int(START_S / POLL_S)):
            time.sleep(POLL_S)
            with suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=1):
                say(f"MLflow UI: {page}\n(Ctrl-C ends it)")
                return

    threading.Thread(target=wait, daemon=True).start()


def _page(config: Config, uri: str) -> str:
    """Return the path of this workflow's run in the UI; nothing if there is none."""
    from mmray.tracking.find import latest_parent

    found = latest_parent(config, uri)
    return "" if found is None else f"/#/experiments/{found[0]}/runs/{found[1]}?{TRAINING}"


def say(text: str) -> None:
    """Print to standard output."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run_as_group(
    command: list[str], environment: dict[str, str], *, output: IO[bytes] | None = None
) -> int:
    """Run a command, and end it with all its children when this process ends.

    MLflow's server starts other processes; ending only the server would leave them.
    """
    process: subprocess.Popen[bytes] | None = None
    is_ending = False

    def end(*_: object) -> None:
        nonlocal is_ending
        is_ending = True
        if process is not None:  # else it is just being started, and would be left alone
            raise SystemExit(ENDED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        process = subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=output, stderr=output
        )
        if is_ending:
            raise SystemExit(ENDED)
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        if process is not None:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Terminate the process group; kill it if it does not end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=GRACE_S)
        except ProcessLookupError:
            return  # nobody is left
        except subprocess.TimeoutExpired:
            continue
