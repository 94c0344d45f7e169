"""The MLflow UI on a document's store."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from mmray.config.document import Config
from mmray.errors import ClusterError
from mmray.tracking.open import MLFLOW_ENV, tracking_uri

ENDED = 128 + signal.SIGTERM
GRACE_S = 5.0
"""For the server to end by itself."""


def serve(config: Config, *, host: str, port: int) -> None:
    """Run the MLflow UI until it is interrupted; a store that is a server already is only named."""
    uri = tracking_uri(config)
    if uri.startswith(("http://", "https://")):
        sys.stdout.write(f"the tracking server is at {uri}\n")
        return
    database = Path(uri.removeprefix("sqlite:///"))
    if uri.startswith("sqlite:///") and not database.is_file():
        raise ClusterError(
            "there is no tracking store yet",
            where=uri,
            hint="run a workflow on this document first",
        )
    sys.stdout.write(f"MLflow UI on http://{host}:{port} for {uri} (Ctrl-C ends it)\n")
    sys.stdout.flush()
    command = [
        sys.executable, "-m", "mlflow", "server",
        "--backend-store-uri", uri, "--host", host, "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    status = _run_as_group(command, {**MLFLOW_ENV, **os.environ})
    if status:
        raise ClusterError(
            f"the MLflow UI ended with status {status}",
            hint=f"is port {port} taken? '--port' chooses another",
        )


def _run_as_group(command: list[str], environment: dict[str, str]) -> int:
    """Run a command, and end it with all that it started when this process is ended.

    MLflow's server is a process that starts others; ended by its process id alone, it leaves them.
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
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        if is_ending:
            raise SystemExit(ENDED)
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        if process is not None:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end, and make it end where it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=GRACE_S)
        except ProcessLookupError:
            return  # nobody is left
        except subprocess.TimeoutExpired:
            continue
