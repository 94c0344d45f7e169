import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from transformers import (
    AutoImageProcessor,
    AutoModel,
    CLIPConfig,
    HGNetV2Backbone,
    SiglipConfig,
    pipeline,
)

from mmray.config.modality.image import ImageConfig
from mmray.core.rejection import Rejection
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor
from mmray.features.spec import spec_of
from tests.support.corpora import SHARED
from tests.support.payload import encode_image, photo
from tests.support.vision_checkpoint import FAMILIES, vision_checkpoints

__all__ = ["vision_checkpoints"]

WEIGHTS = SHARED / "weights/mobilenet_v1_0.75_224"
XRAYS = SHARED / "cxr/hannover/images"
PICTURES = [photo(96, 64), photo(50, 120, 1), photo(33, 33, 2), photo(300, 301, 3)]
TWO_TOWERS = ("clip", "siglip")
UNTRAINED_POOLER = ("vit",)


def image(model, decode=None, **extract):
    extract = {"kind": "hf_image", "model": str(model), "batch_size": 3, **extract}
    return ImageConfig(column="c", decode=decode or {"crop": "none"}, extract=extract)


def told_steps(family):
    """Those that config.json does not tell for families that the product has no rule for."""
    return {"efficientnet": {"steps": 4}, "hgnet": {"steps": 16}}.get(family, {})


def extract(config, state=None, pictures=PICTURES):
    extractor = build_extractor(config, state)
    decoded = [extractor.decode(encode_image(picture)) for picture in pictures]
    return np.stack(extractor.extract(decoded))


@torch.inference_mode()
def outputs_of(folder, pictures=PICTURES):
    """What transformers gives when it is used by hand, one picture at a time.

    In the layout of ours, as untrained weights blow up what another one rounds differently; the
    pretrained MobileNet is compared without.
    """
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    kind = HGNetV2Backbone if folder.name == "hgnet" else AutoModel
    network = kind.from_pretrained(folder).eval()
    network = network.vision_model if folder.name in TWO_TOWERS else network
    network.to(memory_format=torch.channels_last)
    inputs = [processor(picture, return_tensors="pt")["pixel_values"] for picture in pictures]
    return [network(values.to(memory_format=torch.channels_last)) for values in inputs]


def cells_of(output, folder):
    if folder.name == "hgnet":
        return output.feature_maps[-1][0].flatten(1).T
    hidden = output.last_hidden_state[0]
    if hidden.ndim == 3:
        return hidden.flatten(1).T
    return hidden[{"deit": 2, "dinov2-registers": 4}.get(folder.name, FAMILIES[folder.name][2]) :]


def pooled_of(output, folder):
    if folder.name in UNTRAINED_POOLER:
        return output.last_hidden_state[0, 0]
    if folder.name == "hgnet":
        return cells_of(output, folder).mean(dim=0)
    return output.pooler_output.flatten()


REFERENCE = {
    "pooled": pooled_of,
    "cls": lambda output, folder: output.last_hidden_state[0, 0],
    "mean": lambda output, folder: cells_of(output, folder).mean(dim=0),
    "sequence": cells_of,
}
CASES = [
    (family, pooling)
    for family, (_, _, has_class_token) in FAMILIES.items()
    for pooling in REFERENCE
    if has_class_token or pooling != "cls"
]


@pytest.mark.parametrize(("family", "pooling"), CASES)
def test_features_are_those_of_transformers(vision_checkpoints, family, pooling):
    folder = vision_checkpoints[family]
    expected = [REFERENCE[pooling](output, folder).numpy() for output in outputs_of(folder)]

    # One at a time as there: untrained weights blow up the rounding of larger batches.
    options = {"pooling": pooling, "batch_size": 1, **told_steps(family)}
    features = extract(image(folder, **options))

    np.testing.assert_allclose(features, np.stack(expected), atol=1e-4, rtol=1e-4)
    assert np.abs(np.diff(features, axis=0)).max() > 1e-3  # the pictures are told apart


@pytest.mark.parametrize("family", ["resnet", "convnextv2", "vit-pooler", "dinov2", "swin"])
def test_features_are_those_of_the_pipeline(vision_checkpoints, family):
    model = str(vision_checkpoints[family])
    extractor = pipeline("image-feature-extraction", model=model, device="cpu")
    expected = [np.ravel(found) for found in extractor(PICTURES, pool=True)]

    features = extract(image(model, batch_size=1))

    np.testing.assert_allclose(features, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_shape_is_told_by_the_files_of_the_checkpoint(vision_checkpoints, family):
    width, steps, _ = FAMILIES[family]
    model = vision_checkpoints[family]

    assert spec_of(image(model)).shape == (width,)
    if steps is not None:
        assert spec_of(image(model, pooling="sequence")).shape == (steps, width)
        return
    with pytest.raises(ConfigError, match="does not say how many patches") as error:
        spec_of(image(model, pooling="sequence"))
    assert "set extract.steps" in str(error.value)


@pytest.mark.parametrize("family", [CLIPConfig, SiglipConfig])
def test_what_config_json_leaves_out_is_what_transformers_takes(tmp_path, family):
    document = {"model_type": family.model_type, "vision_config": {"model_type": "any"}}
    (tmp_path / "config.json").write_text(json.dumps(document))
    settings = {"crop_size": 224, "size": {"shortest_edge": 224}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))
    expected = family().vision_config

    assert spec_of(image(tmp_path, pooling="sequence")).shape == (
        (224 // expected.patch_size) ** 2, expected.hidden_size,
    )  # fmt: skip


@pytest.mark.parametrize("family", ["resnet", "vit", "siglip", "swin"])
@pytest.mark.parametrize("pooling", ["pooled", "sequence"])
def test_neither_the_batch_nor_the_order_changes_a_feature(vision_checkpoints, family, pooling):
    pictures = [photo(40 + seed, 60, seed) for seed in range(7)]
    alone = extract(
        image(vision_checkpoints[family], pooling=pooling, batch_size=1), None, pictures
    )

    many = image(vision_checkpoints[family], pooling=pooling, batch_size=4)

    np.testing.assert_allclose(extract(many, None, pictures), alone, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(
        extract(many, None, pictures[::-1])[::-1], alone, atol=1e-5, rtol=1e-5
    )


@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="the real MobileNet is not here")
@pytest.mark.parametrize("pooling", ["pooled", "mean", "sequence"])
def test_features_of_a_real_mobilenet_are_those_of_transformers(pooling):
    expected = [REFERENCE[pooling](output, WEIGHTS).numpy() for output in outputs_of(WEIGHTS)]

    features = extract(image(WEIGHTS, pooling=pooling))

    assert features.shape == ((4, 49, 768) if pooling == "sequence" else (4, 768))
    np.testing.assert_allclose(features, np.stack(expected), atol=1e-4)


@pytest.mark.skipif(not (WEIGHTS.is_dir() and XRAYS.is_dir()), reason="the corpora are not here")
def test_features_of_real_files_are_those_of_the_pipeline():
    files = sorted(XRAYS.glob("*.jpg"))[:4]
    network = pipeline("image-feature-extraction", model=str(WEIGHTS), device="cpu")
    extractor = build_extractor(image(WEIGHTS), None)

    features = extractor.extract([extractor.decode(file.read_bytes()) for file in files])

    expected = [np.ravel(found) for found in network(list(map(str, files)), pool=True)]
    np.testing.assert_allclose(features, expected, atol=1e-4)


def test_a_checkpoint_without_a_class_token_has_no_cls(vision_checkpoints):
    with pytest.raises(ConfigError, match="has no class token"):
        build_extractor(image(vision_checkpoints["swin"], pooling="cls"), None)


def test_a_wrong_dim_is_refused_with_the_right_one(vision_checkpoints):
    with pytest.raises(ConfigError, match=r"set extract\.dim to 32 and extract\.steps to 16"):
        build_extractor(image(vision_checkpoints["vit"], pooling="sequence", dim=7), None)


def test_pictures_of_any_size_have_a_mean_but_no_sequence(vision_checkpoints, tmp_path):
    shutil.copytree(vision_checkpoints["mobilenet_v1"], tmp_path / "free")
    settings = {"image_processor_type": "MobileNetV1ImageProcessor", "do_center_crop": False,
                "size": {"shortest_edge": 40}}  # fmt: skip
    (tmp_path / "free/preprocessor_config.json").write_text(json.dumps(settings))
    expected = [pooled_of(output, tmp_path / "free") for output in outputs_of(tmp_path / "free")]

    features = extract(image(tmp_path / "free"))

    np.testing.assert_allclose(features, np.stack(expected), atol=1e-4)
    with pytest.raises(ConfigError, match="a sequence has no fixed length"):
        build_extractor(image(tmp_path / "free", pooling="sequence", steps=4), None)


def test_a_network_that_masks_at_random_is_refused(tmp_path):
    from transformers import ViTMAEConfig, ViTMAEModel

    from tests.support.vision_checkpoint import TINY

    ViTMAEModel(ViTMAEConfig(**TINY, mask_ratio=0.5)).save_pretrained(tmp_path)
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(settings))

    with pytest.raises(ConfigError, match="other features each time"):
        build_extractor(image(tmp_path), None)


def test_preprocessing_for_another_network_is_refused(vision_checkpoints, tmp_path):
    shutil.copytree(vision_checkpoints["vit"], tmp_path / "odd")
    settings = {"image_processor_type": "ViTImageProcessor", "size": {"height": 48, "width": 48}}
    (tmp_path / "odd/preprocessor_config.json").write_text(json.dumps(settings))

    with pytest.raises(ConfigError, match="cannot take a picture of 48 x 48"):
        build_extractor(image(tmp_path / "odd"), None)


def test_decoding_travels_to_another_process_and_back_small(vision_checkpoints):
    extractor = build_extractor(image(vision_checkpoints["vit"]), None)
    payload = encode_image(photo(500, 400))

    decode = pickle.loads(pickle.dumps(extractor.decode))

    np.testing.assert_array_equal(decode(payload), extractor.decode(payload))
    assert decode(payload).nbytes == 32 * 32 * 3


def test_a_thin_picture_that_would_grow_beyond_the_limit_is_rejected(vision_checkpoints):
    config = image(vision_checkpoints["clip"], {"crop": "none", "max_pixels": 10_000})
    extractor = build_extractor(config, None)

    with pytest.raises(Rejection) as rejection:
        extractor.decode(encode_image(photo(9_000, 1)))

    assert (rejection.value.reason, rejection.value.detail) == (
        "image_too_large", "288000 x 32 pixels once resized",
    )  # fmt: skip


def test_a_pooler_without_trained_weights_is_not_used(vision_checkpoints):
    config = image(vision_checkpoints["vit"])

    np.testing.assert_array_equal(extract(config), extract(config))


def test_an_exported_checkpoint_gives_the_same_features_without_the_original(
    vision_checkpoints, tmp_path
):
    shutil.copytree(vision_checkpoints["vit"], tmp_path / "original")
    config = image(tmp_path / "original")
    before = extract(config)
    export_extractor(config, None, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    np.testing.assert_array_equal(before, extract(config, tmp_path / "bundle"))


def test_a_checkpoint_without_preprocessing_is_refused(vision_checkpoints, tmp_path):
    shutil.copytree(vision_checkpoints["resnet"], tmp_path / "bare")
    (tmp_path / "bare/preprocessor_config.json").unlink()

    with pytest.raises(ConfigError, match="cannot load checkpoint"):
        build_extractor(image(tmp_path / "bare"), None)
