import pytest

from mmray.core.text.markdown import code, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f1_macro of 你好", "f1_macro of 你好"),
        ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
        ("[click](http://evil)", r"\[click\](http&#8203;://evil)"),
        ("a | b\n# c", r"a \| b\\x0a\# c"),
        ("\x1b[31mred", r"\\x1b\[31mred"),
        ("**bold** `code` &amp;", r"\*\*bold\*\* \`code\` &amp;amp;"),
    ],
)
def test_names_from_a_corpus_are_no_markup(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("photo", "`photo`"), ("a`b", "``a`b``"), ("``", "``` `` ```"), ("a\nb", r"`a\x0ab`")],
)
def test_code_ends_where_it_should(text, expected):
    assert code(text) == expected
