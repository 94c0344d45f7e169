"""The number and resources of processes that extract a modality, planned before anything starts."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmray.config.document import ModalityResources
from mmray.config.modality.modality import ModalityConfig
from mmray.distributed.node.session import ClusterSize
from mmray.errors import ClusterError
from mmray.features.payloads.decoding import is_guarded

GPU_SHARE = 0.5
"""Two actors per GPU: while one reads and decodes, the other computes."""
ACTOR_GIB, CHILD_GIB, TORCH_GIB, UNKNOWN_MODEL_GIB = 0.4, 0.2, 0.5, 1.0
"""Heap of an actor at work, of one that decodes, of torch, of weights not here."""
WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.pth", "*.h5")


@dataclass(frozen=True, slots=True)
class ExtractionPool:
    """The processes that extract one modality."""

    actors: int
    most_actors: int | None
    """As many may be started when the cluster grows; None: as many as it has room for."""
    cpus: float
    """Per actor, like everything that follows."""
    gpus: float
    threads: int
    decoders: int
    """Processes that decode; 0: the actor does it."""
    heap_gib: float
    memory_gib: float | None = None
    """Reserved on the cluster, where the document says so."""

    @property
    def takes_turns(self) -> bool:
        """Return whether an actor and its decoders share one core, without a GPU."""
        return not self.gpus and self.threads == 1


def plan_pool(
    name: str,
    config: ModalityConfig,
    size: ClusterSize,
    asked: ModalityResources,
    *,
    can_grow: bool,
) -> ExtractionPool:
    """Use all CPUs, or all GPUs for a network, within the memory; what is asked for comes first."""
    gpus = asked.gpus if asked.gpus is not None else (GPU_SHARE if _wants_gpu(config, size) else 0)
    heap_gib = _heap_gib(config, decoders=1, gpus=gpus)
    by_memory = max(1, int(size.memory_gib / heap_gib)) if size.memory_gib else size.cpus
    if gpus:
        actors = asked.actors or max(1, int(size.gpus / gpus))
        cpus = asked.cpus or max(1.0, math.floor(size.cpus_per_gpu * min(gpus, 1.0)))
    else:
        actors = asked.actors or max(1, min(int(size.cpus / (asked.cpus or 1)), by_memory))
        cpus = asked.cpus or min(1.0 if size.cpus >= actors else size.cpus / actors, size.cpus)
        if not asked.cpus and not asked.actors and actors < size.cpus:
            cpus = float(size.cpus // actors)  # memory is the limit: fewer actors, more threads
    _check_fits(name, size, actors=1, cpus=cpus, gpus=gpus)
    fitting = min(actors, int(size.cpus / cpus), *([int(size.gpus / gpus)] if gpus else []))
    threads = max(1, int(cpus))
    decoders = (asked.decoders or max(1, threads - 1)) if is_guarded(config) else 0
    return ExtractionPool(
        actors=max(1, fitting),
        most_actors=asked.actors if asked.actors or can_grow else max(1, fitting),
        cpus=cpus,
        gpus=gpus,
        threads=threads,
        decoders=decoders,
        heap_gib=_heap_gib(config, decoders=decoders, gpus=gpus),
        memory_gib=asked.memory_gib,
    )


def describe_pools(
    pools: Mapping[str, ExtractionPool], configs: Mapping[str, ModalityConfig], size: ClusterSize
) -> list[str]:
    """Return the plan: what the cluster has, then a line per modality."""
    lines = [
        f"plan for {size.cpus} CPUs, {size.gpus} GPUs, {size.memory_gib:.1f} GiB of heap, "
        f"{size.object_store_gib:.1f} GiB of object store (no payload and no feature goes there):"
    ]
    for name, pool in pools.items():
        how = "in turn with it" if pool.takes_turns else "beside it"
        decoding = f"{pool.decoders} decoding {how}" if pool.decoders else "decoding itself"
        batch = batch_size(configs[name])
        lines.append(
            f"  {name}: {_count(pool)}, each {pool.cpus:g} CPU, {pool.gpus:g} GPU, "
            f"{pool.threads} thread(s), {decoding}, "
            f"{f'batches of {batch}, ' if batch else ''}about {pool.heap_gib:.1f} GiB of heap"
        )
    return lines


def batch_size(config: ModalityConfig) -> int | None:
    """Return how many samples go through the extractor's network at once, if it has one."""
    match config.extract:
        case object(batch_size=int(size)):
            return size
        case _:
            return None


def _count(pool: ExtractionPool) -> str:
    if pool.most_actors == pool.actors:
        return f"{pool.actors} actor(s)"
    return f"{pool.actors} to {pool.most_actors or 'any number of'} actors"


def _wants_gpu(config: ModalityConfig, size: ClusterSize) -> bool:
    return bool(size.gpus) and batch_size(config) is not None


def _check_fits(name: str, size: ClusterSize, *, actors: int, cpus: float, gpus: float) -> None:
    if cpus * actors > size.cpus or gpus * actors > size.gpus:
        raise ClusterError(
            f"one actor of {name!r} wants {cpus:g} CPUs and {gpus:g} GPUs; "
            f"there are {size.cpus} and {size.gpus}",
            where=f"runtime.resources.{name}",
            hint="it would wait forever; request less, or use a larger cluster",
        )


def _heap_gib(config: ModalityConfig, *, decoders: int, gpus: float) -> float:
    guarded = is_guarded(config) * decoders * CHILD_GIB
    match config.extract:
        case object(model=str(model), batch_size=int()):
            weights = 0.0 if gpus else _weights_gib(Path(model))
            return ACTOR_GIB + guarded + TORCH_GIB + 1.2 * weights
        case _:
            return ACTOR_GIB + guarded


def _weights_gib(model: Path) -> float:
    files = [path for pattern in WEIGHTS for path in model.glob(pattern)]
    return sum(os.path.getsize(path) for path in files) / 2**30 if files else UNKNOWN_MODEL_GIB  # noqa: PTH202
