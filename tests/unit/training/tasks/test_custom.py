"""A user's own task: what is refused, and the way from a section to predictions."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import mmray
from mmray.config.task.kind import main_metric
from mmray.errors import BundleError, ConfigError, TrainingError
from mmray.stages.training.fingerprint import train_fingerprint
from tests.support import count_task
from tests.support.bundle import LABELS, make_bundle
from tests.support.document import make_config
from tests.support.tasks import NUMBERS, custom

SECTION = {
    "kind": "custom", "factory": "tests.support.count_task:counts", "column": "size",
    "labels": "number", "metrics": {"deviance": "min", "within_one": "max"},
}  # fmt: skip
TEXT = {"text": {"column": "note", "extract": {"kind": "bow", "vocabulary": 60}}}


def none(labels, saved):
    return object()


def test_the_docs_show_this_task():
    page = Path(__file__).parents[4] / "docs" / "how-to" / "custom.md"
    code = Path(count_task.__file__).read_text("utf-8").split('"""\n\n', 1)[1]

    assert f"```python\n{code}```" in page.read_text("utf-8")


def test_figures_are_those_of_the_users_functions():
    task = custom()
    predicted, labels = np.array([1.0, 4.0], np.float32), np.array([2.0, 1.0], np.float32)

    found = task.metrics(predicted, labels)

    expected = 2 * np.mean([2 * np.log(2) - 2 + 1, np.log(1 / 4) - 1 + 4])
    assert found == {"deviance": pytest.approx(expected), "within_one": 0.5}
    assert task.encode(NUMBERS).tolist()[:2] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"factory": "tests.support.count_task:none_such"}, "cannot load the factory"),
        ({"factory": f"{__name__}:none"}, "without outputs, metrics, encode"),
        ({"options": {"floor": 1}}, "unexpected keyword argument 'floor'"),
        ({"metrics": {"deviance": "min"}}, "computes the metrics deviance, within_one"),
    ],
)
def test_a_factory_that_is_no_task_is_refused_with_what_is_missing(settings, words):
    with pytest.raises(ConfigError, match=words):
        custom(**settings)


def test_a_mean_in_place_of_a_loss_per_sample_is_an_error():
    task = custom()
    task = replace(task, own=Averaging(task.own.mean))

    with pytest.raises(TrainingError, match="'losses' returned the shape"):
        task.losses(torch.zeros(3, 1), torch.ones(3))


class Averaging(count_task.Counts):
    def losses(self, outputs, targets):
        return super().losses(outputs, targets).mean()


@pytest.mark.parametrize(("metric", "mode"), [("deviance", "min"), ("within_one", "max")])
def test_an_objective_has_the_direction_that_the_task_declares(metric, mode):
    train = {"keep_best": {"metric": f"val/calls/{metric}"}}

    config = make_config(tasks={"calls": SECTION}, train=train)

    assert config.train.keep_best.direction == mode
    assert main_metric(config.tasks["calls"]).name == "deviance"


def test_a_metric_that_the_section_does_not_declare_is_no_objective():
    with pytest.raises(ConfigError, match="there is no metric 'val/calls/mae'"):
        make_config(tasks={"calls": SECTION}, train={"keep_best": {"metric": "val/calls/mae"}})


def test_a_metric_that_every_task_has_is_not_declared_again():
    with pytest.raises(ConfigError, match="'loss' is a metric of every task"):
        make_config(tasks={"calls": SECTION | {"metrics": {"loss": "min"}}})


def test_a_bundle_with_a_task_of_its_own_predicts_only_where_it_is_trusted(tmp_path):
    bundle = make_bundle(tmp_path / "model", modalities=TEXT, tasks={"size": SECTION})

    with pytest.raises(BundleError, match=r"'tests.support.count_task:counts' \(tasks.size\)"):
        mmray.load(bundle)
    predictor = mmray.load(bundle, trust=True)
    (row,) = predictor.predict({"note": "a small cat"})

    assert predictor.tasks["size"].own.mean == pytest.approx(np.mean(LABELS["size"]))
    assert row["predictions"]["size"]["value"] > 0.0


def test_other_code_is_another_training(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    code = tmp_path / "own_task.py"
    config = make_config(tasks={"t": SECTION | {"factory": "own_task:counts"}})
    marks = []

    for line in ("a = 1\n", "a = 2\n"):
        code.write_text(line)
        marks.append(train_fingerprint(config, "features"))

    assert marks[0] != marks[1]
