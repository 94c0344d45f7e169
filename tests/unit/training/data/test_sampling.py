import numpy as np
import pytest

from mmray.config.document import Config
from mmray.config.training.train import TrainConfig
from mmray.errors import ConfigError
from mmray.training.data.sampling import balanced, epoch_order, shuffled
from tests.support.document import make_config
from tests.support.sample import TASKS, make_samples

CLASSES = np.array([0] * 60 + [1] * 5 + [2] * 14 + [-1] * 10)


def test_every_class_is_drawn_as_often_and_what_has_no_label_once():
    order = balanced(CLASSES, seed=1, epoch=0)

    drawn = CLASSES[order]
    assert np.bincount(drawn[drawn >= 0]).tolist() in ([26, 26, 27], [26, 27, 26], [27, 26, 26])
    assert sorted(order[drawn < 0]) == list(range(79, 89))


def test_a_class_gives_all_its_samples_before_it_gives_one_again():
    times = np.bincount(balanced(CLASSES, seed=1, epoch=0), minlength=len(CLASSES))

    assert times[CLASSES == 0].max() == 1
    assert set(times[CLASSES == 1]) <= {5, 6}
    assert set(times[CLASSES == 2]) <= {1, 2}


def test_an_epoch_follows_from_seed_and_number():
    first, again, later = (balanced(CLASSES, seed=1, epoch=epoch) for epoch in (0, 0, 1))

    assert first.tolist() == again.tolist()
    assert first.tolist() != later.tolist()
    seen = np.concatenate([balanced(CLASSES, seed=1, epoch=epoch) for epoch in range(12)])
    assert set(seen) == set(range(len(CLASSES)))


def test_the_first_task_with_classes_is_balanced_unless_another_is_named():
    samples = make_samples(50)

    order = epoch_order(samples, TASKS, TrainConfig(sampling="balanced"), epoch=2)

    assert order.tolist() == balanced(samples.labels["digit"], seed=0, epoch=2).tolist()
    plain = epoch_order(samples, TASKS, TrainConfig(), epoch=2)
    assert plain.tolist() == shuffled(50, seed=0, epoch=2).tolist()


def test_balancing_what_has_no_classes_is_refused_with_those_that_have():
    tasks = {
        "size": {"kind": "regression", "column": "s"},
        "animal": {"kind": "classification", "column": "a"},
    }

    with pytest.raises(ConfigError, match="'size' is not one; such tasks: animal"):
        make_config(tasks=tasks, train={"sampling": "balanced", "sampling_task": "size"})
    config = make_config(tasks=tasks, train={"sampling": "balanced"})
    assert isinstance(config, Config)
