import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from mmray.config.modality.video import VideoConfig
from mmray.config.reading.load import check_document
from mmray.features.build import build_extractor, extractor_identity
from mmray.features.spec import spec_of
from tests.support.video import clip, numbered, numbers_of
from tests.support.video_checkpoint import video_checkpoints

__all__ = ["video_checkpoints"]


def video(**sections):
    return VideoConfig(column="c", **sections)


def test_frames_are_those_of_the_settings():
    config = video(
        decode={"frames": 5, "sampling": {"kind": "rate", "per_second": 2}, "crop": "none"},
        extract={"kind": "frames", "height": 24, "width": 64},
    )

    frames = build_extractor(config, None).decode(clip(numbered(50)))

    assert frames.shape == (4, 24, 64, 3)
    assert numbers_of(frames) == [0, 12, 25, 37]


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({}, "frames (T<=8, 64, 64, 3)"),
        ({"decode": {"frames": 3}, "extract": {"height": 24, "width": 32}},
         "frames (T<=3, 24, 32, 3)"),
    ],
)  # fmt: skip
def test_a_spec_is_told_without_data(sections, told):
    if "extract" in sections:
        sections["extract"]["kind"] = "frames"

    assert spec_of(video(**sections)).describe() == told


def test_the_spec_of_a_video_checkpoint_is_read_from_its_config(video_checkpoints):
    config = video(extract={"kind": "hf_video", "model": str(video_checkpoints["videomae"])})

    assert spec_of(config).describe() == "vector (32)"


@pytest.mark.parametrize("pooling", ["sequence", "mean"])
def test_the_spec_of_a_vision_checkpoint_per_frame(checkpoints, pooling):
    extract = {"kind": "hf_image", "model": str(checkpoints["vit"]), "pooling": pooling}

    told = spec_of(video(decode={"frames": 5}, extract=extract)).describe()

    assert told == {"sequence": "sequence (T<=5, F=32)", "mean": "vector (32)"}[pooling]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"threads": 4}, True),
        ({"frames": 4}, False),
        ({"sampling": {"kind": "scenes"}}, False),
        ({"crop": "none"}, False),
    ],
)
def test_what_changes_a_feature_changes_the_identity(change, is_same):
    before, after = (extractor_identity(video(decode=d), None) for d in ({}, change))

    assert (before == after) == is_same


@pytest.mark.parametrize(
    "decode",
    [{"sampling": {"kind": "rate", "per_second": 0}}, {"frames": 0}, {"threads": 0},
     {"sampling": {"kind": "scenes", "threshold": 1.0}}],
)  # fmt: skip
def test_settings_without_sense_are_refused(decode):
    with pytest.raises(ValidationError):
        video(decode=decode)


def test_specs_and_identities_load_neither_torch_nor_av(checkpoints, video_checkpoints):
    program = f"""
import sys
from mmray.config.modality.video import VideoConfig
from mmray.features.build import extractor_identity
from mmray.features.spec import spec_of
for extract in ({{"kind": "frames"}},
                {{"kind": "hf_image", "model": {str(checkpoints["vit"])!r}}},
                {{"kind": "hf_video", "model": {str(video_checkpoints["vivit"])!r}}}):
    config = VideoConfig(column="c", extract=extract)
    spec_of(config), extractor_identity(config, None)
loaded = {{"torch", "transformers", "av", "ray"}} & set(sys.modules)
sys.exit(str(sorted(loaded)) if loaded else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


def test_pictures_and_sound_may_come_from_one_column():
    config = check_document(
        {
            "name": "clips",
            "data": {"manifest": "m.csv"},
            "modalities": {
                "video": {"column": "clip", "encode": {"kind": "cnn"}},
                "audio": {"column": "clip"},
            },
            "tasks": {"label": {"kind": "classification", "column": "label"}},
        },
        where="test",
    )

    assert config.modality_order() == ("audio", "video")
    assert config.modalities["video"].columns == config.modalities["audio"].columns == ("clip",)


def test_the_same_bytes_give_the_same_frames_again():
    payload = clip(numbered(20))
    first, second = (build_extractor(video(), None).decode(payload) for _ in range(2))

    np.testing.assert_array_equal(first, second)
