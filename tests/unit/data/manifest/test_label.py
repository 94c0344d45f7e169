import math
from decimal import Decimal

import pytest

from mmray.data.manifest.label_check import check_two_classes
from mmray.data.manifest.normalise import normalise
from mmray.data.table.table import RawTable
from mmray.errors import ConfigError, ManifestError
from tests.support.document import make_config

CLASSIFICATION = {"kind": "classification", "column": "label"}


def run(labels, *, splits=None, **task):
    """Normalise rows with these labels; all are in train unless ``splits`` says otherwise."""
    splits = splits or ["train"] * len(labels)
    rows = [
        (f"m.csv:{n}", {"sample_id": f"s{n}", "note": "x", "label": label, "part": split})
        for n, (label, split) in enumerate(zip(labels, splits, strict=True), start=2)
    ]
    config = make_config(
        data={"manifest": "m.csv", "split": {"column": "part"}},
        tasks={"task": CLASSIFICATION | task},
    )
    manifest = normalise(RawTable("m.csv", "/corpus", rows), config)
    check_two_classes(manifest.labels, manifest.splits, config)
    return list(manifest.labels["task"])


def error_of(labels, **settings):
    with pytest.raises(ManifestError) as caught:
        run(labels, **settings)
    return caught.value


@pytest.mark.parametrize("kind", ["classification", "binary", "ordinal"])
def test_a_class_is_one_whatever_wrote_it(kind):
    cells = ["1", "1.0", 1, 1.0, "+1", Decimal("1.00"), " 1 ", 0, "0", "0.0", "-0"]

    assert run(cells, kind=kind) == ["1"] * 7 + ["0"] * 4


def test_text_is_composed_trimmed_and_without_blanks():
    assert run(["caf\u00e9", "cafe\u0301 ", "cat", "cat ", " ", "\t", "", None, math.nan]) == [
        "café", "café", "cat", "cat", None, None, None, None, None,
    ]  # fmt: skip


def test_the_classes_of_a_multilabel_cell_follow_the_same_rule():
    cells = ["1.0| b |1", [1.0, "cafe\u0301"], '["b ", 1]', " ", [], 1.0]

    assert run(cells, kind="multilabel") == [["1", "b"], ["1", "café"], ["b", "1"], None, [], ["1"]]


@pytest.mark.parametrize("cell", [Decimal("2.5"), "2.5", " 2.5 ", 2.5])
def test_a_decimal_is_a_number_for_a_regression_and_a_class(cell):
    assert run([cell, 1], kind="regression") == [2.5, 1.0]
    assert run([cell, 1]) == ["2.5", "1"]


def test_a_number_written_nan_is_missing_for_a_regression():
    assert run(["nan", "NaN", 1], kind="regression") == [None, None, 1.0]


@pytest.mark.parametrize("label", ["cafe\u0301", "café ", "café"])
def test_classes_of_the_document_follow_the_same_rule(label):
    assert run([label, 1.0, "1"], classes=["cafe\u0301", 1]) == ["café", "1", "1"]


@pytest.mark.parametrize("positive", [1, 1.0, "1.0", "+1"])
def test_positive_follows_the_same_rule(positive):
    assert run(["1.0", -1], kind="binary", positive=positive) == ["1", "-1"]


def test_a_boolean_among_the_classes_is_to_be_quoted():
    with pytest.raises(ConfigError, match="quote it, as in 'no'"):
        run(["NO", "SE"], classes=[False, "SE"])


def test_a_positive_label_that_yaml_reads_as_a_boolean_is_to_be_quoted():
    error = error_of(["yes", "ja"], kind="binary", positive=True)

    assert "'true' is not one of them" in error.args[0]
    assert "quote it, as in 'yes'" in error.hint
    assert run(["TRUE", "false", False], kind="binary", positive=True) == ["true", "false", "false"]


def test_a_class_named_twice_is_refused():
    with pytest.raises(ConfigError, match="the class 'cat' is named twice"):
        run(["cat", "dog"], classes=["cat", "dog", "cat "])


def test_a_class_in_test_alone_names_the_way_out():
    error = error_of(["cat", "dog", "ox"], splits=["train", "train", "test"])

    assert error.args[0] == "label: no sample of the train split has the class 'ox'"
    assert error.hint == "list all classes in 'tasks.task.classes', or change 'data.split'"
    assert error.where == "m.csv:4"


def test_thousands_of_unknown_classes_are_shortened():
    labels = ["cat", "dog", *(f"class number {n}" for n in range(3000))]
    splits = ["train", "train", *["test"] * 3000]

    error = error_of(labels, splits=splits)

    assert "'class number 0' and 2,999 more" in error.args[0]
    assert len(str(error)) < 400
    assert len(str(error_of(labels, kind="ordinal"))) < 1000
    assert len(str(error_of(labels, kind="binary"))) < 1000


def test_labels_of_the_test_split_alone_cannot_be_learnt():
    error = error_of([None, None, "cat"], splits=["train", "val", "test"])

    assert error.args[0].startswith("no sample of the train split has a label for the task 'task'")


@pytest.mark.parametrize("kind", ["classification", "binary", "ordinal"])
def test_one_class_alone_is_refused(kind):
    error = error_of(["1", "1.0", None], kind=kind)

    assert error.args[0] == "label: the train split has one class only: 1"


def test_one_tag_alone_can_be_learnt():
    assert run([["a"], []], kind="multilabel") == [["a"], []]
