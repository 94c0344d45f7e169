"""The shell of what extracts: a process that ends while it loads its libraries is no endless loop.

Ray starts a process that has ended again, as often as it ends. This module loads none of the
libraries, so that it can count.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import ray

from mmray.distributed.extraction.journal import MAX_STARTS, Journal, ShardOutcome
from mmray.distributed.extraction.shard_plan import ExtractionPlan
from mmray.distributed.extraction.shard_task import outcome_table


class LoadingActor:
    """Loads the actor that extracts; after too many failed loads, says so for each shard task."""

    def __init__(
        self,
        plans: Mapping[str, ExtractionPlan],
        run: str,
        *,
        actor: str = "",
        **settings: Any,  # noqa: ANN401 (of the actor that extracts)
    ) -> None:
        self._actor: Callable[[pa.Table], Iterator[pa.Table]] | None = None
        actor = actor or ray.get_runtime_context().get_actor_id() or ""
        journal = Journal(next(iter(plans.values())).output, run)
        if journal.begin_loading(actor) > MAX_STARTS:
            return
        from mmray.distributed.extraction.shard_actor import ShardActor

        self._actor = ShardActor(plans, run, **settings)
        journal.end_loading(actor)

    def __call__(self, batch: pa.Table) -> Iterator[pa.Table]:
        """Extract the shard tasks of this batch, and return the outcome of each."""
        if self._actor is not None:
            yield from self._actor(batch)
            return
        for name in batch["name"].to_pylist():
            yield outcome_table(ShardOutcome(name, failure=_ENDED))


_ENDED = (
    f"the process that extracts ended {MAX_STARTS} times while it loaded its libraries; "
    "'python -c \"import mmray.distributed.extraction.shard_actor\"' shows why"
)
