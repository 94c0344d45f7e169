"""Which layer a weight belongs to, in networks that list their modules in another order."""

import pytest
import torch
from transformers import (
    AutoModel,
    BartConfig,
    DebertaV2Config,
    MPNetConfig,
    Wav2Vec2Config,
)

from mmray.models.encoders.pretrained.tuning import Tuning, call_order, layer_depths, set_trained

SIZES = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 20,
}  # fmt: skip
AUDIO = Wav2Vec2Config(
    **SIZES, conv_dim=(8, 8), conv_kernel=(4, 4), conv_stride=(4, 4), num_feat_extract_layers=2,
    num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2, do_stable_layer_norm=True,
    feat_extract_norm="layer",
)  # fmt: skip
BART = BartConfig(
    vocab_size=20, d_model=16, encoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=16,
    max_position_embeddings=16,
)  # fmt: skip
CASES = {
    "wav2vec2": (
        AUDIO,
        {"encoder.layer_norm.weight": 3, "encoder.layers.2.final_layer_norm.weight": 3,
         "feature_projection.projection.weight": 0,
         "encoder.pos_conv_embed.conv.parametrizations.weight.original1": 0},
    ),
    "mpnet": (
        MPNetConfig(**SIZES),
        {"encoder.relative_attention_bias.weight": 0, "encoder.layer.1.output.dense.weight": 2,
         "pooler.dense.weight": 3},
    ),
    "deberta": (
        DebertaV2Config(
            **SIZES, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=8,
            norm_rel_ebd="layer_norm",
        ),
        {"encoder.rel_embeddings.weight": 0, "encoder.LayerNorm.weight": 0,
         "embeddings.word_embeddings.weight": 0, "encoder.layer.0.output.dense.weight": 1},
    ),
    "bart": (BART, {"layernorm_embedding.weight": 0, "layers.2.fc1.weight": 3}),
}  # fmt: skip


def make(name):
    config, _ = CASES[name]
    torch.manual_seed(0)
    network = AutoModel.from_config(config)
    network = network.encoder if name == "bart" else network
    example = torch.randn(1, 400) if name == "wav2vec2" else torch.arange(4)[None]
    return network, lambda: network(example).last_hidden_state.mean(dim=1)


@pytest.mark.parametrize("name", CASES)
def test_a_weight_belongs_to_where_its_module_is_called(name):
    network, probe = make(name)
    tuning = Tuning(tune="last_layers", layers=1)

    order = call_order(network, tuning, probe)
    depths, count = layer_depths(network, order)
    set_trained(network, tuning, probe, order)

    expected = CASES[name][1]
    assert {key: depths[key] for key in expected} == expected
    assert count == 3
    trained = {key for key, weight in network.named_parameters() if weight.requires_grad}
    last = {key for key, depth in expected.items() if depth == count and "pooler" not in key}
    assert trained & set(expected) == last
