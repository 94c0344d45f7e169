import pytest
import torch

from mmray.config.model.encoder import CnnEncoderConfig, LstmEncoderConfig, TransformerEncoderConfig
from mmray.core.kind import Kind
from mmray.core.spec import FeatureSpec
from mmray.errors import ConfigError
from mmray.models.build import build_encoder
from mmray.models.fit_check import check_encoder

SPEC = FeatureSpec(Kind.VIDEO, "frames", (6, 16, 16, 3), "uint8")


def encoder(**settings):
    torch.manual_seed(0)
    config = CnnEncoderConfig(channels=(8, 8), **settings)
    return build_encoder(config, SPEC, width=16, name="clip")


def clips(count=8):
    return torch.randint(0, 256, (count, 6, 16, 16, 3), dtype=torch.uint8)


@pytest.mark.parametrize(("over_time", "sees_order"), [("attention", True), ("mean", False)])
def test_attention_over_time_sees_the_order_of_frames_and_the_mean_does_not(over_time, sees_order):
    network, values = encoder(over_time=over_time).eval(), clips()

    moved = (network(values, None).pooled - network(values.flip(1), None).pooled).abs().max()

    assert (moved > 1e-3) == sees_order


def test_there_is_one_token_per_frame():
    encoded = encoder().eval()(clips(2), torch.tensor([6, 4]))

    assert encoded.tokens.shape == (2, 6, 16)
    assert encoded.token_mask.sum(dim=1).tolist() == [6, 4]


def test_a_direction_of_motion_is_learnt():
    torch.manual_seed(0)
    rightward = torch.zeros(32, 6, 16, 16, 3, dtype=torch.uint8)
    for number in range(32):
        for step in range(6):
            left = 2 * step + number % 3
            rightward[number, step, number % 10 : number % 10 + 4, left : left + 3] = 220
    values = torch.cat([rightward, rightward.flip(1)])
    label = torch.arange(64) // 32
    network, head = encoder(), torch.nn.Linear(16, 2)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], 5e-3)

    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(head(network(values, None).pooled), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    assert loss < 0.1


def test_a_patch_must_divide_the_frame():
    with pytest.raises(
        ConfigError, match=r"patch \(5\) does not divide frames \(T<=6, 16, 16, 3\)"
    ):
        check_encoder("clip", TransformerEncoderConfig(patch=5), SPEC)


def test_an_encoder_of_sequences_cannot_take_frames():
    with pytest.raises(ConfigError, match="a lstm encoder cannot take frames"):
        check_encoder("clip", LstmEncoderConfig(), SPEC)
