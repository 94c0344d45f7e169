"""Plots and page of a search: what is drawn, what is written, and what a name cannot do."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mmray.search.study import open_study
from mmray.search.view.heading import read_heading, write_heading
from mmray.search.view.page import search_section, write_page
from mmray.search.view.plot.parallel_axis import parallel_axis
from mmray.search.view.search_view import read_view
from tests.support.trials import ACCURACY, LOSS, SIZE, SPACE, trial, view

HOSTILE = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Tags, links and texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.trials, self.texts = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.trials += [value for name, value in attrs if name == "data-trial"]

    def handle_data(self, data):
        self.texts.append(data)


def searched(count=12):
    fusions = ["concat", "attention"]
    trials = [
        trial(n, 0.5 + 0.03 * n, train__lr=0.001 * n, model__fusion=fusions[n % 2])
        for n in range(2, count)
    ]
    return [trial(1, 0.5), *trials, trial(count, state="failed", reason="out of memory")]


def marks(path):
    return re.findall(r'class="trial" data-trial="(\d+)"', path.read_text("utf-8"))


def test_the_page_has_a_mark_of_each_trial_in_each_plot_and_needs_no_other_file(tmp_path):
    page, *plots = write_page(view(*searched()), tmp_path)

    names = [path.name for path in plots]
    assert names == ["history.svg", "parallel.svg", "importances.svg"]
    assert sorted(map(int, marks(plots[0]))) == list(range(1, 13))
    assert sorted(map(int, marks(plots[1]))) == list(range(1, 12))
    read = Page(page.read_text("utf-8"))
    assert read.addresses == []
    assert read.tags.count("svg") == 3
    assert read.trials.count("7") == 3  # history, parallel coordinates, table
    assert len(page.read_bytes()) < 200_000


def test_several_objectives_have_a_front_whose_marks_say_all_values(tmp_path):
    trials = [trial(1, 0.9, 50_000.0), trial(2, 0.8, 100.0, train__lr=0.01), trial(3, 0.7, 200.0)]

    _, history, front, _ = write_page(view(*trials, objectives=(ACCURACY, SIZE)), tmp_path)

    assert sorted(marks(front)) == ["1", "2", "3"]
    titles = [node.text for node in ET.parse(front).iter("{http://www.w3.org/2000/svg}title")]
    assert (
        "trial 2 (complete, 8 epochs)\ndigit accuracy (val): 0.8000\nparameters: 100\n  lr=0.01"
        in titles
    )
    assert sorted(marks(history)) == ["1", "1", "2", "2", "3", "3"]


def test_names_from_a_document_are_text_and_nothing_else(tmp_path):
    trials = [
        trial(1, 0.5, model__fusion="concat", reason=HOSTILE),
        trial(2, 0.6, **{f"modalities.声音 {HOSTILE}.encode": 1}),
    ]
    known = view(trial(1, 0.5, model__fusion="concat"), trial(2, 0.6, model__fusion="attention"))
    shown = replace(
        known, trials=tuple(trials), heading=replace(known.heading, name=f"手写 {HOSTILE}")
    )

    page, *_ = write_page(shown, tmp_path, found=[f"winner {HOSTILE} https://me:pass@host/"])

    read = Page(page.read_text("utf-8"))
    assert read.tags.count("script") == 1
    text = "".join(read.texts)
    assert f"Search of 手写 {HOSTILE}" in text
    assert "winner <script>alert(1)</script> https://***@host/" in text
    assert f"声音 {HOSTILE}.encode" in text


def test_a_search_without_a_result_has_a_page_that_says_so(tmp_path):
    files = write_page(view(trial(1, state="running", epochs=0)), tmp_path)

    assert [path.name for path in files] == ["search.html"]
    assert "No trial has a result yet." in files[0].read_text("utf-8")


def test_the_section_is_read_from_the_folder_of_a_search_also_while_it_runs(tmp_path):
    assert search_section(tmp_path) == ""
    write_heading(tmp_path, view().heading)
    study = open_study(tmp_path, ["maximize"])
    known = trial(1, 0.5, state="running", train__lr=0.01)
    study.add(known, {"train.lr": 0.01}, {"train.lr": SPACE["train.lr"]})

    section = search_section(tmp_path, found=["confirmed"])

    assert "best: trial 1, digit accuracy (val) 0.5000" in search_section(tmp_path)
    assert "confirmed" in section
    assert "<html" not in section
    found = read_view(tmp_path)
    assert found.trials == (known,)
    assert found.drawn[1].params == {"train.lr": 0.01}


def test_the_heading_keeps_objectives_with_their_directions(tmp_path):
    heading = view(objectives=(ACCURACY, LOSS), minutes=2.5).heading

    write_heading(tmp_path, heading)

    read = read_heading(tmp_path)
    assert [(o.metric, o.direction) for o in read.objectives] == [
        ("val/digit/accuracy", "max"), ("val/loss", "min"),
    ]  # fmt: skip
    assert (read.name, read.trials, read.minutes, read.epochs) == ("digits", 24, 2.5, 8)


@pytest.mark.parametrize(
    ("values", "is_log", "heights", "ticks"),
    [
        ([1, 3, 2], False, (0.0, 1.0, 0.5), ["1", "2", "3"]),
        ([0.001, None, 0.1, 0.01], True, (0.0, None, 1.0, 0.5), ["0.001", "0.01", "0.1"]),
        (["gated", None, "concat"], False, (1.0, None, 0.0), ["concat", "gated"]),
        ([True, False], False, (1.0, 0.0), ["false", "true"]),
        ([5, 5], False, (0.5, 0.5), ["5"]),
        ([0, 10, 20, 30, 40, 50, 60, 100], False, None, ["0", "25", "50", "75", "100"]),
    ],
)
def test_an_axis_has_numbers_by_size_and_names_by_alphabet(values, is_log, heights, ticks):
    axis = parallel_axis("a", values, is_log=is_log)

    assert [label for _, label in axis.ticks] == ticks
    if heights is not None:
        assert [None if h is None else round(h, 6) for h in axis.heights] == list(heights)
