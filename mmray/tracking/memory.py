"""A tracker in memory: for a dry run (``tracking.uri=memory://``), and for tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmray.core.text.markdown import with_section
from mmray.tracking.tracker import Status

if TYPE_CHECKING:
    from mmray.run.bundle.served import Interface

URI = "memory://"


@dataclass(slots=True)
class MemoryRun:
    """One run, with what was logged."""

    run_id: str
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    metrics: dict[str, list[tuple[int, float]]] = field(
        default_factory=dict[str, list[tuple[int, float]]]
    )
    files: list[str] = field(default_factory=list[str])
    datasets: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    bundle: Path | None = None
    description: str = ""
    under: str = ""
    seconds: float | None = None
    status: str = "RUNNING"

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Keep the settings."""
        self.params.update(params)

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Keep the figures with their step."""
        for name, value in metrics.items():
            self.metrics.setdefault(name, []).append((step, value))

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Keep the tags."""
        self.tags.update(tags)

    def log_file(self, path: Path, *, folder: str = "") -> None:
        """Keep the name."""
        self.files.append(f"{folder}/{path.name}".lstrip("/"))

    def log_dataset(self, dataset: Mapping[str, Any]) -> None:
        """Keep the description."""
        self.datasets.append(dict(dataset))

    def log_bundle(
        self,
        folder: Path,
        interface: "Interface",
        *,
        code: Sequence[Path] = (),
        register_as: str | None,
    ) -> None:
        """Keep its folder."""
        self.bundle = folder

    def register(self, name: str) -> bool:
        """Register nothing: no run of an earlier process has a model here."""
        return False

    def describe(self, text: str, *, section: str = "") -> None:
        """Keep the description."""
        self.description = with_section(self.description, section, text)

    def spent(self, seconds: float) -> None:
        """Keep the seconds."""
        self.seconds = seconds

    def end(self, status: Status = "FINISHED") -> None:
        """Close the run, once."""
        self.status = status if self.status == "RUNNING" else self.status


class MemoryTracker:
    """Runs by name, for as long as the process lives."""

    uri = URI

    def __init__(self) -> None:
        self.runs: dict[str, MemoryRun] = {}
        self.key = ""

    def identify(self, key: str) -> None:
        """Keep the key."""
        self.key = key

    def parent(self) -> MemoryRun:
        """Return the workflow's run."""
        return self.child("workflow")

    def child(
        self, name: str, *, under: str = "", started: float | None = None, is_new: bool = False
    ) -> MemoryRun:
        """Return the run called ``name``."""
        new = MemoryRun(run_id=f"memory-{len(self.runs)}", under=under)
        return self.runs.setdefault(name, new)

    def later(self, action: Callable[[], None]) -> None:
        """Log something now: the store is open."""
        action()

    def close(self, status: Status = "FINISHED") -> None:
        """End every run."""
        for run in self.runs.values():
            if run.status == "RUNNING":
                run.end(status)
