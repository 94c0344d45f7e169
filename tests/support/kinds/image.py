"""Every image extractor, for the contract; braces name a checkpoint of tests.support.checkpoint."""

from tests.support.payload import photo_payload

PAYLOADS = [photo_payload(40 + 9 * seed, 64 - 5 * seed, seed) for seed in range(5)]
EXTRACTS = {
    "pixels": {"kind": "pixels", "height": 24, "width": 32},
    "hf_image vit": {"kind": "hf_image", "model": "{vit}", "batch_size": 2},
    "hf_image resnet": {"kind": "hf_image", "model": "{resnet}"},
    "hf_image cls": {"kind": "hf_image", "model": "{vit}", "pooling": "cls"},
    "hf_image mean": {"kind": "hf_image", "model": "{vit}", "pooling": "mean", "batch_size": 2},
    "hf_image sequence": {"kind": "hf_image", "model": "{vit}", "pooling": "sequence"},
    "hf_image cells": {"kind": "hf_image", "model": "{resnet}", "pooling": "sequence"},
}
