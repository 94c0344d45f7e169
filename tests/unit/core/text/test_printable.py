import json

import pytest

from mmray.core.text.printable import printable, printable_json


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\rb\x07", r"a\rb\x07".replace(r"\r", r"\x0d")),
        ("evil\u202egpj.exe", r"evil\u202egpj.exe"),
        ("half \udc80", r"half \udc80"),
        ("\x9b2J", r"\x9b2J"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text, expected):
    assert printable(text) == expected


@pytest.mark.parametrize("text", ["plain", "naïve 猫 кот", "می\u200cخواهم", "two\nlines", "[bold]"])
def test_what_people_write_stays(text):
    assert printable(text) == text


def test_a_line_break_can_be_written_out_too():
    assert printable("a\nb", keep="") == r"a\x0ab"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("text", ["\x1b[2J猫\u202e", "می\u200cخواهم", "\U000e0041 \x85", '"\\\n'])
def test_json_reads_back_and_moves_no_terminal(text, indent):
    shown = printable_json({"name": [text]}, indent=indent)

    assert json.loads(shown) == {"name": [text]}
    assert shown == printable(shown)
    assert ("\n" in shown) == (indent is not None)
