"""Small vision checkpoints of many families, with random weights, made on the spot."""

import pytest

from tests.support.checkpoint import _save

TINY = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 64, "image_size": 32, "patch_size": 8}  # fmt: skip
SMALL_TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
              "intermediate_size": 16, "vocab_size": 32}  # fmt: skip
CLIP_LIKE = {"size": {"shortest_edge": 32}, "crop_size": {"height": 32, "width": 32}}
FAMILIES = {
    # family: (width, steps, has a class token); some pictures do not fill their last cells
    "resnet": (32, 64, False),
    "convnext": (24, 16, False),
    "convnext-large": (16, 1024, False),
    "convnextv2": (24, 16, False),
    "vit": (32, 16, True),
    "vit-pooler": (32, 16, True),
    "deit": (32, 16, True),
    "dinov2": (32, 16, True),
    "dinov2-registers": (32, 16, True),
    "clip": (32, 16, True),
    "siglip": (32, 16, False),
    "swin": (16, 16, False),
    "mobilenet_v1": (256, 6, False),
    "mobilenet_v2": (1280, 4, False),
    "efficientnet": (320, None, False),
    "hgnet": (32, None, False),
}


@pytest.fixture(scope="session")
def vision_checkpoints(tmp_path_factory):
    """Folders by family: those of FAMILIES, and ``fresh``, which was never trained."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        root = tmp_path_factory.mktemp("vision")
        torch.manual_seed(0)
        for save in (_save_tokens, _save_two_towers, _save_maps, _save_mobile):
            save(root)
        yield {path.name: path for path in root.iterdir()}


def _save_tokens(root):
    import transformers as hf

    _save(hf.ViTForImageClassification(hf.ViTConfig(**TINY)), root / "vit", "ViTImageProcessor",
          {"size": {"height": 32, "width": 32}, "image_mean": [0.4, 0.5, 0.6]})  # fmt: skip
    _save(hf.ViTModel(hf.ViTConfig(**TINY)), root / "vit-pooler", "ViTImageProcessor",
          {"size": 32})  # fmt: skip
    _save(hf.DeiTModel(hf.DeiTConfig(**TINY)), root / "deit", "DeiTImageProcessor",
          {"size": {"height": 40, "width": 40}, "crop_size": 32})  # fmt: skip
    # Trained at another size than its preprocessing gives, as the published DINOv2 is.
    _save(hf.Dinov2Model(hf.Dinov2Config(**TINY | {"image_size": 56})), root / "dinov2",
          "BitImageProcessor", CLIP_LIKE | {"size": {"shortest_edge": 36}})  # fmt: skip
    registers = hf.Dinov2WithRegistersConfig(**TINY, num_register_tokens=3)
    _save(hf.Dinov2WithRegistersModel(registers), root / "dinov2-registers",
          "BitImageProcessor", CLIP_LIKE)  # fmt: skip
    swin = hf.SwinConfig(embed_dim=8, depths=[1, 1], num_heads=[2, 2], window_size=4,
                         image_size=32, patch_size=4, drop_path_rate=0.9)  # fmt: skip
    _save(hf.SwinModel(swin), root / "swin", "ViTImageProcessor",
          {"size": {"height": 30, "width": 32}, "resample": 3})  # fmt: skip


def _save_two_towers(root):
    import transformers as hf

    positions = {"max_position_embeddings": 8, "bos_token_id": 1, "eos_token_id": 2}
    clip = hf.CLIPConfig(text_config=SMALL_TEXT | positions, vision_config=TINY, projection_dim=8)
    _save(hf.CLIPModel(clip), root / "clip", "CLIPImageProcessor", CLIP_LIKE, is_used=False)
    siglip = hf.SiglipConfig(text_config=SMALL_TEXT | positions, vision_config=TINY)
    _save(hf.SiglipModel(siglip), root / "siglip", "SiglipImageProcessor",
          {"size": {"height": 32, "width": 32}}, is_used=False)  # fmt: skip


def _save_maps(root):
    import transformers as hf

    resnet = hf.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic"
    )
    _save(hf.ResNetModel(resnet), root / "resnet", "ConvNextImageProcessor",
          {"size": {"shortest_edge": 60}, "crop_pct": 0.875, "resample": 3})  # fmt: skip
    sizes = {"hidden_sizes": [8, 24], "depths": [1, 1], "num_stages": 2}
    for name, config, model in (
        ("convnext", hf.ConvNextConfig, hf.ConvNextModel),
        ("convnextv2", hf.ConvNextV2Config, hf.ConvNextV2Model),
    ):
        _save(model(config(**sizes)), root / name, "ConvNextImageProcessor",
              {"size": {"shortest_edge": 36}})  # fmt: skip
    large = hf.ConvNextConfig(hidden_sizes=[4, 4, 16], depths=[1, 0, 1], num_stages=3, patch_size=3)
    _save(hf.ConvNextModel(large), root / "convnext-large", "ConvNextImageProcessor",
          {"size": {"shortest_edge": 384}})  # fmt: skip


def _save_mobile(root):
    import transformers as hf

    _save(hf.MobileNetV1Model(hf.MobileNetV1Config(depth_multiplier=0.25)), root / "mobilenet_v1",
          "MobileNetV1ImageProcessor",
          {"size": {"shortest_edge": 72}, "crop_size": {"height": 70, "width": 40}})  # fmt: skip
    _save(hf.MobileNetV1Model(hf.MobileNetV1Config(depth_multiplier=0.25)), root / "fresh",
          "MobileNetV1ImageProcessor", {"size": {"shortest_edge": 32}}, is_used=False)  # fmt: skip
    _save(hf.MobileNetV2Model(hf.MobileNetV2Config(depth_multiplier=0.35)), root / "mobilenet_v2",
          "MobileNetV2ImageProcessor",
          {"size": {"shortest_edge": 40}, "crop_size": {"height": 64, "width": 64}})  # fmt: skip
    efficient = hf.EfficientNetConfig(
        width_coefficient=0.25, depth_coefficient=0.1, hidden_dim=320, batch_norm_eps=1e-12
    )
    _save(hf.EfficientNetModel(efficient), root / "efficientnet", "EfficientNetImageProcessor",
          {"size": {"height": 64, "width": 64}, "resample": 2})  # fmt: skip
    # Known to transformers as a backbone alone.
    hgnet = hf.HGNetV2Config(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1], stem_channels=[3, 8, 8],
        stage_in_channels=[8, 16], stage_mid_channels=[8, 8], stage_out_channels=[16, 32],
        stage_num_blocks=[1, 1], stage_downsample=[False, True], stage_light_block=[False, False],
        stage_kernel_size=[3, 3], stage_numb_of_layers=[2, 2],
    )  # fmt: skip
    _save(hf.HGNetV2Backbone(hgnet), root / "hgnet", "ConvNextImageProcessor",
          {"size": {"shortest_edge": 32}})  # fmt: skip
