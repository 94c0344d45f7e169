import numpy as np
import pytest

from mmray.config.modality.text import TextConfig
from mmray.core.file.atomic import read_json
from mmray.errors import ExtractionError
from mmray.features.build import build_extractor
from mmray.features.fit import fit_extractor

TEXTS = [b"the cat sat", b"the cat ran the mile", b"a dog sat", b"\xff broken"]


def text(size):
    return TextConfig(column="c", extract={"kind": "bow", "vocabulary": size})


def test_the_vocabulary_is_the_words_of_most_texts_then_the_alphabet(tmp_path):
    fit_extractor(text(5), TEXTS, tmp_path)

    assert read_json(tmp_path / "vocabulary.json") == ["cat", "sat", "the", "a", "dog"]


def test_a_feature_is_the_logarithm_of_counts_at_length_one(tmp_path):
    fit_extractor(text(4), TEXTS, tmp_path)
    extractor = build_extractor(text(4), tmp_path)

    feature = extractor.extract([extractor.decode(b"The cat, the THE zebra")])[0]

    expected = np.log([2, 1, 4, 1])  # cat, sat, the, a
    np.testing.assert_allclose(feature, expected / np.linalg.norm(expected), rtol=1e-6)


def test_columns_without_a_word_and_texts_of_unknown_words_are_zero(tmp_path):
    fit_extractor(text(50), TEXTS, tmp_path)
    extractor = build_extractor(text(50), tmp_path)

    known, unknown = extractor.extract(["cat", "zebra"])

    assert known.shape == (50,)
    assert np.count_nonzero(known) == 1
    assert np.count_nonzero(unknown) == 0


def test_chinese_is_counted_by_words(tmp_path):
    fit_extractor(text(9), ["我喜欢机器学习".encode()], tmp_path)

    assert set(read_json(tmp_path / "vocabulary.json")) == {"我", "喜欢", "机器", "学习"}


def test_nothing_to_learn_from_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ExtractionError, match="no usable text to fit a vocabulary on"):
        fit_extractor(text(9), [b"\xff", b" "], tmp_path)


def test_a_state_that_was_never_fitted_is_an_error_that_says_so(tmp_path):
    with pytest.raises(ExtractionError, match=r"there is no vocabulary\.json"):
        build_extractor(text(9), tmp_path)
