from rich.cells import cell_len

from mmray.display.terminal import fitted

SENTENCE = (
    "  label: fusion accuracy 0.7667 (0.6500 to 0.8500), text alone 0.7000, the difference is "
    "not shown to be more than chance"
)


def test_a_long_sentence_breaks_between_words_and_its_further_lines_are_indented():
    assert fitted(SENTENCE, 60).splitlines() == [
        "  label: fusion accuracy 0.7667 (0.6500 to 0.8500), text",
        "    alone 0.7000, the difference is not shown to be more",
        "    than chance",
    ]


def test_a_name_keeps_its_figures_and_a_figure_its_unit_and_interval():
    line = "digit: 2 classes: 'a b' 10/2/3, 'c' 7/2/2; text 0.1 [0.0, 0.3], 95 % of it"

    assert fitted(line, 20).splitlines() == [
        "digit: 2 classes:",
        "  'a b' 10/2/3,",
        "  'c' 7/2/2; text",
        "  0.1 [0.0, 0.3],",
        "  95 % of it",
    ]


def test_a_short_list_in_brackets_stays_on_one_line():
    rows = fitted("audio: cnn(channels: [32, 64] | [64, 96]; dropout: 0.5)", 26).splitlines()

    assert rows == ["audio: cnn(channels:", "  [32, 64] | [64, 96];", "  dropout: 0.5)"]


def test_a_table_keeps_its_columns_where_a_row_is_too_long():
    rows = fitted("image  jpg  103  decoded\naudio  -    1    audio_silent: no sound", 30)

    assert rows.splitlines() == [
        "image  jpg  103  decoded",
        "audio  -    1    audio_silent:",
        "  no sound",
    ]


def test_a_line_that_fits_stays_as_it_is():
    assert fitted("epoch 1,  loss 0.5\n    epoch 2", 20) == "epoch 1,  loss 0.5\n    epoch 2"


def test_wide_characters_count_as_two_cells():
    rows = fitted("猫 狗 鸟 猫 狗 鸟 猫 狗 鸟", 12).splitlines()

    assert len(rows) > 2
    assert all(cell_len(row) <= 12 for row in rows)


def test_a_command_and_a_path_are_never_broken():
    path = "/home/someone/a-very-long-name/of-a-folder/report.json"
    text = f"error: nothing is extracted, see {path}\n  run 'mmray extract my.yaml --set a=1' first"

    rows = fitted(text, 40).splitlines()

    assert any(path in row for row in rows)
    assert any("'mmray extract my.yaml --set a=1'" in row for row in rows)


def test_the_next_command_can_be_copied_from_one_line():
    line = "next: python workflows/fusion.py some-workspace/search/0123456789abcdef/best.yaml"

    assert fitted(line, 40) == line
