import pytest

from mmray.audit.objective_check import check_measured
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest
from mmray.errors import ConfigError
from tests.support.document import make_config


def check(labels, splits, metric):
    config = make_config(train={"keep_best": {"metric": metric}})
    ids = [f"s{row}" for row in range(len(labels))]
    references = {"text": ["x"] * len(labels)}
    manifest = Manifest("/c", ids, [Split(s) for s in splits], references, {"animal": labels})
    check_measured(config, manifest)


@pytest.mark.parametrize("metric", ["val/loss", "val/animal/accuracy"])
def test_a_val_split_without_labels_cannot_tell_the_best_epoch(metric):
    with pytest.raises(ConfigError, match="no sample of the val split has a label") as caught:
        check(["cat", "dog", None], ["train", "train", "val"], metric)

    assert "'data.split'" in caught.value.hint


@pytest.mark.parametrize(
    ("splits", "metric"),
    [
        (["train", "train", "val"], "val/animal/accuracy"),
        (["train", "train", "val"], "train/loss"),
        (["train", "train", "test"], "val/animal/accuracy"),
        (["train", "train", "train"], "train/animal/accuracy"),
    ],
)
def test_what_epochs_report_is_taken(splits, metric):
    check(["cat", "dog", "cat"], splits, metric)


def test_metrics_of_train_are_none_where_epochs_are_evaluated_on_val():
    with pytest.raises(ConfigError, match="evaluated on val") as caught:
        check(["cat", "dog", "cat"], ["train", "train", "val"], "train/animal/accuracy")

    assert caught.value.hint == "did you mean 'val/animal/accuracy'?"
