import csv

import pytest

from mmray.core.file.csv_table import write_csv


def read(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_rows_are_read_back_as_they_were(tmp_path):
    rows = [{"name": 'a "cat", 猫', "value": 0.25}, {"value": 3, "name": None}, {"other": 1}]

    write_csv(tmp_path / "a.csv", rows, ["name", "value"])

    assert read(tmp_path / "a.csv") == [
        ["name", "value"], ['a "cat", 猫', "0.25"], ["", "3"], ["", ""],
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3"])
def test_text_of_others_is_no_formula(tmp_path, text):
    write_csv(tmp_path / "a.csv", [{"id": text}], ["id"])

    assert read(tmp_path / "a.csv")[1] == ["'" + text]


@pytest.mark.parametrize("text", ["-5", "+0.5", "a=b"])
def test_numbers_and_other_text_stay(tmp_path, text):
    write_csv(tmp_path / "a.csv", [{"id": text}], ["id"])

    assert read(tmp_path / "a.csv")[1] == [text]


def test_control_characters_are_written_as_escapes(tmp_path):
    write_csv(tmp_path / "a.csv", [{"id": "a\x1b[2Jb\nc"}], ["id"])

    assert read(tmp_path / "a.csv")[1] == ["a\\x1b[2Jb\\x0ac"]
