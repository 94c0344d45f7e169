"""Checkpoints whose batch normalisations have seen no data. Loads without torch."""

from mmray.errors import ConfigError
from mmray.features.checkpoints.checkpoint import local_folder

WEIGHTS_FILE = "model.safetensors"


def has_fresh_statistics(model: str) -> bool:
    """Return whether all statistics in the weights are those before a training: 0 and 1.

    Only a local folder is looked at: the weights of a hub name may not be there yet.
    """
    from safetensors import safe_open

    folder = local_folder(model)
    if folder is None or not (folder / WEIGHTS_FILE).is_file():
        return False
    with safe_open(folder / WEIGHTS_FILE, framework="numpy") as file:
        names = list(file.keys())
        means = [file.get_tensor(name) for name in names if name.endswith("running_mean")]
        variances = [file.get_tensor(name) for name in names if name.endswith("running_var")]
    return (
        bool(means) and not any(m.any() for m in means) and all((v == 1).all() for v in variances)
    )


def refuse_fresh_statistics(model: str, tune: str) -> None:
    """Refuse to freeze weights of a checkpoint with such statistics."""
    if tune != "full":
        raise ConfigError(
            f"checkpoint {model!r} was not trained: its batch normalisations have no statistics, "
            f"and tune: {tune} would leave it at that",
            hint="set encode.tune to full, or name a trained checkpoint",
        )
