"""Whether splits have the requested sizes, and whether an input is a label."""

from collections.abc import Iterator

from mmray.config.document import Config
from mmray.core.kind import Split
from mmray.data.manifest.manifest import Manifest

OFF = 0.25
"""Largest accepted deviation, as a share of the requested size."""


def uneven_splits(manifest: Manifest, config: Config) -> Iterator[str]:
    """Yield a sentence if a split is far from its requested size."""
    split = config.data.split
    if split.column is not None:
        return
    asked = [round(share * len(manifest)) for share in (split.train, split.val, split.test)]
    sizes = [manifest.split_sizes()[name.value] for name in Split]
    if all(abs(n - wanted) <= max(1, OFF * wanted) for n, wanted in zip(sizes, asked, strict=True)):
        return
    why = "data.split.by is 'hash'" if split.by == "hash" else "classes are too small"
    if split.group is not None and split.by != "hash":
        why = f"the groups of {split.group!r} are too few or too large"
    yield f"the splits have {_joined(sizes)} samples instead of {_joined(asked)}: {why}"


def given_away(config: Config) -> Iterator[str]:
    """Yield label columns that are also inputs."""
    for name, task in config.tasks.items():
        for modality, section in config.modalities.items():
            if task.column in section.columns:
                yield (
                    f"the column {task.column!r} holds the labels of {name!r} and is an input of "
                    f"{modality!r}: the model sees the answer"
                )


def _joined(sizes: list[int]) -> str:
    return "/".join(f"{size:,}" for size in sizes)
