"""Jobs: the same workflow, sent to a Ray cluster, which runs it whether or not anyone follows."""

import logging
import re
import shlex
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmray.config.document import Config
from mmray.core.fingerprint import fingerprint
from mmray.distributed.jobs.client import answers, metadata_of, open_client
from mmray.distributed.jobs.log import follow
from mmray.distributed.jobs.package import package, to_cluster_document
from mmray.errors import ClusterError, ConfigError

if TYPE_CHECKING:
    from ray.job_submission import JobDetails, JobSubmissionClient

logger = logging.getLogger(__name__)
READY_S = 120.0
"""Longest wait for a cluster that is starting."""
NOT_READY = "No available agent"
"""Answer of Ray's dashboard before the head's agent is up; it waits a while itself."""
TAKEN = "already exists"
"""Answer to a job that another command has submitted at the same moment."""
IDENTITY = "mmray"
"""Key in a job's metadata: the name that all jobs of a document and a workflow share."""


def submit(
    config: Config, *, document: Path, address: str, workflow: Path, detach: bool = False
) -> dict[str, Any]:
    """Run ``workflow`` on the cluster behind ``address``; follow it to its end unless detached.

    If a job of the same document and workflow is there and has not ended, it is followed instead.
    The document's paths are made absolute: the cluster must see them under the same names (a shared
    folder, or URIs). The job's log goes to standard error; its exit status is in the result.
    """
    if not workflow.is_file():
        raise ConfigError(
            f"there is no workflow {str(workflow)!r}", hint="e.g. --workflow workflows/search.py"
        )
    client, identity = open_client(address), name_job(config, workflow)
    with answers(address):
        jobs = _submitted(client)
        job_id = _active(jobs, identity)
        if job_id:
            logger.info("job %s is already running", job_id)
        else:
            free_id = _free_id(identity, [str(job.submission_id) for job in jobs])
            job_id = _send(client, config, document, workflow=workflow.resolve(), job_id=free_id)
            logger.info("job %s on %s", job_id, address)
    if detach:
        _say_how_to_attach(job_id, address)
        return {"job_id": job_id, "address": address, "status": "SUBMITTED", "exit_code": 0}
    return _follow(client, job_id, address)


def attach(job_id: str, *, address: str) -> dict[str, Any]:
    """Follow a job's log to its end, and return how it ended; leaving it does not stop it."""
    client = open_client(address)
    return _follow(client, find_job(client, job_id, address), address)


def read_log(job_id: str, *, address: str) -> str:
    """Return what a job has logged so far."""
    client = open_client(address)
    found = find_job(client, job_id, address)
    with answers(address):
        return client.get_job_logs(found)


def list_jobs(address: str) -> list[dict[str, Any]]:
    """Return the jobs that were submitted to a cluster, the newest first."""
    client = open_client(address)
    with answers(address):
        jobs = sorted(_submitted(client), key=lambda job: job.start_time or 0, reverse=True)
    return [
        {
            "job_id": str(job.submission_id),
            "name": metadata_of(job).get("name", ""),
            "status": str(job.status.value),
            "started_ms": job.start_time,
            "ended_ms": job.end_time,
        }
        for job in jobs
    ]


def stop_job(job_id: str, *, address: str) -> tuple[str, bool]:
    """Stop a job; return its id, and whether it was running."""
    client = open_client(address)
    found = find_job(client, job_id, address)
    with answers(address):
        return found, bool(client.stop_job(found))


def find_job(client: "JobSubmissionClient", job_id: str, address: str) -> str:
    """Return the id of a job that is there, by the id or the only beginning of one."""
    with answers(address):
        ids = [str(job.submission_id) for job in _submitted(client)]
    found = [job_id] if job_id in ids else [each for each in ids if each.startswith(job_id)]
    if len(found) == 1:
        return found[0]
    problem = f"{len(found)} jobs begin with" if found else "there is no job"
    raise ClusterError(
        f"{problem} {job_id!r}", where=address, hint=f"'mmray jobs --address {address}' lists them"
    )


def name_job(config: Config, workflow: Path) -> str:
    """Return the name that all jobs of a document and a workflow share."""
    name = re.sub(r"[^\w-]+", "-", config.name, flags=re.ASCII).strip("-") or "job"
    return f"{name[:40]}-{fingerprint(to_cluster_document(config), workflow.name)[:8]}"


def _active(jobs: "Collection[JobDetails]", identity: str) -> str:
    """Return the id of such a job that has not ended, or nothing."""
    for job in jobs:
        if metadata_of(job).get(IDENTITY) == identity and not job.status.is_terminal():
            return str(job.submission_id)
    return ""


def _free_id(identity: str, taken: Collection[str]) -> str:
    numbered = (f"{identity}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (identity, *numbered) if each not in taken)


def _send(
    client: "JobSubmissionClient", config: Config, document: Path, *, workflow: Path, job_id: str
) -> str:
    # The folder is private: the document may hold a password of the tracking store.
    with tempfile.TemporaryDirectory(prefix="mmray-job-") as folder:
        name = package(config, workflow, document, Path(folder))
        module = f"{workflow.parent.name}.{workflow.stem}"
        return _hand_in(
            client,
            {
                "entrypoint": shlex.join(["python", "-m", module, name]),
                "submission_id": job_id,
                "runtime_env": {"working_dir": folder},
                "metadata": {"name": config.name, IDENTITY: name_job(config, workflow)},
            },
        )


def _hand_in(client: "JobSubmissionClient", job: dict[str, Any]) -> str:
    """Hand the job in; a head that has just started is waited for."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            return client.submit_job(**job)
        except RuntimeError as error:
            if TAKEN in str(error):
                return str(job["submission_id"])
            if NOT_READY not in str(error) or time.monotonic() > deadline:
                raise
        logger.info("the cluster is still starting; trying again")
        time.sleep(1.0)


def _follow(client: "JobSubmissionClient", job_id: str, address: str) -> dict[str, Any]:
    try:
        with answers(address):
            job = follow(client, job_id)
    except (KeyboardInterrupt, ClusterError):
        _say_how_to_attach(job_id, address)
        raise
    status = str(job.status.value)
    exit_code = 0 if status == "SUCCEEDED" else (job.driver_exit_code or ClusterError.exit_code)
    logger.info("job %s: %s", job_id, status)
    return {"job_id": job_id, "address": address, "status": status, "exit_code": exit_code}


def _submitted(client: "JobSubmissionClient") -> list["JobDetails"]:
    return [job for job in client.list_jobs() if job.submission_id]


def _say_how_to_attach(job_id: str, address: str) -> None:
    logger.info("the job does not need this command: it continues by itself")
    logger.info("  follow it: mmray logs %s --address %s", job_id, address)
    logger.info("  stop it:   mmray stop %s --address %s", job_id, address)
