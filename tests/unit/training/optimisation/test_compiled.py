import pytest
import torch

from mmray.config.training.train import TrainConfig
from mmray.errors import TrainingError
from mmray.training.optimisation.compiled import compiled, compiling


@pytest.mark.filterwarnings("ignore")  # of torch about itself
def test_what_cannot_be_compiled_is_an_error_with_a_way_out(monkeypatch):
    import torch._inductor.config as settings

    monkeypatch.setattr(settings.cpp, "cxx", ("/nowhere/g++",))
    monkeypatch.setattr(settings, "force_disable_caches", True)
    config = TrainConfig(compile=True)
    module = compiled(torch.nn.GELU(), config)

    with pytest.raises(TrainingError, match="does not work for this model") as caught:  # noqa: SIM117
        with compiling(config):
            module(torch.ones(2, 3))

    assert "No working C++ compiler" in str(caught.value)
    assert "'train.compile: false' needs none" in caught.value.hint


def test_nothing_is_compiled_unless_it_is_asked_for():
    module = torch.nn.Linear(3, 3)

    assert compiled(module, TrainConfig()) is module
