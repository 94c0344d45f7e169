"""The purpose of a checkpoint, by the ``model_type`` of its config.json alone."""

from collections.abc import Mapping
from typing import Any

from mmray.core.kind import Kind
from mmray.errors import ConfigError

_FAMILIES = {
    Kind.TEXT: (
        "albert bart bert bert-generation big_bird bigbird_pegasus biogpt blenderbot bloom "
        "camembert canine clap clip clipseg codegen cohere convbert ctrl data2vec-text deberta "
        "deberta-v2 deepseek_v2 deepseek_v3 distilbert dpr electra ernie esm eurobert falcon "
        "flaubert fnet funnel gemma gemma2 gemma3_text glm glm4 gpt2 gpt_bigcode gpt_neo gpt_neox "
        "gpt_oss gptj granite gte ibert jamba layoutlm led lilt llama longformer longt5 luke "
        "m2m_100 mamba mamba2 marian mbart megatron-bert mistral mixtral mobilebert modernbert "
        "mpnet mpt mra mt5 mvp nomic_bert nystromformer olmo olmo2 openai-gpt opt pegasus phi phi3 "
        "plbart prophetnet qwen2 qwen3 reformer rembert roberta roberta-prelayernorm roc_bert "
        "roformer rwkv siglip siglip2 smollm3 splinter squeezebert stablelm starcoder2 "
        "switch_transformers t5 umt5 xglm xlm xlm-roberta xlm-roberta-xl xlnet xmod yoso"
    ),
    Kind.IMAGE: (
        "aimv2_vision_model beit bit clip clipseg conditional_detr convnext convnextv2 cvt "
        "data2vec-vision deformable_detr deit depth_pro detr dinat dinov2 dinov2_with_registers "
        "dinov3_convnext dinov3_vit donut-swin dpt efficientnet focalnet glpn hgnet_v2 hiera ijepa "
        "imagegpt levit mask2former maskformer mlcd mobilenet_v1 mobilenet_v2 mobilevit "
        "mobilevitv2 poolformer pvt pvt_v2 regnet resnet sam sam2 segformer siglip siglip2 "
        "swiftformer swin swinv2 swin2sr table-transformer timm_backbone timm_wrapper vit vit_mae "
        "vit_msn vitdet yolos"
    ),
    Kind.AUDIO: (
        "audio-spectrogram-transformer clap clap_audio_model dac data2vec-audio encodec hubert "
        "mimi moonshine parakeet_ctc parakeet_encoder seamless_m4t seamless_m4t_v2 sew sew-d "
        "speech_to_text speecht5 unispeech unispeech-sat univnet wav2vec2 wav2vec2-bert "
        "wav2vec2-conformer wavlm whisper"
    ),
    Kind.VIDEO: "timesformer videomae vivit vjepa2",
}  # fmt: skip
"""Families of one use, and those of two halves, of which each has its own."""
_ENDINGS = {
    "_vision_model": Kind.IMAGE, "_text_model": Kind.TEXT, "_audio_model": Kind.AUDIO,
}  # fmt: skip
_READS = {
    Kind.TEXT: "text", Kind.IMAGE: "pictures", Kind.AUDIO: "sound", Kind.VIDEO: "video",
}  # fmt: skip


def checkpoint_kinds(checkpoint: Mapping[str, Any]) -> frozenset[Kind]:
    """Return what a checkpoint of this config.json reads; nothing for a family that is unknown."""
    family = str(checkpoint.get("model_type", ""))
    if family == "mobilenet_v1" and checkpoint.get("num_channels") == 1:  # YAMNet
        return frozenset((Kind.AUDIO,))
    known = {kind for kind, names in _FAMILIES.items() if family in names.split()}
    told = {kind for ending, kind in _ENDINGS.items() if family.endswith(ending)}
    return frozenset(known or told)


def check_kind(checkpoint: Mapping[str, Any], wanted: Kind, model: str) -> None:
    """Refuse a checkpoint that is known to have been made for something else."""
    kinds = checkpoint_kinds(checkpoint)
    if not kinds or wanted in kinds:
        return
    reads = " and ".join(_READS[kind] for kind in Kind if kind in kinds)
    suited = " or ".join(f"hf_{kind.value}" for kind in Kind if kind in kinds)
    raise ConfigError(
        f"checkpoint {model!r} ({checkpoint['model_type']}) reads {reads}, not {_READS[wanted]}",
        hint=f"name a checkpoint that was trained on {_READS[wanted]}, or use this one by "
        f"{{kind: {suited}}} in a modality of that kind",
    )
