"""Every video extractor, for the contract; braces name a checkpoint of tests.support."""

from tests.support.video import clip, moving_scene

PAYLOADS = [clip(moving_scene(12 + 5 * seed, 64 + 16 * seed, 80, seed), g="8") for seed in range(5)]
EXTRACTS = {
    "frames": {"kind": "frames", "height": 24, "width": 32},
    "hf_image sequence": {"kind": "hf_image", "model": "{vit}", "batch_size": 3},
    "hf_image mean": {"kind": "hf_image", "model": "{vit}", "pooling": "mean"},
    "hf_video videomae": {"kind": "hf_video", "model": "{videomae}", "batch_size": 2},
    "hf_video timesformer": {"kind": "hf_video", "model": "{timesformer}"},
    "hf_video vivit": {"kind": "hf_video", "model": "{vivit}"},
    "hf_video vjepa2": {"kind": "hf_video", "model": "{vjepa2}"},
}
