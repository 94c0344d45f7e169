"""How many workers train, and what each of them gets."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmray.config.training.train import TrainConfig
    from mmray.distributed.node.session import ClusterSize


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


def plan_workers(config: "TrainConfig", size: "ClusterSize") -> WorkerShare:
    """Fit the workers into the cluster so that Ray can always start all of them."""
    # Not above: the processes that start and watch the workers load nothing of a document.
    from mmray.config.training.train import ElasticWorkers

    match config.workers:
        case ElasticWorkers(min=least, max=wanted):
            use_gpu = size.gpus >= least
        case "auto":
            least, wanted, use_gpu = None, max(1, size.gpus), size.gpus > 0
        case wanted:
            least, use_gpu = None, size.gpus >= wanted
    # Whole cores where there are enough; a fraction lets two workers share one core. Where there
    # may be fewer workers, Ray counts how many have room, and miscounts fractions.
    is_whole = size.cpus >= wanted or least is not None
    cpus = max(1, size.cpus // wanted) if is_whole else size.cpus / wanted
    return WorkerShare(workers=wanted, cpus=cpus, use_gpu=use_gpu, least=least)
