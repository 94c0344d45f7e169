"""The description of a workflow in the tracking store: headline, warnings, main figures."""

from collections.abc import Iterable, Sequence

from mmray.core.text.markdown import plain
from mmray.evaluation.conclusion import Conclusion
from mmray.evaluation.metric_text import axis_title
from mmray.evaluation.sentence import (
    WARNING,
    comparison_sentence,
    counts_text,
    figure_sentence,
    figure_text,
)

MOST_WARNINGS = 20


def describe_workflow(found: Sequence[Conclusion], sentences: Sequence[str], *, splits: str) -> str:
    """Return Markdown: headline, warnings, main figures, and where to find more.

    Args:
        found: of each task.
        sentences: of the stages; those that are warnings are listed as such.
        splits: how many samples there are.
    """
    warnings = [s.removeprefix(WARNING) for s in sentences if s.startswith(WARNING)]
    lines = _list(headline(each) for each in found)
    if warnings:
        lines += ["", f"**Warnings ({len(warnings)})**", "", *_list(warnings[:MOST_WARNINGS])]
    lines += ["", f"Samples: {plain(splits)}."]
    lines += ["", "| task | metric | model | test | over |", "|---|---|---|---|---|"]
    lines += [row for each in found for row in _rows(each)]
    lines += [
        "",
        "Brackets: interval over the test samples. All figures: `tables/metrics.csv`; rejected "
        "payloads: `tables/rejections.csv`; plots: `plots/`; how they are computed: "
        "docs/how-to/read-evaluation.md.",
    ]
    if any(figure.trainings > 1 for each in found for figure in each.figures.values()):
        lines += ["", "Trainings of further seeds are inside the run of the first."]
    return "\n".join(lines)


def headline(found: Conclusion) -> str:
    """Return the comparison with the best modality or, of one model alone, its figure."""
    return (comparison_sentence(found, {}) or figure_sentence(found)).removeprefix(WARNING)


def _list(sentences: Iterable[str]) -> list[str]:
    return [f"- {plain(sentence)}" for sentence in sentences]


def _rows(found: Conclusion) -> list[str]:
    name = plain(axis_title(found.metric))
    rows = [
        f"| {plain(found.task)} | {name} | {plain(model)} | {plain(figure_text(figure))} | "
        f"{counts_text(figure)} |"
        for model, figure in found.figures.items()
    ]
    return [
        *rows,
        f"| {plain(found.task)} | {name} | {plain(found.answer)} | "
        f"{found.baseline.value:.4f} | constant answer |",
    ]
