"""The tracker on MLflow: explicit run ids through one client, in one process."""

from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NAME

from mmray.core.atomic import read_json, write_json
from mmray.errors import ClusterError
from mmray.tracking.run import MLflowRun, deliver_kept, quiet
from mmray.tracking.tracker import Status

RUN_FILE = "run.json"
UNDELIVERED = "undelivered-metrics.jsonl"
WORKSPACE_TAG = "mmray.workspace"
KEY_TAG = "mmray.key"
KIND_TAG, KIND = "mlflow.experimentKind", "custom_model_development"
"""Without it the UI takes an experiment for one of language models, and hides the training runs."""


class MLflowTracker:
    """An experiment in an MLflow store, and this workspace's runs in it."""

    def __init__(self, *, uri: str, experiment: str, name: str, workspace: Path) -> None:
        self._uri = uri
        self._name = name
        self._workspace = workspace
        self._key = ""
        self._runs: dict[str, MLflowRun] = {}
        try:
            with quiet():  # a new SQLite store tells of its tables
                self._client = MlflowClient(tracking_uri=uri)
            self._experiment_id = self._open_experiment(experiment)
            deliver_kept(self._client, workspace / UNDELIVERED)
            self._close_stale()
        except MlflowException as error:
            raise ClusterError(
                f"the tracking store does not answer: {error.message}",
                where=f"tracking.uri: {uri}",
                hint="start the server, or leave out 'tracking.uri' for a store in the workspace",
            ) from error

    @property
    def uri(self) -> str:
        """Where the store is."""
        return self._uri

    def identify(self, key: str) -> None:
        """Say which document and corpus the workflow's run stands for."""
        self._key = key

    def parent(self) -> MLflowRun:
        """Return the workflow's run: this workspace's last one if it has the same key."""
        if "" not in self._runs:
            self._runs[""] = self._wrap(self._known_parent() or self._new_parent())
        return self._runs[""]

    def child(self, name: str) -> MLflowRun:
        """Return the run ``name`` under the workflow's run, reopened or new."""
        if name not in self._runs:
            self._runs[name] = self._wrap(self._known_child(name) or self._new_child(name))
        return self._runs[name]

    def close(self, status: Status = "FINISHED") -> None:
        """End every run that was opened, the workflow's own last."""
        for run in reversed(self._runs.values()):
            run.end(status)
        self._runs = {}

    def _wrap(self, run_id: str) -> MLflowRun:
        return MLflowRun(self._client, run_id, self._workspace / UNDELIVERED)

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
        # A SQLite store keeps artifacts beside itself; a server knows its own place for them.
        is_local = self._uri.startswith("sqlite:")
        artifacts = (self._workspace / "mlartifacts").resolve().as_uri() if is_local else None
        return self._client.create_experiment(name, artifacts, tags={KIND_TAG: KIND})

    def _known_parent(self) -> str | None:
        path = self._workspace / RUN_FILE
        if not path.is_file():
            return None
        known = read_json(path)
        if known["key"] != self._key or known["uri"] != self._uri:
            return None
        try:
            run = self._client.get_run(known["run_id"])
        except MlflowException:
            return None  # someone deleted it from the store
        if run.info.lifecycle_stage != "active" or run.info.experiment_id != self._experiment_id:
            return None
        self._client.update_run(run.info.run_id, status="RUNNING")
        return str(run.info.run_id)

    def _new_parent(self) -> str:
        run = self._client.create_run(
            self._experiment_id,
            run_name=self._name,
            tags={WORKSPACE_TAG: str(self._workspace.resolve()), KEY_TAG: self._key},
        )
        run_id = str(run.info.run_id)
        write_json(
            self._workspace / RUN_FILE, {"key": self._key, "uri": self._uri, "run_id": run_id}
        )
        return run_id

    def _known_child(self, name: str) -> str | None:
        parent = self.parent().run_id
        found = self._client.search_runs(
            [self._experiment_id],
            f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{parent}' and "
            f"tags.`{MLFLOW_RUN_NAME}` = {_quoted(name)}",
        )
        if not found:
            return None
        self._client.update_run(found[0].info.run_id, status="RUNNING")
        return str(found[0].info.run_id)

    def _new_child(self, name: str) -> str:
        run = self._client.create_run(
            self._experiment_id,
            run_name=name,
            tags={
                MLFLOW_PARENT_RUN_ID: self.parent().run_id,
                WORKSPACE_TAG: str(self._workspace.resolve()),
            },
        )
        return str(run.info.run_id)

    def _close_stale(self) -> None:
        """Mark runs as killed that an earlier process of this workspace could not close."""
        stale = self._client.search_runs(
            [self._experiment_id],
            f"attributes.status = 'RUNNING' and tags.`{WORKSPACE_TAG}` = "
            f"{_quoted(str(self._workspace.resolve()))}",
            run_view_type=ViewType.ACTIVE_ONLY,
        )
        for run in stale:
            self._client.set_terminated(run.info.run_id, "KILLED")


def _quoted(text: str) -> str:
    """Return ``text`` as MLflow's filters want it, which know no way to escape a quote."""
    quote = '"' if "'" in text else "'"
    return f"{quote}{text}{quote}"
