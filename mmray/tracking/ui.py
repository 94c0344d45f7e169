"""The MLflow UI on a document's store."""

import os
import subprocess
import sys
from pathlib import Path

from mmray.config.document import Config
from mmray.errors import ClusterError
from mmray.tracking.open import MLFLOW_ENV, tracking_uri


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
    done = subprocess.run(command, check=False, env={**MLFLOW_ENV, **os.environ})
    if done.returncode:
        raise ClusterError(
            f"the MLflow UI ended with status {done.returncode}",
            hint=f"is port {port} taken? '--port' chooses another",
        )
