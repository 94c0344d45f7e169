"""A search as one HTML page without any other file, and as a section of another page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from mmray.core.file.atomic import replacing
from mmray.search.front import pareto_front
from mmray.search.table import ranked
from mmray.search.view.plots import SearchPlot, write_plots
from mmray.search.view.search_view import SearchView, read_view
from mmray.search.view.sentence import counts_sentence, headline
from mmray.search.view.text import harmless, objective_name, setting_text, short_key, value_text

PAGE, PLOTS = "search.html", "plots"
_ID = re.compile(r'(id="|url\(#|xlink:href="#)(?=[^"]*["\)])')


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    is_best: bool
    values: tuple[str, ...]
    epochs: int
    time: str
    state: str
    reason: str
    settings: tuple[tuple[str, str], ...]


def search_section(folder: Path, *, found: Sequence[str] = ()) -> str:
    """Return a search as a section of an HTML page; empty where there is none.

    ``found`` are the sentences that it concludes with. The plots are written anew.
    """
    view = read_view(folder)
    return "" if view is None else _section(view, write_plots(view, folder / PLOTS), found)


def write_page(view: SearchView, folder: Path, *, found: Sequence[str] = ()) -> list[Path]:
    """Write the page and the plots into the folder of a search; return the files, the page first.

    ``found`` are the sentences that the search concludes with; without them, it names the best
    trial so far.
    """
    plots = write_plots(view, folder / PLOTS)
    text = (
        _templates()
        .get_template("page.html")
        .render(name=harmless(view.heading.name), section=_section(view, plots, found))
    )
    with replacing(folder / PAGE) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [folder / PAGE, *(plot.path for plot in plots if plot.path is not None)]


def _section(view: SearchView, plots: Sequence[SearchPlot], found: Sequence[str]) -> str:
    objectives = view.heading.objectives
    return (
        _templates()
        .get_template("section.html")
        .render(
            sentences=[
                harmless(sentence)
                for sentence in (
                    *(found or headline(view.trials, objectives)),
                    counts_sentence(view.trials, view.heading),
                )
            ],
            plots=[
                {"title": plot.title, "caption": plot.caption, "svg": _svg(plot, number)}
                for number, plot in enumerate(plots)
            ],
            objectives=[objective_name(objective) for objective in objectives],
            rows=list(_rows(view)),
        )
    )


def _rows(view: SearchView) -> Iterator[_Row]:
    objectives = view.heading.objectives
    rows = ranked(view.trials, objectives)
    best = {t.number for t in (pareto_front(rows, objectives) if len(objectives) > 1 else rows[:1])}
    for trial in rows:
        pairs = zip_longest(trial.values, objectives)
        yield _Row(
            number=trial.number,
            is_best=trial.number in best and bool(trial.values),
            values=tuple("" if v is None else value_text(v, o) for v, o in pairs),
            epochs=trial.epochs,
            time=f"{trial.seconds:.1f} s",
            state=trial.state,
            reason=harmless(trial.reason),
            settings=tuple(
                (short_key(key), harmless(setting_text(value)))
                for key, value in trial.sample.items()
            ),
        )


def _svg(plot: SearchPlot, number: int) -> str:
    """Return a plot as a part of a page; the names inside are made its own."""
    if plot.path is None:
        return ""
    text = plot.path.read_text(encoding="utf-8")
    return _ID.sub(rf"\g<1>s{number}-", text[text.index("<svg") :])


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("mmray.search.view", "."), autoescape=True, undefined=StrictUndefined
    )
