"""The model card of a bundle."""

from collections.abc import Mapping
from typing import Any

from mmray import __version__
from mmray.config.document import Config
from mmray.core.text.markdown import code, plain
from mmray.run.feature_folder import FeatureFolder
from mmray.training.tasks.task import Tasks


def model_card(
    config: Config,
    features: Mapping[str, FeatureFolder],
    tasks: Tasks,
    metrics: Mapping[str, Any],
    *,
    models: int = 1,
) -> str:
    """Return the model card as Markdown."""
    lines = [f"# {config.name}", "", f"Made by mmray {__version__}.", ""]
    if models > 1:
        lines += [f"An ensemble: predictions are the weighted mean of {models} models.", ""]
    lines += ["## Inputs", ""]
    for name, feature in features.items():
        modality = config.modalities[name]
        lines.append(
            f"- {code(', '.join(modality.columns))} ({modality.kind}): {modality.extract.kind} "
            f"{feature.spec.describe()}, encoded by {modality.encode.kind}"
        )
    lines += ["", "Any of them may be missing.", "", "## Outputs", ""]
    lines += [f"- `{name}`: {plain(task.summary())}" for name, task in tasks.items()]
    lines += ["", "## On the test split", "", *_figure_lines(metrics)]
    lines += ["", "## Use", "", "```python", "import mmray", ""]
    example = {c: "..." for modality in config.modalities.values() for c in modality.columns}
    lines += [f"mmray.load(folder).predict([{example}])", "```", ""]
    return "\n".join(lines)


def _figure_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return a table of each task's figures, of the training whose weights these are."""
    lines = ["| task | metric | value | interval | samples |", "|---|---|---|---|---|"]
    for task, values in metrics.items():
        for key, value in values.items():
            if isinstance(value, float):
                bounds = values.get(f"{key}_interval")
                interval = "" if bounds is None else f"{bounds[0]:.4f} to {bounds[1]:.4f}"
                samples = values.get("samples", "")
                lines.append(
                    f"| {plain(task)} | {plain(key)} | {value:.4f} | {interval} | {samples} |"
                )
    return lines
