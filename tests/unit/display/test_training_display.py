"""How trainings are shown: live at a terminal, sparsely in a log."""

import logging

import pytest

from mmray.config.training.train import ObjectiveConfig
from mmray.core.report import Report
from mmray.display.closing import closing_lines
from mmray.display.terminal import duration
from mmray.display.training_display import TrainingDisplay, TrainingLine, spark
from tests.support.document import make_config


def record(epoch, accuracy, seconds=2.0):
    metrics = {"train/loss": 1.0, "val/animal/accuracy": accuracy}
    return {"epoch": epoch, "seconds": seconds, "metrics": metrics}


def test_a_training_is_one_line_with_its_course_its_best_and_the_time_left():
    course = TrainingLine("fusion", 10, ObjectiveConfig(metric="val/animal/accuracy"))
    for epoch, accuracy in enumerate((0.2, 0.9, 0.55), 1):
        course.hear(record(epoch, accuracy))

    line = course.describe()

    assert line == "epoch 3/10  animal accuracy 0.550 ▁█▄  best 0.900 (epoch 2)  14 s left"
    assert len(f"fusion, seed 12  {line}") < 110


def test_the_best_of_an_error_is_the_smallest_and_a_resumed_training_counts_on():
    course = TrainingLine("fusion", 10, ObjectiveConfig(metric="val/rate/mae"))
    for epoch, error in ((7, 0.5), (8, 0.4), (9, 0.6)):
        course.hear({"epoch": epoch, "seconds": 1.0, "metrics": {"val/rate/mae": error}})

    assert course.best() == 8
    assert course.describe().endswith("best 0.400 (epoch 8)  1.0 s left")


def test_an_epoch_without_the_metric_is_counted_all_the_same():
    course = TrainingLine("fusion", 2, ObjectiveConfig(metric="val/animal/accuracy"))

    course.hear({"epoch": 2, "seconds": 3.0, "metrics": {}})

    assert course.describe() == "epoch 2/2  took 3.0 s"


def test_a_log_hears_of_the_first_and_the_last_of_many_quick_epochs(caplog):
    caplog.set_level(logging.INFO, "mmray")
    with TrainingDisplay(["fusion"], make_config(train={"epochs": 120})) as display:
        for epoch in range(1, 121):
            display.hear("fusion", record(epoch, 0.5, 0.01), f"epoch {epoch}/120")

    told = [each.getMessage() for each in caplog.records]
    assert told == [
        "starting the workers (usually 10 to 40 s)",
        "fusion: epoch 1/120",
        "fusion: epoch 120/120",
    ]


@pytest.mark.parametrize(
    ("values", "bars"), [([1.0], "▁"), ([0.0, 7.0], "▁█"), ([3.0, 3.0, 3.0], "▁▁▁")]
)
def test_a_curve_is_drawn_from_its_lowest_to_its_highest(values, bars):
    assert spark(values) == bars
    assert len(spark(values * 50)) == 16


def test_a_workflow_ends_with_its_time_its_plots_and_one_list_of_payloads_to_repair(tmp_path):
    (tmp_path / "alone_digit.svg").write_text("<svg/>")
    rows = [f"s{n},image,image_truncated,cut,photos/{n}.png" for n in range(11)]
    table = ["sample_id,modality,reason,detail,uri", "s99,text,text_empty,,inline", *rows]
    (tmp_path / "rejections.csv").write_text("\n".join(table))
    reports = [Report(stage, "f", str(tmp_path), 1.0) for stage in ("extract", "evaluate")]

    lines = closing_lines(reports, 133.4)

    assert lines[0] == f"payloads to repair: 12, all in {tmp_path}/rejections.csv"
    assert lines[1] == "  sample s99: text, text_empty"
    assert lines[2] == "  photos/0.png: image, image_truncated"
    assert lines[-3:] == ["  and 2 more", f"plots: {tmp_path}", "total time: 2 min 13 s"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.44, "0.4 s"), (59.4, "59 s"), (61, "1 min 1 s"), (7290, "2 h 1 min")]
)
def test_a_duration_is_said_as_people_say_it(seconds, said):
    assert duration(seconds) == said
