"""How samples of one modality are computed: on Ray, or however a caller likes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmray.config.document import Config
from mmray.data.manifest import Manifest
from mmray.data.reference import Reference
from mmray.features.spec import spec_of
from mmray.stages.progress import Progress

logger = logging.getLogger(__name__)

Todo = list[tuple[str, Reference, str]]
"""Sample id, reference and payload version."""


@dataclass(frozen=True, slots=True)
class Work:
    """One modality whose features go into ``folder``."""

    name: str
    config: Config
    manifest: Manifest
    folder: Path
    state: Path | None
    """Folder of what was fitted."""


Compute = Callable[[Work, Todo], None]
"""Writes shards with every sample of the todo into the work's folder."""


def compute_on_ray(work: Work, todo: Todo) -> None:
    """Extract on Ray Data."""
    # Here and not above: a run with nothing to compute must not load Ray.
    from mmray.distributed import extraction
    from mmray.distributed.session import connect

    config, modality = work.config, work.config.modalities[work.name]
    logger.info("%s: extracting %s of %d samples", work.name, modality.extract.kind, len(todo))
    plan = extraction.ExtractionPlan(
        name=work.name,
        config=modality,
        spec=spec_of(modality),
        state=str(work.state.resolve()) if work.state else None,
        output=str(work.folder.resolve()),
        corpus=work.manifest.folder,
        allow=config.data.allow,
        max_payload_bytes=config.data.max_payload_bytes,
        max_read_s=config.data.max_read_s,
        max_decode_s=config.data.max_decode_s,
    )
    progress = Progress(work.name, len(todo))
    size = connect(config.runtime)
    units = extraction.cut_units(todo, actors=size.cpus)
    extraction.extract_units(plan, units, actors=size.cpus, on_unit=progress.add)
