"""What a search is for, beside its study: name, objectives and budget."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmray.config.document import Config
from mmray.config.training.train import ObjectiveConfig
from mmray.core.file.atomic import read_json, write_json

HEADING = "search.json"


@dataclass(frozen=True, slots=True)
class SearchHeading:
    """Written when a search starts; with the study, all that is needed to show it."""

    name: str
    """Of the document."""
    objectives: tuple[ObjectiveConfig, ...]
    epochs: int
    """Of a trial that is not stopped early."""
    trials: int | None
    minutes: float | None


def heading_of(config: Config) -> SearchHeading:
    """Return the heading of a document's search."""
    search = config.search_section()
    return SearchHeading(
        config.name, search.objective, config.train.epochs, search.trials, search.minutes
    )


def write_heading(folder: Path, heading: SearchHeading) -> None:
    """Write the heading to the folder of a search."""
    objectives = [{"metric": o.metric, "mode": o.direction} for o in heading.objectives]
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / HEADING, asdict(heading) | {"objectives": objectives})


def read_heading(folder: Path) -> SearchHeading | None:
    """Return the heading; None where no search has been started."""
    path = folder / HEADING
    if not path.is_file():
        return None
    document: dict[str, Any] = read_json(path)
    objectives = tuple(ObjectiveConfig(**objective) for objective in document["objectives"])
    fields: dict[str, Any] = document | {"objectives": objectives}
    return SearchHeading(**fields)
