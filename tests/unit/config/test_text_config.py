import pytest
import stopwordsiso
from pydantic import ValidationError

from mmray.config.modality.audio import TranscribedTextConfig
from mmray.config.modality.language import STOP_WORD_LANGUAGES
from mmray.config.modality.text import HFTextConfig, TextCleanConfig, TextConfig, TokensConfig


def problem(kind, **settings):
    with pytest.raises(ValidationError) as error:
        kind(**settings)
    return error.value.errors()[0]["msg"]


def test_the_languages_are_those_of_the_stop_word_lists():
    assert set(STOP_WORD_LANGUAGES) == stopwordsiso.langs()


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("english", "did you mean 'en'?"),
        ("EN", "did you mean 'en'?"),
        ("zh-CN", "did you mean 'zh'?"),
        ("qq", "use one of af, ar, bg"),
    ],
)
def test_an_unknown_language_is_refused_with_advice(code, advice):
    told = problem(TextCleanConfig, stop_words=("en", code))

    assert f"there are no stop words for the language {code!r}" in told
    assert advice in told


def test_an_unknown_region_is_refused_where_phones_are_redacted():
    told = problem(TextCleanConfig, redact=["phone"], phone_regions=["us"])

    assert "no telephone plan for the region 'us'" in told
    assert "did you mean 'US'?" in told
    assert TextCleanConfig(phone_regions=["us"]).redact == ()


def test_bytes_need_a_vocabulary_that_holds_them():
    assert "must be at least 272 for bpe" in problem(TokensConfig, algorithm="bpe", vocabulary=200)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"pooling": "sequence"}, "needs a pooling of cls, mean or max"),
        (
            {"max_tokens": 20, "overlap": 11},
            r"overlap (11) must be at most half of max_tokens (20)",
        ),
    ],
)
def test_windows_that_cannot_be_are_refused(settings, told):
    assert told in problem(HFTextConfig, model="m", long_text="windows", **settings)


def test_an_encoding_is_a_known_one_and_for_files_alone():
    assert TextCleanConfig(encoding="GBK").encoding == "gbk"
    assert "there is no text encoding 'gb'" in problem(TextCleanConfig, encoding="gb")
    assert "there is no text encoding 'base64'" in problem(TextCleanConfig, encoding="base64")
    assert (
        TextConfig(column="c", payload="file", clean={"encoding": "big5"}).clean.encoding == "big5"
    )
    told = problem(TextConfig, column="c", clean={"encoding": "big5"})
    assert "clean.encoding (big5) is for 'payload: file'" in told
    told = problem(TranscribedTextConfig, clean={"encoding": "big5"}, extract={"kind": "bow"})
    assert "is for files, not for recognised words" in told
