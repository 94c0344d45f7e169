"""The tracker on MLflow: explicit run ids through one client, in one process."""

import logging
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from sqlalchemy.exc import SQLAlchemyError

from mmray.core.text.secret import masked
from mmray.errors import ClusterError
from mmray.tracking.database import KEPT, artifact_folder, database_file, open_database
from mmray.tracking.relocation import BESIDE, BESIDE_TAG, WORKSPACE_TAG, relocate_artifacts
from mmray.tracking.run import MLflowRun, quiet
from mmray.tracking.tracker import UNDELIVERED, Status
from mmray.tracking.undelivered import deliver_kept

KEY_TAG = "mmray.key"
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""Without it the UI treats an experiment as one of language models, and hides the training runs."""


class MLflowTracker:
    """An experiment in an MLflow store, and this workspace's runs in it."""

    def __init__(self, *, uri: str, experiment: str, name: str, workspace: Path) -> None:
        self._uri = uri
        self._name = name
        self._workspace = workspace
        self._location = str(workspace.resolve())
        self._key = ""
        self._runs: dict[str, MLflowRun] = {}
        self._file = database_file(uri)
        # Its errors are said by us, and without a traceback.
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
        try:
            with quiet():  # a new SQLite store logs its tables
                if self._file is not None:
                    open_database(uri, self._file)
                    relocate_artifacts(self._file)
                self._client = MlflowClient(tracking_uri=uri)
            self._experiment_id = self._open_experiment(experiment)
            deliver_kept(self._client, workspace / UNDELIVERED)
            self._close_stale()
        except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    @property
    def uri(self) -> str:
        """Address of the store."""
        return self._uri

    def identify(self, key: str) -> None:
        """Set the key of document and corpus for the workflow's run."""
        self._key = key

    def parent(self) -> MLflowRun:
        """Return the workflow's run: this workspace's last one with the same key, or a new one."""
        if "" not in self._runs:
            with self._answering():
                known = self._known_parent()
                self._runs[""] = self._reopen(known) if known else self._wrap(self._new_parent())
        return self._runs[""]

    def child(
        self, name: str, *, under: str = "", started: float | None = None, is_new: bool = False
    ) -> MLflowRun:
        """Return the run ``name`` under the workflow's run or another child, reopened or new.

        With ``is_new``, a run with metrics of an earlier process is not reopened.
        """
        if name not in self._runs:
            parent = self.child(under).run_id if under else self.parent().run_id
            with self._answering():
                known = self._known_child(name, parent, unused=is_new)
                self._runs[name] = (
                    self._reopen(known)
                    if known
                    else self._wrap(self._new_child(name, parent, started))
                )
        return self._runs[name]

    def later(self, action: Callable[[], None]) -> None:
        """Log something now: the store is open."""
        action()

    def close(self, status: Status = "FINISHED") -> None:
        """End every run that was opened, the workflow's own last."""
        for run in reversed(self._runs.values()):
            run.end(status)
        self._runs = {}

    def _wrap(self, run_id: str, *, is_reopened: bool = False) -> MLflowRun:
        spill = self._workspace / UNDELIVERED
        return MLflowRun(self._client, run_id, spill, is_reopened=is_reopened)

    def _reopen(self, run_id: str) -> MLflowRun:
        self._client.update_run(run_id, status="RUNNING")
        return self._wrap(run_id, is_reopened=True)

    @contextmanager
    def _answering(self) -> Generator[None]:
        """Raise an error with a hint if the store does not answer."""
        try:
            yield
        except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ClusterError:
        problem = str(getattr(error, "message", error)).splitlines()[0]
        if self._file is not None:
            return ClusterError(
                f"the tracking store cannot be used: {problem}", where=str(self._file), hint=KEPT
            )
        return ClusterError(
            f"the tracking store does not answer: {problem}",
            where=f"tracking.uri: {masked(self._uri)}",
            hint="start the server, or remove 'tracking.uri' to use a store in the workspace",
        )

    def _open_experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None and found.lifecycle_stage != "active":
            raise ClusterError(
                f"the experiment {name!r} was deleted",
                where=f"tracking.uri: {self._uri}",
                hint="restore it with 'mlflow experiments restore', or choose another with "
                "'tracking.experiment'",
            )
        if found is not None:
            return str(found.experiment_id)
        # A server knows its own place for artifacts.
        artifacts = None if self._file is None else artifact_folder(self._file).as_uri()
        tags = {KIND_TAG: KIND} | ({} if self._file is None else {BESIDE_TAG: BESIDE})
        return self._client.create_experiment(name, artifacts, tags=tags)

    def _known_parent(self) -> str | None:
        found = self._search(f"tags.`{KEY_TAG}` = '{self._key}'")
        return found[0].info.run_id if found else None

    def _new_parent(self) -> str:
        tags = {WORKSPACE_TAG: self._location, KEY_TAG: self._key}
        run = self._client.create_run(self._experiment_id, run_name=self._name, tags=tags)
        return str(run.info.run_id)

    def _known_child(self, name: str, parent: str, *, unused: bool) -> str | None:
        condition = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}'"
        if "'" not in name:  # a search may have many; MLflow knows no way to escape a quote
            condition += f" and attributes.run_name = '{name}'"
        found = self._search(condition)
        known = next((run for run in found if run.info.run_name == name), None)
        return None if known is None or (unused and known.data.metrics) else known.info.run_id

    def _new_child(self, name: str, parent: str, started: float | None) -> str:
        run = self._client.create_run(
            self._experiment_id,
            start_time=None if started is None else int(1000 * started),
            run_name=name,
            tags={MLFLOW_PARENT_RUN_ID: parent, WORKSPACE_TAG: self._location},
        )
        return str(run.info.run_id)

    def _close_stale(self) -> None:
        """Mark runs as killed that an earlier process of this workspace could not close."""
        for run in self._search("attributes.status = 'RUNNING'"):
            self._client.set_terminated(run.info.run_id, "KILLED")

    def _search(self, condition: str) -> list[Run]:
        """Return this workspace's runs that meet a condition, the newest first."""
        found: list[Run] = []
        token: str | None = None
        while token != "":
            page = self._client.search_runs([self._experiment_id], condition, page_token=token)
            found += [r for r in page if r.data.tags.get(WORKSPACE_TAG) == self._location]
            token = page.token or ""
        return found
