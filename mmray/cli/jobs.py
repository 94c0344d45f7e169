"""The verbs around jobs on a cluster: submit, jobs, logs, stop."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from mmray.cli.console import (
    AsJson,
    ConfigPath,
    Debug,
    Overrides,
    Quiet,
    Verbose,
    say,
    set_up_logging,
    shown,
    user_errors,
)
from mmray.config.reading.load import load_config

Address = Annotated[
    str, typer.Option(help="Dashboard of the cluster's head.", envvar="MMRAY_ADDRESS")
]
JobId = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of the job, or the beginning of one.")
]
LOCAL = "http://127.0.0.1:8265"
"""The address of 'ray start --head' and of the tunnel of 'ray dashboard'."""


def submit(  # noqa: PLR0913
    config: ConfigPath,
    overrides: Overrides = None,
    address: Address = LOCAL,
    workflow: Annotated[Path, typer.Option(help="Workflow to run on the cluster.")] = Path(
        "workflows/fusion.py"
    ),
    detach: Annotated[bool, typer.Option("--detach", help="Do not follow the log.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Run a workflow as a job on a Ray cluster. Follows its log, returns its exit status."""
    with user_errors(debug=debug, config=config):
        loaded = load_config(config, overrides or ())
        set_up_logging(quiet=quiet, verbose=verbose)
        from mmray.distributed.jobs import job

        report = job.submit(
            loaded, document=config, address=address, workflow=workflow, detach=detach
        )
        _end(report, as_json=as_json)


def jobs(
    address: Address = LOCAL,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """List the jobs of a cluster, newest first."""
    with user_errors(debug=debug):
        set_up_logging(quiet=quiet, verbose=verbose)
        from mmray.distributed.jobs.job import list_jobs

        found = list_jobs(address)
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        width = max((len(each["job_id"]) for each in found), default=0)
        for each in found:
            say(_line(each, width))
        if not found:
            typer.echo("no jobs")


def logs(  # noqa: PLR0913
    job: JobId,
    address: Address = LOCAL,
    follow: Annotated[bool, typer.Option(help="Follow the log to the job's end.")] = True,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Follow the log of a job to its end. Returns the job's exit status."""
    with user_errors(debug=debug):
        set_up_logging(quiet=quiet, verbose=verbose)
        from mmray.distributed.jobs.job import attach, read_log

        if follow:
            _end(attach(job, address=address), as_json=as_json)
        else:
            typer.echo(shown(read_log(job, address=address)), nl=False)


def stop(
    job: JobId,
    address: Address = LOCAL,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Stop a job. What it has completed stays, and submitting it again resumes."""
    with user_errors(debug=debug):
        set_up_logging(quiet=quiet, verbose=verbose)
        from mmray.distributed.jobs.job import stop_job

        job_id, was_running = stop_job(job, address=address)
        typer.echo(f"job {job_id}: {'stopping' if was_running else 'has already ended'}")


def add_to(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    for verb in (submit, jobs, logs, stop):
        app.command()(verb)


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
