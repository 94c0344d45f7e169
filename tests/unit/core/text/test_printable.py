import pytest

from mmray.core.text.printable import printable


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
