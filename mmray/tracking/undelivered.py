"""Undelivered metrics of a tracking server, kept in a file for a later command.

A line is a metric of a run, or how a run ended.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

from mmray.core.file.atomic import replacing
from mmray.tracking.tracker import Status

logger = logging.getLogger(__name__)

Entry = Mapping[str, Any]
MAX_BATCH = 1000
"""Most metrics that MLflow accepts at once."""


def keep(path: Path, entries: Iterable[Entry]) -> None:
    """Add entries to the file."""
    with path.open("a", encoding="utf-8") as stream:
        stream.writelines(json.dumps(entry) + "\n" for entry in entries)


def metric_entry(run_id: str, metric: Metric) -> Entry:
    """Return a metric as a line."""
    return dict(metric) | {"run_id": run_id}


def end_entry(run_id: str, status: str, end_ms: int) -> Entry:
    """Return the end of a run as a line."""
    return {"run_id": run_id, "status": status, "timestamp": end_ms}


def deliver_kept(client: MlflowClient, path: Path) -> None:
    """Deliver what an earlier process kept in the file.

    Entries that the store refuses, for example because the run was deleted, stay in the file. A
    line that cannot be read is dropped.
    """
    if not path.is_file():
        return
    by_run: dict[str, list[Entry]] = {}
    for entry in _read(path):
        by_run.setdefault(entry["run_id"], []).append(entry)
    kept = [entries for run, entries in by_run.items() if not _deliver(client, run, entries)]
    refused = [entry for entries in kept for entry in entries]
    if not refused:
        path.unlink()
        return
    with replacing(path) as temporary:
        keep(temporary, refused)
    logger.warning(
        "%d entries of an earlier process were refused; they stay in %s", len(refused), path
    )


def known_steps(client: MlflowClient, run_id: str, name: str) -> set[int]:
    """Return the steps at which a run has this metric."""
    return {metric.step for metric in client.get_metric_history(run_id, name)}


def _read(path: Path) -> Iterator[Entry]:
    broken = 0
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
            is_end = entry.get("status") in get_args(Status)
            wanted = {"run_id": str, "timestamp": int} | (
                {} if is_end else {"key": str, "step": int}
            )
            value = 0.0 if is_end else float(entry["value"])
            if not all(isinstance(entry[key], kind) for key, kind in wanted.items()):
                raise TypeError(line)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            broken += 1
        else:
            yield entry | {"value": value}
    if broken:
        logger.warning("%d lines of %s cannot be read and are dropped", broken, path)


def _deliver(client: MlflowClient, run_id: str, entries: Sequence[Entry]) -> bool:
    """Deliver the entries of one run, without those that a killed process had delivered."""
    metrics = [entry for entry in entries if "key" in entry]
    try:
        known = {key: known_steps(client, run_id, key) for key in {m["key"] for m in metrics}}
        fresh = [
            Metric(m["key"], m["value"], m["timestamp"], m["step"])
            for m in metrics
            if m["step"] not in known[m["key"]]
        ]
        for start in range(0, len(fresh), MAX_BATCH):
            client.log_batch(run_id, metrics=fresh[start : start + MAX_BATCH])
        for entry in entries:
            if "key" not in entry:
                client.set_terminated(run_id, entry["status"], entry["timestamp"])
    except MlflowException as error:
        logger.warning("run %s of an earlier process: %s", run_id, error.message)
        return False
    return True
