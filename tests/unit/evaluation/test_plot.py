"""Plots are read back as SVG: what is written in them, and where it is."""

import time
from xml.etree import ElementTree

import numpy as np
import pytest

from mmray.config.task.metric import metric_named
from mmray.evaluation.metric_text import axis_title
from mmray.evaluation.plot.bars import Bar, BarText, plot_bars
from mmray.evaluation.plot.confusion import plot_confusion, worst_classes
from mmray.evaluation.plot.curves import plot_curves
from mmray.evaluation.plot.scatter import plot_predicted

TEXT = "{http://www.w3.org/2000/svg}text"


def texts(path):
    return ["".join(node.itertext()) for node in ElementTree.parse(path).getroot().iter(TEXT)]


def epochs(*losses):
    return [
        {"epoch": n, "metrics": {"train/loss": x, "val/loss": x + 0.1, "val/animal/accuracy": 1 - x,
                                 "train/samples_per_s": 9.0}}
        for n, x in enumerate(losses, start=1)
    ]  # fmt: skip


# --- confusion -----------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [200, 1000])
def test_of_many_classes_the_worst_thirty_are_drawn_in_little_time(tmp_path, classes):
    matrix = np.random.default_rng(0).poisson(0.05, (classes, classes))
    started = time.process_time()

    plot_confusion(matrix, [f"class {n}" for n in range(classes)], tmp_path / "a.svg", title="t")

    assert time.process_time() - started < 10
    shown = texts(tmp_path / "a.svg")
    assert sum(text.startswith("class ") for text in shown) == 2 * 30
    assert shown.count(f"{classes - 30} others") == 2


def test_the_rest_is_one_class_and_no_sample_is_lost():
    matrix = np.diag(np.arange(40.0, 80.0))
    matrix[3, 7] = 5

    grouped, names = worst_classes(matrix, [str(n) for n in range(40)], limit=10)

    assert grouped.sum() == matrix.sum()
    assert (len(names), names[-1]) == (11, "30 others")
    row, column = names.index("3"), names.index("7")
    assert grouped[row, column] == 5
    assert grouped[-1, -1] == matrix.sum() - grouped[:-1].sum()


def test_few_classes_stay_as_they_are():
    assert worst_classes(np.eye(31), ["a"] * 31)[0].shape == (31, 31)


def test_names_of_any_script_are_text_that_the_reader_s_fonts_draw(tmp_path):
    names = ["零", "ひと", "قطة", "a$b$", "<b>&", "x\x1b[1m"]

    plot_confusion(np.eye(6), names, tmp_path / "a.svg", title="$t$")

    shown = texts(tmp_path / "a.svg")
    assert {"零", "ひと", "قطة", "a$b$", "<b>&", r"x\x1b[1m", "$t$"} <= set(shown)


def test_names_that_are_wider_than_a_cell_stand_upright(tmp_path):
    def rotations(names):
        plot_confusion(np.eye(len(names)), names, tmp_path / "a.svg", title="t")
        nodes = ElementTree.parse(tmp_path / "a.svg").getroot().iter(TEXT)
        return [n.get("transform", "") for n in nodes if "".join(n.itertext()) == names[0]]

    assert any("rotate(-90" in each for each in rotations(["ventricular", "b"]))
    assert not any("rotate(-90" in each for each in rotations(["a", "b"]))


def test_means_of_several_trainings_have_a_decimal(tmp_path):
    plot_confusion([[2.5, 0], [1, 3]], ["a", "b"], tmp_path / "a.svg", title="t")

    assert {"2.5", "0", "1", "3"} <= set(texts(tmp_path / "a.svg"))


# --- bars ----------------------------------------------------------------------------------


def bar_texts(tmp_path, bars, **more):
    text = BarText(**{"title": "t", "caption": "lines", "metric": metric_named("accuracy")} | more)
    plot_bars(bars, tmp_path / "a.svg", text=text)
    return texts(tmp_path / "a.svg")


def test_bars_are_sorted_the_best_first_whatever_the_direction(tmp_path):
    bars = {"a": Bar(0.2, 0.1, 0.3), "b": Bar(0.9, 0.8, 1.0), "c": Bar(0.5, 0.4, 0.6)}

    up = [each for each in bar_texts(tmp_path, bars) if each in bars]
    down = [each for each in bar_texts(tmp_path, bars, metric=metric_named("mae")) if each in bars]

    assert (up, down) == (["b", "c", "a"], ["a", "c", "b"])


def test_a_bar_s_figure_stands_beside_it_with_its_interval(tmp_path):
    assert "0.900 [0.800, 1.000]" in [
        " ".join(each.split()) for each in bar_texts(tmp_path, {"b": Bar(0.9, 0.8, 1.0)})
    ]


def test_the_axis_of_a_share_ends_at_one_and_says_its_direction(tmp_path):
    shown = bar_texts(tmp_path, {"b": Bar(0.95, 0.9, 1.0)})

    assert "1.0" in shown
    assert "1.2" not in shown
    assert "accuracy (higher is better)" in shown
    assert (
        axis_title(metric_named("mae"), "ranks") == "mean absolute error in ranks (lower is better)"
    )


@pytest.mark.parametrize("value", [0.0, -0.5, -2.0])
def test_figures_at_or_below_zero_have_bars_as_well(tmp_path, value):
    shown = bar_texts(
        tmp_path, {"a": Bar(value, value - 0.1, value)}, metric=metric_named("r2"), floor=-3.0
    )

    assert any(each.startswith(f"{value:.3f}") for each in shown)


# --- curves and numbers --------------------------------------------------------------------


def test_the_best_epoch_is_marked_and_panels_are_named_for_people(tmp_path):
    panels = [("animal", metric_named("accuracy"), "")]

    plot_curves(
        {"fusion": epochs(0.9, 0.3)}, tmp_path / "a.svg", title="t", panels=panels, best=[2]
    )

    shown = texts(tmp_path / "a.svg")
    assert "best epoch 2" in shown
    assert {"animal, val split", "accuracy (higher is better)"} <= set(shown)
    assert not any("val/" in each for each in shown)


def test_an_epoch_without_a_metric_leaves_a_gap(tmp_path):
    records = epochs(0.9, 0.5)
    del records[0]["metrics"]["val/animal/accuracy"]
    panels = [("animal", metric_named("accuracy"), ""), ("animal", metric_named("accuracy"), "")]

    plot_curves({"a": records, "b": epochs(0.8)}, tmp_path / "a.svg", title="t", panels=panels)

    assert texts(tmp_path / "a.svg").count("animal, val split") == 2


def test_predictions_are_drawn_against_the_truth(tmp_path):
    true, predicted = [1.0, 2.0, 3.0], [1.5, 2.0, 2.5]

    plot_predicted(true, predicted, tmp_path / "a.svg", title="t", column="age",
                   interval=([1.0, 1.5, 2.0], [2.0, 2.5, 3.0]))  # fmt: skip

    assert {"true age", "predicted age", "right answer"} <= set(texts(tmp_path / "a.svg"))


def test_the_same_figures_give_the_same_file(tmp_path):
    for name in ("a", "b"):
        plot_confusion([[3, 1], [0, 3]], ["cat", "dog"], tmp_path / f"{name}.svg", title="t")

    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
