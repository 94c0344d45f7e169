"""How payloads are counted by their outcome, and when too many are rejected."""

import pyarrow as pa
import pytest

from mmray.errors import ExtractionError
from mmray.stages.extraction.completion import check_rejected, count_outcomes
from tests.support.document import make_config

REASONS = ["", "", "image_broken", "", "image_empty", "image_broken", "", ""]


def make_rows(reasons):
    ids = [f"s{number}" for number in range(len(reasons))]
    return pa.table({"sample_id": ids, "reason": reasons, "detail": ["why"] * len(reasons)})


def image_config(fraction=0.5):
    modalities = {"image": {"column": "photo"}}
    return make_config(
        modalities=modalities, data={"manifest": "m.jsonl", "max_rejected_fraction": fraction}
    )


def test_extracted_missing_and_rejected_make_up_the_samples():
    counts = count_outcomes(image_config().modalities["image"], make_rows(REASONS), samples=11)

    assert counts == {
        "extracted": 5,
        "missing": 3,
        "rejected": {"image_broken": 2, "image_empty": 1},
    }


@pytest.mark.parametrize(("rejected", "total"), [(2, 8), (0, 3), (0, 0), (25, 100)])
def test_the_share_that_may_be_rejected_is_allowed_itself(rejected, total):
    rows = make_rows(["image_broken"] * rejected + [""] * (total - rejected))

    check_rejected("image", image_config(0.25), rows, {"image_broken": "a.jpg"})


@pytest.mark.parametrize(("rejected", "total"), [(3, 8), (1, 3), (26, 100)])
def test_one_payload_more_is_an_error_that_names_an_example(rejected, total):
    rows = make_rows(["image_broken"] * rejected + [""] * (total - rejected))

    with pytest.raises(ExtractionError, match=r"x \d+, e\.g\. a\.jpg \(why\)") as caught:
        check_rejected("image", image_config(0.25), rows, {"image_broken": "a.jpg"})

    assert f"{rejected} of {total} payloads" in str(caught.value)
    assert "max_rejected_fraction' is 0.25" in caught.value.hint
