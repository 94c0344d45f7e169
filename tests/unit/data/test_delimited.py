import csv

import pytest

from mmray.errors import ManifestError
from tests.support.table import read_table

ROWS = [{"photo": "a.jpg", "note": "one, two", "label": "cat"},
        {"photo": "b.jpg", "note": "", "label": "dog"}]  # fmt: skip


def read(folder, text, name="m.csv"):
    (folder / name).write_text(text)
    return read_table(str(folder / name)).rows


def error_of(folder, text):
    with pytest.raises(ManifestError) as caught:
        read(folder, text)
    return caught.value


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
def test_the_delimiter_is_found_in_the_first_line(tmp_path, mark, name):
    lines = [mark.join(ROWS[0]), *(mark.join(row.values()) for row in ROWS)]

    assert read(tmp_path, "\n".join(lines), name) == ROWS


def test_delimiters_in_quoted_names_of_columns_are_not_counted(tmp_path):
    rows = read(tmp_path, '"a;b;c;d",label\n1,2\n')

    assert rows == [{"a;b;c;d": "1", "label": "2"}]


def test_a_row_of_another_length_says_what_separates_cells(tmp_path):
    error = error_of(tmp_path, "note;label\nall; of it;cat\n")

    assert error.args[0] == "this row has 3 cells, the header 2"
    assert "separated by semicolons" in error.hint


@pytest.mark.parametrize("text", ["a,b,\n1,2,\n", "a,b,,\n1,2,,\n", "a,b\n1,2,,,\n"])
def test_commas_at_the_end_of_lines_are_no_columns(tmp_path, text):
    assert read(tmp_path, text) == [{"a": "1", "b": "2"}]


def test_a_value_below_no_name_at_the_end_is_told(tmp_path):
    assert error_of(tmp_path, "a,b,\n1,2,3\n").args[0] == "this row has 3 cells, the header 2"


@pytest.mark.parametrize("text", ["a,b,\n1,,\n", "a,b\n1,\n"])
def test_an_empty_last_cell_is_kept(tmp_path, text):
    assert read(tmp_path, text) == [{"a": "1", "b": ""}]


def test_a_cell_may_have_a_million_characters_and_no_more(tmp_path):
    most = "x" * 1_000_000

    assert read(tmp_path, f"note,label\n{most},cat\n")[0]["note"] == most
    error = error_of(tmp_path, f"note,label\na,b\n{most}x,cat\n")
    assert error.args[0] == "a cell of this row has more than 1,000,000 characters"
    assert error.where.endswith("m.csv:3")


def test_a_table_of_too_many_columns_is_told_at_once(tmp_path):
    names = ",".join(f"c{n}" for n in range(100_000))

    csv.field_size_limit(131_072)  # as it is in a new process
    assert "100,000 columns, 50,000 are read" in str(error_of(tmp_path, f"{names}\n"))


def test_a_line_of_many_columns_is_told_apart_by_its_commas(tmp_path):
    names = [f"column-{n}" for n in range(40_000)]

    csv.field_size_limit(131_072)
    (row,) = read(tmp_path, f"{','.join(names)}\n{','.join(names)}\n")

    assert list(row) == list(row.values()) == names
