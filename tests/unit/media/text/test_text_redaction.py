from collections import Counter

import pytest

from mmray.media.text.decode import Cleaning, clean_text
from mmray.media.text.redaction import PLACEHOLDERS, count_redactions, redact
from mmray.media.text.word import find_words

ALL = tuple(PLACEHOLDERS)


def hidden(text, kinds=ALL, regions=("US", "CN")):
    return redact(text, kinds, phone_regions=regions)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ann.o'neil+x@mail.example.co.uk.", "write to [EMAIL]."),
        ("请联系zhang@example.com谢谢", "请联系[EMAIL]谢谢"),
        ("<bob@b.org>, josé@x.fr", "<[EMAIL]>, [EMAIL]"),
        ("@handle and a@b and user@localhost", "@handle and a@b and user@localhost"),
        ("from 192.168.1.254, v1.2.3.4.5 at 300.1.1.1", "from [IP], v1.2.3.4.5 at 300.1.1.1"),
        ("地址:2001:db8::1, node:fe80::1 end ::1.", "地址:[IP], node:[IP] end [IP]."),
        ("std::vector a :: b at 12:30:45", "std::vector a :: b at 12:30:45"),
        ("身份证11010519491231002X。", "身份证[CN_ID]。"),
        ("身份证110105194912310021。", "身份证110105194912310021。"),
        ("card 4111 1111 1111 1111 123 ok", "card [CARD] 123 ok"),
        ("pay 378282246310005 or 5555-5555-5555-4444", "pay [CARD] or [CARD]"),
        ("order 4111111111111112", "order 4111111111111112"),
        ("ssn 536-90-4399, not 000-12-3456", "ssn [US_SSN], not 000-12-3456"),
        ("call (650) 253-0000 or +44 20 7031 3000", "call [PHONE] or [PHONE]"),
        ("电话13812345678吧", "电话[PHONE]吧"),
        ("on 2024-01-02 at 10:00 we saw 12 of 300", "on 2024-01-02 at 10:00 we saw 12 of 300"),
    ],
)
def test_what_can_be_checked_is_replaced_and_nothing_else(text, expected):
    assert hidden(text) == expected


def test_only_the_kinds_that_were_asked_for_are_replaced():
    text = "a@b.org 10.0.0.1"

    assert hidden(text, ()) == text
    assert hidden(text, ("email",)) == "[EMAIL] 10.0.0.1"


def test_a_national_number_is_known_only_in_its_region():
    assert hidden("13812345678", ("phone",), ("US",)) == "13812345678"
    assert hidden("13812345678", ("phone",), ("CN",)) == "[PHONE]"
    assert hidden("13812345678 +8613812345678", ("phone",), ()) == "13812345678 [PHONE]"


def test_counts_are_per_kind_and_a_placeholder_of_the_source_does_not_count():
    text, counts = redact("a@b.org [EMAIL] [[IP]] c@d.org 10.0.0.1", ALL)

    assert counts == Counter(email=2, ip=1)
    assert count_redactions(text) == counts


def test_placeholders_survive_cleaning_and_counting_of_words():
    cleaning = Cleaning(redact=ALL, phone_regions=("CN",), stop_words=("en", "zh"))

    cleaned = clean_text("Mail <b>A&#64;B.org</b> or, 电话 １３８12345678 THE Email", cleaning)

    assert cleaned == "mail [EMAIL] 电话 [PHONE] email"
    assert find_words(cleaned) == ["mail", "[EMAIL]", "电话", "[PHONE]", "email"]
    assert count_redactions(cleaned) == Counter(email=1, phone=1)


def test_a_text_of_markup_alone_is_kept_and_redacted_all_the_same():
    cleaning = Cleaning(redact=("email",), stop_words=("en",))

    assert clean_text("<br title='a@b.org'>", cleaning) == "<br title=[EMAIL]'>"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit",
    ["a", "a@", "a.", "@a.", "1", "1 ", "111 ", "1.", "a:", "::1 ", "+1 ", "(1", "1-", "123-45-",
     "650 253 0000 ", "[EMAIL", "4111 1111 1111 "],
)  # fmt: skip
def test_hostile_texts_take_linear_time(unit):
    text = (unit * 40_000)[:40_000]

    assert len(hidden(text)) <= 2 * len(text)
