import numpy as np
import torch

from mmray.training.data.samples import ModalityFeatures, Samples
from mmray.training.loop.predict import predict
from tests.support.sample import TASKS, make_model, make_samples

CPU = torch.device("cpu")


def pick(samples, indices):
    """The same samples in another order."""

    def pick_features(features):
        values, offsets = features.values, features.offsets
        if offsets is None:
            return ModalityFeatures(features.spec, values[indices], None, features.present[indices])
        parts = [values[:0]] + [values[offsets[i] : offsets[i + 1]] for i in indices]
        sizes = np.cumsum([len(part) for part in parts])
        joined = np.concatenate(parts)
        return ModalityFeatures(features.spec, joined, sizes, features.present[indices])

    return Samples(
        [samples.ids[i] for i in indices],
        {name: pick_features(features) for name, features in samples.modalities.items()},
        {},
    )


def test_predictions_are_the_same_alone_first_last_and_in_any_batch():
    samples = make_samples(13)
    model, order = make_model(samples), np.random.default_rng(0).permutation(13)

    together = predict(model, samples, TASKS, batch_size=13, device=CPU)
    shuffled = predict(model, pick(samples, order), TASKS, batch_size=4, device=CPU)
    alone = predict(model, pick(samples, [5]), TASKS, batch_size=1, device=CPU)

    for task in TASKS:
        np.testing.assert_allclose(shuffled[task], together[task][order], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(alone[task], together[task][[5]], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together["digit"].sum(axis=1), 1, rtol=1e-5)


def test_no_samples_give_no_predictions():
    samples = make_samples(3)

    nothing = pick(samples, np.zeros(0, dtype=int))
    empty = predict(make_model(samples), nothing, TASKS, batch_size=2, device=CPU)

    assert {task: values.shape for task, values in empty.items()} == {
        "digit": (0, 3),
        "rate": (0,),
    }
