"""Jobs: the same workflow, sent to a Ray cluster, with its log followed here."""

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ray.exceptions import AuthenticationError

import mmray
from mmray.config.document import Config
from mmray.config.load import resolved
from mmray.core.fingerprint import fingerprint
from mmray.errors import ClusterError, ConfigError

logger = logging.getLogger(__name__)
DOCUMENT = "document.yaml"
READY_S = 120.0
"""How long a cluster that is starting is waited for."""
NOT_READY = "No available agent"
"""What Ray's dashboard answers before the head's agent is up; it waits a while itself."""


def submit(config: Config, *, address: str, workflow: Path) -> dict[str, Any]:
    """Run ``workflow`` on the cluster behind ``address`` and wait for its end.

    The document's paths are made absolute: the cluster must see them under the same names (a shared
    folder, or URIs). The job's log goes to standard error; its exit status is in the result.
    """
    if not workflow.is_file():
        raise ConfigError(
            f"there is no workflow {str(workflow)!r}", hint="e.g. --workflow workflows/search.py"
        )
    workflow = workflow.resolve()
    client = _client(address)
    with tempfile.TemporaryDirectory(prefix="mmray-job-") as folder:
        package(config, workflow, Path(folder))
        job = {
            "entrypoint": f"python -m {workflow.parent.name}.{workflow.stem} {DOCUMENT}",
            "runtime_env": {"working_dir": folder},
            "metadata": {"name": config.name, "document": fingerprint(resolved(config))},
        }
        job_id = _hand_in(client, job, address)
    logger.info("job %s on %s", job_id, address)
    try:
        asyncio.run(_follow(client, job_id))
    except KeyboardInterrupt:
        client.stop_job(job_id)
        raise
    info = client.get_job_info(job_id)
    status = str(info.status.value if info.status else "UNKNOWN")
    exit_code = 0 if status == "SUCCEEDED" else (info.driver_exit_code or ClusterError.exit_code)
    logger.info("job %s: %s", job_id, status)
    return {"job_id": job_id, "address": address, "status": status, "exit_code": exit_code}


def package(config: Config, workflow: Path, folder: Path) -> None:
    """Put what the job needs into ``folder``: this package, the workflow and the document."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(mmray.__file__).parent, folder / "mmray", ignore=ignore)
    target = folder / workflow.parent.name
    target.mkdir()
    shutil.copy(workflow, target)
    # JSON is YAML, and says the same to any parser.
    (folder / DOCUMENT).write_text(json.dumps(to_cluster_document(config), indent=2), "utf-8")


def to_cluster_document(config: Config) -> dict[str, Any]:
    """Return the document with absolute paths, to be run inside of the cluster."""
    document = resolved(config)
    resources = document["runtime"]["resources"]
    document["runtime"] = {"mode": "cluster", "address": "auto", "resources": resources}
    document["workspace"] = _absolute(config.workspace)
    document["data"]["manifest"] = _absolute(config.data.manifest)
    document["data"]["allow"] = [_absolute(place) for place in config.data.allow]
    store = config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI")
    document["tracking"]["uri"] = _absolute_store(store) if store else None
    for modality in document["modalities"].values():
        _resolve_checkpoints(modality["extract"])
    return document


def _resolve_checkpoints(section: dict[str, Any]) -> None:
    """Make local checkpoints, tokenizers and files absolute, those of a transcript's text too."""
    for key, value in section.items():
        if isinstance(value, dict):
            _resolve_checkpoints(value)
        elif key in ("model", "tokenizer", "path") and value and Path(value).exists():
            section[key] = _absolute(value)


def _absolute_store(uri: str) -> str:
    prefix = "sqlite:///"
    return prefix + _absolute(uri.removeprefix(prefix)) if uri.startswith(prefix) else uri


def _absolute(place: str) -> str:
    return place if "://" in place else str(Path(place).resolve())


def _client(address: str) -> Any:  # noqa: ANN401 (only there with ray[default])
    try:
        from ray.job_submission import JobSubmissionClient
    except ImportError as error:
        raise ClusterError(
            f"jobs need ray[default]: {error}", hint="pip install 'mmray[cluster]'"
        ) from error
    try:
        return JobSubmissionClient(address, headers=auth_headers())
    except AuthenticationError as error:
        raise ClusterError(
            "the cluster wants another token than this machine's, or any at all",
            where=address,
            hint="copy the head's ~/.ray/auth_token here, or set RAY_AUTH_TOKEN",
        ) from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(
            f"no cluster answers: {str(error).splitlines()[0]}",
            where=address,
            hint="start one with 'ray start --head'; the address is its dashboard's",
        ) from error


def auth_headers() -> dict[str, str]:
    """Return this machine's Ray token as a header; a cluster without authentication ignores it.

    As a header and not by ``RAY_AUTH_MODE``: Ray reads that only once, when it is imported. A local
    Ray leaves a token behind, and then ``ray start --head`` asks for it.
    """
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", "~/.ray/auth_token")).expanduser()
    token = os.environ.get("RAY_AUTH_TOKEN") or (path.read_text("utf-8") if path.is_file() else "")
    return {"Authorization": f"Bearer {token.strip()}"} if token.strip() else {}


def _hand_in(client: Any, job: dict[str, Any], address: str) -> str:  # noqa: ANN401
    """Hand the job in; a head that has just started is waited for."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            return str(client.submit_job(**job))
        except RuntimeError as error:
            if NOT_READY not in str(error) or time.monotonic() > deadline:
                raise ClusterError(
                    f"the cluster does not take the job: {error}",
                    where=address,
                    hint="look at the cluster with 'ray status', then submit again",
                ) from error
        logger.info("the cluster is still starting; trying again")
        time.sleep(1.0)


async def _follow(client: Any, job_id: str) -> None:  # noqa: ANN401
    async for text in client.tail_job_logs(job_id):
        sys.stderr.write(text)
        sys.stderr.flush()
