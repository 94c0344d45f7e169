"""Small checkpoints of real families, with random weights, made on the spot."""

import json

import pytest

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("abcdefghijklmnopqrstuvwxyz") + [
    f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"
]  # fmt: skip


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Folders by family: bert, bert-headless, resnet, mobilenet_v1, mobilenet_v2, vit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        root = tmp_path_factory.mktemp("checkpoints")
        _save_bert(root / "bert")
        _save_images(root)
        yield {path.name: path for path in root.iterdir()}


def _save_bert(folder):
    import tokenizers
    import torch
    from tokenizers import normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).eval().save_pretrained(folder)
    vocabulary = {word: row for row, word in enumerate(WORDS)}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    BertTokenizerFast(tokenizer_object=backend).save_pretrained(folder)


def _save_images(root):
    import torch
    from transformers import (
        MobileNetV1Config,
        MobileNetV1Model,
        MobileNetV2Config,
        MobileNetV2Model,
        ResNetConfig,
        ResNetModel,
        ViTConfig,
        ViTForImageClassification,
    )

    torch.manual_seed(0)
    vit = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=8,
    )  # fmt: skip
    resnet = ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic"
    )
    _save(ResNetModel(resnet), root / "resnet", "ConvNextImageProcessor",
          {"size": {"shortest_edge": 64}, "crop_pct": 0.875, "resample": 3})  # fmt: skip
    _save(MobileNetV1Model(MobileNetV1Config(depth_multiplier=0.25)), root / "mobilenet_v1",
          "MobileNetV1ImageProcessor",
          {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}})  # fmt: skip
    _save(MobileNetV2Model(MobileNetV2Config(depth_multiplier=0.35)), root / "mobilenet_v2",
          "MobileNetV2ImageProcessor",
          {"size": {"shortest_edge": 40}, "crop_size": {"height": 64, "width": 64}})  # fmt: skip
    # Saved with its classifier and so without a pooler, like most ViT checkpoints on the hub.
    _save(ViTForImageClassification(vit), root / "vit", "ViTImageProcessor",
          {"size": {"height": 32, "width": 32}, "image_mean": [0.4, 0.5, 0.6]})  # fmt: skip


def _save(model, folder, processor, settings, is_used=True):
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    if is_used:  # statistics as after a training: fresh ones let every signal die away
        with torch.no_grad():
            model.train()(pixel_values=torch.randn(8, 3, 32, 32))
    model.eval().save_pretrained(folder)
    document = {"image_processor_type": processor} | settings
    (folder / "preprocessor_config.json").write_text(json.dumps(document))


def save_wide_bert(folder):
    """One layer, 768 wide."""
    import torch
    from transformers import BertConfig, BertModel

    _save_bert(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=768, num_hidden_layers=1, num_attention_heads=12,
        intermediate_size=256, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).eval().save_pretrained(folder)


def save_wide_resnet(folder):
    """Bottleneck blocks as in ResNet-50, one per stage, 2048 wide."""
    import torch
    from transformers import ResNetConfig, ResNetModel

    torch.manual_seed(0)
    config = ResNetConfig(
        embedding_size=16, hidden_sizes=[64, 128, 512, 2048], depths=[1, 1, 1, 1],
        layer_type="bottleneck",
    )  # fmt: skip
    _save(ResNetModel(config), folder, "ConvNextImageProcessor",
          {"size": {"shortest_edge": 64}, "crop_pct": 0.875, "resample": 3})  # fmt: skip
