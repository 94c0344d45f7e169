import numpy as np
import pytest
from sklearn.feature_extraction.text import (
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)

from mmray.config.modality.text import TextConfig
from mmray.core.file.atomic import read_json
from mmray.features.build import build_extractor, export_extractor
from mmray.features.fit import fit_extractor, needs_fit
from mmray.media.text.word import find_words

generator = np.random.default_rng(0)
WORDS = [f"w{number}" for number in range(60)] + ["学习", "机器"]
TRAIN = [" ".join(generator.choice(WORDS, size)) for size in generator.integers(1, 40, 80)]
OTHERS = [" ".join(generator.choice([*WORDS, "new"], 12)) for _ in range(20)] + ["new words only"]


def text(**extract):
    return TextConfig(column="c", extract=extract)


def features(config, texts, state):
    extractor = build_extractor(config, state)
    return np.stack(extractor.extract([extractor.decode(text.encode()) for text in texts]))


def fit(config, state):
    fit_extractor(config, [text.encode() for text in TRAIN], state)


def test_weights_are_those_of_scikit_learn(tmp_path):
    config = text(kind="tfidf", vocabulary=40)
    fit(config, tmp_path)
    words = read_json(tmp_path / "idf.json")["words"]
    reference = TfidfVectorizer(analyzer=find_words, vocabulary=words).fit(TRAIN)

    given = features(config, OTHERS, tmp_path)

    np.testing.assert_allclose(given, reference.transform(OTHERS).toarray(), atol=1e-6)
    assert not given[-1].any()


def test_hashed_weights_are_those_of_scikit_learn(tmp_path):
    config = text(kind="tfidf", vocabulary=32, hashing=True)
    fit(config, tmp_path)
    counter = HashingVectorizer(n_features=32, analyzer=find_words, norm=None, alternate_sign=False)
    reference = TfidfTransformer().fit(counter.transform(TRAIN))

    given = features(config, OTHERS, tmp_path)

    expected = reference.transform(counter.transform(OTHERS)).toarray()
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_hashed_counts_need_no_fit_and_add_up_in_a_shared_column():
    config = text(kind="bow", vocabulary=16, hashing=True)
    counter = HashingVectorizer(n_features=16, analyzer=find_words, norm=None, alternate_sign=False)

    given = features(config, OTHERS, None)

    counts = np.log1p(counter.transform(OTHERS).toarray())
    np.testing.assert_allclose(
        given, counts / np.linalg.norm(counts, axis=1, keepdims=True), atol=1e-6
    )
    assert not needs_fit(config)


@pytest.mark.parametrize("hashing", [False, True])
def test_the_order_of_the_train_split_does_not_matter(tmp_path, hashing):
    config = text(kind="tfidf", vocabulary=40, hashing=hashing)
    fit_extractor(config, [text.encode() for text in TRAIN], tmp_path / "a")
    fit_extractor(config, [text.encode() for text in TRAIN[::-1]], tmp_path / "b")

    assert (tmp_path / "a/idf.json").read_bytes() == (tmp_path / "b/idf.json").read_bytes()


def test_a_bundle_holds_what_was_learnt(tmp_path):
    config = text(kind="tfidf", vocabulary=40)
    fit(config, tmp_path)
    export_extractor(config, tmp_path, tmp_path / "bundle")

    np.testing.assert_array_equal(
        features(config, OTHERS, tmp_path), features(config, OTHERS, tmp_path / "bundle")
    )
