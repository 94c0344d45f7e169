"""Axes: B batch, H W image."""

import pytest
import torch
from torch.nn import functional as F

from mmray.models.encoders.cnn import ImageCnnEncoder

PICTURES = torch.randint(0, 256, (2, 9, 8, 3), generator=torch.Generator().manual_seed(0)).byte()


@pytest.mark.parametrize("pool", ["first", "last"])
def test_a_block_halves_where_it_is_asked_to(pool):
    torch.manual_seed(0)
    encoder = ImageCnnEncoder([8], 3, 4, pool=pool)
    weights = encoder.state_dict()
    norm = "blocks.2" if pool == "first" else "blocks.1"

    tokens = encoder(PICTURES, None).tokens

    maps = F.conv2d(
        PICTURES.permute(0, 3, 1, 2) / 127.5 - 1.0,
        weights["blocks.0.weight"], weights["blocks.0.bias"], padding=1,
    )  # fmt: skip
    if pool == "first":
        maps = F.max_pool2d(maps, 2, ceil_mode=True)
    maps = F.gelu(F.group_norm(maps, 2, weights[f"{norm}.weight"], weights[f"{norm}.bias"]))
    if pool == "last":
        maps = F.max_pool2d(maps, 2, ceil_mode=True)
    expected = F.linear(
        maps.permute(0, 2, 3, 1), weights["project.weight"], weights["project.bias"]
    )
    assert expected.shape == (2, 5, 4, 4)
    torch.testing.assert_close(tokens, expected.flatten(1, 2))
