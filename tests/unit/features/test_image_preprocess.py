import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from transformers import AutoImageProcessor
from transformers.image_transforms import get_resize_output_image_size, get_size_with_aspect_ratio

from mmray.config.modality.image import ImageConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor
from mmray.features.image.load import load_preprocess
from mmray.features.image.preprocess import decode_for, scaled_size
from mmray.media.image.decode import ImageSteps
from tests.support.payload import encode_image, photo
from tests.support.vision_checkpoint import FAMILIES, vision_checkpoints

__all__ = ["vision_checkpoints"]

PICTURES = [photo(96, 64), photo(50, 120, 1), photo(33, 33, 2), photo(301, 300, 3), photo(7, 90)]
PROCESSORS = {
    "clip, numbers": {"image_processor_type": "CLIPImageProcessor", "size": 24, "crop_size": 24},
    "vit, number": {"image_processor_type": "ViTImageProcessor", "size": 24},
    "vit, old name": {"feature_extractor_type": "ViTFeatureExtractor", "size": 24},
    "odd crop": {
        "image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 31},
        "crop_size": {"height": 44, "width": 25},
    },
    "longest edge": {
        "image_processor_type": "MobileNetV1ImageProcessor", "do_center_crop": False,
        "size": {"shortest_edge": 40, "longest_edge": 61},
    },
    "padded": {
        "image_processor_type": "MobileNetV1ImageProcessor", "do_center_crop": False,
        "size": {"shortest_edge": 20, "longest_edge": 30}, "do_pad": True,
        "pad_size": {"height": 32, "width": 36},
    },
    "neither resized nor normalised": {
        "image_processor_type": "ViTImageProcessor", "do_resize": False, "do_normalize": False,
    },
    "efficientnet with an offset": {
        "image_processor_type": "EfficientNetImageProcessor", "rescale_offset": True,
        "rescale_factor": 0.00784, "size": {"height": 24, "width": 20}, "resample": 2,
    },
}  # fmt: skip


def processor_in(folder, settings):
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text('{"model_type": "vit"}')
    return AutoImageProcessor.from_pretrained(folder, backend="pil")


def assert_equal(preprocess, processor):
    for picture in PICTURES:
        expected = processor(picture, return_tensors="np")["pixel_values"][0]
        found = preprocess.normalise(preprocess.resize(picture))
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_reach_the_network_as_transformers_makes_them(vision_checkpoints, family):
    processor = AutoImageProcessor.from_pretrained(vision_checkpoints[family], backend="pil")

    assert_equal(load_preprocess(str(vision_checkpoints[family])), processor)


@pytest.mark.parametrize("name", PROCESSORS)
def test_every_way_to_write_the_settings_is_understood(name, tmp_path):
    processor = processor_in(tmp_path, PROCESSORS[name])

    assert_equal(load_preprocess(str(tmp_path)), processor)


def test_sides_are_rounded_as_transformers_rounds_them():
    sizes = np.random.default_rng(0).integers(1, 700, (400, 2)).tolist()

    for size in map(tuple, sizes):
        free = get_resize_output_image_size(
            np.zeros((3, *size), bool), size=224, default_to_square=False
        )
        assert scaled_size(size, 224, None) == free
        height, width = get_size_with_aspect_ratio(size, 224, 333)
        if min(height, width) > 0:
            assert scaled_size(size, 224, 333) == (height, width)


def test_a_batch_is_normalised_as_its_pictures_are(vision_checkpoints):
    preprocess = load_preprocess(str(vision_checkpoints["vit"]))
    pictures = np.stack([preprocess.resize(picture) for picture in PICTURES])

    batch = preprocess.normalise(pictures)

    np.testing.assert_array_equal(batch[2], preprocess.normalise(pictures[2]))


@pytest.mark.parametrize("crop", ["none", "center"])
def test_the_crop_comes_before_the_checkpoint_s_own_resize(vision_checkpoints, crop):
    wide = photo(120, 40)
    cropped = wide.crop((40, 0, 80, 40)) if crop == "center" else wide
    extract = {"kind": "hf_image", "model": str(vision_checkpoints["vit"])}
    config = ImageConfig(column="c", decode={"crop": crop}, extract=extract)

    decoded = build_extractor(config, None).decode(encode_image(wide))

    np.testing.assert_array_equal(decoded, np.asarray(cropped.resize((32, 32), 2)))


def test_a_large_jpeg_may_be_drafted_when_asked(vision_checkpoints):
    preprocess = load_preprocess(str(vision_checkpoints["clip"]))
    payload = encode_image(photo(1024, 512), "JPEG", quality=95)
    steps = [ImageSteps("none", 10**6, draft) for draft in (0.0, 2.0)]

    whole, drafted = (decode_for(payload, preprocess=preprocess, steps=each) for each in steps)

    assert 0 < np.abs(whole.astype(int) - drafted).mean() < 2
    np.testing.assert_array_equal(whole, preprocess.resize(Image.open(BytesIO(payload))))


def test_a_size_that_is_unknown_is_refused_and_not_ignored(tmp_path):
    settings = {
        "image_processor_type": "ViTImageProcessor", "size": {"max_height": 9, "max_width": 9},
    }  # fmt: skip
    processor_in(tmp_path, settings)

    with pytest.raises(ConfigError, match=r"resizes by .*max_height.* not supported"):
        load_preprocess(str(tmp_path))


def test_a_processor_that_cuts_its_own_patches_is_refused(tmp_path):
    processor_in(tmp_path, {"image_processor_type": "Siglip2ImageProcessor", "patch_size": 16})

    with pytest.raises(ConfigError, match="checkpoint"):
        load_preprocess(str(tmp_path))
