import logging

from mmray.display.extraction_progress import ExtractionProgress, ModalityProgress


def test_without_a_terminal_a_line_says_rate_rejections_and_what_is_left(caplog):
    caplog.set_level(logging.INFO, logger="mmray")

    with ExtractionProgress({"audio": 300, "image": 100}) as progress:
        progress.add("audio", 100, {"audio_truncated": 2, "empty": 1}, seconds=2.0)
        progress.add("audio", 200, {"audio_truncated": 5}, seconds=2.0)

    (line,) = caplog.messages  # the first came too soon after the start
    assert line.startswith("audio: 300/300 samples, 1")
    assert line.endswith("per s, 8 rejected (audio_truncated 7, empty 1), 0 s left")


def test_the_time_that_is_left_follows_from_the_rate_since_the_modality_began():
    course = ModalityProgress(total=1000, done=250, began_s=100.0, ended_s=105.0)

    assert course.describe() == "50 per s, 0 rejected, 15 s left"


def test_units_that_several_processes_do_at_once_count_their_time_once():
    progress = ExtractionProgress({"audio": 200})

    progress.add("audio", 100, {}, seconds=10.0)
    progress.add("audio", 100, {}, seconds=10.0)

    assert 10.0 <= progress.courses["audio"].seconds < 11.0
