from mmray.audit.class_balance import (
    absent_classes,
    describe_classes,
    few_labels,
    thin_classes,
)
from mmray.config.task.task import ClassificationConfig
from mmray.core.kind import Split

TRAIN, VAL, TEST = Split


def counts(**classes):
    return {name: dict(zip(Split, sizes, strict=True)) for name, sizes in classes.items()}


def test_classes_are_listed_with_their_samples_of_every_split():
    found = describe_classes("animal", counts(cat=(96, 12, 12), dog=(9, 1, 0)))

    assert found == "animal: 2 classes (train/val/test): 'cat' 96/12/12, 'dog' 9/1/0"


def test_many_classes_are_shortened():
    found = describe_classes("animal", counts(**{f"a{n}": (9, 1, 1) for n in range(3000)}))

    assert found.startswith("animal: 3,000 classes (train/val/test): 'a0' 9/1/1, ")
    assert found.endswith(" and 2,980 more")


def test_a_class_of_one_sample_and_one_that_test_lacks_are_named():
    found = list(thin_classes("ill", counts(well=(50, 6, 5), sick=(9, 1, 1), odd=(1, 0, 0))))

    assert found == [
        "ill: 1 class has only one sample, so no figure about it is possible: 'odd'",
        "ill: 1 class has fewer than 5 samples in test, so figures are unreliable: 'sick' (1)",
    ]


def test_classes_with_samples_enough_are_not_named():
    assert list(thin_classes("ill", counts(well=(50, 6, 5), sick=(9, 1, 5)))) == []
    assert list(thin_classes("ill", counts(well=(50, 6, 0), sick=(9, 1, 0)))) == []


def test_a_listed_class_that_train_lacks_is_named():
    task = ClassificationConfig(column="label", classes=("cat", "dog", "ox"))

    found = list(absent_classes("animal", task, counts(cat=(9, 1, 1), dog=(0, 1, 1))))

    assert found == [
        "animal: 2 classes have no sample in train, and cannot be learned: 'dog', 'ox'"
    ]


def test_held_out_splits_with_few_labels_or_none_are_named():
    found = list(few_labels("ill", {TRAIN: 9, VAL: 0, TEST: 6}, shares=True))

    assert found == [
        "ill: no sample of val has a label, so the task cannot be evaluated on it",
        "ill: only 6 samples of test can be evaluated on; with so few an accuracy is uncertain by "
        "40 points either way",
    ]
    assert list(few_labels("age", {TEST: 1}, shares=False)) == [
        "age: only 1 sample of test can be evaluated on"
    ]
    assert list(few_labels("ill", {TRAIN: 9, TEST: 30}, shares=True)) == []
