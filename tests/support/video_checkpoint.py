"""Small checkpoints of real families of video models, with random weights, made on the spot."""

import json

import pytest

SIDE, FRAMES = 32, 4
SETTINGS = {
    "size": {"shortest_edge": 40}, "crop_size": {"height": SIDE, "width": SIDE},
    "do_resize": True, "do_center_crop": True, "do_rescale": True, "do_normalize": True,
    "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3], "resample": 2,
}  # fmt: skip


@pytest.fixture(scope="session")
def video_checkpoints(tmp_path_factory):
    """Folders by family: videomae, timesformer, vivit, vjepa2."""
    root = tmp_path_factory.mktemp("video-checkpoints")
    for name, network in _networks().items():
        network.eval().save_pretrained(root / name)
        kind = "VivitImageProcessor" if name == "vivit" else "VideoMAEImageProcessor"
        factor = 1 / 127.5 if name == "vivit" else 1 / 255
        settings = {"image_processor_type": kind, "rescale_factor": factor} | SETTINGS
        file = "preprocessor_config.json"
        if name == "vjepa2":  # as its checkpoints on the hub have it
            settings |= {"video_processor_type": "VJEPA2VideoProcessor"}
            settings |= {"size": {"shortest_edge": SIDE * 256 // 224}}
            file = "video_preprocessor_config.json"
        (root / name / file).write_text(json.dumps(settings))
    return {path.name: path for path in root.iterdir()}


def _networks():
    import torch
    from transformers import (
        TimesformerConfig,
        TimesformerModel,
        VideoMAEConfig,
        VideoMAEForVideoClassification,
        VivitConfig,
        VivitModel,
        VJEPA2Config,
        VJEPA2Model,
    )

    torch.manual_seed(0)
    sizes = {
        "image_size": SIDE, "num_frames": FRAMES, "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 64, "initializer_range": 0.2,
    }  # fmt: skip
    return {
        # Saved with its classifier, as the checkpoints on the hub are.
        "videomae": VideoMAEForVideoClassification(VideoMAEConfig(patch_size=8, **sizes)),
        "timesformer": TimesformerModel(TimesformerConfig(patch_size=8, **sizes)),
        "vivit": VivitModel(VivitConfig(tubelet_size=[2, 8, 8], **sizes)),
        "vjepa2": VJEPA2Model(
            VJEPA2Config(
                crop_size=SIDE,
                frames_per_clip=FRAMES,
                patch_size=8,
                hidden_size=48,
                num_hidden_layers=2,
                num_attention_heads=2,
                mlp_ratio=2,
                pred_hidden_size=48,
                pred_num_attention_heads=2,
                pred_num_hidden_layers=1,
                initializer_range=0.2,
            )
        ),
    }
