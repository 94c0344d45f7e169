"""Whether a training's features are kept in memory, or read from a file batch by batch."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from mmray.config.training.train import TrainConfig
from mmray.training.parallel.exchange import gather
from mmray.training.parallel.worker_context import WorkerContext

CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The decision, and the figures behind it."""

    needed: int
    """Bytes of the features of the train and val splits, which every worker needs."""
    allowed: int
    """Bytes that one worker may take for them."""
    is_streamed: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        kept = "streamed" if self.is_streamed else "in memory"
        return {"bytes": self.needed, "allowed_bytes": self.allowed, "kept": kept}


def plan_memory(needed: int, config: TrainConfig, context: WorkerContext) -> MemoryPlan:
    """Decide the same on every worker: features are streamed if one of them lacks memory."""
    allowed = int(available_bytes() * config.memory_fraction / context.world)
    match config.stream:
        case "always":
            is_streamed = True
        case "never":
            is_streamed = False
        case "auto":
            is_streamed = any(gather(needed > allowed, context))
    return MemoryPlan(needed, allowed, is_streamed)


def available_bytes() -> int:
    """Return the memory that is free, of the machine or of the container that this runs in."""
    return min((psutil.virtual_memory().available, *_container_bytes(CGROUP)))


def _container_bytes(folder: Path) -> Iterable[int]:
    """Yield the memory left by a container's limit, if there is one."""
    limit, used = folder / "memory.max", folder / "memory.current"
    if limit.is_file() and used.is_file():
        text = limit.read_text(encoding="utf-8").strip()
        if text != "max":
            yield max(0, int(text) - int(used.read_text(encoding="utf-8")))
