"""Computation of extraction jobs: planned, then run on Ray Data together."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from importlib import import_module
from threading import Event
from typing import Any, Protocol, TypeVar

from mmray.config.document import ClusterRuntime, Config, ModalityResources
from mmray.core.process.memory import release_memory
from mmray.core.process.thread import run_in_thread
from mmray.display.extraction_progress import ExtractionProgress
from mmray.display.terminal import waiting
from mmray.features.spec import fitted_spec
from mmray.stages.extraction.job import ExtractionJob

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Compute(Protocol):
    """Extracts the samples of several modalities."""

    def beside(self, config: Config, work: Callable[[Event], T]) -> T:
        """Return what ``work`` returns; meanwhile prepare the computation.

        ``work`` stops early, with any error, when the event is set.
        """
        ...

    def __call__(self, jobs: Sequence[ExtractionJob]) -> dict[str, dict[str, Any]]:
        """Write shards with all pending samples into each job's folder; return figures of each."""
        ...


class OnRay:
    """Extracts on Ray Data; ``meanwhile`` is called beside the start of Ray."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._meanwhile = meanwhile

    def beside(self, config: Config, work: Callable[[Event], T]) -> T:
        """Do ``work`` in a thread while this one connects to Ray: both take seconds."""
        from mmray.distributed.node.session import connect

        def work_and_load() -> T:
            found = work(stop)
            # And with it Ray Data: a second or two.
            import_module("mmray.distributed.extraction.extraction")
            if not stop.is_set():
                self._meanwhile()
            return found

        stop = Event()
        # The thread prints above the spinner, so that has to be there first.
        with waiting("starting Ray", usually="5 to 15 s"):
            done = run_in_thread(work_and_load)
            try:
                connect(config.runtime)
            except Exception:
                wait([done])  # what it learns is kept for the next run
                raise
            except BaseException:
                stop.set()
                wait([done])  # a process that ends under a thread in native code may crash
                raise
        return done.result()

    def __call__(self, jobs: Sequence[ExtractionJob]) -> dict[str, dict[str, Any]]:
        """Extract everything; return by modality how long it took, and on what."""
        return _compute_on_ray([job for job in jobs if job.pending])


def _compute_on_ray(jobs: Sequence[ExtractionJob]) -> dict[str, dict[str, Any]]:
    if not jobs:
        return {}
    # Here and not above: a run with nothing to compute must not load Ray.
    from mmray.distributed.extraction import extraction
    from mmray.distributed.extraction.planning import describe_pools, plan_pool
    from mmray.distributed.node.session import connect

    release_memory()  # what comparing with the store and fitting took
    runtime, configs = jobs[0].config.runtime, jobs[0].config.modalities
    size = connect(runtime)
    pools = {
        job.name: plan_pool(
            job.name,
            configs[job.name],
            size,
            runtime.resources.get(job.name, ModalityResources()),
            can_grow=isinstance(runtime, ClusterRuntime),
        )
        for job in jobs
    }
    for line in describe_pools(pools, configs, size):
        logger.debug(line)
    pooled = [extraction.PooledJob(_plan(job), job.pending, pools[job.name]) for job in jobs]
    with ExtractionProgress({job.name: len(job.pending) for job in jobs}) as progress:
        extraction.extract_all(
            pooled,
            on_shard=lambda o: progress.add(o.name, o.samples, o.rejected, seconds=o.seconds),
        )
    return {
        name: {
            "seconds": round(course.seconds, 2),
            "samples_per_s": round(course.per_s, 1),
            "actors": pools[name].actors,
            "cpus": pools[name].actors * pools[name].cpus,
            "gpus": pools[name].actors * pools[name].gpus,
            "decoders": pools[name].actors * pools[name].decoders,
            "heap_gib": round(pools[name].actors * pools[name].heap_gib, 2),
        }
        for name, course in progress.courses.items()
    }


def _plan(job: ExtractionJob) -> Any:  # noqa: ANN401 (Ray is not loaded above)
    from mmray.distributed.extraction.extraction import ExtractionPlan

    config, modality = job.config, job.config.modalities[job.name]
    logger.info(
        "%s: extracting %s of %d samples", job.name, modality.extract.kind, len(job.pending)
    )
    return ExtractionPlan(
        name=job.name,
        config=modality,
        spec=fitted_spec(modality, job.state),
        state=str(job.state.resolve()) if job.state else None,
        output=str(job.folder.resolve()),
        corpus=job.manifest.folder,
        allow=config.data.allow,
        max_payload_bytes=config.data.max_payload_bytes,
        max_read_s=config.data.max_read_s,
        max_decode_s=config.data.max_decode_s,
    )
