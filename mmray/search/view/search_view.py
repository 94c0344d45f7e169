"""Everything that is shown of a search, read from its folder, also while it runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmray.search.importance import Importances, importances
from mmray.search.record import TrialRecord
from mmray.search.study import JOURNAL, RECORD, load_study, read_trials
from mmray.search.view.heading import SearchHeading, read_heading

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


@dataclass(frozen=True, slots=True)
class SearchView:
    """A search, as far as it is."""

    heading: SearchHeading
    trials: tuple[TrialRecord, ...]
    drawn: Mapping[int, "FrozenTrial"]
    """Each trial's parameters and their distributions, by its number."""
    importances: Importances


def read_view(folder: Path) -> SearchView | None:
    """Return the search of a folder; None where none has been started."""
    heading = read_heading(folder)
    if heading is None:
        return None
    trials, drawn = tuple(read_trials(folder)), _drawn(folder)
    return SearchView(heading, trials, drawn, importances(trials, drawn, heading.objectives))


def _drawn(folder: Path) -> dict[int, "FrozenTrial"]:
    if not (folder / JOURNAL).is_file():
        return {}
    found = load_study(folder).get_trials(deepcopy=False)
    return {each.user_attrs[RECORD]["number"]: each for each in found if RECORD in each.user_attrs}
