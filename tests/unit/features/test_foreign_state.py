"""Fitted state that somebody else wrote, or that was damaged."""

import json

import pytest

from mmray.errors import ConfigError
from mmray.features.build import build_extractor
from mmray.features.fit import fit_extractor
from tests.support.document import make_config

TABLE = {
    "kind": "table",
    "numbers": [{"column": "age", "scale": "quantile"}],
    "categories": ["sex"],
}
TEXTS = [b"a small cat", b"the dog barks"]
ROWS = [b'{"age":3.0,"sex":"f"}', b'{"age":9.0,"sex":"m"}', b'{"age":4.0,"sex":"f"}']


def refused(folder, section, payloads, name, change):
    """What is said when the fitted state is changed."""
    modality = make_config(modalities={"m": section}).modalities["m"]
    fit_extractor(modality, payloads, folder)
    build_extractor(modality, folder)
    state = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(change(state)))
    with pytest.raises(ConfigError) as caught:
        build_extractor(modality, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s | {"idf": s["idf"][1:]},
        lambda s: s | {"idf": ["x"] * 9},
        lambda s: s | {"idf": [float("nan")] * 9},
        lambda s: s | {"words": [[]]},
        lambda s: s | {"words": ["w"] * 10},
        lambda s: [],
    ],
)
def test_weights_of_words_that_do_not_fit_are_refused(tmp_path, change):
    section = {"kind": "text", "column": "note", "extract": {"kind": "tfidf", "vocabulary": 9}}

    said = refused(tmp_path, section, TEXTS, "idf.json", change)

    assert "the fitted state of the text cannot be used" in said


@pytest.mark.parametrize("change", [lambda s: {}, lambda s: [1], lambda s: ["w"] * 10])
def test_words_that_do_not_fit_are_refused(tmp_path, change):
    section = {"kind": "text", "column": "note", "extract": {"kind": "bow", "vocabulary": 9}}

    said = refused(tmp_path, section, TEXTS, "vocabulary.json", change)

    assert "the fitted state of the text cannot be used" in said


def number(state, **changes):
    return state | {"numbers": [state["numbers"][0] | changes]}


@pytest.mark.parametrize(
    "change",
    [
        lambda s: number(s, mean="x"),
        lambda s: number(s, landmarks=[]),
        lambda s: number(s, landmarks=3),
        lambda s: s | {"categories": [s["categories"][0] | {"slots": 0}]},
        lambda s: s | {"categories": [s["categories"][0] | {"slots": 2**63}]},
        lambda s: s | {"dates": None},
        lambda s: [],
    ],
)
def test_columns_of_a_table_that_do_not_fit_are_refused(tmp_path, change):
    said = refused(tmp_path, TABLE, ROWS, "table.json", change)

    assert "the fitted state" in said


def test_a_tokenizer_that_fails_on_unknown_characters_is_refused(tmp_path):
    def forget_unknown(state):
        vocabulary = state["model"]["vocab"]
        vocabulary["[NONE]"] = vocabulary.pop("[UNK]")
        kept = [token for token in state["added_tokens"] if token["content"] != "[UNK]"]
        return state | {"added_tokens": kept}

    section = {"kind": "text", "column": "note", "extract": {"kind": "tokens", "vocabulary": 60}}

    said = refused(tmp_path, section, TEXTS, "tokenizer.json", forget_unknown)

    assert "cannot be read: WordPiece error" in said
