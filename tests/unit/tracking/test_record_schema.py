import re

import pandas as pd
import pytest
from mlflow.models import validate_schema

from mmray.tracking.model_interface import prediction_requirements, record_schema

SCHEMA = record_schema(["age", "sex", "tracks", "photo"])


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"age": [3], "sex": ["f"]}),
        pd.DataFrame({"age": ["3", None]}),
        pd.DataFrame({"age": [3.5, None], "tracks": [["a", "b"], None]}),
        pd.DataFrame({"photo": [b"\x89PNG"], "age": [pd.Timestamp("2024-05-31")]}),
        pd.DataFrame([dict.fromkeys(["age", "sex", "tracks", "photo"])], dtype="object"),
    ],
)
def test_a_record_may_hold_what_a_manifest_may_hold(frame):
    validate_schema(frame, SCHEMA)


def test_the_columns_are_told_by_name():
    assert SCHEMA.input_names() == ["age", "sex", "tracks", "photo"]
    assert SCHEMA.required_input_names() == []


def test_a_model_requires_what_reads_its_files_but_not_ray():
    names = {re.split(r"[<>=!~;\[ ]", each)[0] for each in prediction_requirements()}

    assert {"torch", "av", "pydicom"} <= names
    assert not {"ray", "mlflow", "pytest"} & names
