import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoImageProcessor, AutoModel

from mmray.config.image import ImageConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor
from mmray.features.image.load import load_preprocess
from tests.support.corpora import SHARED
from tests.support.payload import encode_image, photo

WEIGHTS = SHARED / "weights/mobilenet_v1_0.75_224"
PICTURES = [photo(96, 64), photo(50, 120, 1), photo(33, 33, 2), photo(300, 301, 3)]


def image(model, **extract):
    extract = {"kind": "hf_image", "model": str(model), "batch_size": 3, **extract}
    return ImageConfig(column="c", decode={"crop": "none"}, extract=extract)


def extract(config, state=None):
    extractor = build_extractor(config, state)
    return np.stack(
        extractor.extract([extractor.decode(encode_image(picture)) for picture in PICTURES])
    )


@torch.inference_mode()
def reference(model):
    processor = AutoImageProcessor.from_pretrained(model, backend="pil")
    network = AutoModel.from_pretrained(model).eval()
    outputs = [network(**processor(picture, return_tensors="pt")) for picture in PICTURES]
    if "vit" in Path(model).name:  # its pooler was never trained
        return np.concatenate([output.last_hidden_state[:, 0] for output in outputs])
    return np.concatenate([output.pooler_output.flatten(1) for output in outputs])


@pytest.mark.parametrize("family", ["resnet", "mobilenet_v1", "mobilenet_v2", "vit"])
def test_features_are_those_of_transformers(checkpoints, family):
    expected = reference(checkpoints[family])

    # One at a time as there: untrained weights blow up the rounding of larger batches.
    features = extract(image(checkpoints[family], batch_size=1))

    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert np.abs(np.diff(expected, axis=0)).max() > 1e-3  # the pictures are told apart


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the real MobileNet is not here")
def test_features_of_a_real_mobilenet_are_those_of_transformers():
    features = extract(image(WEIGHTS))

    assert features.shape == (4, 768)
    np.testing.assert_allclose(features, reference(WEIGHTS), atol=1e-4)


@pytest.mark.parametrize("family", ["resnet", "mobilenet_v1", "mobilenet_v2", "vit"])
def test_pictures_reach_the_network_exactly_as_transformers_makes_them(checkpoints, family):
    processor = AutoImageProcessor.from_pretrained(checkpoints[family], backend="pil")
    preprocess = load_preprocess(str(checkpoints[family]))

    for picture in PICTURES:
        expected = processor(picture, return_tensors="np")["pixel_values"][0]
        np.testing.assert_array_equal(preprocess.normalise(preprocess.resize(picture)), expected)


def test_a_pooler_without_trained_weights_is_not_used(checkpoints):
    config = image(checkpoints["vit"])

    np.testing.assert_array_equal(extract(config), extract(config))


def test_an_exported_checkpoint_gives_the_same_features_without_the_original(checkpoints, tmp_path):
    shutil.copytree(checkpoints["vit"], tmp_path / "original")
    config = image(tmp_path / "original")
    before = extract(config)
    export_extractor(config, None, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    np.testing.assert_array_equal(before, extract(config, tmp_path / "bundle"))


@pytest.mark.parametrize("crop", ["none", "center"])
def test_the_crop_comes_before_the_checkpoint_s_own_resize(checkpoints, crop):
    wide = photo(120, 40)
    cropped = wide.crop((40, 0, 80, 40)) if crop == "center" else wide
    config = image(checkpoints["vit"]).model_copy(
        update={"decode": image("x").decode.model_copy(update={"crop": crop})}
    )
    extractor = build_extractor(config, None)

    expected = np.asarray(cropped.resize((32, 32), 2))

    np.testing.assert_array_equal(extractor.decode(encode_image(wide)), expected)


def test_preprocessing_that_is_unknown_is_refused_and_not_ignored(checkpoints, tmp_path):
    shutil.copytree(checkpoints["resnet"], tmp_path / "odd")
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"max_height": 9, "max_width": 9}}
    (tmp_path / "odd/preprocessor_config.json").write_text(json.dumps(settings))

    with pytest.raises(ConfigError, match=r"resizes by .* not supported"):
        build_extractor(image(tmp_path / "odd"), None)


def test_a_checkpoint_without_preprocessing_is_refused(checkpoints, tmp_path):
    shutil.copytree(checkpoints["resnet"], tmp_path / "bare")
    (tmp_path / "bare/preprocessor_config.json").unlink()

    with pytest.raises(ConfigError, match="cannot load checkpoint"):
        build_extractor(image(tmp_path / "bare"), None)
