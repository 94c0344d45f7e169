import pytest

from mmray.errors import ConfigError
from tests.support.document import make_config

ALIGNMENT = {"pair": {"kind": "alignment"}}
TWO = {"text": {"column": "note"}, "image": {"column": "photo"}}


@pytest.mark.parametrize("kind", ["gradient_blending", "mmpareto"])
def test_methods_that_weigh_the_losses_themselves_refuse_auxiliary(kind):
    with pytest.raises(ConfigError, match=r"set model\.auxiliary \(0\.5\) to 0"):
        make_config(model={"auxiliary": 0.5}, train={"balance": {"kind": kind}})


@pytest.mark.parametrize(
    ("document", "weight"),
    [
        ({"modalities": TWO}, 1.0),
        ({"modalities": TWO, "train": {"balance": {"kind": "ogm_ge"}}}, 1.0),
        ({"modalities": TWO, "model": {"auxiliary": 0.0}}, 0.0),
        ({"modalities": TWO, "train": {"balance": {"kind": "gradient_blending"}}}, 0.0),
        ({"modalities": TWO, "train": {"balance": {"kind": "mmpareto"}}}, 0.0),
        ({"modalities": TWO, "tasks": ALIGNMENT}, 0.0),
        ({"modalities": {"text": {"column": "note"}}}, 0.0),
    ],
)
def test_each_of_several_modalities_has_a_loss_of_its_own_unless_something_else_weighs_it(
    document, weight
):
    assert make_config(**document).auxiliary == weight


def test_ogm_ge_goes_with_auxiliary():
    config = make_config(model={"auxiliary": 0.5}, train={"balance": {"kind": "ogm_ge"}})

    assert config.train.balance.alpha == 0.5


def test_an_alignment_alone_has_nothing_to_balance():
    with pytest.raises(ConfigError, match="add another task"):
        make_config(tasks=ALIGNMENT, modalities=TWO, train={"balance": {"kind": "mmpareto"}})
