import json
import subprocess
import sys

import numpy as np
import pytest
import tokenizers
from tokenizers import pre_tokenizers

from mmray.config.modality.text import TextConfig
from mmray.features.build import build_extractor, export_extractor
from mmray.features.fit import fit_extractor, needs_fit
from mmray.features.spec import fitted_spec, spec_of
from mmray.features.text.train import train_tokenizer

WORDS = [
    "heart",
    "lung",
    "clear",
    "effusion",
    "small",
    "right",
    "left",
    "no",
    "acute",
    "enlarged",
    "mild",
    "stable",
]
TEXTS = [" ".join(np.random.default_rng(seed).choice(WORDS, 6)).encode() for seed in range(60)] + [
    "右肺野清晰".encode()
]


def text(**extract):
    return TextConfig(column="c", extract={"kind": "tokens", **extract})


def extract(extractor, *payloads):
    return extractor.extract([extractor.decode(payload.encode()) for payload in payloads])


def save_word_level(folder, vocabulary, **settings):
    folder.mkdir()
    model = tokenizers.models.WordLevel(vocabulary, unk_token="<unk>")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return str(folder)


@pytest.mark.parametrize("size", [10, 40, 200])
def test_ids_of_a_trained_vocabulary_lie_inside_of_the_declared_size(tmp_path, size):
    fit_extractor(text(vocabulary=size), TEXTS, tmp_path)
    extractor = build_extractor(text(vocabulary=size), tmp_path)

    ids = np.concatenate(extract(extractor, *[payload.decode() for payload in TEXTS], "éü 龘"))

    assert extractor.spec.vocabulary <= size
    assert ids.dtype == np.int32
    assert ids.min() >= 1
    assert ids.max() < extractor.spec.vocabulary


def test_the_spec_has_as_many_ids_as_the_fitted_vocabulary(tmp_path):
    config = text(vocabulary=8000)
    fit_extractor(config, TEXTS, tmp_path)

    found = fitted_spec(config, tmp_path)

    trained = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert found.vocabulary == trained.get_vocab_size() < 100
    assert found == build_extractor(config, tmp_path).spec
    assert spec_of(config).holds(found)
    assert not found.holds(spec_of(config))


def test_words_seen_often_are_one_token_and_never_seen_ones_unknown(tmp_path):
    fit_extractor(text(), TEXTS, tmp_path)
    extractor = build_extractor(text(), tmp_path)

    known, unknown = extract(extractor, "Effusion stable", "???")

    assert len(known) == 2
    assert unknown.tolist() == [1, 1, 1]


@pytest.mark.parametrize("algorithm", ["wordpiece", "bpe"])
def test_training_in_another_process_and_order_gives_the_same_file(tmp_path, algorithm):
    program = (
        "import sys, json; from mmray.features.text.train import train_tokenizer\n"
        "texts = json.loads(sys.argv[2])\n"
        "train_tokenizer(texts, 300, algorithm=sys.argv[3]).save(sys.argv[1])"
    )
    texts = [payload.decode() for payload in TEXTS]
    for name, ordered in (("a", texts), ("b", texts[::-1])):
        command = [sys.executable, "-c", program, str(tmp_path / name), json.dumps(ordered)]
        command.append(algorithm)
        subprocess.run(command, check=True)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_long_text_is_cut_and_a_text_without_tokens_has_one(tmp_path):
    fit_extractor(text(max_tokens=4), TEXTS, tmp_path)
    extractor = build_extractor(text(max_tokens=4), tmp_path)

    long, none = extractor.extract(["heart " * 50, ""])

    assert long.shape == (4,)
    assert none.tolist() == [1]


def test_a_ready_tokenizer_needs_no_fit_and_keeps_its_ids(checkpoints):
    config = text(tokenizer=str(checkpoints["bert"]), max_tokens=8)

    ids = extract(build_extractor(config, None), "ab c", "abcdefghijkl")

    assert not needs_fit(config)
    assert needs_fit(text())
    assert ids[0].tolist() == [2, 5, 32, 7, 3]  # [CLS] a ##b c [SEP]
    assert len(ids[1]) == 8
    assert ids[1][-1] == 3


def test_padding_with_another_id_changes_place_with_0(tmp_path):
    source = save_word_level(
        tmp_path / "t", {"cat": 0, "dog": 1, "<unk>": 2, "<blank>": 3}, pad_token="<blank>"
    )
    extractor = build_extractor(text(tokenizer=source), None)

    assert extract(extractor, "cat dog bird")[0].tolist() == [3, 1, 2]
    assert extractor.spec.vocabulary == 4


def test_without_padding_all_ids_move_up_by_one(tmp_path):
    source = save_word_level(tmp_path / "t", {"cat": 0, "dog": 1, "<unk>": 2})
    extractor = build_extractor(text(tokenizer=source), None)

    assert extract(extractor, "cat dog bird")[0].tolist() == [1, 2, 3]
    assert extractor.spec.vocabulary == 4


def test_an_exported_ready_tokenizer_works_where_the_folder_is_gone(tmp_path):
    source = save_word_level(
        tmp_path / "t", {"cat": 0, "dog": 1, "<unk>": 2, "<blank>": 3}, pad_token="<blank>"
    )
    config = text(tokenizer=source)
    export_extractor(config, None, tmp_path / "bundle")
    (tmp_path / "t").rename(tmp_path / "gone")

    extractor = build_extractor(config, tmp_path / "bundle")

    assert extract(extractor, "cat dog bird")[0].tolist() == [3, 1, 2]


def test_bytes_know_every_text(tmp_path):
    fit_extractor(text(algorithm="bpe", vocabulary=400), TEXTS, tmp_path)
    extractor = build_extractor(text(algorithm="bpe", vocabulary=400), tmp_path)
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    payloads = ["stable effusion", "龘 éü [PAD] [UNK]"]

    ids = extract(extractor, *payloads)

    assert len(ids[0]) == 2
    spelt = [tokenizer.id_to_token(number) for number in ids[1]]
    letters = pre_tokenizers.ByteLevel().pre_tokenize_str(payloads[1].lower())
    assert "".join(spelt) == "Ġ" + "".join(word for word, _ in letters).removeprefix("Ġ")
    assert min(map(min, ids)) > 1
    assert max(map(max, ids)) < 400


@pytest.mark.parametrize("algorithm", ["wordpiece", "bpe"])
def test_a_placeholder_is_one_token(tmp_path, algorithm):
    config = TextConfig(
        column="c",
        clean={"redact": ["email", "ip"]},
        extract={"kind": "tokens", "algorithm": algorithm, "vocabulary": 300},
    )
    fit_extractor(config, [*TEXTS, b"heart a@b.org"], tmp_path)
    extractor = build_extractor(config, tmp_path)
    tokenizer = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))

    ids = extract(extractor, "heart me@x.org, 10.0.0.1 stable")[0]

    spelt = [tokenizer.id_to_token(number) for number in ids]
    assert spelt.count("[EMAIL]") == spelt.count("[IP]") == 1
    assert 300 >= extractor.spec.vocabulary > max(ids)


def test_words_that_are_written_together_are_learnt_apart():
    apart = ["no effusion , small - left lung .", "lung , left"]
    together = ["no effusion, small-left lung.", "lung, left"]

    learnt = [train_tokenizer(texts, 60, algorithm="wordpiece") for texts in (apart, together)]

    assert learnt[0].to_str() == learnt[1].to_str()
