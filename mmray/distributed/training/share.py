"""The number of workers, and what each of them gets; loads nothing of a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerShare:
    """The number of workers, and the resources of each."""

    workers: int
    cpus: float
    use_gpu: bool
    least: int | None = None
    """Smallest number of workers that training continues with."""

    @property
    def num_workers(self) -> int | tuple[int, int]:
        """Return the number as Ray Train takes it."""
        return self.workers if self.least is None else (self.least, self.workers)

    @property
    def threads(self) -> int:
        """Return the threads of each worker."""
        return max(1, int(self.cpus))
