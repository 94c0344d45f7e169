"""One task of every kind, as it is after its labels have been seen."""

import math

from mmray.config.task.loss import (
    BceConfig,
    FocalClassesConfig,
    FocalConfig,
    QuantileLossConfig,
    RegressionLossConfig,
    SiglipConfig,
    SupervisedContrastiveConfig,
)
from mmray.config.task.task import (
    AlignmentConfig,
    BinaryConfig,
    ClassificationConfig,
    CustomTaskConfig,
    MultilabelConfig,
    OrdinalConfig,
    RegressionConfig,
)
from mmray.training.tasks.build import fit_task

MODALITIES = ("text", "image", "audio")
NAMES, FLAGS, GRADES = ["b", "a", None, "c"], ["yes", "no", None, "no"], ["1", None, "3", "2"]
SETS, NUMBERS = [["x"], ["x", "y"], [], None], [1.0, 2.0, None, 6.0]


def classification(**settings):
    return fit_task(ClassificationConfig(column="c", **settings), NAMES)


def binary(**settings):
    return fit_task(BinaryConfig(column="c", **settings), FLAGS)


def multilabel(**settings):
    return fit_task(MultilabelConfig(column="c", **settings), SETS)


def ordinal(**settings):
    return fit_task(OrdinalConfig(column="c", **settings), GRADES)


def regression(**settings):
    return fit_task(RegressionConfig(column="c", **settings), NUMBERS)


def alignment(labels=NAMES, **settings):
    return fit_task(AlignmentConfig(size=4, **settings), labels, MODALITIES)


def custom(**settings):
    section = {
        "column": "c", "factory": "tests.support.count_task:counts", "labels": "number",
        "metrics": {"deviance": "min", "within_one": "max"},
    }  # fmt: skip
    return fit_task(CustomTaskConfig(**section | settings), NUMBERS)


EVERY_TASK = {
    "classes": (classification(), NAMES),
    "classes_focal": (classification(loss=FocalClassesConfig(class_weights="balanced")), NAMES),
    "binary": (binary(), FLAGS),
    "binary_balanced": (binary(loss=BceConfig(positive_weight="balanced")), FLAGS),
    "binary_focal": (binary(loss=FocalConfig(alpha=0.25)), FLAGS),
    "multilabel": (multilabel(), SETS),
    "multilabel_focal": (multilabel(loss=FocalConfig(gamma=0.5)), SETS),
    "corn": (ordinal(), GRADES),
    "coral": (ordinal(method="coral"), GRADES),
    "mse": (regression(loss=RegressionLossConfig(kind="mse")), NUMBERS),
    "mae": (regression(loss=RegressionLossConfig(kind="mae")), NUMBERS),
    "huber": (regression(), NUMBERS),
    "quantile": (regression(loss=QuantileLossConfig(quantiles=(0.1, 0.5, 0.8))), NUMBERS),
    "info_nce": (alignment(), NAMES),
    "siglip": (alignment(loss=SiglipConfig()), NAMES),
    "supervised": (alignment(column="c", loss=SupervisedContrastiveConfig()), NAMES),
    "custom": (custom(), NUMBERS),
}
MISSING = (None, "", math.nan)
