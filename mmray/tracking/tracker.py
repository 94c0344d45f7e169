"""The tracking store as stages see it. Stages know this and nothing of MLflow."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from mmray.run.bundle.served import Interface

UNDELIVERED = "undelivered-metrics.jsonl"
"""File of the workspace with metrics that a tracking server has not received."""
Status = Literal["FINISHED", "FAILED", "KILLED"]


class Run(Protocol):
    """One run in the store."""

    @property
    def run_id(self) -> str:
        """The store's own id of this run."""
        ...

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log settings; a nested mapping becomes dotted keys."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log figures of one step; an epoch is a step."""
        ...

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Set words about the run, such as how it ended; a tag that is there is replaced."""
        ...

    def log_file(self, path: Path, *, folder: str = "") -> None:
        """Keep a file with the run."""
        ...

    def log_dataset(self, dataset: Mapping[str, Any]) -> None:
        """Log name, digest, source and sizes of the training data."""
        ...

    def log_bundle(
        self,
        folder: Path,
        interface: "Interface",
        *,
        code: Sequence[Path] = (),
        register_as: str | None,
    ) -> None:
        """Keep a model bundle with the run as a model that takes raw records."""
        ...

    def register(self, name: str) -> bool:
        """Register the run's model, once; return False if it has none."""
        ...

    def describe(self, text: str, *, section: str = "") -> None:
        """Set the description of the run, or a section of it, in Markdown."""
        ...

    def spent(self, seconds: float) -> None:
        """Set the run's duration; by default it is from start to end."""
        ...

    def end(self, status: Status = "FINISHED") -> None:
        """Close the run; one that is closed already keeps its status."""
        ...


class Tracker(Protocol):
    """A store, and the workflow's own run in it, which is opened when a stage first needs it."""

    @property
    def uri(self) -> str:
        """Address of the store."""
        ...

    def identify(self, key: str) -> None:
        """Set the key of document and corpus: the same key continues the same run."""
        ...

    def parent(self) -> Run:
        """Return the workflow's run."""
        ...

    def child(
        self, name: str, *, under: str = "", started: float | None = None, is_new: bool = False
    ) -> Run:
        """Return a run under the workflow's run; the same name continues the same run.

        Args:
            name: of the run.
            under: another child that the run belongs to.
            started: when a new run began, in seconds since 1970; by default now.
            is_new: do not continue a run with metrics of an earlier process.
        """
        ...

    def later(self, action: Callable[[], None]) -> None:
        """Log something now, or when the store is opened for something else."""
        ...

    def close(self, status: Status = "FINISHED") -> None:
        """End every open run."""
        ...
