import gzip

import numpy as np
import pytest

from mmray.config.modality.text import TextConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor, extractor_identity
from mmray.features.spec import spec_of
from mmray.features.text.vector_file import read_vectors, write_vectors
from tests.support.text_checkpoint import save_glove

WORDS = ["the", "cat", "sat", "猫"]


def text(path, **extract):
    return TextConfig(column="c", extract={"kind": "word_vectors", "path": str(path), **extract})


def extract(config, *texts, state=None):
    extractor = build_extractor(config, state)
    return extractor.extract([extractor.decode(text.encode()) for text in texts])


@pytest.fixture
def vectors(tmp_path):
    """The same vectors in every form, by name of the file."""
    numbers = save_glove(tmp_path / "glove.txt", WORDS)
    plain = (tmp_path / "glove.txt").read_bytes()
    (tmp_path / "fasttext.vec").write_bytes(b"4 8\n" + plain)
    (tmp_path / "glove.txt.gz").write_bytes(gzip.compress(plain))
    write_vectors(tmp_path / "word2vec.bin", WORDS, numbers)
    spaceless = b"".join(
        word.encode() + b" " + row.tobytes() for word, row in zip(WORDS, numbers, strict=True)
    )
    (tmp_path / "packed.bin").write_bytes(b"4 8\n" + spaceless)
    return numbers


FILES = ["glove.txt", "glove.txt.gz", "fasttext.vec", "word2vec.bin", "packed.bin"]


@pytest.mark.parametrize("name", FILES)
def test_every_form_of_file_gives_the_same_vectors(tmp_path, vectors, name):
    words, numbers = read_vectors(tmp_path / name, 99)

    assert words == WORDS
    np.testing.assert_array_equal(numbers, vectors)
    assert spec_of(text(tmp_path / name)).describe() == "vector (8)"


@pytest.mark.parametrize("name", FILES)
def test_no_more_than_the_limit_is_read(tmp_path, vectors, name):
    assert read_vectors(tmp_path / name, 2)[0] == ["the", "cat"]


def test_a_mean_is_over_the_known_words_and_a_sequence_is_in_their_order(tmp_path, vectors):
    path = tmp_path / "glove.txt"
    payload = "Cat! unknown the CAT 猫"

    mean = extract(text(path), payload)[0]
    sequence = extract(text(path, pooling="sequence", max_tokens=3), payload)[0]

    np.testing.assert_allclose(mean, vectors[[1, 0, 1, 3]].mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(sequence, vectors[[1, 0, 1]])


def test_a_text_without_a_known_word_is_zeros(tmp_path, vectors):
    path = tmp_path / "glove.txt"

    np.testing.assert_array_equal(extract(text(path), "zebra")[0], np.zeros(8))
    np.testing.assert_array_equal(
        extract(text(path, pooling="sequence"), "zebra")[0], np.zeros((1, 8))
    )


def test_the_first_of_two_rows_counts_and_words_with_spaces_are_left_out(tmp_path):
    (tmp_path / "v").write_text("cat 1 2\n. . 3 4\ncat 5 6\ndog 7 8\n")

    words, numbers = read_vectors(tmp_path / "v", 9)

    assert words == ["cat", "dog"]
    assert numbers.tolist() == [[1, 2], [7, 8]]


def test_a_bundle_holds_the_vectors_themselves(tmp_path, vectors):
    config = text(tmp_path / "glove.txt", limit=2)
    before = extract(config, "the cat 猫")
    export_extractor(config, None, tmp_path / "bundle")
    (tmp_path / "glove.txt").unlink()

    after = extract(config, "the cat 猫", state=tmp_path / "bundle")

    np.testing.assert_array_equal(before, after)
    assert read_vectors(tmp_path / "bundle/vectors.bin", 99)[0] == ["the", "cat"]


def test_the_identity_is_of_the_content_and_not_of_the_path(tmp_path, vectors):
    (tmp_path / "copy.txt").write_bytes((tmp_path / "glove.txt").read_bytes())
    before = extractor_identity(text(tmp_path / "glove.txt"), None)

    assert extractor_identity(text(tmp_path / "copy.txt"), None) == before

    (tmp_path / "copy.txt").write_text("the 1 2\n")
    assert extractor_identity(text(tmp_path / "copy.txt"), None) != before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "has no word vectors"),
        (b"just a text\n", "has no word vectors"),
        (b"\xba\x16\x4f\x2f model", "is a fastText model"),
        (b"cat 1 2\ndog 3\n", "has 1 numbers in row 2, not 2"),
        (b"cat 1 2\ndog 3 x\n", "row 2 that is not a vector"),
        (b"cat 1 nan\n", "not finite"),
        (b"2 3\ncat \0\0", "ends inside the vector of 'cat'"),
        (b"2 3\n" + b"\1" * 9999, "has a word without an end"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_reason(tmp_path, content, problem):
    (tmp_path / "v").write_bytes(content)

    with pytest.raises(ConfigError, match=problem):
        read_vectors(tmp_path / "v", 9)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read word vectors from") as error:
        spec_of(text(tmp_path / "nowhere.vec"))

    assert "set extract.path" in str(error.value)
