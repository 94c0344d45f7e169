"""Small audio checkpoints of real families, with random weights, made on the spot."""

import json
from string import ascii_lowercase

import pytest

ENCODER = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
}  # fmt: skip
WAVEFORM = {
    **ENCODER, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
STABLE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}


@pytest.fixture(scope="session")
def audio_checkpoints(tmp_path_factory):
    """Folders by family.

    wav2vec2, wav2vec2_masked, hubert, wavlm, whisper, ast, clap, clap_fusion; with a text head:
    speech_ctc, speech_whisper.
    """
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        root = tmp_path_factory.mktemp("audio_checkpoints")
        torch.manual_seed(0)
        for save in (_save_waveforms, _save_whisper, _save_ast, _save_clap, _save_ctc):
            save(root)
        yield {path.name: path for path in root.iterdir()}


def _save_waveforms(root):
    from transformers import (
        HubertConfig,
        HubertModel,
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2Model,
        WavLMConfig,
        WavLMModel,
    )

    plain = Wav2Vec2FeatureExtractor(return_attention_mask=False)
    masked = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    for name, model, front in (
        ("wav2vec2", Wav2Vec2Model(Wav2Vec2Config(**WAVEFORM)), plain),
        ("wav2vec2_masked", Wav2Vec2Model(Wav2Vec2Config(**WAVEFORM, **STABLE)), masked),
        ("hubert", HubertModel(HubertConfig(**WAVEFORM)), plain),
        ("wavlm", WavLMModel(WavLMConfig(**WAVEFORM, **STABLE)), masked),
    ):
        _save(root / name, model, front)


def _save_whisper(root):
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperModel,
    )

    front = WhisperFeatureExtractor(feature_size=80)
    tokenizer = _whisper_tokenizer()
    start = tokenizer.convert_tokens_to_ids("<|startoftranscript|>")
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    config = WhisperConfig(
        vocab_size=len(tokenizer), d_model=32, encoder_layers=2, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_ffn_dim=64, max_target_positions=64, pad_token_id=end, bos_token_id=end,
        eos_token_id=end, decoder_start_token_id=start,
    )  # fmt: skip
    _save(root / "whisper", WhisperModel(config), front)
    model = WhisperForConditionalGeneration(config)
    _widen(model)
    model.generation_config = GenerationConfig(
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=start,
        max_length=40, is_multilingual=False, begin_suppress_tokens=[end],
    )  # fmt: skip
    _save(root / "speech_whisper", model, front)
    tokenizer.save_pretrained(root / "speech_whisper")


def _whisper_tokenizer():
    from transformers import WhisperTokenizer

    letters = [*ascii_lowercase, *(f"Ġ{letter}" for letter in ascii_lowercase)]
    vocabulary = {letter: row for row, letter in enumerate(letters)}
    merges = [("Ġ", letter) for letter in ascii_lowercase]
    vocabulary |= {"Ġ": len(vocabulary)}
    tokenizer = WhisperTokenizer(vocab=vocabulary, merges=merges)
    marks = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|translate|>",
             "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>",
             "<|notimestamps|>"]  # fmt: skip
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    return tokenizer


def _save_ast(root):
    from transformers import ASTConfig, ASTFeatureExtractor, ASTModel

    model = ASTModel(ASTConfig(**ENCODER, max_length=128, num_mel_bins=32))
    _save(root / "ast", model, ASTFeatureExtractor(max_length=128, num_mel_bins=32))


def _save_clap(root):
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    audio = {
        "spec_size": 64, "num_mel_bins": 16, "depths": [1, 1], "num_attention_heads": [2, 2],
        "patch_embeds_hidden_size": 16, "hidden_size": 32, "window_size": 4, "num_hidden_layers": 2,
        "aff_block_r": 2,
    }  # fmt: skip
    text = {**ENCODER, "vocab_size": 50, "max_position_embeddings": 20}
    for name, is_fusion in (("clap", False), ("clap_fusion", True)):
        config = ClapConfig(
            text_config=text, audio_config=audio | {"enable_fusion": is_fusion}, projection_dim=16
        )
        front = ClapFeatureExtractor(
            feature_size=16, sampling_rate=16_000, hop_length=160, max_length_s=2,
            fft_window_size=512, frequency_max=8_000,
            truncation="fusion" if is_fusion else "rand_trunc",
        )  # fmt: skip
        _save(root / name, ClapModel(config), front)


def _save_ctc(root):
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
    )

    folder = root / "speech_ctc"
    folder.mkdir()
    words = ["<pad>", "<s>", "</s>", "<unk>", "|", *ascii_lowercase]
    (folder / "vocab.json").write_text(json.dumps({word: row for row, word in enumerate(words)}))
    Wav2Vec2CTCTokenizer(folder / "vocab.json").save_pretrained(folder)
    model = Wav2Vec2ForCTC(
        Wav2Vec2Config(**WAVEFORM, **STABLE, vocab_size=len(words), pad_token_id=0)
    )
    _widen(model)
    _save(folder, model, Wav2Vec2FeatureExtractor(return_attention_mask=True))


def _widen(model):
    """Make weights large enough for different clips to give different texts."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "embed" not in name:
                weight.mul_(8.0)


def _save(folder, model, front):
    model.eval().save_pretrained(folder)
    front.save_pretrained(folder)
