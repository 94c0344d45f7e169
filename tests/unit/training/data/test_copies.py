import numpy as np
import pytest

from mmray.training.data.copies import payload_numbers
from mmray.training.data.samples import ModalityFeatures
from tests.support.sample import SPECS, make_features


@pytest.mark.parametrize("layout", SPECS)
def test_the_same_features_have_one_number_and_absent_ones_each_their_own(layout):
    present = np.array([True, True, False, True, False])
    features = make_features(SPECS[layout], present)
    if features.offsets is None:
        features.values[3] = features.values[0]
    else:
        first = features.values[: features.offsets[1]]
        offsets = features.offsets.copy()
        values = np.concatenate([features.values[: offsets[3]], first])
        offsets[4:] = offsets[3] + len(first)
        features = ModalityFeatures(features.spec, values, offsets, present)

    numbers = payload_numbers({"a": features})[:, 0]

    assert numbers[0] == numbers[3]
    assert len(set(numbers.tolist())) == 4
    assert (numbers >= 0).all()
