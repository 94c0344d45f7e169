import pytest
import torch

from mmray.config.training.train import TrainConfig
from mmray.training.loop.checkpoint import save_checkpoint
from mmray.training.loop.loop import fit
from mmray.training.loop.plan import EpochRecord
from mmray.training.loop.progress import Best, TrainingProgress
from mmray.training.loop.soup import greedy_soup, mean_weights
from mmray.training.loop.validation import validate
from tests.support.sample import make_model
from tests.support.training import identity, ignore, make_plan


def test_the_mean_is_of_every_weight_and_counters_are_not_averaged():
    parts = [
        {"w": torch.tensor([n, 2 * n]), "steps": torch.tensor(5 * int(n))} for n in (1.0, 2.0, 6.0)
    ]

    mean = mean_weights(parts)

    assert mean["w"].tolist() == [3.0, 6.0]
    assert mean["steps"].item() == 5


def test_what_does_not_improve_the_soup_is_left_out(tmp_path):
    """The loss is the distance of the one weight to 10."""
    weights, records = [7.0, 12.0, 5.0, 16.0], []
    for epoch, weight in enumerate(weights):
        records.append(EpochRecord(epoch, {"val/loss": abs(weight - 10.0)}, ["a"], 0.1))
        progress = TrainingProgress(tuple(records), Best(1, 2.0))
        save_checkpoint(
            tmp_path, model={"weight": torch.full((1, 1), weight)}, optimizer={},
            progress=progress, average={},
        )  # fmt: skip
    model = torch.nn.Linear(1, 1, bias=False)
    plan = make_plan(config=TrainConfig(soup=4))

    soup = greedy_soup(
        model, tmp_path, progress, plan, lambda: {"val/loss": abs(model.weight.item() - 10.0)}
    )

    # 12 alone: 2; with 7: 9.5; with 5: 8, left out; with 16: 11.67, left out.
    assert soup.epochs == (1, 0)
    assert soup.metrics == {"val/loss": 0.5}
    assert model.weight.item() == 9.5


@pytest.mark.parametrize("ema", [None, 0.8])
def test_a_training_ends_with_the_soup_of_its_best_checkpoints(tmp_path, ema):
    config = TrainConfig(epochs=5, batch_size=8, lr=1e-2, soup=3, keep_checkpoints=1, ema=ema)
    plan = make_plan(config=config, folder=tmp_path)
    model, again = make_model(plan.train), make_model(plan.train)

    report = fit(model, plan, wrap=identity, on_epoch=ignore)
    repeated = fit(again, plan, wrap=identity, on_epoch=ignore)

    ranked = sorted(report.records, key=lambda record: record.metrics["val/loss"])
    assert set(report.soup.epochs) <= {record.epoch for record in ranked[:3]}
    assert report.soup.epochs[0] == ranked[0].epoch == report.best_epoch
    assert report.metrics["val/loss"] <= report.best.metrics["val/loss"]
    assert validate(model, plan.val, plan)["loss"] == pytest.approx(report.metrics["val/loss"])
    assert repeated.soup == report.soup
    torch.testing.assert_close(again.state_dict(), model.state_dict(), atol=0, rtol=0)
