import math

import numpy as np
import pytest
import torch

from mmray.config.training.epoch_metric import modality_metric_names
from mmray.config.training.train import ObjectiveConfig, TrainConfig
from mmray.training.loop.loop import fit
from mmray.training.loop.predict import predict
from mmray.training.loop.validation import metric_names, validate
from mmray.training.modalities.metrics import modality_metrics
from mmray.training.modalities.watch import ModalityWatch
from tests.support.sample import TASKS, make_model, make_samples
from tests.support.training import identity, ignore, make_plan

NAMES = ("text", "image", "audio")
CONFIGS = {name: task.config for name, task in TASKS.items()}


def hits(right, rows=30):
    """Outputs that are right for the first samples, and the labels."""
    return torch.eye(3)[torch.tensor([1] * right + [2] * (rows - right))] * 5.0


def test_a_modality_is_evaluated_on_the_samples_that_have_it_and_the_fusion_beside_it():
    samples = make_samples(30, unlabelled=0.0)
    samples.labels["digit"][:] = 1
    here = samples.modalities["image"].present
    whole = {"digit": hits(24), "rate": torch.zeros(30, 1)}
    alone = [{"digit": hits(15), "rate": torch.ones(30, 1)}] * 3

    found = modality_metrics(TASKS, whole, alone, samples)

    own, fused = here[:15].sum() / here.sum(), here[:24].sum() / here.sum()
    assert found["digit/image/accuracy"] == pytest.approx(own)
    assert found["digit/image/gain"] == pytest.approx(fused - own)
    rates = samples.labels["rate"][here]
    mae = [2.0 * np.abs(rates - at).mean() for at in (0.0, 1.0)]
    assert found["rate/image/mae"] == pytest.approx(mae[1], rel=1e-5)
    assert found["rate/image/gain"] == pytest.approx(mae[1] - mae[0], rel=1e-4)
    assert set(found) == modality_metric_names(CONFIGS, NAMES)


def test_the_error_of_a_gain_is_that_of_a_paired_difference():
    samples = make_samples(400, unlabelled=0.0, absent=0.0)
    samples.labels["digit"][:] = 1
    outputs = {"rate": torch.zeros(400, 1)}
    whole, alone = (outputs | {"digit": hits(right, 400)} for right in (240, 200))

    found = modality_metrics(TASKS, whole, [alone] * 3, samples)
    same = modality_metrics(TASKS, whole, [whole] * 3, samples)

    differs = 40 / 400
    exact = np.sqrt(differs * (1 - differs) / 400)
    assert found["digit/image/gain_error"] == pytest.approx(exact, rel=0.5)
    assert same["digit/image/gain_error"] == 0.0


def test_one_sample_tells_nothing_of_its_noise():
    samples = make_samples(1, unlabelled=0.0, absent=0.0)
    outputs = {"digit": hits(1, 1), "rate": torch.zeros(1, 1)}

    found = modality_metrics(TASKS, outputs, [outputs] * 3, samples)

    assert "digit/image/gain" in found
    assert "digit/image/gain_error" not in found


def test_validation_judges_each_modality_with_all_others_hidden():
    plan = make_plan()
    model = make_model(plan.train)

    found = validate(model, plan.val, plan)

    for features in (plan.val.modalities["image"], plan.val.modalities["audio"]):
        features.present[:] = False
    outputs = predict(model, plan.val, TASKS, batch_size=8, device=torch.device("cpu"))
    here = plan.val.modalities["text"].present & plan.val.labelled("digit")
    right = outputs["digit"][here].argmax(axis=1) == plan.val.labels["digit"][here]
    assert found["digit/text/accuracy"] == pytest.approx(right.mean())


def test_gradient_norms_are_of_each_encoder_and_shares_sum_to_one():
    watch = ModalityWatch(make_plan())

    for step in (1.0, 3.0):
        watch.add_gradients([torch.tensor(norm) for norm in (5.0, step, 0.0)])
    found = watch.metrics()

    norms = [found[f"train/{name}/gradient_norm"] for name in NAMES]
    shares = [found[f"train/{name}/gradient_share"] for name in NAMES]
    assert norms == pytest.approx([5.0, 2.0, 0.0])
    assert shares == pytest.approx([5 / 7, 2 / 7, 0.0])
    assert watch.metrics() == {}


def test_a_step_with_infinite_gradients_counts_for_no_norm():
    watch = ModalityWatch(make_plan())
    for norms in ([1.0, 2.0, 1.0], [math.inf, 1.0, 1.0], [3.0, 2.0, 1.0]):
        watch.add_gradients([torch.tensor(norm) for norm in norms])

    found = watch.metrics()

    assert [found[f"train/{m}/gradient_norm"] for m in ("text", "image", "audio")] == [2, 2, 1]
    watch.add_gradients([torch.tensor(math.nan)] * 3)
    assert watch.metrics() == {}


def test_an_epoch_can_be_chosen_by_a_modality_and_no_metric_has_a_name_that_is_not_known():
    best = ObjectiveConfig(metric="val/digit/audio/accuracy")
    config = TrainConfig(epochs=2, batch_size=8, keep_best=best)
    plan = make_plan(config=config)

    report = fit(make_model(plan.train), plan, wrap=identity, on_epoch=ignore)

    values = [record.metrics["val/digit/audio/accuracy"] for record in report.records]
    assert report.best.metrics["val/digit/audio/accuracy"] == max(values)
    assert set(report.best.metrics) <= metric_names(plan)


def test_watching_changes_nothing_but_what_is_told():
    found = {}
    for watches in (True, False):
        config = TrainConfig(epochs=2, batch_size=8, watch_modalities=watches)
        plan = make_plan(config=config)
        model = make_model(plan.train, dropout=0.3)
        report = fit(model, plan, wrap=identity, on_epoch=ignore)
        found[watches] = model.state_dict(), set(report.best.metrics)

    torch.testing.assert_close(found[True][0], found[False][0], atol=0, rtol=0)
    more = found[True][1] - found[False][1]
    assert more == {f"val/{name}" for name in modality_metric_names(CONFIGS, NAMES)} | {
        f"train/{name}/gradient_{what}" for name in NAMES for what in ("norm", "share")
    }
