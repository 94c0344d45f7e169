"""The plots of a search, as files, with what is said of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmray.search.view.plot.front import plot_front
from mmray.search.view.plot.history import plot_history
from mmray.search.view.plot.importance import plot_importances
from mmray.search.view.plot.parallel import plot_parallel
from mmray.search.view.search_view import SearchView
from mmray.search.view.sentence import left_out_sentence


@dataclass(frozen=True, slots=True)
class SearchPlot:
    """One plot with its words."""

    title: str
    caption: str
    path: Path | None
    """None where there is nothing to draw; the caption says why."""


def write_plots(view: SearchView, folder: Path) -> list[SearchPlot]:
    """Write the plots of a search into ``folder`` as SVG files."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(_plots(view, folder))


def _plots(view: SearchView, folder: Path) -> Iterator[SearchPlot]:
    trials, objectives = view.trials, view.heading.objectives
    if not any(trial.values for trial in trials):
        yield SearchPlot("History", "No trial has a result yet.", None)
        return
    path = folder / "history.svg"
    plot_history(trials, objectives, path)
    yield SearchPlot("History of the best", "Each dot is a trial, by its best epoch.", path)
    if len(objectives) > 1:
        path = folder / "front.svg"
        plot_front(trials, objectives, path)
        yield SearchPlot(
            "Front",
            "On the front, a trial can be better in one objective only by being worse in another.",
            path,
        )
    path = folder / "parallel.svg"
    shown, there_are = plot_parallel(trials, view.drawn, view.importances, objectives, path)
    of = f" The {shown} most important of {there_are} parameters." if shown < there_are else ""
    strongest = "the best trial" if len(objectives) == 1 else "the front"
    yield SearchPlot(
        "Parallel coordinates",
        f"Each line is a trial; the darker, the better; in orange {strongest}.{of}",
        path,
    )
    yield _importances(view, folder / "importances.svg")


def _importances(view: SearchView, path: Path) -> SearchPlot:
    found = view.importances
    if found.missing:
        path.unlink(missing_ok=True)
        return SearchPlot("Importances", f"{found.missing[:1].upper()}{found.missing[1:]}.", None)
    plot_importances(found, path)
    return SearchPlot(
        "Importances",
        f"What decides whether a trial is among the best {found.best} of {found.trials} "
        "(PED-ANOVA). A trial that was stopped early counts with the value that it reached."
        + (f" L{left_out_sentence(found)[1:]}." if found.left_out else ""),
        path,
    )
