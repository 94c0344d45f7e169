"""The model bundle as an MLflow model (models from code: nothing is pickled).

``mlflow.pyfunc.load_model(uri).predict(frame)`` takes raw records, one column per payload, and
returns a row per record under the same index: a column per task, ``<task>_probabilities`` where it
has classes, ``<task>_low`` and ``<task>_high`` where it predicts an interval, ``present``, the
modalities that were used, and ``rejected``, the reasons as JSON.

A payload is bytes, base64 or a ``data:`` URI. No file is read, unless the settings below name a
folder for the paths in records. They are keys of ``model_config``, or variables of the environment
of a server: ``trust`` (``MMRAY_TRUST=1``) runs the code that the document names; ``folder``
(``MMRAY_FOLDER``) is where paths start; ``allow`` (``MMRAY_ALLOW``, between commas) are folders and
URI prefixes that they may lead to outside of it.
"""

import os
from collections.abc import Mapping
from typing import Any

import mlflow.models
import mlflow.pyfunc
import pandas as pd
from mlflow.exceptions import INVALID_PARAMETER_VALUE, MlflowException

SETTINGS: Mapping[str, Any] = {"trust": False, "folder": "", "allow": ""}
"""The keys of ``model_config``, with their defaults."""


class BundleModel(mlflow.pyfunc.PythonModel):
    """A shell around ``mmray.load(...).predict``."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401 (MLflow's own type is private)
        """Load the bundle that was logged with the model."""
        from mmray.run.bundle.served import output_columns
        from mmray.run.predict.predictor import load

        told = settings_of(context.model_config or {}, os.environ)
        self._predictor = load(
            context.artifacts["bundle"],
            folder=told["folder"] or None,
            allow=told["allow"] or None,
            trust=told["trust"],
            reads_files=bool(told["folder"]),
        )
        config = self._predictor.config
        self._inputs = [c for modality in config.modalities.values() for c in modality.columns]
        self._columns = list(output_columns(config))

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride] (MLflow's says None)
        self,
        context: Any,  # noqa: ANN401
        model_input: pd.DataFrame,  # or a record, or a list of them: MLflow takes no such hint
        params: dict[str, Any] | None = None,
    ) -> pd.DataFrame:
        """Predict from raw records."""
        from mmray.run.bundle.served import to_columns

        given: Any = model_input
        index = model_input.index if isinstance(given, pd.DataFrame) else None
        if index is not None and not len(model_input.columns):
            # MLflow has dropped columns that are not in the signature, and with them all rows.
            raise MlflowException(
                f"no column of these records is an input of the model: {', '.join(self._inputs)}",
                INVALID_PARAMETER_VALUE,
            )
        rows = self._predictor.predict(given)
        cells = [to_columns(row, self._columns) for row in rows]
        columns = {name: _series([cell[name] for cell in cells], index) for name in self._columns}
        return pd.DataFrame(columns)


def _series(values: list[Any], index: Any) -> Any:  # noqa: ANN401 (pandas has no stubs here)
    """Keep None: pandas would convert it to NaN, which is not JSON."""
    has_gaps = not values or any(value is None for value in values)
    return pd.Series(values, index=index, dtype=object if has_gaps else None)


def settings_of(config: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the settings of a server; ``model_config`` takes precedence over the environment."""
    trust = config.get("trust") or environment.get("MMRAY_TRUST", "") in ("1", "true", "yes")
    folder = config.get("folder") or environment.get("MMRAY_FOLDER", "")
    allow = config.get("allow") or environment.get("MMRAY_ALLOW", "")
    places = allow.split(",") if isinstance(allow, str) else list(allow)
    return {
        "trust": trust is True,
        "folder": folder,
        "allow": [place.strip() for place in places if place.strip()],
    }


mlflow.models.set_model(BundleModel())
