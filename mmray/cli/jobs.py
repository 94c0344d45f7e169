"""The verbs around jobs on a cluster: submit, jobs, logs, stop."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mmray.cli.console import say, shown
from mmray.cli.verb import Call, DocumentCall, document_verb, verb

Address = Annotated[
    str, typer.Option(help="Dashboard of the cluster's head.", envvar="MMRAY_ADDRESS")
]
JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of the job, or the beginning of one.")
]
LOCAL = "http://127.0.0.1:8265"
"""The address of 'ray start --head' and of the tunnel of 'ray dashboard'."""


@document_verb()
def submit(
    call: DocumentCall,
    address: Address = LOCAL,
    workflow: Annotated[Path, typer.Option(help="Workflow to run on the cluster.")] = Path(
        "workflows/fusion.py"
    ),
    detach: Annotated[bool, typer.Option("--detach", help="Do not follow the log.")] = False,
) -> None:
    """Run a workflow as a job on a Ray cluster. Follows its log, returns its exit status."""
    from mmray.distributed.jobs import job

    report = job.submit(
        call.config, document=call.path, address=address, workflow=workflow, detach=detach
    )
    _end(report, as_json=call.as_json)


@verb()
def jobs(call: Call, address: Address = LOCAL) -> None:
    """List the jobs of a cluster, newest first."""
    from mmray.distributed.jobs.job import list_jobs

    found = list_jobs(address)
    if call.as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    width = max((len(each["job_id"]) for each in found), default=0)
    for each in found:
        say(_line(each, width))
    if not found:
        typer.echo("no jobs")


@verb()
def logs(
    call: Call,
    job: JobId,
    address: Address = LOCAL,
    follow: Annotated[bool, typer.Option(help="Follow the log to the job's end.")] = True,
) -> None:
    """Follow the log of a job to its end. Returns the job's exit status."""
    from mmray.distributed.jobs.job import attach, read_log

    if follow:
        _end(attach(job, address=address), as_json=call.as_json)
    else:
        typer.echo(shown(read_log(job, address=address)), nl=False)


@verb(without=("as_json",))
def stop(_call: Call, job: JobId, address: Address = LOCAL) -> None:
    """Stop a job. What it has completed stays, and submitting it again resumes."""
    from mmray.distributed.jobs.job import stop_job

    job_id, was_running = stop_job(job, address=address)
    typer.echo(f"job {job_id}: {'stopping' if was_running else 'has already ended'}")


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    for each in (submit, jobs, logs, stop):
        app.command()(each)


def _end(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    if report["exit_code"]:
        raise typer.Exit(report["exit_code"])


def _line(job: dict[str, Any], width: int) -> str:
    started = job["started_ms"]
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(started / 1000)) if started else ""
    ended = job["ended_ms"] or time.time() * 1000
    took = f"{(ended - started) / 60_000:.1f} min" if started else ""
    return f"{job['job_id']:<{width}}  {job['status']:<9}  {when:<16}  {took:>10}  {job['name']}"
