import unicodedata

import pytest

from mmray.core.rejection import Rejection
from mmray.media.text.decode import Cleaning, clean_text, decode_text, read_text


def clean(text, **settings):
    return clean_text(text, Cleaning(**settings))


def test_the_byte_order_mark_is_not_part_of_the_text():
    assert decode_text("\ufeffa cat".encode()) == "a cat"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_tells_a_wider_encoding(encoding):
    assert decode_text("a cat 猫 🐈".encode(encoding)) == "a cat 猫 🐈"


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "cp1252", "utf-16-le"])
def test_a_file_without_a_mark_is_read_in_the_encoding_that_is_told(encoding):
    text = "café" if encoding == "cp1252" else "一只灰色的貓" if encoding == "gb18030" else "cat 貓"

    assert read_text(text.encode(encoding), Cleaning(encoding=encoding, segment=False)) == text
    assert decode_text("a cat 猫".encode("utf-8-sig"), encoding) == "a cat 猫"  # a mark goes first


def test_a_file_that_is_not_in_the_encoding_that_is_told_is_undecodable():
    with pytest.raises(Rejection, match="text_undecodable"):
        decode_text("猫猫".encode(), "ascii")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"caf\xe9", "text_undecodable"),
        ("text".encode("utf-16-le"), "text_undecodable"),
        (b"\xff\xfea", "text_undecodable"),
        (b"\xff\xfe\x00\xd8", "text_undecodable"),
        (b"\xed\xa0\x80", "text_undecodable"),
        (b"", "text_empty"),
        (b" \n\t ", "text_empty"),
        ("\ufeff\u200b\0".encode(), "text_empty"),
    ],
)
def test_bytes_that_are_no_text_are_rejected(payload, reason):
    with pytest.raises(Rejection) as rejection:
        decode_text(payload)

    assert rejection.value.reason == reason


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A  Cat\n sat", "a cat sat"),
        ("ｆｕｌｌ　width", "full width"),
        ("<p>Fish &amp; <b>chips</b></p>", "fish & chips"),
        ("<script>if (a < b) {}</script>kept<!-- gone --> too", "kept too"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("a\u200bb\x00c\u202e", "ab c"),
        ("<b>ﬁ&#64257;</b> &lt;i&gt; ＜b＞", "fifi <i> <b>"),
        ("&#99999999999; &amp;lt;", "\ufffd &lt;"),
        ("我喜欢机器学习", "我 喜欢 机器 学习"),
        ("patient 患者胸片 ok", "patient 患者 胸片 ok"),
    ],
)
def test_cleaning(text, cleaned):
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "<T1 on day 1; >T2 later",
        "a <b or c> d",
        "mail <jane@example.org> or <https://example.org/a>",
        "if x<y and z>w",
        "the <unk> token",
        "p <0.05, n> 3",
        "a <p class> b",
    ],
)
def test_text_in_angle_brackets_that_is_no_tag_is_kept(text):
    assert clean(text, lowercase=False) == text


@pytest.mark.parametrize(
    "markup",
    [
        "<p>", "</P >", "<br/>", "<input disabled value=1>", '<a title="x > y" href=http://x?y=1>',
        "<td nowrap align=left>", "<!DOCTYPE html>", "<?xml version='1.0'?>", "<my-tag>", "<o:p>",
        "<a\nhref='x'\n>", "<h1 id=a>",
    ],
)  # fmt: skip
def test_tags_are_dropped_with_their_attributes(markup):
    assert clean(f"a{markup}b") == "a b"


def test_letters_keep_thirty_marks_and_other_runs_stay():
    zalgo = "a" + "\u0301\u0316" * 40

    assert len(unicodedata.normalize("NFD", clean(zalgo))) == 31
    assert clean("h\u00e9\u0323 " + "\u2014" * 50 + "\U0001f600" * 50) == (
        unicodedata.normalize("NFKC", "h\u00e9\u0323 ") + "\u2014" * 50 + "\U0001f600" * 50
    )


def test_each_step_can_be_left_out():
    text = "<B>我喜欢</B> Cats"

    assert clean(text, lowercase=False) == "我 喜欢 Cats"
    assert clean(text, html=False) == "<b> 我 喜欢 </b> cats"
    assert clean(text, segment=False) == "我喜欢 cats"


def test_stop_words_of_all_named_languages_go():
    text = "The cat, and the dog. 我们的猫"

    assert clean(text, stop_words=("en", "zh")) == "cat, dog. 猫"


def test_a_text_of_nothing_but_stop_words_is_kept_as_it_was():
    assert clean("To be, or not to be", stop_words=("en",)) == "To be, or not to be"
    assert clean("<br>") == "<br>"
    assert clean("<b>To Be</b>", stop_words=("en",)) == "To Be"


def test_a_text_over_the_limit_is_rejected_before_any_work():
    with pytest.raises(Rejection) as rejection:
        read_text(b"abcdef", Cleaning(max_chars=5))

    assert rejection.value.reason == "text_too_long"
    assert rejection.value.detail == "6 characters; the limit is 5"
    assert read_text(b"abcde", Cleaning(max_chars=5)) == "abcde"


@pytest.mark.parametrize("reference", ["&#" + "1" * 5000, "&#x" + "f" * 5000, "&#xd800;", "&#0;"])
def test_no_character_reference_raises(reference):
    assert clean(f"a {reference} b").startswith("a")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", [
    "<!--" * 300_000, "<script>" * 200_000, "<a " * 400_000, "<a b='<a b=\"" * 100_000,
    "<a " + "b=1 " * 200_000, "a" + "\u0301\u0316" * 400_000, "\u0344" * 400_000,
])  # fmt: skip
def test_hostile_markup_takes_linear_time(text):
    assert clean(text)


def test_why_a_text_cannot_be_read_quotes_nothing_of_it():
    with pytest.raises(Rejection) as caught:
        decode_text(b"secret caf\xe9")

    assert caught.value.detail == "it is not utf-8 at byte 10"
