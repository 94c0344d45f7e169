import pytest

from mmray.errors import ConfigError
from tests.support.document import make_config

ALIGNMENT = {"pair": {"kind": "alignment"}}
TWO = {"text": {"column": "note"}, "image": {"column": "photo"}}


@pytest.mark.parametrize("kind", ["gradient_blending", "mmpareto"])
def test_methods_that_weigh_the_losses_themselves_refuse_auxiliary(kind):
    with pytest.raises(ConfigError, match=r"set model\.auxiliary \(0\.5\) to 0"):
        make_config(model={"auxiliary": 0.5}, train={"balance": {"kind": kind}})


def test_ogm_ge_goes_with_auxiliary():
    config = make_config(model={"auxiliary": 0.5}, train={"balance": {"kind": "ogm_ge"}})

    assert config.train.balance.alpha == 0.5


def test_an_alignment_alone_has_nothing_to_balance():
    with pytest.raises(ConfigError, match="add another task"):
        make_config(tasks=ALIGNMENT, modalities=TWO, train={"balance": {"kind": "mmpareto"}})
