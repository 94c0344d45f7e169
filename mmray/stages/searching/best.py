"""The files that a search leaves: the winner's document, what was confirmed, and the front."""

import shlex
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mmray.config.document import Config
from mmray.config.reading.load import resolved
from mmray.core.file.atomic import replacing, write_json
from mmray.core.text.secret import masked
from mmray.search.record import TrialRecord
from mmray.search.sample import overrides_of

if TYPE_CHECKING:
    from mmray.stages.searching.outcome import Outcome
from mmray.tracking.tracker import Tracker

BEST, OUTCOME, FRONT = "best.yaml", "outcome.json", "front.json"


def write_outcome(folder: Path, config: Config, document: Config, outcome: "Outcome") -> list[str]:
    """Write the files and return their names.

    Args:
        folder: of the search.
        config: the document, whose search section has the space that was searched.
        document: of the winner.
        outcome: what the search has found.
    """
    _write_best(folder / BEST, document, outcome)
    write_json(folder / OUTCOME, outcome.to_dict())
    if not outcome.front:
        return [BEST, OUTCOME]
    write_json(folder / FRONT, _front(outcome.front, config))
    return [BEST, OUTCOME, FRONT]


def settings_line(overrides: Mapping[str, Any]) -> str:
    """Return overrides as options of a command, ready to paste."""
    options = (shlex.quote(f"{key}={_as_yaml(value)}") for key, value in overrides.items())
    return " ".join(f"--set {option}" for option in options)


def _as_yaml(value: Any) -> str:  # noqa: ANN401 (a part of the document)
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _front(front: Sequence[TrialRecord], config: Config) -> list[dict[str, Any]]:
    objectives = [objective.metric for objective in config.search_section().objective]
    found: list[dict[str, Any]] = []
    for trial in front:
        overrides = overrides_of(config, trial.sample)
        found.append(
            {
                "trial": trial.number,
                "values": dict(zip(objectives, trial.values, strict=True)),
                "sample": dict(trial.sample),
                "overrides": overrides,
                "settings": settings_line(overrides),
            }
        )
    return found


def _write_best(path: Path, document: Config, outcome: "Outcome") -> None:
    settings = resolved(document)
    settings.pop("search", None)
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    heading = [outcome.sentences()[0]]
    if outcome.overrides:
        heading.append(f"from the document: {settings_line(outcome.overrides)}")
    content = "".join(f"# {line}\n" for line in heading) + text
    with replacing(path) as temporary:
        if masked(content) != content:
            temporary.touch(mode=0o600)
        temporary.write_text(content, encoding="utf-8")


def track_files(tracker: Tracker, folder: Path, names: Sequence[str]) -> None:
    """Keep the files with the run of the search, their secrets masked."""
    with tempfile.TemporaryDirectory() as shown:  # the document itself must stay as it runs
        for name in names:
            copy = Path(shown) / name
            copy.write_text(masked((folder / name).read_text("utf-8")), "utf-8")
            tracker.parent().log_file(copy)
