"""A document's runs in its tracking store."""

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from mmray.config.document import Config


def latest_parent(config: Config, uri: str) -> tuple[str, str] | None:
    """Return the ids of the document's experiment and of its newest workflow's run, if any."""
    client = MlflowClient(tracking_uri=uri)
    try:
        experiment = client.get_experiment_by_name(config.tracking.experiment or config.name)
        if experiment is None:
            return None
        # MLflow has no way to ask for runs without a tag; a workflow has few children.
        newest = client.search_runs([experiment.experiment_id], max_results=1000)
    except MlflowException:
        return None  # the UI itself says what is wrong
    for run in newest:
        if MLFLOW_PARENT_RUN_ID not in run.data.tags:
            return str(experiment.experiment_id), str(run.info.run_id)
    return None
