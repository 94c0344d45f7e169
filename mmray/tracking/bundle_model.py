"""The model bundle as an MLflow model (models from code: nothing is pickled).

``mlflow.pyfunc.load_model(uri).predict(frame)`` takes raw records, one column per payload, and
returns one row per record: a column per task, ``<task>_low`` and ``<task>_high`` where it predicts
an interval, and ``rejected`` with the reasons as JSON.
"""

import json
from typing import Any

import mlflow.models
import mlflow.pyfunc
import pandas as pd


class BundleModel(mlflow.pyfunc.PythonModel):
    """A shell around ``mmray.load(...).predict``."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401 (MLflow's own type is private)
        """Load the bundle that was logged with the model."""
        import mmray

        self._predictor = mmray.load(context.artifacts["bundle"])

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride] (MLflow's says None)
        self,
        context: Any,  # noqa: ANN401
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Predict from raw records."""
        records = model_input.to_dict(orient="records")
        rows = [_to_columns(row) for row in self._predictor.predict(records)]
        return pd.DataFrame(rows)


def _to_columns(row: dict[str, Any]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for task, output in (row["predictions"] or {}).items():
        columns[task] = output.get("label", output.get("labels", output.get("value")))
        if "interval" in output:
            columns[f"{task}_low"], columns[f"{task}_high"] = output["interval"]
    return columns | {"rejected": json.dumps(row["rejected"])}


mlflow.models.set_model(BundleModel())
