"""Bundles that somebody damaged, or made to do harm: one error each, before memory is taken."""

import io
import json
import os
import pickle
import shutil
import sys

import pytest
import torch

import mmray
from mmray.errors import BundleError, ConfigError
from tests.support.bundle import (
    MODALITIES,
    change_document,
    change_weights,
    make_bundle,
    peak_bytes,
    reseal,
)
from tests.support.payload import photo_payload

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("sound") / "model")


@pytest.fixture
def bundle(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "model")


def refused(folder, match, **options):
    """Loading fails in one error that says what, where and what to do, and takes no memory."""
    before = peak_bytes()
    with pytest.raises(ConfigError, match=match) as caught:
        mmray.load(folder, **options)
    assert caught.value.where
    assert caught.value.hint
    assert peak_bytes() - before < 500e6
    return caught.value


def test_a_sound_bundle_predicts_the_same_wherever_it_is_copied(sound, bundle):
    record = {"note": "the dog", "age": 4}

    assert mmray.load(bundle).predict(record) == mmray.load(sound).predict(record)


def test_a_bundle_with_more_ids_than_its_tokenizer_has_predicts_the_same(sound, bundle):
    """As earlier versions wrote them: as many ids as the document allows."""

    def add_ids(weights):
        (name,) = [key for key in weights if key.endswith("stem.weight")]
        weights[name] = torch.cat([weights[name], torch.randn(60 - len(weights[name]), 128)])

    change_weights(bundle, add_ids)
    change_document(bundle, put("specs.text.vocabulary", 60))
    record = {"note": "the dog", "age": 4}

    assert mmray.load(bundle).predict(record) == mmray.load(sound).predict(record)


def remove_pool(document):
    del document["config"]["modalities"]["image"]["encode"]["pool"]


def with_pool(folder, pool):
    encode = MODALITIES["image"]["encode"] | {"pool": pool}
    return make_bundle(
        folder, modalities=MODALITIES | {"image": MODALITIES["image"] | {"encode": encode}}
    )


def test_a_bundle_from_before_a_block_could_halve_first_predicts_the_same(tmp_path):
    folder = with_pool(tmp_path / "model", "last")
    record = {"photo": photo_payload(16, 16)}
    before = mmray.load(folder).predict(record)
    first = mmray.load(with_pool(tmp_path / "other", "first")).predict(record)

    change_document(folder, remove_pool)

    assert mmray.load(folder).predict(record) == before != first


def test_a_bundle_whose_blocks_halve_first_must_say_so(tmp_path):
    folder = with_pool(tmp_path / "model", "first")

    change_document(folder, remove_pool)

    refused(folder, "not those of the document's model")


def test_a_bundle_with_fewer_ids_than_its_tokenizer_has_is_refused(bundle):
    def remove_an_id(weights):
        (name,) = [key for key in weights if key.endswith("stem.weight")]
        weights[name] = weights[name][:-1].clone()
        ids.append(len(weights[name]))

    ids = []
    change_weights(bundle, remove_an_id)
    change_document(bundle, put("specs.text.vocabulary", ids[0]))

    refused(bundle, f"not the tokens .* of {ids[0]}")


def test_the_model_card_may_be_edited(bundle):
    (bundle / "README.md").write_text("ours")

    mmray.load(bundle)


def flip(path, place=-20):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def shuffle(path):
    document = json.loads(path.read_text())
    words = document["model"]["vocab"]
    names = list(words)
    names[5], names[6] = names[6], names[5]
    document["model"]["vocab"] = dict(zip(names, words.values(), strict=True))
    path.write_text(json.dumps(document))


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [flip, cut, lambda path: path.write_bytes(b""), os.unlink,
                                    replace_by_pipe])  # fmt: skip
@pytest.mark.parametrize("name", [WEIGHTS, "bundle.json", "extractors/text/tokenizer.json",
                                  "SHA256SUMS"])  # fmt: skip
def test_a_file_that_is_changed_cut_empty_gone_or_a_pipe(bundle, name, change):
    change(bundle / name)

    refused(bundle, name.rpartition("/")[2] if name != "bundle.json" else "bundle")


def test_a_shuffled_vocabulary(bundle):
    shuffle(bundle / "extractors" / "text" / "tokenizer.json")

    refused(bundle, "tokenizer.json' is not what was written")


def test_a_file_that_is_not_listed(bundle):
    (bundle / "extractors" / "text" / "config.json").write_text("{}")

    refused(bundle, "is not listed in SHA256SUMS")


@pytest.mark.parametrize(
    ("name", "content"), [("pytorch_model.bin", pickle.dumps({})), ("modeling_x.py", b"1 / 0")]
)
def test_a_pickle_or_code_is_no_part_of_a_bundle(bundle, name, content):
    (bundle / "extractors" / "text" / name).write_bytes(content)
    reseal(bundle)

    refused(bundle, "neither code nor pickled weights")


@pytest.mark.parametrize("line", ["/etc/passwd", "../outside.json", "a\0.json", "gone.json"])
def test_a_list_that_names_what_no_bundle_has(bundle, line):
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(f"{'0' * 64}  {line}\n")

    refused(bundle, "lies outside the bundle|is not there")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not valid JSON"),
        ('{"format": 2', "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "no 'format'"),
        ('{"format": 1, "mmray": "0.0.1"}', "bundle format 1"),
        ('{"format": 2}', "Field required"),
    ],
)
def test_a_document_that_is_none(bundle, text, match):
    (bundle / "bundle.json").write_text(text)
    reseal(bundle)

    refused(bundle, match)


def put(keys, value):
    def change(document):
        *above, last = keys.split(".")
        for key in above:
            document = document[key]
        document[last] = value

    return change


@pytest.mark.parametrize("size", [10**5, 10**9, 10**12])
@pytest.mark.parametrize(
    "keys",
    [
        "config.model.width",
        "config.modalities.text.encode.hidden",
        "config.modalities.text.encode.layers",
        "specs.text.vocabulary",
        "specs.text.shape",
        "specs.image.shape",
        "specs.table.shape",
    ],
)
def test_sizes_that_no_memory_has(bundle, keys, size):
    value = size
    if keys.endswith("shape"):
        value = {"text": [size], "image": [size, size, 3], "table": [size]}[keys.split(".")[1]]
    change_document(bundle, put(keys, value))

    refused(bundle, "limit|weights|layers|gives|tokenizer|shape")


@pytest.mark.parametrize(
    ("keys", "value", "match"),
    [
        ("config.modalities.text.encode.kind", "lstmm", "unknown kind 'lstmm'"),
        ("config.modalities.text.extract.kind", "pickle", "unknown kind 'pickle'"),
        ("config.unknown", 1, "unknown key"),
        ("specs", {}, "other modalities"),
        ("specs.text.kind", "smell", "specs.text.kind"),
        ("specs.text.shape", [], "not a feature of kind 'text'"),
        ("specs.text.shape", [0], "not a feature of kind 'text'"),
        ("specs.table.layout", "pixels", "not a feature of kind 'table'"),
        ("tasks", {}, "other tasks"),
        ("tasks.animal", {}, "cannot be loaded: KeyError"),
        ("tasks.animal.classes", ["cat", "dog"], "are not those of the document's model"),
        ("tasks.animal.classes", 7, "'classes' of a task is not a list of names"),
        ("tasks.size.mean", {}, "'mean' of a task holds '{}', which is not a number"),
        ("metrics", None, "metrics"),
    ],
)
def test_a_document_that_does_not_fit(bundle, keys, value, match):
    change_document(bundle, put(keys, value))

    refused(bundle, match)


def rename(weights):
    weights["another"] = weights.pop(next(iter(weights)))


def reshape(weights):
    name = next(iter(weights))
    weights[name] = torch.zeros(*weights[name].shape, 2)


def spoil(value):
    def change(weights):
        weights["heads.0.weight" if "heads.0.weight" in weights else next(iter(weights))].view(-1)[
            0
        ] = value

    return change


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda weights: weights.pop(next(iter(weights))), "there is no tensor"),
        (lambda weights: weights.update(more=torch.zeros(2)), "no part of the model"),
        (lambda weights: weights.clear(), "tensors|no tensor"),
        (rename, "there is no tensor"),
        (reshape, "is \\["),
        (spoil(float("nan")), "are not finite"),
        (spoil(float("-inf")), "are not finite"),
    ],
)
def test_weights_that_are_others_or_not_finite(bundle, change, match):
    change_weights(bundle, change)

    refused(bundle, match)


def test_weights_that_are_no_safetensors(bundle):
    (bundle / WEIGHTS).write_bytes(b"\xff" * 400)
    reseal(bundle)

    refused(bundle, "cannot be read")


@pytest.mark.parametrize("name", ["missing", "empty", "file"])
def test_a_folder_that_is_no_bundle(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")

    with pytest.raises(BundleError, match="there is no model bundle"):
        mmray.load(tmp_path / name)


@pytest.mark.parametrize("model", ["org/never-there", "/nowhere/at/all", "../work"])
def test_a_checkpoint_that_is_not_in_the_bundle_is_looked_for_nowhere_else(
    bundle, model, monkeypatch
):
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    change_document(bundle, put("config.modalities.text.extract",
                                {"kind": "hf_text", "model": model, "dim": 60}))  # fmt: skip

    refused(bundle, "the bundle lacks text/model/config.json")


def test_state_that_is_valid_json_and_nonsense(bundle):
    path = next((bundle / "extractors" / "table").glob("*.json"))
    path.write_text("{}")
    reseal(bundle)

    refused(bundle, "cannot be")
