import numpy as np
import pytest
from PIL import Image

from mmray.evaluation.plot import plot_alone, plot_confusion, plot_curves


def epochs(*losses):
    return [
        {"epoch": n, "metrics": {"train/loss": x, "val/loss": x + 0.1, "val/animal/accuracy": 1 - x,
                                 "train/samples_per_s": 9.0}}
        for n, x in enumerate(losses, start=1)
    ]  # fmt: skip


def curves(path, first):
    plot_curves(epochs(first, 0.3), path, title="fusion")


def confusion(path, first):
    plot_confusion([[first, 1], [0, 3]], ["cat", "dög"], path, title="animal")


def alone(path, first):
    scores = {"fusion": (0.9, 0.0), "text": (first, 0.1)}
    plot_alone(scores, path, title="animal", metric="accuracy")


def read(path):
    image = Image.open(path)
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(("plot", "values"), [(curves, (0.9, 0.5)), (confusion, (5, 0)),
                                              (alone, (0.2, 0.8))])  # fmt: skip
def test_a_plot_is_a_picture_of_its_data(tmp_path, plot, values):
    for name, value in zip(("a", "b", "again"), (*values, values[0]), strict=True):
        plot(tmp_path / f"{name}.png", value)

    first, second, again = (read(tmp_path / f"{name}.png") for name in ("a", "b", "again"))

    np.testing.assert_array_equal(first, again)
    assert first.shape != second.shape or (first != second).any()
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 10


@pytest.mark.parametrize(
    "scores",
    [
        {"fusion": (0.0, 0.0), "text": (0.0, 0.0)},
        {"fusion": (-0.5, 0.1), "text": (-2.0, 0.0)},
        {"text": (0.5, 0.0)},
    ],
)
def test_scores_at_or_below_zero_have_bars_as_well(tmp_path, scores):
    plot_alone(scores, tmp_path / "a.png", title="age", metric="r2")

    assert read(tmp_path / "a.png").std() > 0


def test_an_epoch_without_a_metric_leaves_a_gap(tmp_path):
    records = epochs(0.9, 0.5)
    del records[0]["metrics"]["val/animal/accuracy"]

    plot_curves(records, tmp_path / "a.png", title="fusion")

    assert read(tmp_path / "a.png").std() > 0


def test_a_single_class_and_no_hits_can_be_plotted(tmp_path):
    plot_confusion([[0]], ["cat"], tmp_path / "a.png", title="animal")

    assert read(tmp_path / "a.png").std() > 0
