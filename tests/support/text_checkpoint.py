"""Text models and word vectors for tests, with random weights, made on the spot."""

import numpy as np
import pytest

from tests.support.checkpoint import WORDS as PIECES

VECTOR_WORDS = ["the", "quick", "brown", "fox", "hello", "world", "again", "cat", "a", "x", "猫"]


@pytest.fixture(scope="session")
def text_checkpoints(tmp_path_factory):
    """Folders by family: clip, siglip, t5, gpt2, roberta; ``vectors`` is a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        root = tmp_path_factory.mktemp("text-checkpoints")
        _save_halves(root)
        _save_others(root)
        save_glove(root / "vectors", VECTOR_WORDS)
        yield {path.name: path for path in root.iterdir()}


def save_glove(path, words, dim=8):
    """Write one word and its numbers per line; return the vectors."""
    vectors = np.random.default_rng(0).normal(size=(len(words), dim)).astype(np.float32)
    rows = [" ".join(map(repr, row)) for row in vectors.tolist()]
    lines = [f"{word} {row}\n" for word, row in zip(words, rows, strict=True)]
    path.write_text("".join(lines), encoding="utf-8")
    return vectors


def _save_halves(root):
    import torch
    from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

    torch.manual_seed(0)
    sizes = {
        "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }  # fmt: skip
    reading = {"vocab_size": len(PIECES), "eos_token_id": 3, "bos_token_id": 2, "pad_token_id": 0}
    seeing = sizes | {"image_size": 16, "patch_size": 8}
    clip = CLIPConfig(
        text_config=sizes | reading | {"max_position_embeddings": 24}, vision_config=seeing
    )
    siglip = SiglipConfig(
        text_config=sizes | reading | {"max_position_embeddings": 16, "projection_size": 32},
        vision_config=seeing,
    )
    CLIPModel(clip).eval().save_pretrained(root / "clip")
    SiglipModel(siglip).eval().save_pretrained(root / "siglip")
    for family in ("clip", "siglip"):
        save_tokenizer(root / family)


def _save_others(root):
    import torch
    from transformers import (
        GPT2Config,
        GPT2Model,
        RobertaConfig,
        RobertaModel,
        T5Config,
        T5EncoderModel,
    )

    torch.manual_seed(0)
    t5 = T5Config(
        vocab_size=len(PIECES), d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    gpt2 = GPT2Config(vocab_size=len(PIECES), n_embd=32, n_layer=2, n_head=2, n_positions=64)
    roberta = RobertaConfig(
        vocab_size=len(PIECES), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=34, pad_token_id=1,
    )  # fmt: skip
    T5EncoderModel(t5).eval().save_pretrained(root / "t5")
    GPT2Model(gpt2).eval().save_pretrained(root / "gpt2")
    RobertaModel(roberta).eval().save_pretrained(root / "roberta")
    for family in ("t5", "roberta"):
        save_tokenizer(root / family)
    save_tokenizer(root / "gpt2", is_framed=False)


def save_tokenizer(folder, is_framed=True):
    """Write a tokenizer of letters; a framed text stands between [CLS] and [SEP]."""
    import tokenizers
    from tokenizers import normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {piece: row for row, piece in enumerate(PIECES)}
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if is_framed:
        backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
