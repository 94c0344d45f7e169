"""The same bytes in train and in what a model is evaluated on."""

from tests.support.extraction import Corpus, notes
from tests.support.payload import photo_payload

PIXELS = {"column": "photo", "extract": {"kind": "pixels", "height": 8, "width": 8}}


def warnings_of(folder, seeds):
    for number, seed in enumerate(seeds):
        (folder / f"{number}.png").write_bytes(photo_payload(16, 12, seed=seed))
    corpus = Corpus(folder, notes(10, photo=lambda n: f"{n}.png"), image=PIXELS)
    return [line for line in corpus.extract()[0].found if line.startswith("warning")]


def test_payloads_of_test_and_val_that_are_in_train_under_another_name_are_told(tmp_path):
    val, test = warnings_of(tmp_path, [0, 1, 2, 3, 4, 5, 6, 7, 1, 5])

    assert "1 of 1 'image' payloads in val are in train, too" in val
    assert "s8 is s1;" in val
    assert "s9 is s5;" in test


def test_nothing_is_told_of_what_is_twice_within_train(tmp_path):
    assert warnings_of(tmp_path, [0, 0, 2, 3, 4, 5, 6, 7, 8, 9]) == []
