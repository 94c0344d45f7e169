"""The description of a search in the tracking store: headline, findings, the best trials."""

from collections.abc import Sequence

from mmray.core.text.markdown import plain
from mmray.search.table import ranked
from mmray.search.view.search_view import SearchView
from mmray.search.view.sentence import counts_sentence, headline, importance_sentences
from mmray.search.view.text import objective_name, sample_text, value_text

MOST_ROWS = 5


def describe_search(view: SearchView, *, found: Sequence[str] = ()) -> str:
    """Return Markdown; ``found`` are the sentences that the search concludes with."""
    heading = view.heading
    said = [*(found or headline(view.trials, heading.objectives))]
    said.append(counts_sentence(view.trials, heading))
    first, *others = importance_sentences(view.importances)
    said.append(first + (" " + "; ".join(line.strip() for line in others) if others else ""))
    titles = [plain(objective_name(objective)) for objective in heading.objectives]
    lines = [f"- {plain(sentence)}" for sentence in said]
    lines += ["", f"| trial | {' | '.join(titles)} | epochs | state | settings |"]
    lines += ["|---" * (len(titles) + 4) + "|"]
    for trial in ranked(view.trials, heading.objectives)[:MOST_ROWS]:
        values = [
            value_text(value, objective)
            for value, objective in zip(trial.values, heading.objectives, strict=False)
        ] or [""] * len(titles)
        settings = plain(sample_text(trial.sample))
        cells = [str(trial.number), *values, str(trial.epochs), trial.state, settings]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "All trials: `tables/trials.csv`, and a run for each below this one. Plots with the "
        "settings of each trial on hover: `search.html`.",
    ]
    return "\n".join(lines)
