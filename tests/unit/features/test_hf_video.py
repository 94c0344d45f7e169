import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel
from transformers.models.videomae.image_processing_pil_videomae import VideoMAEImageProcessorPil
from transformers.models.vivit.image_processing_vivit import VivitImageProcessor

from mmray.config.modality.image import ImageConfig
from mmray.config.modality.video import VideoConfig
from mmray.errors import ConfigError
from mmray.features.build import build_extractor, export_extractor
from mmray.features.spec import spec_of
from mmray.features.video.checkpoint import read_video_checkpoint, read_video_preprocess
from tests.support.payload import encode_image
from tests.support.video import clip, moving_scene
from tests.support.video_checkpoint import FRAMES, SETTINGS, SIDE, video_checkpoints

__all__ = ["video_checkpoints"]

PAYLOADS = [clip(moving_scene(12 + 7 * seed, 96, 64 + 16 * seed, seed)) for seed in range(3)]
FAMILIES = ["videomae", "timesformer", "vivit", "vjepa2"]


def video(model, *, decode=None, kind="hf_video", **extract):
    decode = {"crop": "none"} if decode is None else decode
    extract = {"kind": kind, "model": str(model), **extract}
    return VideoConfig(column="c", decode=decode, extract=extract)


def extract(config, payloads=PAYLOADS, state=None):
    extractor = build_extractor(config, state)
    return extractor.extract([extractor.decode(payload) for payload in payloads])


def processor_of(folder):
    (file,) = folder.glob("*preprocessor_config.json")
    settings = json.loads(file.read_text())
    vivit = settings.pop("image_processor_type").startswith("Vivit")
    return (VivitImageProcessor if vivit else VideoMAEImageProcessorPil)(**settings)


def whole_frames(payload):
    """The frames that the checkpoint sees, in their full size."""
    whole = VideoConfig(
        column="c",
        decode={"crop": "none", "frames": FRAMES},
        extract={"kind": "frames", "height": 64 + 16 * PAYLOADS.index(payload), "width": 96},
    )
    return [Image.fromarray(frame) for frame in build_extractor(whole, None).decode(payload)]


@torch.inference_mode()
def reference(folder, payload):
    pixels = processor_of(folder)(whole_frames(payload), return_tensors="pt")["pixel_values"]
    network = AutoModel.from_pretrained(folder).eval()
    if folder.name == "vjepa2":  # with the sizes and brightness of its files, by Pillow
        return network.get_vision_features(pixels)[0].mean(dim=0)
    hidden = network(pixel_values=pixels).last_hidden_state[0]
    return hidden.mean(dim=0) if folder.name == "videomae" else hidden[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_transformers(video_checkpoints, family):
    expected = np.stack([reference(video_checkpoints[family], payload) for payload in PAYLOADS])

    features = extract(video(video_checkpoints[family]))

    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert np.abs(np.diff(expected, axis=0)).max() > 1e-3  # the clips are told apart


@pytest.mark.parametrize("family", ["videomae", "vivit"])
def test_frames_reach_the_network_exactly_as_transformers_makes_them(video_checkpoints, family):
    preprocess = read_video_checkpoint(str(video_checkpoints[family])).preprocess
    noise = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)

    ours = preprocess.normalise(preprocess.resize(Image.fromarray(noise)))

    processor = processor_of(video_checkpoints[family])
    expected = np.asarray(processor([Image.fromarray(noise)])["pixel_values"])[0, 0]
    np.testing.assert_allclose(ours, expected, atol=2e-6)


def test_settings_of_older_checkpoints_are_read_alike():
    told = {"feature_extractor_type": "VideoMAEFeatureExtractor", "size": 40, "crop_size": SIDE}
    means = {key: SETTINGS[key] for key in ("image_mean", "image_std")}
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    )

    old, new = (read_video_preprocess(x, "x") for x in (told | means, SETTINGS))

    np.testing.assert_array_equal(old.resize(picture), new.resize(picture))
    np.testing.assert_array_equal(old.values, new.values)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_clip_of_fewer_frames_than_the_checkpoint_takes_is_shown_longer(
    video_checkpoints, family
):
    few = [Image.new("RGB", (64, 48), (90 * n, 40, 200)) for n in range(2)]
    short = clip([np.asarray(frame) for frame in few], codec="mjpeg", container="avi")
    long = clip([np.asarray(few[n // 2]) for n in range(4)], codec="mjpeg", container="avi")

    features = extract(video(video_checkpoints[family]), [short, long])

    np.testing.assert_allclose(features[0], features[1], atol=1e-5)


def test_what_decodes_can_go_to_another_process_and_comes_back_small(video_checkpoints):
    for config in (video(video_checkpoints["vivit"]), VideoConfig(column="c")):
        decode = pickle.loads(pickle.dumps(build_extractor(config, None).decode))

        assert decode(PAYLOADS[0]).nbytes <= 8 * 64 * 64 * 3


@pytest.mark.parametrize("pooling", ["sequence", "mean"])
def test_a_vision_model_per_frame_gives_what_it_gives_for_each_picture(checkpoints, pooling):
    pictures = whole_frames(PAYLOADS[0])
    image = ImageConfig(
        column="c", decode={"crop": "none"},
        extract={"kind": "hf_image", "model": str(checkpoints["vit"])},
    )  # fmt: skip
    single = build_extractor(image, None)
    expected = np.stack(single.extract([single.decode(encode_image(p)) for p in pictures]))

    config = video(
        checkpoints["vit"], kind="hf_image", pooling=pooling,
        decode={"crop": "none", "frames": FRAMES},
    )  # fmt: skip
    features = extract(config)[0]

    np.testing.assert_allclose(
        features, expected if pooling == "sequence" else expected.mean(axis=0), atol=1e-5
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_an_exported_checkpoint_needs_the_original_no_more(video_checkpoints, tmp_path, family):
    shutil.copytree(video_checkpoints[family], tmp_path / "original")
    config = video(tmp_path / "original")
    before = extract(config)
    export_extractor(config, None, tmp_path / "bundle")
    shutil.rmtree(tmp_path / "original")

    np.testing.assert_array_equal(before, extract(config, state=tmp_path / "bundle"))


def edited(source, target, file, **changes):
    shutil.copytree(source, target)
    document = json.loads((target / file).read_text()) | changes
    (target / file).write_text(json.dumps({k: v for k, v in document.items() if v is not None}))
    return video(target)


def test_more_frames_than_the_checkpoint_takes_are_refused(video_checkpoints):
    with pytest.raises(ConfigError, match=r"decode\.frames \(9\) differs from that"):
        spec_of(video(video_checkpoints["vivit"], decode={"frames": 9}))


def test_a_v_jepa_takes_other_numbers_of_frames_that_fill_its_tubelets(video_checkpoints):
    model = video_checkpoints["vjepa2"]
    few, usual = (
        extract(video(model, decode={"crop": "none", "frames": frames}))[0]
        for frames in (2, FRAMES)
    )

    assert few.shape == usual.shape
    assert np.abs(few - usual).max() > 1e-3
    np.testing.assert_array_equal(usual, extract(video(model))[0])
    with pytest.raises(ConfigError, match=r"decode\.frames \(3\) is not a multiple of the 2"):
        spec_of(video(model, decode={"frames": 3}))


def test_a_model_of_another_family_is_refused_with_those_that_are_known(checkpoints):
    with pytest.raises(ConfigError, match="is of type 'vit'") as error:
        spec_of(video(checkpoints["vit"]))

    assert "videomae, timesformer, vivit, vjepa2" in str(error.value)


def test_preprocessing_for_another_size_is_refused(video_checkpoints, tmp_path):
    config = edited(
        video_checkpoints["videomae"], tmp_path / "odd", "preprocessor_config.json",
        crop_size={"height": 24, "width": 24},
    )  # fmt: skip

    with pytest.raises(ConfigError, match="takes frames of 32 x 32"):
        spec_of(config)


@pytest.mark.parametrize("key", ["size", "image_mean", "image_std"])
def test_preprocessing_that_leaves_something_open_is_refused(video_checkpoints, tmp_path, key):
    config = edited(
        video_checkpoints["videomae"], tmp_path / "odd", "preprocessor_config.json", **{key: None}
    )

    with pytest.raises(ConfigError, match=f"does not state {key}"):
        spec_of(config)


def test_a_checkpoint_without_preprocessing_is_refused(video_checkpoints, tmp_path):
    config = edited(video_checkpoints["videomae"], tmp_path / "bare", "config.json")
    (tmp_path / "bare/preprocessor_config.json").unlink()

    with pytest.raises(ConfigError, match=r"has no preprocessor_config\.json"):
        spec_of(config)
