import json
from pathlib import Path

import pytest

from mmray.errors import MMRayError
from mmray.inspection.bench import GROUPS, describe_benchmarks, run_benchmarks

FOUND = {
    "name": "video", "ours": 0.3332, "other": 1.3935, "ratio": 4.182, "unit": "CPU s",
    "other_name": "PyAV: decode all",
    "hardware": {"cpu": "A Chip", "cores": 2, "memory_gib": 24, "python": "3.11.7"},
}  # fmt: skip


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder of scripts that each print the same; returns how to make one print another thing."""
    (tmp_path / "benchmarks").mkdir()
    # A package, so that it comes before any other folder of that name on Python's path.
    (tmp_path / "benchmarks" / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / "benchmarks" / f"{name}.py").write_text(text)

    for name in ("report", *GROUPS["features"]):
        write(name, f"print({json.dumps(json.dumps(FOUND))})")
    return write


def test_each_script_of_a_group_is_there_and_prints_one_document(checkout, caplog):
    caplog.set_level("INFO", "mmray")

    found = run_benchmarks("features")

    assert found == [FOUND] * 5
    assert "video: measuring (5 of 5)" in caplog.text
    scripts = Path(__file__).parents[3] / "benchmarks"
    assert all((scripts / f"{name}.py").is_file() for group in GROUPS.values() for name in group)


def test_a_script_that_prints_more_than_one_document_is_named(checkout):
    checkout("mfcc", "print('{}')\nprint('{}')")

    with pytest.raises(MMRayError, match="'mfcc' failed: its output is not one JSON") as caught:
        run_benchmarks("features")

    assert caught.value.hint == "run it alone: python -m benchmarks.mfcc"


def test_a_script_that_fails_is_told_in_its_own_words(checkout):
    checkout("jpeg", "raise SystemExit('the ways differ by 9 of 255')")

    with pytest.raises(MMRayError, match="'jpeg' failed: the ways differ by 9 of 255"):
        run_benchmarks("features")


def test_the_table_has_a_line_per_claim_and_says_where_it_was_measured():
    rate = FOUND | {"name": "hf_text", "ours": 1234.5, "other": 61.25, "ratio": 20.155}

    lines = describe_benchmarks([rate | {"unit": "texts/s"}, FOUND])

    assert lines == [
        "claim     ours  other   ratio  unit     other way",
        "hf_text   1234   61.2  20.16x  texts/s  PyAV: decode all",
        "video    0.333   1.39   4.18x  CPU s    PyAV: decode all",
        "ratio: above 1, ours is better; 2 cores of A Chip, 24 GiB, Python 3.11.7",
    ]
