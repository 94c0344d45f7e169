"""The tracker of a document."""

import logging
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from mmray.config.document import Config
from mmray.errors import MMRayError
from mmray.tracking import memory
from mmray.tracking.tracker import UNDELIVERED, Run, Status, Tracker

logger = logging.getLogger(__name__)
MLFLOW_ENV = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # MLflow prints the URL of each run that ends, with the password that it may hold.
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # A server that is away costs seconds, not minutes, and what waits is offered again.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


class LazyTracker:
    """A tracker that is opened on first use: a run with nothing to do never loads MLflow.

    ``defers``: what can be logged later is, so that the store opens while something else is waited
    for.
    """

    def __init__(self, config: Config, *, defers: bool = False) -> None:
        self._config, self._defers = config, defers
        self._deferred: list[Callable[[], None]] = []
        self._key = ""
        self._tracker: Tracker | None = None

    @property
    def uri(self) -> str:
        """Address of the store."""
        return tracking_uri(self._config)

    def identify(self, key: str) -> None:
        """Set the key of document and corpus; the first one counts for the workflow."""
        self._key = self._key or key

    def parent(self) -> Run:
        """Return the workflow's run."""
        return self._opened().parent()

    def child(
        self, name: str, *, under: str = "", started: float | None = None, is_new: bool = False
    ) -> Run:
        """Return a run under the workflow's run."""
        return self._opened().child(name, under=under, started=started, is_new=is_new)

    def later(self, action: Callable[[], None]) -> None:
        """Log something now, or when the store is opened for something else."""
        if self._defers and self._tracker is None:
            self._deferred.append(action)
        else:
            action()

    def close(self, status: Status = "FINISHED") -> None:
        """End every open run, and deliver what an earlier process could not."""
        is_undelivered = (Path(self._config.workspace) / UNDELIVERED).is_file()
        if self._tracker is None and (self._deferred or is_undelivered):
            try:
                self._opened()
            except MMRayError as error:  # still away; the work itself is done
                logger.warning("%s", error)
        if self._tracker is not None:
            self._tracker.close(status)

    def _opened(self) -> Tracker:
        if self._tracker is None:
            self._tracker = _open(self._config)
        self._tracker.identify(self._key)
        while self._deferred:
            self._deferred.pop(0)()
        return self._tracker


@contextmanager
def tracking(config: Config, *, defers: bool = False) -> Generator[Tracker]:
    """Yield the document's tracker, and close its runs with the outcome of the block."""
    tracker = LazyTracker(config, defers=defers)
    try:
        yield tracker
    except KeyboardInterrupt:
        tracker.close("KILLED")
        raise
    except BaseException:
        tracker.close("FAILED")
        raise
    tracker.close()


def tracking_uri(config: Config) -> str:
    """Return the store's URI: the document's, the environment's, or SQLite in the workspace."""
    default = f"sqlite:///{Path(config.workspace) / 'mlflow.db'}"
    return config.tracking.uri or os.environ.get("MLFLOW_TRACKING_URI") or default


def _open(config: Config) -> Tracker:
    uri = tracking_uri(config)
    if uri == memory.URI:
        return memory.MemoryTracker()
    for name, value in MLFLOW_ENV.items():
        os.environ.setdefault(name, value)
    # Here and not above: MLflow takes more than a second to import.
    from mmray.tracking.store import MLflowTracker

    workspace = Path(config.workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    return MLflowTracker(
        uri=uri,
        experiment=config.tracking.experiment or config.name,
        name=config.name,
        workspace=workspace,
    )
