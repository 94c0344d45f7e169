"""One MLflow run, written through one client in one process.

Metrics that cannot be delivered wait in memory, are sent again with the next ones and at the end,
and are kept in a file if the server is still away.
"""

import json
import logging
import os
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import mlflow.pyfunc
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NOTE

import mmray
from mmray.core.text.markdown import with_section
from mmray.core.text.secret import masked, masked_document
from mmray.tracking import bundle_model
from mmray.tracking.model_interface import (
    prediction_requirements,
    prediction_schema,
    record_schema,
)
from mmray.tracking.tracker import Status

if TYPE_CHECKING:
    from mmray.run.bundle.served import Interface
from mmray.tracking.undelivered import MAX_BATCH, Entry, end_entry, keep, known_steps, metric_entry

logger = logging.getLogger(__name__)

MAX_PARAM = 500


class MLflowRun:
    """One MLflow run."""

    def __init__(
        self, client: MlflowClient, run_id: str, spill: Path, *, is_reopened: bool = False
    ) -> None:
        self._client = client
        self._run_id = run_id
        self._spill = spill
        self._waiting: list[Metric] = []
        self._is_reopened = is_reopened
        self._steps: dict[str, set[int]] = {}
        self._seconds: float | None = None
        self._is_ended = False

    @property
    def run_id(self) -> str:
        """MLflow's id of this run."""
        return self._run_id

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log settings under dotted keys; existing settings stay."""
        flat = {name: masked(str(value))[:MAX_PARAM] for name, value in flatten(params)}
        with self._going_on("settings"):
            known = self._client.get_run(self._run_id).data.params
            fresh = [Param(name, value) for name, value in flat.items() if name not in known]
            for start in range(0, len(fresh), 100):
                self._client.log_batch(self._run_id, params=fresh[start : start + 100])

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log figures; while the server is away they wait, and the caller continues.

        An epoch that an earlier process has logged in this run is not logged twice.
        """
        now = int(time.time() * 1000)
        self._waiting += [
            Metric(name, float(value), now, step)
            for name, value in metrics.items()
            if not step or step not in self._steps_before(name)
        ]
        self._deliver()

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags; the next value of a tag replaces it."""
        with self._going_on("tags"):
            for name, value in tags.items():
                self._client.set_tag(self._run_id, name, masked(value)[:MAX_PARAM])

    def log_file(self, path: Path, *, folder: str = "") -> None:
        """Keep a file with the run."""
        with self._going_on(path.name):
            self._client.log_artifact(self._run_id, str(path), folder or None)

    def log_dataset(self, dataset: Mapping[str, Any]) -> None:
        """Log a dataset input: name, digest, source and profile."""
        dataset = masked_document(dict(dataset))
        profile = {key: value for key, value in dataset.items() if key not in ("name", "digest")}
        entity = Dataset(
            name=dataset["name"],
            digest=dataset["digest"],
            source_type="local",
            source=json.dumps({"uri": dataset["source"]}),
            profile=json.dumps(profile),
        )
        tags = [InputTag("mlflow.data.context", "training")]
        with self._going_on("data set"):
            self._client.log_inputs(self._run_id, [DatasetInput(entity, tags)])

    def log_bundle(
        self,
        folder: Path,
        interface: "Interface",
        *,
        code: Sequence[Path] = (),
        register_as: str | None,
    ) -> None:
        """Log the bundle as a pyfunc model of raw records, with a signature and an example."""
        with self._going_on("model"):
            with (
                fluent(self._client.tracking_uri),
                mlflow.start_run(run_id=self._run_id),
                quiet(),
            ):
                mlflow.pyfunc.log_model(
                    name="model",
                    python_model=bundle_model.__file__,
                    artifacts={"bundle": str(folder)},
                    signature=ModelSignature(
                        inputs=record_schema(interface.inputs),
                        outputs=prediction_schema(interface.outputs),
                    ),
                    input_example=pd.DataFrame([interface.example], dtype="object"),
                    model_config=dict(bundle_model.SETTINGS),
                    # The model carries this package and the user's own modules, so that it loads
                    # where none is installed.
                    code_paths=[str(Path(mmray.__file__).parent), *map(str, code)],
                    pip_requirements=prediction_requirements(),
                )
            # start_run ends the run with its block; the workflow continues in it.
            self._client.set_terminated(self._run_id, "RUNNING")
            if register_as is not None:
                self.register(register_as)

    def register(self, name: str) -> bool:
        """Register the run's model under a name, once; return False if it has none."""
        with self._going_on("registered model"):
            versions = self._client.search_model_versions(f"run_id='{self._run_id}'")
            known = next((each for each in versions if each.name == name), None)
            if known is None:
                outputs = self._client.get_run(self._run_id).outputs
                models = outputs.model_outputs if outputs else []
                if not models:
                    return False
                known = self._register(models[-1].model_id, name)
            logger.info("the model is version %s of %r", known.version, name)
        return True

    def _register(self, model_id: str, name: str) -> ModelVersion:
        """Create a version of a registered model, and the model if needed."""
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = self._client.get_logged_model(model_id).artifact_location
        with redirect_stderr(StringIO()):  # MLflow says so in its own words
            return self._client.create_model_version(name, source, self._run_id, model_id=model_id)

    def describe(self, text: str, *, section: str = "") -> None:
        """Set the description that MLflow shows on the run's page; other sections stay."""
        with self._going_on("description"):
            known = self._client.get_run(self._run_id).data.tags.get(MLFLOW_RUN_NOTE, "")
            text = with_section(known, section, text)
            self._client.set_tag(self._run_id, MLFLOW_RUN_NOTE, text)

    def spent(self, seconds: float) -> None:
        """Set the run's duration, whenever it is closed."""
        self._seconds = seconds

    def end(self, status: Status = "FINISHED") -> None:
        """Deliver waiting metrics and close the run, once."""
        if self._is_ended:
            return
        self._is_ended = True
        self._deliver()
        if self._waiting:
            self._keep_waiting()
        try:
            self._client.set_terminated(self._run_id, status, **self._end_time())
        except MlflowException as error:
            self._keep([end_entry(self._run_id, status, int(time.time() * 1000))])
            logger.warning(
                "run %s will be closed when the server is back: %s", self._run_id, error.message
            )

    def _steps_before(self, name: str) -> set[int]:
        """Return the steps of a metric that earlier processes logged in this run."""
        if not self._is_reopened:
            return set()
        if name not in self._steps:
            try:
                self._steps[name] = known_steps(self._client, self._run_id, name)
            except MlflowException:  # away: what waits is delivered later
                return set()
        return self._steps[name]

    def _end_time(self) -> dict[str, int]:
        if self._seconds is None:
            return {}
        started = self._client.get_run(self._run_id).info.start_time
        return {"end_time": int(started + 1000 * self._seconds)}

    @contextmanager
    def _going_on(self, what: str) -> Generator[None]:
        """Continue when the store refuses something; the folder still has it."""
        try:
            yield
        except (MlflowException, OSError) as error:
            problem = getattr(error, "message", error)
            logger.warning("run %s lacks its %s: %s", self._run_id, what, problem)

    def _deliver(self) -> None:
        try:
            while self._waiting:
                self._client.log_batch(self._run_id, metrics=self._waiting[:MAX_BATCH])
                self._waiting = self._waiting[MAX_BATCH:]
        except MlflowException as error:
            logger.warning(
                "%d metrics wait for the tracking server: %s", len(self._waiting), error.message
            )

    def _keep(self, entries: Sequence[Entry]) -> None:
        try:
            keep(self._spill, entries)
        except OSError as error:  # a full disk is reported by the work itself
            logger.warning("%d entries for MLflow are lost: %s", len(entries), error)

    def _keep_waiting(self) -> None:
        self._keep([metric_entry(self._run_id, metric) for metric in self._waiting])
        count = len(self._waiting)
        logger.warning("%d metrics were not delivered; they are in %s", count, self._spill)


@contextmanager
def fluent(uri: str) -> Generator[None]:
    """Point MLflow's module-level functions at a store, and back.

    ``mlflow.set_tracking_uri`` also writes the environment, which every later process inherits.
    """
    before, inherited = mlflow.get_tracking_uri(), os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        if inherited is not None:
            os.environ["MLFLOW_TRACKING_URI"] = inherited


def flatten(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values of a nested mapping, leaving out None."""
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", value


@contextmanager
def quiet() -> Generator[None]:
    """Silence MLflow's own advice."""
    library = logging.getLogger("mlflow")
    level = library.level
    library.setLevel(logging.ERROR)
    try:
        yield
    finally:
        library.setLevel(level)
